"""attention against NumPy in float64: masks of every form, few and many rows, keys that are no whole vectors."""
from __future__ import annotations

import numpy as np
import pytest
from attention_layouts import apart, inside, whole

from kernel_harness import backwards, close, filled, load, normal

# outer, inner, rows, cols, depth, columns
SIZES = [(1, 1, 1, 1, 1, 1), (2, 3, 17, 31, 3, 65), (1, 2, 1, 65, 17, 32), (2, 1, 16, 17, 64, 64),
         (3, 2, 65, 31, 31, 1), (1, 1, 130, 700, 32, 32), (2, 2, 3, 1000, 16, 96), (1, 1, 300, 17, 1, 33)]
MASKS = {"none": None, "each": (1, 1, 1), "rows": (0, 0, 1), "outer": (1, 0, 0), "inner": (0, 1, 1)}


def wanted(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | float, scale: float) -> np.ndarray:
    scores = q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) * scale + mask
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v.astype(np.float64)


def check(size, dtype, mask=None, scale=0.3, order=range, change=None, lying=whole):
    """lying: how q, k and v lie; y has its inner axis behind the rows if they lie apart."""
    outer, inner, rows, cols, depth, columns = size
    q, k, v = (normal((outer, inner, *s), dtype, i) for i, s in enumerate(((rows, depth), (cols, depth),
                                                                           (cols, columns))))
    y = filled((outer, inner, rows, columns), dtype)
    steps, added = (0, 0, 0), np.zeros((1, 1, 1, 0), q.dtype)
    if mask is not None:
        own = tuple(n if kept else 1 for n, kept in zip((outer, inner, rows), mask, strict=True))
        added = normal((*own, cols), dtype, 7)
        if change is not None:
            change(added)
        strides = (own[1] * own[2] * cols, own[2] * cols, cols)
        steps = tuple(s if kept else 0 for s, kept in zip(strides, mask, strict=True))
    kernel = load("attention")[f"attention.{dtype}"]
    given = [lying(x) for x in (q, k, v)]
    status = kernel(*(x for x, _ in given), added, y, dims=[*size, *steps, *(s for _, own in given for s in own)],
                    attrs=[int(mask is not None), int(lying is apart), scale], order=order)
    assert status == 0
    y = inside(y) if lying is apart else y
    if cols:
        close(y, wanted(q, k, v, added if mask is not None else 0, scale), dtype, 2.0)
    return y


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_values(size, mask, dtype):
    np.testing.assert_array_equal(check(size, dtype, MASKS[mask]), check(size, dtype, MASKS[mask], order=backwards))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("mask", ["none", "rows", "each"])
@pytest.mark.parametrize("size", [*SIZES, (2, 3, 40, 300, 64, 64), (0, 1, 3, 3, 3, 3), (1, 2, 3, 0, 3, 3),
                                  (1, 1, 3, 3, 0, 3)], ids=str)
def test_matrices_that_lie_apart(size, mask, dtype):
    """The same bits, whatever lies between."""
    np.testing.assert_array_equal(check(size, dtype, MASKS[mask]), check(size, dtype, MASKS[mask], lying=apart))


@pytest.mark.parametrize("size", [(0, 1, 3, 3, 3, 3), (1, 1, 0, 3, 3, 3), (1, 2, 3, 0, 3, 3), (1, 1, 3, 3, 3, 0)],
                         ids=str)
def test_nothing_to_do(size):
    assert not check(size, "f32").any()


def test_no_depth_is_a_mean():
    y = check((1, 2, 20, 31, 0, 5), "f32")
    np.testing.assert_array_equal(y[:, :, 0], y[:, :, 19])


def test_masked_keys_count_nothing_and_no_key_at_all_is_nan():
    def close_to_all(mask):
        mask[..., 5:] = -np.inf
        mask[..., 2, :] = -np.inf

    with np.errstate(invalid="ignore"):
        y = check((1, 1, 20, 33, 8, 8), "f32", (0, 0, 1), change=close_to_all)
    assert np.isnan(y[0, 0, 2]).all() and not np.isnan(np.delete(y, 2, 2)).any()


@pytest.mark.parametrize(("rows", "cols"), [(1, 5), (40, 40), (200, 700)])
@pytest.mark.parametrize("where", ["k", "v"])
def test_what_is_not_finite_shows_behind_a_mask(where, rows, cols):
    """As in the ops that attention stands for, and on a GPU: -inf hides scores, but NaN - inf is NaN, and so is 0
    times NaN."""
    q, k, v = normal((1, 1, rows, 16), "f32", 0), normal((1, 1, cols, 16), "f32", 1), normal((1, 1, cols, 8), "f32", 2)
    (k if where == "k" else v)[0, 0, -1, 3] = np.nan
    mask = np.zeros((1, 1, 1, cols), np.float32)
    mask[..., 3:] = -np.inf
    y = filled((1, 1, rows, 8), "f32")
    assert load("attention")["attention.f32"](
        q, k, v, mask, y, attrs=[1, 0, 0.3],
        dims=[1, 1, rows, cols, 16, 8, 0, 0, 0, *(s for x in (q, k, v) for s in whole(x)[1])]) == 0
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted(q, k, v, mask, 0.3)))
    assert np.isnan(y).any()
