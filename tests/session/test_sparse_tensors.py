"""SparseTensors: what they are made of, feeds and fetches, branches and loops."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc

VALUE = gc.SparseTensorValue(np.array([[0, 1], [1, 0]]), np.array([3.0, 4.0], np.float32), np.array([2, 3]))


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def same(found: Any, expected: Any) -> None:
    assert type(found) is gc.SparseTensorValue
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_parts() -> None:
    sparse = gc.SparseTensor([[0, 1], [1, 0]], [1.0, 2.0], [2, 3])
    assert (sparse.indices.dtype, sparse.dtype, sparse.dense_shape.dtype) == (gc.int64, gc.float32, gc.int64)
    assert sparse.shape == sparse.get_shape() == gc.TensorShape([2, 3])
    assert sparse.op is sparse.values.op and sparse.graph is gc.get_default_graph()
    assert [t.name for t in (sparse.indices, sparse.values, sparse.dense_shape)] == [
        "SparseTensor/indices:0", "SparseTensor/values:0", "SparseTensor/dense_shape:0"]
    used = gc.square(sparse.values)
    assert sparse.consumers() == [used.op]
    copy = gc.SparseTensor.from_value(sparse)
    assert copy is not sparse and copy.values is sparse.values


@pytest.mark.parametrize(("parts", "text"), [
    (([0], [1], [1]), "'indices' must have rank 2"), (([[0]], 1, [1]), "'values' must have rank 1"),
    (([[0]], [1], 1), "'dense_shape' must have rank 1"), (([[0]], [1, 2], [1]), "1 rows, but 'values' 2"),
    (([[0]], [1], [1, 2]), "1 columns, but 'dense_shape' 2")])
def test_parts_that_do_not_fit(parts: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        gc.SparseTensor(*parts)


def test_no_tensor_where_one_is_needed() -> None:
    sparse = gc.SparseTensor([[0]], [1.0], [2])
    for use in (gc.convert_to_tensor, gc.reduce_sum, lambda x: gc.constant(1.0) + x):
        with pytest.raises(TypeError, match=r"gc.sparse.to_dense"):
            use(sparse)
    with pytest.raises(TypeError, match="map_fn: argument 'elems' must hold no SparseTensor"):
        gc.map_fn(gc.square, sparse)
    with pytest.raises(TypeError, match="Neither a SparseTensor nor SparseTensorValue"):
        gc.SparseTensor.from_value([1])


def test_conversion() -> None:
    sparse = gc.convert_to_tensor_or_sparse_tensor(VALUE)
    assert isinstance(sparse, gc.SparseTensor)
    assert gc.convert_to_tensor_or_sparse_tensor(sparse, gc.float32) is sparse
    assert gc.convert_to_tensor_or_sparse_tensor([1.0]).shape == gc.TensorShape([1])
    with pytest.raises(RuntimeError, match="Sparse dtype mismatch"):
        gc.convert_to_tensor_or_sparse_tensor(sparse, gc.int32)


@pytest.mark.parametrize(("shape", "known"), [(None, None), ([None, 3], [None, None]), ([2, 3], [2, 3])])
def test_placeholder(shape: Any, known: Any) -> None:
    x = gc.sparse_placeholder(gc.float32, shape, name="x")
    assert x.shape.as_list() == known if known else x.shape.ndims is None
    assert (x.values.name, x.indices.name, x.dense_shape.name) == ("x/values:0", "x/indices:0", "x/shape:0")
    with gc.Session() as session:
        for feed in (VALUE, tuple(VALUE), list(VALUE)):
            doubled, whole = session.run([2 * x.values, x], {x: feed})
            np.testing.assert_array_equal(doubled, [6, 8])
            same(whole, VALUE)


def test_feeds_that_do_not_fit() -> None:
    x = gc.sparse_placeholder(gc.float32)
    with gc.Session() as session:
        with pytest.raises(ValueError, match="holds 3 tensors, but its value 2 parts"):
            session.run(x, {x: tuple(VALUE)[:2]})
        with pytest.raises(ValueError, match="holds 3 tensors, but its value no parts"):
            session.run(x, {x: 1})
        with pytest.raises(gc.errors.InvalidArgumentError, match="must feed"):
            session.run(x)


def test_fetches() -> None:
    x = gc.sparse_placeholder(gc.float32)
    y = gc.SparseTensor(x.indices, x.values * 2, x.dense_shape)
    with gc.Session() as session:
        found = session.run([x, {"y": y, "both": (x, y)}], {x: VALUE})
        twice = VALUE._replace(values=VALUE.values * 2)
        same(found[0], VALUE)
        same(found[1]["y"], twice)
        same(found[1]["both"][0], VALUE)
        same(found[1]["both"][1], twice)
        same(y.eval({x: VALUE}), twice)
        call = session.make_callable([y, x.dense_shape], [x])
        for _ in range(2):
            same(call(VALUE)[0], twice)
        scaled = session.make_callable(y.values, [gc.placeholder(gc.float32), x])
        np.testing.assert_array_equal(scaled(1.0, VALUE), [6, 8])
        with pytest.raises(TypeError, match="takes 1 values"):
            call(*VALUE)
    with pytest.raises(ValueError, match="No default session"):
        y.eval()


def test_identity_and_order() -> None:
    x = gc.sparse_placeholder(gc.float32)
    v = gc.Variable(1.0)
    with gc.control_dependencies([gc.assign(v, 2.0)]):
        y = gc.identity(x)
    with gc.Session() as session:
        session.run(v.initializer)
        same(session.run(y, {x: VALUE}), VALUE)
        assert session.run(v) == 2
        with gc.control_dependencies([y]):
            z = gc.no_op()
        session.run(z, {x: VALUE})


def test_branches() -> None:
    pred = gc.placeholder(gc.bool, [])
    x = gc.sparse_placeholder(gc.float32)
    y, n = gc.cond(pred, lambda: (gc.SparseTensor([[0, 0]], [1.0], [1, 1]), 1), lambda: (x, 2))
    alone = gc.cond(pred, lambda: x, lambda: gc.SparseTensor([[0, 0]], [1.0], [1, 1]))
    assert isinstance(y, gc.SparseTensor) and isinstance(alone, gc.SparseTensor)
    with gc.Session() as session:
        same(session.run(y, {pred: False, x: VALUE}), VALUE)
        same(session.run(y, {pred: True, x: VALUE}), ([[0, 0]], [1], [1, 1]))
        assert session.run(n, {pred: False, x: VALUE}) == 2
        same(session.run(alone, {pred: True, x: VALUE}), VALUE)
    with pytest.raises(ValueError, match="nested structure"):
        gc.cond(pred, lambda: x, lambda: x.values)


def _doubled(x: Any) -> Any:
    return gc.SparseTensor(gc.concat([x.indices, x.indices], 0), gc.concat([x.values, -x.values], 0), x.dense_shape)


@pytest.mark.parametrize("invariants", [None, [gc.TensorShape([]), gc.TensorShape([2])]])
def test_loops(invariants: Any) -> None:
    start = gc.SparseTensor(VALUE.indices, VALUE.values, VALUE.dense_shape)
    i, x = gc.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, _doubled(x)), (0, start), invariants)
    (alone,) = gc.while_loop(lambda x: gc.shape(x.values)[0] < 3, lambda x: (_doubled(x),), (start,),
                             return_same_structure=True)
    slope = gc.gradients(gc.reduce_sum(gc.square(x.values)), start.values)[0]
    with gc.Session() as session:
        assert session.run(i) == 2
        found = session.run(x)
        np.testing.assert_array_equal(found.values, [3, 4, -3, -4, -3, -4, 3, 4])
        np.testing.assert_array_equal(found.indices, [[0, 1], [1, 0]] * 4)
        np.testing.assert_array_equal(session.run(alone).values, [3, 4, -3, -4])
        np.testing.assert_array_equal(session.run(slope), [24, 32])


def test_sums_of_other_lengths_in_loops_from_run_to_run() -> None:
    """What is below the threshold is left out, so the number of elements follows from the values."""
    rows = {"a": np.array([[0, 1], [1, 2], [2, 0]]), "b": np.array([[0, 1], [1, 3]])}
    a, b = gc.placeholder(gc.float64, [None]), gc.placeholder(gc.float64, [None])

    def inner(j: Any, total: Any) -> Any:
        both = gc.sparse_add(gc.SparseTensor(rows["a"], a, [3, 4]), gc.SparseTensor(rows["b"], b, [3, 4]), 0.5)
        return j + 1, total + gc.reduce_sum(gc.sin(both.values * gc.cast(j + 1, gc.float64)))

    def outer(i: Any, total: Any) -> Any:
        return i + 1, gc.while_loop(lambda j, _: j < 2, inner, [0, total])[1]

    y = gc.while_loop(lambda i, _: i < 3, outer, [0, gc.constant(0.0, gc.float64)])[1]

    def slopes(kept: Sequence[float]) -> np.ndarray:
        values = np.array(kept)
        return 3 * (np.cos(values) + 2 * np.cos(2 * values))

    with gc.Session() as session:
        for first in (1.0, -0.9, 1.0):             # 1 and 1 are kept, 1 and -0.9 are not
            found, dx = session.run([y, gc.gradients(y, a)[0]], {a: [1.0, 2.0, 3.0], b: [first, 2.0]})
            kept = [1 + first] if abs(1 + first) >= 0.5 else []
            every = np.array([*kept, 2.0, 2.0, 3.0])
            np.testing.assert_allclose(found, 3 * (np.sin(every) + np.sin(2 * every)).sum())
            np.testing.assert_allclose(dx, [*(slopes(kept) if kept else [0.0]), *slopes([2.0, 3.0])])
