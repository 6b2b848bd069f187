"""layer_norm and layer_norm_grad against NumPy in float64: sizes, absent operands, large means, what is not finite."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from kernel_harness import backwards, filled, load, normal

SIZES = [(1, 1, 1), (3, 1, 17), (31, 1, 65), (2, 1, 2000), (65, 1, 1), (700, 1, 3), (4099, 1, 31), (130, 1, 1025),
         (5, 3, 7), (0, 1, 5), (7, 0, 5), (7, 1, 0)]
UNIT = {"f32": 2.0 ** -24, "f64": 2.0 ** -53}
EPSILON = 1e-3


def operands(size, dtype, shift=0.0):
    rows, groups, params = size
    matrices = [normal((rows, groups, params), dtype, seed) for seed in (1, 2, 3)]
    matrices[0] += np.asarray(shift, matrices[0].dtype)
    return (*matrices, normal((params,), dtype, 4), normal((params,), dtype, 5))


def normalised(x, centred):
    """In float64: (x - mean) * inverse, inverse."""
    x = x.astype(np.float64)
    if x.shape[1] * x.shape[2] == 0:
        return x, np.ones((len(x), 1, 1))
    with np.errstate(all="ignore"):
        x = x - x.mean((1, 2), keepdims=True) if centred else x
        inverse = 1 / np.sqrt(np.square(x).mean((1, 2), keepdims=True) + EPSILON)
        return x * inverse, inverse


def forward(x, scale, shift, size, flags, dtype, order=range):
    y, (centred, scaled, shifted) = filled(x.shape, dtype), flags
    nothing = x[:0].reshape(-1)
    kernel = load("layer_norm", "layer_norm_grad")[f"layer_norm.{dtype}"]
    assert kernel(x, scale if scaled else nothing, shift if shifted else nothing, y, dims=size,
                  attrs=[centred, scaled, shifted, EPSILON], order=order) == 0
    return y


def backward(dy, x, scale, addend, size, flags, dtype, order=range):
    results = [filled(x.shape, dtype), *(filled(scale.shape, dtype) for _ in range(3))]
    nothing, (centred, scaled, added) = x[:0].reshape(-1), flags
    kernel = load("layer_norm", "layer_norm_grad")[f"layer_norm_grad.{dtype}"]
    assert kernel(dy, x, scale if scaled else nothing, addend if added else nothing, *results, dims=size,
                  attrs=[centred, scaled, added, 1, EPSILON], order=order) == 0
    return results


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_forward(size, dtype):
    x, _, _, scale, shift = operands(size, dtype)
    for flags in itertools.product((1, 0), repeat=3):
        wanted = normalised(x, flags[0])[0] * (scale if flags[1] else 1) + (shift if flags[2] else 0)
        found = forward(x, scale, shift, size, flags, dtype)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=32 * UNIT[dtype] * max(np.abs(wanted).max(initial=0), 1))
        np.testing.assert_array_equal(found, forward(x, scale, shift, size, flags, dtype, backwards))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_backward(size, dtype):
    x, dy, addend, scale, _ = operands(size, dtype)
    axes = (1, 2)
    for flags in itertools.product((1, 0), repeat=3):
        d, inverse = normalised(x, flags[0])
        w = dy.astype(np.float64) * (scale if flags[1] else 1)
        with np.errstate(all="ignore"):
            count = max(size[1] * size[2], 1)
            mean_w = w.sum(axes, keepdims=True) / count if flags[0] else 0
            dx = (w - mean_w - d * (w * d).sum(axes, keepdims=True) / count) * inverse + (addend if flags[2] else 0)
        wanted = [dx, (dy * d).sum((0, 1)), dy.astype(np.float64).sum((0, 1)), dx.sum((0, 1))]
        found = backward(dy, x, scale, addend, size, flags, dtype)
        bound = 64 * UNIT[dtype] * max(np.abs(w * inverse).max(initial=0), np.abs(addend).max(initial=0), 1)
        for one, other, terms in zip(found, wanted, (1, *[np.sqrt(max(size[0] * size[1], 1))] * 3), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=bound * terms)
        for one, other in zip(found, backward(dy, x, scale, addend, size, flags, dtype, backwards), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_a_large_mean_costs_the_digits_of_the_elements_only(dtype):
    size = (9, 1, 300)
    x, _, _, scale, shift = operands(size, dtype, 1000.0)
    wanted = normalised(x, 1)[0] * scale + shift
    np.testing.assert_allclose(forward(x, scale, shift, size, (1, 1, 1), dtype), wanted, rtol=0, atol=1e4 * UNIT[dtype])


def test_in_place():
    size = (37, 1, 65)
    x, dy, addend, scale, shift = operands(size, "f32")
    kernels = load("layer_norm", "layer_norm_grad")
    wanted, memory = forward(x, scale, shift, size, (1, 1, 1), "f32"), x.copy()
    assert kernels["layer_norm.f32"](memory, scale, shift, memory, dims=size, attrs=[1, 1, 1, EPSILON]) == 0
    np.testing.assert_array_equal(memory, wanted)
    wanted = backward(dy, x, scale, addend, size, (1, 1, 1), "f32")[0]
    for which in range(3):
        given = [dy.copy(), x.copy(), addend.copy()]
        sums = [filled(scale.shape, "f32") for _ in range(3)]
        assert kernels["layer_norm_grad.f32"](*given[:2], scale, given[2], given[which], *sums, dims=size,
                                              attrs=[1, 1, 1, 1, EPSILON]) == 0
        np.testing.assert_array_equal(given[which], wanted)


def test_what_is_not_finite_stays_in_its_row():
    size = (4, 1, 33)
    x, dy, addend, scale, shift = operands(size, "f32")

    def both():
        return (forward(x, scale, shift, size, (1, 1, 1), "f32"),
                backward(dy, x, scale, addend, size, (1, 1, 1), "f32")[0])

    plain = both()
    x[1, 0, 5], x[2, 0, 32] = np.inf, np.nan
    for before, behind in zip(plain, both(), strict=True):
        assert np.isnan(behind[1:3]).all()
        np.testing.assert_array_equal(behind[[0, 3]], before[[0, 3]])
