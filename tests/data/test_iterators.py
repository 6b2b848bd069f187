"""Iterators in sessions: how they start, where they stand, what ends them."""
from __future__ import annotations

import collections
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc

D = gc.data.Dataset


@pytest.fixture(autouse=True)
def own_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


def test_two_get_next_ops_advance_twice_and_one_advances_once() -> None:
    iterator = D.range(6).make_one_shot_iterator()
    a, b = iterator.get_next(), iterator.get_next()
    with gc.Session() as session:
        assert sorted(session.run([a, b])) == [0, 1]
        assert session.run([a, a + 10]) == [2, 12]


def test_names_as_in_tensorflow() -> None:
    iterator = D.range(6).make_initializable_iterator()
    assert iterator.get_next().name == "IteratorGetNext:0" and iterator.initializer.name == "MakeIterator"
    assert D.range(3).make_one_shot_iterator().get_next("following").name == "following:0"


def test_each_session_begins_anew() -> None:
    following = D.range(6).make_one_shot_iterator().get_next()
    for _ in range(2):
        with gc.Session() as session:
            assert [session.run(following) for _ in range(3)] == [0, 1, 2]


def test_end_and_before_the_start() -> None:
    iterator = D.range(2).make_initializable_iterator()
    following = iterator.get_next()
    with gc.Session() as session:
        with pytest.raises(gc.errors.FailedPreconditionError, match="has not been initialized"):
            session.run(following)
        for _ in range(2):
            session.run(iterator.initializer)
            assert [session.run(following) for _ in range(2)] == [0, 1]
            for _ in range(2):
                with pytest.raises(gc.errors.OutOfRangeError, match="End of sequence"):
                    session.run(following)


def test_placeholders_variables_and_a_changing_batch_size() -> None:
    x, size = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.int64, [])
    scale = gc.Variable(10.0)
    iterator = D.from_tensor_slices(x).map(lambda row: row * scale).batch(size).make_initializable_iterator()
    following = iterator.get_next()
    assert following.shape.as_list() == [None, 2]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(iterator.initializer, {x: [[1, 2], [3, 4], [5, 6]], size: 2})
        assert session.run(following).tolist() == [[10, 20], [30, 40]]
        session.run(scale.assign(0.0))                 # what was taken stays
        assert session.run(following).tolist() == [[50, 60]]
        session.run(iterator.initializer, {x: [[1, 2]], size: 1})
        assert session.run(following).tolist() == [[0, 0]]


def test_one_shot_refuses_state() -> None:
    for made in (gc.placeholder(gc.float32, [3]), gc.Variable([1.0])):
        with pytest.raises(ValueError, match="make_initializable_iterator"):
            D.from_tensor_slices(gc.identity(made)).make_one_shot_iterator()


def test_one_shot_takes_what_is_computed() -> None:
    rows = gc.reshape(gc.range(6), [3, 2]) * 2
    offset = gc.add(gc.constant([1, 1]), 1)
    following = D.from_tensor_slices(rows).map(lambda r: r + offset).batch(3).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        assert session.run(following).tolist() == [[2, 4], [6, 8], [10, 12]]


def test_reinitializable_and_feedable() -> None:
    training, validation = D.range(3).repeat(), D.range(10, 12)
    both = gc.data.Iterator.from_structure(training.output_types, training.output_shapes)
    starts = [both.make_initializer(d) for d in (training, validation)]
    following = both.get_next()
    handle = gc.placeholder(gc.string, [])
    fed = gc.data.Iterator.from_string_handle(handle, gc.int64, []).get_next()
    first, second = training.make_one_shot_iterator(), validation.make_initializable_iterator()
    with gc.Session() as session:
        for start, expected in ((0, [0, 1, 2, 0]), (1, [10, 11]), (0, [0, 1])):
            session.run(starts[start])
            assert [session.run(following) for _ in expected] == expected
        one, other = session.run([first.string_handle(), second.string_handle()])
        session.run(second.initializer)
        assert [session.run(fed, {handle: h}) for h in (one, other, one, other)] == [0, 10, 1, 11]
        with pytest.raises(gc.errors.InvalidArgumentError, match="handle of no iterator"):
            session.run(fed, {handle: "something"})
    with pytest.raises(TypeError, match="Expected output types"):
        both.make_initializer(D.from_tensors(1.0))


def test_structures() -> None:
    Pair = collections.namedtuple("Pair", "a b")
    data = D.from_tensor_slices({"x": Pair(np.arange(4), np.eye(4)), "y": ["p", "q", "r", "s"]})
    assert data.output_shapes["x"].b.as_list() == [4] and data.output_types["y"] == gc.string
    mapped = data.map(lambda d: (d["y"], Pair(b=d["x"].a * 2, a={"k": d["x"].b})))
    following = mapped.batch(3).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        text, pair = session.run(following)
    assert text.tolist() == [b"p", b"q", b"r"] and pair.b.tolist() == [0, 2, 4]
    assert pair.a["k"].tolist() == np.eye(4)[:3].tolist() and type(pair).__name__ == "Pair"


