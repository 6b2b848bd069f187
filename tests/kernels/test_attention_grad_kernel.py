"""attention_kept, attention_dropped and their gradients against NumPy in float64: masks of every form, blocks that a
mask hides, sizes that are no whole blocks, dropout."""
from __future__ import annotations

import math

import numpy as np
import pytest
from attention_layouts import apart, inside, whole

from graphc.ir.dtypes import float32, float64
from graphc.ops.random.philox import uniform
from kernels.cpu.attention.attention_blocks import ADDED, CHOSEN, MULTIPLIED

from kernel_harness import backwards, close, filled, load, normal

# outer, inner, rows, cols, depth, columns
SIZES = [(1, 1, 1, 1, 1, 1), (2, 3, 17, 31, 3, 65), (1, 2, 1, 65, 17, 32), (2, 1, 16, 17, 64, 64),
         (3, 2, 65, 31, 31, 1), (1, 1, 130, 700, 32, 32), (1, 1, 300, 17, 1, 33), (9, 1, 200, 300, 16, 16)]
MASKS = {"none": None, "each": (1, 1, 1), "rows": (0, 0, 1), "outer": (1, 0, 0), "inner": (0, 1, 1)}
SCALE = 0.3


def wanted(q, k, v, mask, dy, does=ADDED, factors=1.0, trained=None):
    """The result, what is kept, and the gradients. factors: of the weights; trained: along which axes the gradient by
    the mask is not added up, if there is one."""
    q, k, v, mask, dy = (np.asarray(x, np.float64) for x in (q, k, v, mask, dy))
    factor = SCALE if does == ADDED else np.where(mask < 0, 0.0, SCALE)
    scores = q @ k.swapaxes(-1, -2) * factor
    scores = np.where(mask < 0, mask, scores) if does == CHOSEN else scores + mask
    greatest = scores.max(-1, keepdims=True)
    e = np.exp(scores - greatest)
    part = 1 / e.sum(-1, keepdims=True)
    p = e * part
    dp = dy @ v.swapaxes(-1, -2) * factors
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    summed = () if trained is None else (ds.sum(tuple(i for i in range(3) if not trained[i]), keepdims=True),)
    ds = np.where(mask < 0, 0.0, ds * SCALE) if does == CHOSEN else ds * factor
    kept = np.concatenate([greatest, part], -1)
    return p * factors @ v, kept, ds @ k, ds.swapaxes(-1, -2) @ q, (p * factors).swapaxes(-1, -2) @ dy, *summed


