"""Public functions on arrays: their forms, aliases, values and errors, where samples of ops do not reach."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

INVALID = gc.errors.InvalidArgumentError


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: dict | None = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds or {})


def same(fetch: Any, expected: Any, feeds: dict | None = None) -> None:
    np.testing.assert_array_equal(value(fetch, feeds), expected)


def test_aliases() -> None:
    for one, other in [("scatter_nd", "manip.scatter_nd"), ("gather_nd", "manip.gather_nd"), ("roll", "manip.roll"),
                       ("tensor_scatter_nd_update", "tensor_scatter_update"), ("lin_space", "linspace"),
                       ("matrix_diag", "linalg.diag"), ("diag", "linalg.tensor_diag"), ("eye", "linalg.eye"),
                       ("space_to_depth", "nn.space_to_depth"), ("check_numerics", "debugging.check_numerics"),
                       ("extract_image_patches", "image.extract_image_patches"),
                       ("assert_equal", "debugging.assert_equal"), ("matrix_band_part", "linalg.band_part")]:
        found: Any = gc
        for part in other.split("."):
            found = getattr(found, part)
        assert getattr(gc, one) is found


def test_gather_with_batches() -> None:
    params = np.arange(24).reshape(2, 3, 4)
    indices = np.array([[3, 0], [1, 1]])
    expected = np.stack([params[i][:, indices[i]] for i in range(2)])
    same(gc.gather(params, indices, axis=2, batch_dims=1), expected)
    same(gc.gather(params, indices, axis=-1, batch_dims=-1), expected)
    rows = np.array([[2, 0], [1, 1]])
    same(gc.gather(params, rows, batch_dims=1), np.stack([params[i][rows[i]] for i in range(2)]))
    same(gc.batch_gather(params, rows), np.stack([params[i][rows[i]] for i in range(2)]))
    tuples = np.array([[[2, 3]], [[0, 1]]])
    same(gc.gather_nd(params, tuples, batch_dims=1), [[params[0, 2, 3]], [params[1, 0, 1]]])
    with pytest.raises(ValueError, match="batch_dims 1 must be at most axis 0"):
        gc.gather(params, rows, axis=0, batch_dims=1)
    with pytest.raises(ValueError, match="must be less than rank"):
        gc.gather_nd(params, tuples, batch_dims=3)
    with pytest.raises(INVALID, match=r"index 7 is not in \[0, 3\)"):
        value(gc.gather(gc.placeholder_with_default(params, [2, 3, 4]), [[7, 0], [1, 1]], batch_dims=1))


def test_a_tuple_that_is_outside_is_shown_with_the_shape() -> None:
    x, indices = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int64, [None, 2])
    with pytest.raises(INVALID, match=r"GatherNd 'picked': indices \[1, 3\] \(tuple 2 of them\) .* shape \[2, 3\]"):
        value(gc.gather_nd(x, indices, name="picked"), {x: np.zeros((2, 3)), indices: [[0, 0], [1, 2], [1, 3]]})


def test_scatter_functions() -> None:
    same(gc.scatter_nd([[1], [3], [1]], [1.0, 2.0, 4.0], [5]), [0, 5, 0, 2, 0])
    tensor, indices = gc.zeros([2, 2], gc.int32), [[0, 1], [1, 0]]
    same(gc.tensor_scatter_update(tensor, indices, [3, 4]), [[0, 3], [4, 0]])
    same(gc.tensor_scatter_add(tensor + 1, indices, [3, 4]), [[1, 4], [5, 1]])
    same(gc.tensor_scatter_sub(tensor + 1, indices, [3, 4]), [[1, -2], [-3, 1]])


def test_space_and_batch() -> None:
    x = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4, 1)
    batch = gc.space_to_batch(x, [[0, 0], [0, 0]], 2)
    same(batch, np.stack([x[0, i::2, j::2] for i in (0, 1) for j in (0, 1)]))
    same(gc.batch_to_space(batch, [[0, 0], [0, 0]], block_shape=2), x)
    paddings, crops = gc.required_space_to_batch_paddings([5, 4], [2, 3])
    same(paddings, [[0, 1], [0, 2]])
    same(crops, [[0, 1], [0, 2]])
    padded = gc.space_to_batch_nd(np.ones((1, 5, 4), np.int32), [2, 3], paddings)
    same(gc.batch_to_space_nd(padded, [2, 3], crops), np.ones((1, 5, 4)))
    same(gc.depth_to_space(gc.space_to_depth(x, 2), 2), x)
    with pytest.raises(gc.errors.UnimplementedError, match="NCHW_VECT_C"):
        gc.space_to_depth(x, 2, data_format="NCHW_VECT_C")
    with pytest.raises(ValueError, match="must be a multiple"):
        gc.space_to_depth(x, 3)


def test_diagonals() -> None:
    for k in (0, 1, -2):
        same(gc.matrix_diag([1, 2, 3], k=k), np.diag([1, 2, 3], k))
    same(gc.matrix_diag([1, 2], k=1, num_rows=2, num_cols=4, padding_value=9), [[9, 1, 9, 9], [9, 9, 2, 9]])
    x = np.arange(12, dtype=np.int32).reshape(3, 4)
    same(gc.matrix_diag_part(x), [0, 5, 10])
    same(gc.matrix_diag_part(x, k=(0, 1), padding_value=-1), [[1, 6, 11], [0, 5, 10]])
    same(gc.matrix_set_diag(x, [-1, -2, -3], k=1)[:, 1:], [[-1, 2, 3], [5, -2, 7], [9, 10, -3]])
    same(gc.matrix_band_part(x, 0, gc.constant(1, gc.int64)), np.triu(x) - np.triu(x, 2))
    same(gc.diag_part(gc.diag(np.arange(6.0).reshape(2, 3))), np.arange(6).reshape(2, 3))
    n = gc.placeholder(gc.int32, [])
    same(gc.eye(3), np.eye(3))
    same(gc.eye(2, 3, batch_shape=[2], dtype=gc.int32), [np.eye(2, 3)] * 2)
    same(gc.eye(n, 2, batch_shape=gc.stack([n])), [np.eye(3, 2)] * 3, {n: 3})


def test_grids_and_lengths() -> None:
    np.testing.assert_allclose(value(gc.linspace(10.0, 12.0, 3)), [10, 11, 12])
    for indexing in ("xy", "ij"):
        found = value(gc.meshgrid([1, 2, 3], [4, 5], gc.constant([6]), indexing=indexing))
        for a, b in zip(found, np.meshgrid([1, 2, 3], [4, 5], [6], indexing=indexing), strict=True):
            np.testing.assert_array_equal(a, b)
    lengths = gc.placeholder(gc.int32, [None])
    expected = [[True, False, False], [True, True, True], [False] * 3]
    same(gc.sequence_mask(lengths), expected, {lengths: [1, 3, 0]})
    same(gc.sequence_mask([[1], [2]], 2, gc.float32), [[[1, 0]], [[1, 1]]])
    same(gc.unravel_index([5, 2], [2, 3]), [[1, 0], [2, 2]])
    with pytest.raises(INVALID, match="out of bound as with dims"):
        value(gc.unravel_index(gc.placeholder_with_default(6, []), [2, 3]))
    with pytest.raises(TypeError, match="invalid keyword"):
        gc.meshgrid([1], index="xy")


@pytest.mark.parametrize("repeats", [2, [2], [1, 0, 3]])
def test_repeat(repeats: Any) -> None:
    x = np.arange(6).reshape(2, 3)
    same(gc.repeat(x, repeats, axis=1), np.repeat(x, repeats, axis=1))
    fed = gc.placeholder(gc.int32, np.shape(repeats))
    same(gc.repeat(gc.constant(x), fed, axis=-1), np.repeat(x, repeats, axis=1), {fed: repeats})
    same(gc.repeat(x[0], repeats), np.repeat(x[0], repeats))
    assert gc.repeat(x, repeats, axis=1).shape.as_list() == list(np.repeat(x, repeats, axis=1).shape)


def test_moved_elements() -> None:
    x = np.arange(12).reshape(3, 4)
    shift = gc.placeholder(gc.int32, [])
    for by in (-7, 0, 1, 4):
        same(gc.roll(x, shift, 1), np.roll(x, by, 1), {shift: by})
    same(gc.reverse_sequence(x, [1, 4, 2], seq_dim=1), [[0, 1, 2, 3], [7, 6, 5, 4], [9, 8, 10, 11]])
    lengths = gc.placeholder(gc.int64, [3])
    for bad in (5, -1):
        with pytest.raises(INVALID, match=rf"ReverseSequence .*index {bad} is not in \[0, 4\)"):
            value(gc.reverse_sequence(x, lengths, seq_axis=1), {lengths: [1, bad, 2]})


def test_parts() -> None:
    data, places = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.int32, [None])
    parts = gc.dynamic_partition(data, places, 3)
    feeds = {data: np.arange(8).reshape(4, 2), places: [2, 0, 2, 0]}
    found = value(parts, feeds)
    assert [len(p) for p in found] == [2, 0, 2]
    indices = gc.dynamic_partition(gc.range(gc.shape(data)[0]), places, 3)
    same(gc.dynamic_stitch(indices, parts), np.arange(8).reshape(4, 2), feeds)
    with pytest.raises(INVALID, match=r"partitions must be in \[0, 3\)"):
        value(parts, {data: np.zeros((1, 2)), places: [3]})
    same(gc.dynamic_partition(np.arange(3.0), [0, 1, 0], 2)[1], [1])
    same(gc.dynamic_partition(np.arange(3.0), np.array([0, 1, 0]), 2)[0], [0, 2])
    assert gc.dynamic_stitch([[0, 2], [1]], [[1.0, 2.0], [3.0]]).shape.as_list() == [3]
    out, idx = gc.setdiff1d([1, 2, 3, 4], [2, 9])
    same(out, [1, 3, 4])
    same(idx, [0, 2, 3])
    same(gc.setdiff1d([1, 2], [2], index_dtype=gc.int64).idx, [0])


def test_shapes() -> None:
    x, y = gc.placeholder(gc.int32, [None]), gc.placeholder(gc.int32, [None])
    same(gc.broadcast_dynamic_shape(x, y), [4, 2, 3], {x: [2, 1], y: [4, 1, 3]})
    same(gc.broadcast_dynamic_shape(gc.constant([5, 1]), gc.constant([7, 1, 2])), [7, 5, 2])
    with pytest.raises(INVALID, match="do not broadcast"):
        value(gc.broadcast_dynamic_shape(x, y), {x: [2, 3], y: [2]})
    same(gc.stack(gc.shape_n([np.zeros((2, 3)), np.zeros((4, 5))])), [[2, 3], [4, 5]])
    same(gc.parallel_stack([[1, 2], [3, 4]]), [[1, 2], [3, 4]])
    a, b = gc.identity_n([gc.constant(1), gc.constant([2.0])])
    same(a, 1)
    same(b, [2])
    u = gc.placeholder(gc.float32)
    checked = gc.ensure_shape(u, [None, 3])
    assert checked.shape.as_list() == [None, 3]
    same(checked, np.ones((2, 3)), {u: np.ones((2, 3))})
    for wrong in (np.ones((2, 4)), np.ones(3)):
        with pytest.raises(INVALID, match="not compatible with expected shape"):
            value(checked, {u: wrong})
    same(gc.bitcast([1.0, -2.0], gc.int32), np.array([1.0, -2.0], np.float32).view(np.int32))


def test_check_numerics() -> None:
    x = gc.placeholder(gc.float32, [None])
    checked, twice = gc.check_numerics(x, "weights"), gc.verify_tensor_all_finite(x, "all")
    same(checked, [1, 2], {x: [1, 2]})
    same(twice, [1, 2], {x: [1, 2]})
    for values, kind in (([1, np.nan], "NaN"), ([np.inf], "Inf"), ([-np.inf, np.nan], "Inf and NaN")):
        for fetch, message in ((checked, "weights"), (twice, "all"), (gc.add_check_numerics_ops(), "")):
            with pytest.raises(INVALID, match=f"{message} : Tensor had {kind} values"):
                value(fetch, {x: values})
    slope = gc.gradients(gc.sqrt(gc.check_numerics(x, "root")), x)[0]
    with pytest.raises(INVALID, match="detected in gradient"):
        value(slope, {x: [0.0]})


def test_patches_of_unknown_size() -> None:
    x = gc.placeholder(gc.float32, [None, None, None, 2])
    made = gc.extract_image_patches(x, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    picture = np.arange(18.0).reshape(1, 3, 3, 2)
    same(made[0, 1, 1], picture[0, 1:, 1:].reshape(-1), {x: picture})
    slope = gc.gradients(made, x)[0]
    same(slope[0, :, :, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]], {x: picture})


def test_where() -> None:
    same(gc.where_v2([[True], [False]], [1, 2], 0), [[1, 2], [0, 0]])
    same(gc.where_v2([False, True, True]), [[1], [2]])
    with pytest.raises(ValueError, match="both be non-None"):
        gc.where_v2([True], 1)
