"""Lookup tables of a session, and what fills them."""
from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.ir.apply import apply
from graphc.ir.op import OPS

lookup = gc.contrib.lookup


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def squares(default: int = -1, **more: Any) -> Any:
    keys = gc.constant([1, 2, 3], gc.int64)
    return lookup.HashTable(lookup.KeyValueTensorInitializer(keys, keys * keys), default, **more)


def test_a_table_that_is_filled_once() -> None:
    table = squares()
    found = table.lookup(gc.constant([[3, 7], [1, 2]], gc.int64))
    assert found.shape.as_list() == [2, 2] and found.dtype == gc.int64 and table.name == "hash_table"
    with gc.Session() as session:
        with pytest.raises(errors.FailedPreconditionError, match=r"not initialized.*tables_initializer"):
            session.run(found)
        assert session.run(table.size()) == 0
        assert session.run(gc.tables_initializer()) is None
        assert session.run([found, table.size()])[0].tolist() == [[9, -1], [1, 4]]
        keys, values = session.run(table.export())
        assert dict(zip(keys.tolist(), values.tolist(), strict=True)) == {1: 1, 2: 4, 3: 9}
        session.run(table.init)                                      # a second time, with as many keys
    with gc.Session() as other, pytest.raises(errors.FailedPreconditionError):
        other.run(found)                                             # another session has a table of its own


@pytest.mark.parametrize("key", [gc.int32, gc.int64])
@pytest.mark.parametrize("value", [gc.int32, gc.int64, gc.float32, gc.float64, gc.bool])
def test_dtypes(key: Any, value: Any) -> None:
    table = lookup.HashTable(lookup.KeyValueTensorInitializer([5, 6], [1, 0], key, value) if value != gc.bool else
                             lookup.KeyValueTensorInitializer([5, 6], [True, False], key, value),
                             True if value == gc.bool else 1)
    keys = gc.placeholder(key, [None])
    with gc.Session() as session:
        session.run(table.init)
        for given, expected in (([6, 5, 4], [0, 1, 1]), ([], []), ([6], [0])):
            found = session.run(table.lookup(keys), {keys: given})
            assert found.tolist() == expected and found.dtype == value.as_numpy_dtype


def test_what_does_not_fit_a_table_that_is_filled_once() -> None:
    table = squares()
    with pytest.raises(TypeError, match="Keys must be dtype int64, got int32"):
        table.lookup(gc.constant([1]))
    twice = lookup.HashTable(lookup.KeyValueTensorInitializer([1, 1], [2, 3]), 0)
    same = lookup.HashTable(lookup.KeyValueTensorInitializer([1, 1], [2, 2]), 0)
    n = gc.placeholder(gc.int32, [None])
    fed = lookup.HashTable(lookup.KeyValueTensorInitializer(n, n), 0)
    with gc.Session() as session:
        with pytest.raises(errors.FailedPreconditionError, match=r"different value for same key. Key 1 has 2 and .* 3"):
            session.run(twice.init)
        session.run(same.init)
        assert session.run(same.size()) == 1
        session.run(fed.init, {n: [1, 2]})
        session.run(fed.init, {n: [8, 9]})                           # as many: taken for the same, as in TensorFlow
        with pytest.raises(errors.FailedPreconditionError, match="already initialized with different data"):
            session.run(fed.init, {n: [1, 2, 3]})
        assert sorted(session.run(fed.export()[0]).tolist()) == [1, 2]


def test_shared_names() -> None:
    one, two = squares(shared_name="t"), squares(default=7, shared_name="t")
    other = lookup.MutableHashTable(gc.int64, gc.int64, 0, name="t")
    shared = [lookup.MutableHashTable(gc.int64, gc.int64, 0, shared_name="u") for _ in range(2)]
    dense = [lookup.MutableDenseHashTable(gc.int64, gc.int64, 0, -1, -2, shared_name="v") for _ in range(2)]
    with gc.Session() as session:
        session.run(one.init)
        assert session.run(two.lookup(gc.constant([2, 9], gc.int64))).tolist() == [4, 7]
        for first, second in (shared, dense):
            key = gc.constant([5], gc.int64)
            session.run(first.insert(key, key))
            assert session.run(second.lookup(key)).tolist() == [5]
        with pytest.raises(errors.InvalidArgumentError, match=r"uses 't' as a MutableHashTableV2.*shared_name"):
            session.run(other.size())