def made(size, dtype, mask=None, order=range, change=None, lying=whole, does=ADDED, dropped=(), trained=None):
    """Operands q, k, v, mask, dy, and what both kernels make of them. lying: how they lie; y and the gradients have
    their inner axis behind the rows if they lie apart. dropped: draw and drop, if weights are; trained: as in
    `wanted`."""
    outer, inner, rows, cols, depth, columns = size
    q, k, v, dy = (normal((outer, inner, *s), dtype, i) for i, s in
                   enumerate(((rows, depth), (cols, depth), (cols, columns), (rows, columns))))
    steps, added = (0, 0, 0), np.zeros((1, 1, 1, 0), q.dtype)
    if mask is not None:
        own = tuple(n if kept else 1 for n, kept in zip((outer, inner, rows), mask, strict=True))
        added = normal((*own, cols), dtype, 7)
        strides = (own[1] * own[2] * cols, own[2] * cols, cols)
        steps = tuple(s if kept else 0 for s, kept in zip(strides, mask, strict=True))
    if change is not None:
        change(q, k, v, added, dy)
    y, kept = filled((outer, inner, rows, columns), dtype), filled((outer, inner, rows, 2), dtype)
    general = bool(dropped) or trained is not None
    forward = "attention_dropped" if dropped else "attention_kept"
    backward = "attention_general_grad" if general else "attention_grad"
    kernels = load(forward, backward)
    (q_given, k_given, v_given, dy_given) = given = [lying(x) for x in (q, k, v, dy)]
    dims = [*size, *steps, *(s for _, own in given for s in own)]
    masked, within = does * (mask is not None), int(lying is apart)
    assert kernels[f"{forward}.{dtype}"](q_given[0], k_given[0], v_given[0], *dropped, added, kept, y, dims=dims[:21],
                                         attrs=[masked, within, SCALE], order=order) == 0
    grads, by_mask, flags = [filled(x.shape, dtype) for x in (q, k, v)], [], []
    draws = dropped
    if general:
        own = tuple(n if kept else 1 for n, kept in zip((outer, inner, rows), trained or (0, 0, 0), strict=True))
        by_mask = [filled((*own, cols) if trained else (0,), dtype)]
        strides = (own[1] * own[2] * cols, own[2] * cols, cols)
        dims += [s if trained and kept else 0 for s, kept in zip(strides, trained or (0, 0, 0), strict=True)]
        draws = dropped or (np.zeros(0, np.int64), np.zeros(0, q.dtype))
        flags = [int(bool(dropped)), int(trained is not None)]
    assert kernels[f"{backward}.{dtype}"](
        q_given[0], k_given[0], v_given[0], y, kept, dy_given[0], *draws, added, *grads, *by_mask, dims=dims,
        attrs=[masked, *[within] * 4, *flags, SCALE], order=order) == 0
    if within:
        y, *grads = map(inside, (y, *grads))
    return (q, k, v, added if mask is not None else 0, dy), (y, kept, *grads, *(by_mask if trained else ()))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_values(size, mask, dtype):
    operands, found = made(size, dtype, MASKS[mask])
    for result, expected in zip(found, wanted(*operands), strict=True):
        close(result, expected, dtype, 8.0)
    for result, again in zip(found, made(size, dtype, MASKS[mask], backwards)[1], strict=True):
        np.testing.assert_array_equal(result, again)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("mask", ["none", "rows"])
@pytest.mark.parametrize("size", [*SIZES, (2, 3, 40, 300, 64, 64), (1, 1, 0, 3, 3, 3), (1, 2, 3, 0, 3, 3)], ids=str)
def test_matrices_that_lie_apart(size, mask, dtype):
    """The same bits, whatever lies between."""
    for found, again in zip(made(size, dtype, MASKS[mask])[1], made(size, dtype, MASKS[mask], lying=apart)[1],
                            strict=True):
        np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("size", [(0, 1, 3, 3, 3, 3), (1, 1, 0, 3, 3, 3), (1, 2, 3, 0, 3, 3), (1, 1, 3, 3, 3, 0)],
                         ids=str)
def test_nothing_to_do(size):
    for result in made(size, "f32")[1][2:]:
        assert not result.any()


def causal(far):
    def change(q, k, v, mask, dy):
        rows, cols = mask.shape[-2:]
        mask[...] = np.where(np.arange(cols) > np.arange(rows)[:, None], far, 0)
    return change


@pytest.mark.parametrize("far", [-np.inf, -1e9, float(np.finfo(np.float32).min), -1e4])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_causal_masks(dtype, far):
    operands, found = made((1, 2, 600, 600, 32, 32), dtype, (0, 0, 1), change=causal(far))
    for result, expected in zip(found, wanted(*operands), strict=True):
        close(result, expected, dtype, 8.0)


def test_keys_that_are_near_are_not_hidden():
    """A mask of 100 below: their exponentials are subnormal in part, and scores may reach up again."""
    def change(q, k, v, mask, dy):
        causal(-100.0)(q, k, v, mask, dy)
        q *= 8

    operands, found = made((1, 1, 300, 600, 16, 16), "f32", (0, 0, 1), change=change)
    for result, expected in zip(found, wanted(*operands), strict=True):
        close(result, expected, "f32", 60.0)


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["q", "k", "v", "dy"])
def test_what_is_not_finite_behind_a_mask_shows(where, number):
    """0 times NaN is NaN: a hidden key whose v is not finite hides nothing."""
    def change(q, k, v, mask, dy):
        causal(-np.inf)(q, k, v, mask, dy)
        {"q": q, "k": k, "v": v, "dy": dy}[where][0, 0, -1, 0] = number

    with np.errstate(invalid="ignore"):
        operands, found = made((1, 1, 600, 600, 16, 16), "f32", (0, 0, 1), change=change)
        expected = wanted(*operands)
    if where in ("q", "v"):            # one row of scores, one column of results: NaN wherever NumPy has it
        assert np.array_equal(np.isnan(found[0]), np.isnan(expected[0]))
    for result, other in zip(found[2:], expected[2:], strict=True):
        assert not np.isfinite(result)[np.isnan(other)].any()