def test_generator() -> None:
    def rows(n: Any) -> Iterator[Any]:
        for i in range(n):
            yield [i] * i, str(i)

    data = D.from_generator(rows, (gc.int32, gc.string), ([None], []), args=(gc.constant(3) + 1,))
    following = data.padded_batch(3, ([None], [])).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        numbers, text = session.run(following)
        assert numbers.tolist() == [[0, 0], [1, 0], [2, 2]] and text.tolist() == [b"0", b"1", b"2"]
        assert session.run(following)[0].tolist() == [[3, 3, 3]]


def test_generator_without_shapes() -> None:
    data = D.from_generator(lambda: iter([[1.0, 2.0], [3.0]]), gc.float32)
    following = data.make_one_shot_iterator().get_next()
    assert following.shape.ndims is None
    with gc.Session() as session:
        assert session.run(following * 2).tolist() == [2, 4]
        assert session.run(following).tolist() == [3]


@pytest.mark.parametrize(("yielded", "message"), [
    ([1, 2, 3], "shape .3.. where an element of shape .2.. was expected"), (["a", "b"], "could not be converted"),
    (7, "did not match the expected structure"),
])
def test_generator_that_yields_something_else(yielded: Any, message: str) -> None:
    kind: Any = (gc.int64, [2]) if isinstance(yielded, list) else ((gc.int64, gc.int64), ([], []))
    following = D.from_generator(lambda: iter([yielded]), *kind).make_one_shot_iterator().get_next()
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match=message):
        session.run(following)


def test_errors_of_a_function_name_the_users_line_and_end_nothing() -> None:
    data = D.from_tensor_slices([1.0, 0.0, 4.0]).map(lambda x: gc.check_numerics(1 / x, "bad"))
    following = data.make_one_shot_iterator().get_next()
    with gc.Session() as session:
        assert session.run(following) == 1
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"bad(.|\n)*test_iterators.py"):
            session.run(following)
        assert session.run(following) == 0.25


def test_py_func_random_numbers_and_loops_in_functions() -> None:
    def function(x: gc.Tensor) -> Any:
        made = gc.py_func(lambda v: v + np.float32(0.5), [gc.cast(x, gc.float32)], gc.float32)
        made.set_shape([])
        total = gc.while_loop(lambda i, t: i < x, lambda i, t: (i + 1, t + made), [gc.constant(0, gc.int64), 0.0])[1]
        return made, total, gc.random_uniform([], seed=3)

    data = D.range(3).map(function, num_parallel_calls=4).prefetch(2)
    following = data.make_one_shot_iterator().get_next()
    assert following[0].shape.as_list() == []
    with gc.Session() as session:
        found = [session.run(following) for _ in range(3)]
    assert [f[0] for f in found] == [0.5, 1.5, 2.5] and [f[1] for f in found] == [0, 1.5, 5]
    assert len({float(f[2]) for f in found}) == 3


def test_tables_in_functions() -> None:
    table = gc.contrib.lookup.index_table_from_tensor(gc.constant(["a", "b"]), num_oov_buckets=1)
    iterator = D.from_tensor_slices(["b", "z", "a"]).map(table.lookup).batch(3).make_initializable_iterator()
    following = iterator.get_next()
    with gc.Session() as session:
        session.run([gc.tables_initializer(), iterator.initializer])
        assert session.run(following).tolist() == [1, 2, 0]


def test_in_branches_and_training() -> None:
    training, validation = D.range(100, 110).make_one_shot_iterator(), D.range(10).make_one_shot_iterator()
    is_training = gc.placeholder(gc.bool, [])
    following = gc.cond(is_training, training.get_next, validation.get_next)
    with gc.Session() as session:
        assert [session.run(following, {is_training: t}) for t in (True, False, False, True)] == [100, 0, 1, 101]
    x, y = D.from_tensor_slices((np.float32([[1], [2]]), np.float32([[2], [4]]))).repeat().batch(
        2).make_one_shot_iterator().get_next()
    w = gc.Variable([[0.0]])
    train = gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_mean((gc.matmul(x, w) - y) ** 2))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for _ in range(50):
            session.run(train)
        assert abs(session.run(w)[0, 0] - 2) < 1e-3


