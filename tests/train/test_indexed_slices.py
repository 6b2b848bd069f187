"""IndexedSlices: what gather's gradient is, how it goes on, adds up, converts, is clipped, fetched and fed."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(fetches, feeds)


def table(rows: int = 5, columns: int = 2) -> Any:
    return gc.Variable(np.arange(rows * columns, dtype=np.float32).reshape(rows, columns), name="table")


def dense(value: Any, shape: tuple[int, ...] = (5, 2)) -> np.ndarray:
    made = np.zeros(shape)
    np.add.at(made, value.indices, value.values)
    return made


def test_gradient_of_gather() -> None:
    t = table()
    for source in (t, t.value(), gc.identity(t)):
        rows = gc.gather(t if source is t else source, [[3, 1], [3, 0]])
        found = gc.gradients(rows * rows, source)[0]
        assert isinstance(found, gc.IndexedSlices)
        assert found.shape == [5, 2] and found.dtype == gc.float32 and found.indices.shape == [4]
        assert found.name == found.values.name and found.op is found.values.op and found.graph is t.graph
        value = run(found)
        assert isinstance(value, gc.IndexedSlicesValue)
        assert value.indices.tolist() == [3, 1, 3, 0] and value.dense_shape.tolist() == [5, 2]
        np.testing.assert_array_equal(value.values, 2 * np.arange(10).reshape(5, 2)[[3, 1, 3, 0]])


def test_other_axes_are_dense() -> None:
    t = table()
    assert isinstance(gc.gradients(gc.gather(t, [1, 0], axis=1), t)[0], gc.Tensor)
    assert isinstance(gc.gradients(gc.gather(t, [1, 0], axis=-2), t)[0], gc.IndexedSlices)


@pytest.mark.parametrize("shape", [[None, 2], [None, None], None])
def test_unknown_sizes(shape: Any) -> None:
    x, i = gc.placeholder(gc.float32, shape), gc.placeholder(gc.int64, None if shape is None else [None, None])
    found = gc.gradients(gc.gather(x, i), x)[0]
    value = run(found, {x: np.ones((5, 2)), i: [[1, 1], [4, 0]]})
    np.testing.assert_array_equal(dense(value), [[1, 1], [2, 2], [0, 0], [0, 0], [1, 1]])
    empty = run(found, {x: np.ones((5, 2)), i: np.zeros((0, 2))})
    assert empty.values.shape == (0, 2) and empty.indices.shape == (0,)


def test_sums() -> None:
    t = table()
    first, second = gc.reduce_sum(gc.gather(t, [1, 2])), gc.reduce_sum(3 * gc.gather(t, [2, 2]))
    both = gc.gradients(first + second, t)[0]
    assert isinstance(both, gc.IndexedSlices)
    wide = gc.gradients(first + second + gc.reduce_sum(gc.gather(t, gc.constant([0], gc.int64))), t)[0]
    assert isinstance(wide, gc.IndexedSlices) and wide.indices.dtype == gc.int64
    mixed = gc.gradients(first + gc.reduce_sum(t), t)[0]
    assert isinstance(mixed, gc.Tensor)
    a, b, c = run([both, wide, mixed])
    np.testing.assert_array_equal(dense(a), [[0, 0], [1, 1], [7, 7], [0, 0], [0, 0]])
    np.testing.assert_array_equal(dense(b), [[1, 1], [1, 1], [7, 7], [0, 0], [0, 0]])
    np.testing.assert_array_equal(c, [[1, 1], [2, 2], [2, 2], [1, 1], [1, 1]])


def test_goes_on_as_a_tensor() -> None:
    x = gc.placeholder(gc.float32, [5, 2])
    found = gc.gradients(gc.gather(gc.exp(x), [1, 1]), x)[0]
    assert isinstance(found, gc.Tensor)
    value = run(found, {x: np.ones((5, 2))})
    np.testing.assert_allclose(value, np.exp(1) * np.array([0, 2, 0, 0, 0])[:, None] * np.ones(2), 1e-6)


def test_in_loops_and_branches() -> None:
    t, p = table(), gc.placeholder(gc.bool, [])
    _, total = gc.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + gc.reduce_sum(gc.gather(t, [i, 1]))),
                             (0, 0.0))
    branch = gc.cond(p, lambda: gc.reduce_sum(gc.gather(t, [4, 4])), lambda: gc.reduce_sum(t))
    loop, chosen = gc.gradients(total, t)[0], gc.gradients(branch, t)[0]
    step = gc.train.MomentumOptimizer(1.0, 0.5).minimize(total + branch)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_array_equal(dense(session.run(loop)), [[1, 1], [4, 4], [1, 1], [0, 0], [0, 0]])
        np.testing.assert_array_equal(session.run(chosen, {p: True}), [[0, 0]] * 4 + [[2, 2]])
        before = session.run(t)
        session.run(step, {p: True})
        np.testing.assert_array_equal(before - session.run(t), [[1, 1], [4, 4], [1, 1], [0, 0], [2, 2]])


def test_second_order() -> None:
    x = gc.constant([1.0, 2.0, 3.0])
    first = gc.gradients(gc.gather(x, [1, 1, 2]) ** 3, x)[0]
    second = gc.gradients(first, x)[0]
    np.testing.assert_allclose(run(gc.convert_to_tensor(second)), [0, 24, 18])
    np.testing.assert_allclose(run(gc.hessians(gc.gather(x, [1, 1, 2]) ** 3, x)[0]), np.diag([0, 24, 18]))


def test_conversion() -> None:
    slices = gc.IndexedSlices(gc.constant([[1.0], [2.0]]), gc.constant([1, 1]), gc.constant([3, 1]))
    np.testing.assert_array_equal(run(gc.convert_to_tensor(slices)), [[0], [3], [0]])
    np.testing.assert_array_equal(run(gc.add(slices, 1.0)), [[1], [4], [1]])
    np.testing.assert_array_equal(run(-slices).values, [[-1], [-2]])
    assert gc.convert_to_tensor_or_indexed_slices(slices) is slices
    assert isinstance(gc.convert_to_tensor_or_indexed_slices([1.0]), gc.Tensor)
    assert isinstance(gc.convert_to_tensor_or_indexed_slices(gc.IndexedSlicesValue([[1.0]], [0], None)),
                      gc.IndexedSlices)
    with pytest.raises(ValueError, match="dtype float64 for IndexedSlices with dtype float32"):
        gc.convert_to_tensor(slices, gc.float64)
    with pytest.raises(ValueError, match="dtype float64 for IndexedSlices with dtype float32"):
        gc.convert_to_tensor_or_indexed_slices(slices, gc.float64)
    without = gc.IndexedSlices(gc.constant([1.0]), gc.constant([1]))
    with pytest.raises(ValueError, match="conversion requested for IndexedSlices without dense_shape"):
        gc.convert_to_tensor(without)
    assert run(without).dense_shape is None and "dense_shape" not in repr(without)
    with pytest.raises(TypeError, match=r"cannot differentiate by IndexedSlices.*differentiate by its \.values"):
        gc.gradients(gc.reduce_sum(slices.values), slices)


def test_conversion_warns_of_large_and_unknown_sizes(recwarn: Any) -> None:
    values, indices = gc.constant([[1.0]]), gc.constant([0])
    gc.convert_to_tensor(gc.IndexedSlices(values, indices, gc.constant([99_999_999, 1])))
    assert not recwarn
    with pytest.warns(UserWarning, match="to a dense Tensor with 100000000 elements. This may consume a large amount"):
        gc.convert_to_tensor(gc.IndexedSlices(values, indices, gc.constant([100_000_000, 1])))
    with pytest.warns(UserWarning, match="to a dense Tensor of unknown shape") as caught:
        gc.convert_to_tensor(gc.IndexedSlices(values, indices, gc.placeholder(gc.int32, [2])))
    assert caught[0].filename == __file__


def test_clipping_keeps_the_type() -> None:
    t = table()
    slices = gc.gradients(gc.gather(t, [1, 1, 2]) * [[3.0, 4.0]], t)[0]
    (clipped, nothing, plain), norm = gc.clip_by_global_norm([slices, None, gc.constant([5.0])], 1.0)
    assert isinstance(clipped, gc.IndexedSlices) and nothing is None and isinstance(plain, gc.Tensor)
    one = gc.clip_by_norm(slices, 2.0)
    assert isinstance(one, gc.IndexedSlices)
    a, b, c, d = run([clipped, plain, norm, one])
    assert c == 10 and gc.global_norm([slices]) is not None
    np.testing.assert_allclose(a.values, [[0.3, 0.4]] * 3, 1e-6)
    np.testing.assert_allclose(b, [0.5])
    np.testing.assert_allclose(d.values, np.array([[3, 4]] * 3) * 2 / np.sqrt(75), 1e-6)
    assert d.indices.tolist() == [1, 1, 2] and d.dense_shape.tolist() == [5, 2]


def test_feeding() -> None:
    t = table()
    slices = gc.gradients(gc.gather(t, [1, 2]), t)[0]
    value = gc.IndexedSlicesValue(np.full((2, 2), 7), [0, 3], [5, 2])
    found = run([slices, gc.convert_to_tensor(slices)], {slices: value})
    np.testing.assert_array_equal(found[0].values, value.values)
    np.testing.assert_array_equal(found[1][:, 0], [7, 0, 0, 7, 0])


@pytest.mark.parametrize("strategy", ["mod", "div"])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_embedding_lookup(strategy: str, parts: int) -> None:
    whole = np.arange(14, dtype=np.float32).reshape(7, 2)
    cut = ([whole[i::parts] for i in range(parts)] if strategy == "mod" else np.array_split(whole, parts))
    tables = [gc.Variable(p) for p in cut]
    ids = gc.placeholder(gc.int32, [None, 3])
    found = gc.nn.embedding_lookup(tables if parts > 1 else tables[0], ids, partition_strategy=strategy)
    assert found.shape.as_list() == [None, 3, 2]
    slopes = gc.gradients(found * found, tables)
    assert all(isinstance(s, gc.IndexedSlices) for s in slopes)
    chosen = np.array([[6, 0, 3], [3, 5, 3]])
    rows, *dense_slopes = run([found, *(gc.convert_to_tensor(s) for s in slopes)], {ids: chosen})
    np.testing.assert_array_equal(rows, whole[chosen])
    counts = np.bincount(chosen.ravel(), minlength=7)[:, None] * 2 * whole
    wanted = [counts[i::parts] for i in range(parts)] if strategy == "mod" else np.array_split(counts, parts)
    for a, b in zip(dense_slopes, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    assert run(found, {ids: np.zeros((0, 3))}).shape == (0, 3, 2)


def test_embedding_lookup_forms(graph: Any) -> None:
    t, fed = gc.Variable([[3.0, 4.0], [0.3, 0.4]], name="t"), gc.placeholder(gc.int32, [1])
    found = gc.nn.embedding_lookup(t, [0, 1, 0], max_norm=1.0)
    assert gc.nn.embedding_lookup(t, 1, name="look").name == "look/Identity:0"
    np.testing.assert_allclose(run(found), [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], 1e-6)
    np.testing.assert_allclose(run(gc.nn.embedding_lookup([t, t], gc.constant([[0], [3]]), max_norm=5.0)),
                               [[[3, 4]], [[0.3, 0.4]]], 1e-6)
    with pytest.raises(ValueError, match="Need at least one param"):
        gc.nn.embedding_lookup([], [0])
    with pytest.raises(ValueError, match="params must be specified"):
        gc.nn.embedding_lookup(None, [0])
    with pytest.raises(ValueError, match="Unrecognized partition strategy: half"):
        gc.nn.embedding_lookup([t, t], [0], partition_strategy="half")
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"index 2 is not in \[0, 2\)"):
        run(gc.nn.embedding_lookup(t, fed), {fed: [2]})
    ids = gc.placeholder(gc.int32, None)
    with pytest.raises(gc.errors.UnimplementedError, match="argument 'max_norm' needs params and ids of known rank"):
        gc.nn.embedding_lookup(t, ids, max_norm=1.0)