def test_a_table_that_changes() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.float32, -1.0)
    keys, values = gc.placeholder(gc.int64, None), gc.placeholder(gc.float32, None)
    put, found, gone = table.insert(keys, values), table.lookup(keys), table.remove(gc.constant([2, 99], gc.int64))
    with gc.Session() as session:
        assert session.run(found, {keys: 4}) == -1 and session.run(table.size()) == 0
        session.run(put, {keys: [1, 2, 1], values: [10, 20, 30]})     # the last one counts
        session.run(put, {keys: [[5], [6]], values: [[50], [60]]})
        assert session.run(found, {keys: [1, 2, 5, 7]}).tolist() == [30, 20, 50, -1]
        assert session.run(table.size()) == 4
        session.run(gone)
        assert session.run(found, {keys: [[2, 1]]}).tolist() == [[-1, 30]]
        exported = session.run(table.export())
        assert sorted(zip(*(x.tolist() for x in exported), strict=True)) == [(1, 30), (5, 50), (6, 60)]
        with pytest.raises(errors.InvalidArgumentError, match="Expected shape"):
            session.run(put, {keys: [1, 2], values: [1.0]})
        assert session.run(table.size()) == 3                        # a call that fails changes nothing


def test_values_that_are_tensors() -> None:
    table = lookup.MutableHashTable(gc.int32, gc.int64, [0, -1])
    put = table.insert([3, 4], gc.constant([[1, 2], [3, 4]], gc.int64))
    found = table.lookup([[4], [5]])
    keys, values = table.export()
    assert found.shape.as_list() == [2, 1, 2] and values.shape.as_list() == [None, 2] and keys.shape.as_list() == [None]
    with gc.Session() as session:
        assert session.run(values).shape == (0, 2)
        session.run(put)
        assert session.run(found).tolist() == [[[3, 4]], [[0, -1]]]
        assert session.run(values).tolist() == [[1, 2], [3, 4]]
        session.run(put)
        assert session.run(found).tolist() == [[[3, 4]], [[0, -1]]]


def test_dense_tables() -> None:
    table = lookup.MutableDenseHashTable(gc.int64, gc.int64, -1, empty_key=0, deleted_key=-7, initial_num_buckets=4)
    x = gc.placeholder(gc.int64, [None])
    put, found, gone = table.insert(x, x * 2), table.lookup(x), table.erase(x)
    with gc.Session() as session:
        session.run(put, {x: [1, 2]})
        session.run(gone, {x: [2]})
        assert session.run(found, {x: [1, 2]}).tolist() == [2, -1] and session.run(table.size()) == 1
        for op in (put, found, gone):
            with pytest.raises(errors.InvalidArgumentError, match="Using the empty_key 0 as a table key"):
                session.run(op, {x: [1, 0]})
            with pytest.raises(errors.InvalidArgumentError, match="Using the deleted_key -7 as a table key"):
                session.run(op, {x: [-7]})


def test_keys_that_are_vectors() -> None:
    table = lookup.MutableDenseHashTable(gc.int64, gc.float32, [-1.0, 0.0], empty_key=[0, 0], deleted_key=[-1, 0])
    put = table.insert([[0, 1], [1, 0]], [[1.0, 2.0], [3.0, 4.0]])
    found = table.lookup([[[1, 0]], [[1, 1]]])
    assert found.shape.as_list() == [2, 1, 2]
    with gc.Session() as session:
        session.run(put)
        assert session.run(found).tolist() == [[[3, 4]], [[-1, 0]]]
        keys, values = session.run(table.export())
        assert sorted(keys.tolist()) == [[0, 1], [1, 0]] and values.shape == (2, 2)


@pytest.mark.parametrize("arguments, message", [
    ({"empty_key": 3, "deleted_key": 3}, "cannot be equal"),
    ({"empty_key": 3, "deleted_key": 4, "initial_num_buckets": 12}, "power of 2, got: 12"),
    ({"empty_key": [3], "deleted_key": 4}, "same shape"),
])
def test_dense_tables_that_cannot_be_made(arguments: dict[str, Any], message: str) -> None:
    table = lookup.MutableDenseHashTable(gc.int64, gc.int64, 0, **arguments)
    with gc.Session() as session, pytest.raises(errors.InvalidArgumentError, match=message):
        session.run(table.size())