def test_rows_that_a_mask_hides_whole():
    """All keys -1e9 away: the weights are as if there were no mask; all -inf: NaN, as softmax gives."""
    def change(q, k, v, mask, dy):
        mask[...] = 0
        mask[..., 3, :] = -1e9
        mask[..., 5, :] = -np.inf

    with np.errstate(invalid="ignore"):
        _, (y, kept, dq, *_) = made((1, 1, 20, 300, 8, 8), "f32", (0, 0, 1), change=change)
    assert np.isnan(y[0, 0, 5]).all() and np.isnan(dq[0, 0, 5]).all()
    assert not np.isnan(np.delete(y, 5, 2)).any() and not np.isnan(np.delete(dq, 5, 2)).any()
    np.testing.assert_allclose(kept[0, 0, 3], [-1e9, 1 / 300], rtol=1e-3)


def hiding(number):
    """Some keys here and there, all behind the row's number, in the first row all."""
    def change(q, k, v, mask, dy):
        rows, cols = mask.shape[-2:]
        hidden = (np.arange(cols) > 2 * np.arange(rows)[:, None]) | (mask > 1.0)
        mask[...] = np.where(hidden, number, 0)
        mask[..., 0, :] = number
    return change


@pytest.mark.parametrize("does", [CHOSEN, MULTIPLIED])
@pytest.mark.parametrize("number", [-1e9, -30.0, -0.25])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", [(2, 3, 17, 31, 3, 65), (1, 2, 1, 65, 17, 32), (1, 1, 300, 700, 32, 16)], ids=str)
def test_numbers_in_place_of_scores(size, dtype, number, does):
    """Rows that are hidden whole have equal weights, and no gradient goes through them."""
    operands, found = made(size, dtype, (1, 1, 1), change=hiding(number), does=does)
    for result, expected in zip(found, wanted(*operands, does), strict=True):
        close(result, expected, dtype, 8.0)
    assert not found[2][..., 0, :].any()


@pytest.mark.parametrize("does", [CHOSEN, MULTIPLIED])
@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["q", "k"])
def test_hidden_scores_that_are_not_finite(where, number, does):
    """They are gone where another number is chosen; 0 times them is NaN."""
    def change(q, k, v, mask, dy):
        hiding(-1e9)(q, k, v, mask, dy)
        {"q": q, "k": k}[where][0, 0, 20, 0] = number

    with np.errstate(invalid="ignore"):
        operands, (y, _, *grads) = made((1, 1, 90, 300, 16, 16), "f32", (0, 0, 1), change=change, does=does)
        wanted_y, _, *expected = wanted(*operands, does)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted_y))
    assert np.isnan(y[0, 0, :10]).any() == (where == "k" and does == MULTIPLIED)       # the key is hidden from them
    for result, other in zip(grads, expected, strict=True):
        assert not np.isfinite(result)[np.isnan(other)].any()


DROPS = {"rate": (0.0, 0.3, 1 / 0.7), "keep": (0.6, 1.0, 1 / 0.6), "nothing": (0.0, 0.0, 1.0)}