def test_sparse_elements() -> None:
    value = gc.SparseTensorValue(np.array([[0, 1], [2, 0], [2, 2]]), np.float32([1, 2, 3]), [3, 3])
    dense = np.zeros((3, 3))
    dense[[0, 2, 2], [1, 0, 2]] = [1, 2, 3]
    data = D.from_tensor_slices((gc.SparseTensor(*value), [0, 1, 2]))
    assert data.output_classes == (gc.SparseTensor, gc.Tensor)
    following = data.batch(2).make_one_shot_iterator().get_next()
    mapped = data.map(lambda s, i: gc.sparse_tensor_to_dense(s) * 2).batch(3).make_one_shot_iterator().get_next()
    with gc.Session() as session:
        assert session.run(gc.sparse_tensor_to_dense(following[0])).tolist() == dense[:2].tolist()
        assert session.run(following)[0].dense_shape.tolist() == [1, 3]
        assert session.run(mapped).tolist() == (dense * 2).tolist()


def test_one_result_of_a_dataset() -> None:
    x = gc.placeholder(gc.int64, [None])
    total = D.from_tensor_slices(x).reduce((np.int64(0), np.int64(1)), lambda s, e: (s[0] + e, s[1] * e))
    single = gc.data.experimental.get_single_element(D.from_tensor_slices(x).batch(10))
    with gc.Session() as session:
        assert session.run(total, {x: [2, 3, 4]}) == (9, 24) and session.run(total, {x: [1]}) == (1, 1)
        assert session.run(single, {x: [2, 3]}).tolist() == [2, 3]
        with pytest.raises(gc.errors.InvalidArgumentError, match="more than one"):
            session.run(single, {x: list(range(11))})


def test_arrays_are_taken_when_the_dataset_is_made_and_results_are_the_callers() -> None:
    x = np.arange(4.0)
    following = D.from_tensor_slices(x).repeat().batch(4).make_one_shot_iterator().get_next()
    x[:] = 0
    with gc.Session() as session:
        session.run(following)[:] = 7
        assert session.run(following).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: D.from_tensor_slices(3), ValueError, "scalar"),
    (lambda: D.from_tensor_slices(([1, 2], [1])), ValueError, "first axes"),
    (lambda: D.range(3).map(lambda x: None), TypeError, "returned None"),
    (lambda: D.range(3).filter(lambda x: x), TypeError, "scalar bool"),
    (lambda: D.range(3).flat_map(lambda x: x), TypeError, "must return a `Dataset`"),
    (lambda: D.range(3).map(lambda x: D.range(2)), TypeError, "use flat_map"),
    (lambda: D.range(3).concatenate(D.from_tensors(1.0)), TypeError, "different types"),
    (lambda: D.range(3).batch(2.5), TypeError, "batch_size"),
    (lambda: D.zip([D.range(3), 3]), TypeError, "nested structure"),
    (lambda: D.range(3).window(2).make_one_shot_iterator(), TypeError, "flat_map"),
    (lambda: D.range(3).shard(2, 2), ValueError, "index must be"),
])
def test_mistakes(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_spellings_of_the_first_datasets() -> None:
    data = gc.contrib.data.Dataset.range(6).map(lambda x: x * 2, num_threads=2, output_buffer_size=4)
    grouped = data.group_by_window(key_func=lambda x: x % 4, reduce_func=lambda _, group: group.batch(2), window_size=2)
    following = grouped.make_one_shot_iterator().get_next()
    with gc.Session() as session:
        assert [session.run(following).tolist() for _ in range(4)] == [[0, 4], [2, 6], [8], [10]]


def test_batch_of_different_shapes_says_so() -> None:
    following = D.range(1, 4).map(lambda x: gc.fill([x], x)).batch(2).make_one_shot_iterator().get_next()
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match="Cannot batch tensors with diff"):
        session.run(following)


def test_the_graph_is_saved_and_the_program_ends(tmp_path: Any) -> None:
    program = f"""
        import graphc as gc
        following = gc.data.Dataset.range(5).map(lambda x: x + 1).repeat().make_one_shot_iterator().get_next()
        v = gc.Variable(1.0)
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            session.run(following)
            gc.train.Saver().save(session, {str(tmp_path / 'model')!r})
            print(session.run(following))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=120,
                          check=False)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_a_saved_graph_asks_for_what_its_iterator_gives() -> None:
    following = D.range(4).batch(2).make_one_shot_iterator().get_next(name="following")
    gc.multiply(following, 10, name="y")
    graph_def = gc.get_default_graph().as_graph_def()
    for node in graph_def.node:
        if node.op == "OneShotIterator":
            node.attr["dataset"].s = b"dataset:of another process"
    with gc.Graph().as_default():
        y, = gc.import_graph_def(graph_def, return_elements=["y:0"])
        with gc.Session() as session:
            with pytest.raises(gc.errors.NotFoundError, match=r"files do not hold the data sets.*IteratorGetNext"):
                session.run(y)
            assert session.run(y, {"import/following:0": [1, 2]}).tolist() == [10, 20]