def test_in_the_order_of_the_graph() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.int64, -1)
    one = gc.constant([1], gc.int64)
    before = table.lookup(one)
    put = table.insert(one, one * 5)
    with gc.control_dependencies([put]):
        behind = table.lookup(one)
        with gc.control_dependencies([table.remove(one)]):
            last = table.lookup(one)
    with gc.Session() as session:
        assert [v.tolist() for v in session.run([last, behind, before])] == [[-1], [5], [-1]]


def test_in_loops_and_branches() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.int64, 0)
    static = squares()
    n = gc.placeholder(gc.int64, [])

    def body(i: Any, total: Any) -> Any:
        with gc.control_dependencies([table.insert(i, total)]):
            return i + 1, total + table.lookup(i) + static.lookup(i)

    _, total = gc.while_loop(lambda i, _: i < n, body, [gc.constant(0, gc.int64), gc.constant(1, gc.int64)])
    found = gc.cond(n > 2, lambda: table.lookup(n - 1), lambda: static.lookup(n))
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        assert session.run(total, {n: 3}) == 10          # 1 + 1 - 1, 1 + 1 + 1, 3 + 3 + 4
        assert session.run([found, table.size()], {n: 3}) == [3, 3]
        assert session.run(found, {n: 2}) == 4


def test_made_in_a_branch() -> None:
    x = gc.placeholder(gc.int64, [])

    def then() -> Any:
        return lookup.HashTable(lookup.KeyValueTensorInitializer([1, 2], [10, 20], gc.int64, gc.int64), 0).lookup(x)

    found = gc.cond(x > 0, then, lambda: x)
    with gc.Session() as session:
        session.run(gc.tables_initializer())
        assert [session.run(found, {x: v}) for v in (2, 5, -3)] == [20, 0, -3]


def test_no_gradient_goes_through() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.float32, 2.0)
    x = gc.placeholder(gc.float32, [])
    y = table.lookup(gc.constant(1, gc.int64)) * x
    with gc.Session() as session:
        assert session.run(gc.gradients(y, x)[0], {x: 3}) == 2
        assert gc.gradients(table.lookup(gc.cast(x, gc.int64)), x) == [None]


def test_gradients_of_what_is_looked_up_in_loops_and_branches() -> None:
    table = lookup.HashTable(lookup.KeyValueTensorInitializer([0, 1, 2], [2.0, 3.0, 5.0], gc.int64), 1.0)
    x, n = gc.placeholder(gc.float32, []), gc.placeholder(gc.int64, [])
    _, y = gc.while_loop(lambda i, _: i < n, lambda i, v: (i + 1, v * table.lookup(i) * x),
                         [gc.constant(0, gc.int64), gc.constant(1.0)])
    z = gc.cond(n > 1, lambda: x * table.lookup(n - 1), lambda: x)
    with gc.Session() as session:
        session.run(table.init)
        assert session.run([y, *gc.gradients(y, x), *gc.gradients(z, x)], {x: 2, n: 3}) == [240, 360, 5]