def drawn(dtype, numbers, size, word=0):
    """draw and drop, and the factors that they say, by the reference of random ops."""
    outer, inner, rows, cols = size[:4]
    number_type = {"f32": float32, "f64": float64}[dtype]
    draw, drop = np.array([0x0123456789ABCDEF, 2**40 + 3, -5, word]), np.array(numbers, number_type.numpy)
    first, count = word // (1 if dtype == "f32" else 2), math.prod(size[:4])
    u = uniform(*map(int, draw[:3]), first + count, number_type)[first:].reshape(outer, inner, rows, cols)
    return (draw, drop), (u + drop[0] >= drop[1]) * drop[2].astype(np.float64)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("numbers", DROPS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_dropped_weights(size, numbers, dtype):
    """Each number is the random op's, wherever rows, blocks and groups of words begin."""
    dropped, factors = drawn(dtype, DROPS[numbers], size, word=8 if numbers == "keep" else 0)
    operands, found = made(size, dtype, (1, 0, 1), does=MULTIPLIED, change=hiding(-30.0), dropped=dropped)
    for result, expected in zip(found, wanted(*operands, MULTIPLIED, factors), strict=True):
        close(result, expected, dtype, 8.0)
    for order, lying in ((backwards, whole), (range, apart)):
        again = made(size, dtype, (1, 0, 1), order, hiding(-30.0), lying, MULTIPLIED, dropped)[1]
        for result, other in zip(found, again, strict=True):
            np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_dropped_weights_under_a_causal_mask(dtype):
    """What is left out at either end draws nothing, and moves no number of the others."""
    size = (1, 2, 600, 600, 32, 32)
    dropped, factors = drawn(dtype, DROPS["rate"], size)
    operands, found = made(size, dtype, (0, 0, 1), change=causal(-1e9), dropped=dropped)
    for result, expected in zip(found, wanted(*operands, factors=factors), strict=True):
        close(result, expected, dtype, 8.0)


def test_a_factor_that_is_not_finite_shows():
    """Of hidden keys, too: 0 times infinity is NaN, as in the product that it stands for."""
    with np.errstate(invalid="ignore"):
        dropped, _ = drawn("f32", (0.0, 1.0, np.inf), (1, 1, 300, 600))
        _, found = made((1, 1, 300, 600, 16, 16), "f32", (0, 0, 1), change=causal(-1e9), dropped=dropped)
    assert all(np.isnan(found[i]).all() for i in (0, 2, 3, 4))


TRAINED = [(0, 1, 1), (1, 0, 1), (0, 0, 1), (0, 1, 0), (0, 0, 0), (1, 1, 1)]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("trained", TRAINED, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_mask_that_is_trained(size, trained, drops, dtype):
    """Its gradient is added up over axes of its own, also where the mask that is added has others."""
    dropped, factors = drawn(dtype, DROPS["rate"], size) if drops else ((), 1.0)
    operands, found = made(size, dtype, (1, 1, 1), dropped=dropped, trained=trained)
    for result, expected in zip(found, wanted(*operands, factors=factors, trained=trained), strict=True):
        close(result, expected, dtype, 10.0)
    for result, other in zip(found, made(size, dtype, (1, 1, 1), backwards, None, apart, ADDED, dropped, trained)[1],
                             strict=True):
        np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_a_mask_that_is_trained_and_hides(dtype):
    operands, found = made((3, 2, 600, 600, 16, 16), dtype, (0, 0, 1), change=causal(-1e9), trained=(0, 1, 1))
    for result, expected in zip(found, wanted(*operands, trained=(0, 1, 1)), strict=True):
        close(result, expected, dtype, 10.0)
    assert not found[-1][..., 0, 1:].any()


@pytest.mark.parametrize("trained", [(0, 1, 1), (0, 0, 0)], ids=str)
@pytest.mark.parametrize("size", [(0, 2, 3, 3, 3, 3), (2, 0, 3, 3, 3, 3), (1, 1, 0, 3, 3, 3), (1, 2, 3, 0, 3, 3),
                                  (1, 1, 3, 3, 0, 0)], ids=str)
def test_a_mask_that_is_trained_and_nothing_to_do(size, trained):
    for result in made(size, "f32", trained=trained)[1][2:]:
        assert not result.any()