def test_threads() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.int64, -1)
    x = gc.placeholder(gc.int64, [None])
    put, found = table.insert(x, x + 1), table.lookup(x)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(50):
                mine = np.arange(20) + 100 * number
                session.run(put, {x: mine})
                assert np.array_equal(session.run(found, {x: mine}), mine + 1), i
        except BaseException as error:
            failed.append(error)

    with gc.Session() as session:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failed and session.run(table.size()) == 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_has_a_copy() -> None:
    table = lookup.MutableHashTable(gc.int64, gc.int64, -1)
    x = gc.placeholder(gc.int64, [])
    put, found = table.insert(x, x), table.lookup(x)
    with gc.Session() as session:
        session.run(put, {x: 1})
        child = os.fork()
        if not child:
            try:
                session.run(put, {x: 2})
                os._exit(0 if session.run([found, table.size()], {x: 1}) == [1, 2] else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert session.run(found, {x: 2}) == -1


def test_saved_and_loaded() -> None:
    table = squares()
    found = gc.identity(table.lookup(gc.placeholder(gc.int64, [None], name="x")), name="found")
    saved = gc.get_default_graph().as_graph_def()
    assert found.op.inputs[0].op.type == "LookupTableFindV2"
    with gc.Graph().as_default():
        initial, loaded = gc.import_graph_def(saved, return_elements=[table.init.name, "found:0"])
        with gc.Session() as session:
            session.run(initial)
            assert session.run(loaded, {"import/x:0": [3, 4]}).tolist() == [9, -1]


def test_files_with_the_first_names() -> None:
    table, changing = squares(), lookup.MutableHashTable(gc.int64, gc.float32, [0.5])
    dense = lookup.MutableDenseHashTable(gc.int64, gc.int64, -1, empty_key=0, deleted_key=-1)
    x = gc.placeholder(gc.int64, [None], name="x")
    names = [table.lookup(x).name, table.size().name, *(t.name for t in table.export()), changing.lookup(x).name,
             dense.lookup(x).name]
    before = [table.init.name, changing.insert(x, gc.ones([2, 1])).name, dense.insert(x, x).name]
    saved = gc.get_default_graph().as_graph_def()
    for node in saved.node:
        if "Table" in node.op:
            node.op = node.op.removesuffix("V2")
    with gc.Graph().as_default(), gc.Session() as session:
        *puts, found, size, keys, values, others, last = gc.import_graph_def(saved, return_elements=before + names)
        assert puts[0].type == "LookupTableImport" and found.op.inputs[0].op.type == "HashTable"
        session.run(puts, {"import/x:0": [2, 5]})
        got = session.run([found, size, keys, values, others, last], {"import/x:0": [2, 7]})
        assert [v.tolist() for v in got] == [[4, -1], 3, [1, 2, 3], [1, 4, 9], [[1], [0.5]], [2, -1]]


def test_ops_that_do_not_fit() -> None:
    static, changing = squares(), lookup.MutableHashTable(gc.int64, gc.int64, 0)
    queue = gc.FIFOQueue(1, gc.int64)
    one, vector = gc.constant(1, gc.int64), gc.constant([1], gc.int64)
    fed = gc.placeholder(gc.int64, [])

    def op(kind: str, *operands: Any, **fields: Any) -> Any:
        return apply(OPS[kind], *operands, **fields)

    filled = op("InitializeTableV2", op("HashTableV2", key_dtype=gc.int64, value_dtype=gc.int64), one, one)
    for made, error, message in (
            (op("LookupTableInsertV2", static.resource_handle, one, one), errors.UnimplementedError, "use a Mutable"),
            (op("LookupTableRemoveV2", static.resource_handle, one), errors.UnimplementedError, "use a Mutable"),
            (op("InitializeTableV2", changing.resource_handle, vector, vector), errors.UnimplementedError,
             "use a HashTable"),
            (filled, errors.InvalidArgumentError, r"Keys must be a vector, but received shape \[\]"),
            (op("LookupTableSizeV2", queue.queue_ref), errors.InvalidArgumentError, "needs the handle of a table"),
            (op("QueueSizeV2", static.resource_handle), errors.InvalidArgumentError, "needs the handle of a queue"),
            (op("LookupTableFindV2", static.resource_handle, [1], one), errors.InvalidArgumentError,
             "'keys' has dtype int32, but the keys of the table 'hash_table' are int64"),
            (op("LookupTableFindV2", changing.resource_handle, one, vector), errors.InvalidArgumentError,
             r"Expected shape \[\] for default value, got \[1\]"),
            (op("LookupTableExportV2", static.resource_handle, Tkeys=gc.int32, Tvalues=gc.int64)[0],
             errors.InvalidArgumentError, "int32 and int64 are wanted of the table"),
            (lookup.MutableDenseHashTable(gc.int64, gc.int64, 0, fed, -1).size(), errors.UnimplementedError,
             "'Placeholder:0' must be a constant")):
        with gc.Session() as session, pytest.raises(error, match=message):
            session.run(static.init)
            session.run(made, {fed: 1})
