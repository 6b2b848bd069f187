"""softmax, cross entropies, arg, cumsum, gather, scatter_add, nonzero, copy, state: against NumPy."""
import itertools

import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, close, filled, load, normal

SHAPES = [(0, 3), (3, 0), (1, 1), (3, 17), (31, 65), (2, 1000), (300, 10)]
FLOATS = ["f32", "f64"]


def log_softmax(x):
    x = x.astype(np.float64)
    if x.shape[1] == 0:
        return x
    shifted = x - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax(shape, dtype):
    kernels = load("softmax", "log_softmax")
    x = normal(shape, dtype, 1) * 10
    for name, wanted in (("softmax", np.exp(log_softmax(x))), ("log_softmax", log_softmax(x))):
        y = filled(shape, dtype)
        assert kernels[f"{name}.{dtype}"](x, y, dims=shape, order=backwards) == 0
        close(y, wanted, dtype, 4)
        in_place = x.copy()
        assert kernels[f"{name}.{dtype}"](in_place, in_place, dims=shape) == 0
        np.testing.assert_array_equal(in_place, y)


def test_softmax_of_infinite_and_large():
    kernel = load("softmax", "log_softmax")["softmax.f32"]
    x = np.array([[1e30, 0, -np.inf, 1e30], [np.nan, 1, 2, 3]], np.float32)
    y = filled(x.shape, "f32")
    assert kernel(x, y, dims=[2, 4]) == 0
    np.testing.assert_allclose(y, [[0.5, 0, 0, 0.5], [np.nan] * 4])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_of_softmax(shape, dtype):
    kernels = load("softmax_grad", "log_softmax_grad")
    logs, dy = log_softmax(normal(shape, dtype, 1) * 5), normal(shape, dtype, 2)
    p = np.exp(logs)
    for name, y, wanted in (("softmax_grad", p, (dy - (dy * p).sum(1, keepdims=True)) * p),
                            ("log_softmax_grad", logs, dy - dy.sum(1, keepdims=True) * p)):
        y, dx = y.astype(dy.dtype), filled(shape, dtype)
        assert kernels[f"{name}.{dtype}"](y, dy, dx, dims=shape, order=backwards) == 0
        close(dx, wanted, dtype, 4 * max(shape[1], 1) ** 0.5)
        for which in range(2):
            given = [y.copy(), dy.copy()]
            assert kernels[f"{name}.{dtype}"](*given, given[which], dims=shape) == 0
            np.testing.assert_array_equal(given[which], dx)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_weighted_cross_entropy(shape, dtype):
    """The same bits as the plain ones', times the weights."""
    rows, cols = shape
    logits, labels, weights = normal(shape, dtype, 1) * 5, abs(normal(shape, dtype, 2)), normal(rows, dtype, 3)
    weights[rows // 2:] = 0
    names = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
    kernels = load(*names, *(f"weighted_{name}" for name in names))
    losses, products = [filled(rows, dtype) for _ in range(2)], [filled(shape, dtype) for _ in range(2)]
    assert kernels[f"softmax_cross_entropy.{dtype}"](logits, labels, losses[0], products[0], dims=shape) == 0
    assert kernels[f"weighted_softmax_cross_entropy.{dtype}"](logits, labels, weights, losses[1], products[1],
                                                              dims=shape, order=backwards) == 0
    np.testing.assert_array_equal(losses[1], losses[0])
    np.testing.assert_array_equal(products[1], products[0] * weights[:, None])
    if cols == 0:
        return
    for index in ("i32", "i64"):
        classes = np.random.default_rng(3).integers(0, cols, rows).astype(NUMPY[index])
        plain, weighted = (kernels[f"{w}sparse_softmax_cross_entropy.{dtype}.{index}"] for w in ("", "weighted_"))
        in_place = logits.copy()
        assert plain(logits, classes, losses[0], products[0], dims=shape) == 0
        assert weighted(classes, weights, losses[1], in_place, dims=shape, order=backwards) == 0
        np.testing.assert_array_equal(losses[1], losses[0])
        np.testing.assert_array_equal(in_place, products[0] * weights[:, None])
        if rows:
            classes[-1] = -1
            assert weighted(classes, weights, losses[1], in_place, dims=shape) == 1


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy(shape, dtype):
    kernels = load("softmax_cross_entropy", "sparse_softmax_cross_entropy")
    rows, cols = shape
    logits, labels = normal(shape, dtype, 1) * 5, abs(normal(shape, dtype, 2))
    wanted = log_softmax(logits)
    loss, backprop = filled(rows, dtype), filled(shape, dtype)
    assert kernels[f"softmax_cross_entropy.{dtype}"](logits, labels, loss, backprop, dims=shape) == 0
    close(loss, -(labels * wanted).sum(1), dtype, 4 * max(cols, 1))
    close(backprop, np.exp(wanted) - labels, dtype, 4)
    if cols == 0:
        return
    for index in ("i32", "i64"):
        classes = np.random.default_rng(3).integers(0, cols, rows).astype(NUMPY[index])
        loss, backprop = filled(rows, dtype), filled(shape, dtype)
        kernel = kernels[f"sparse_softmax_cross_entropy.{dtype}.{index}"]
        assert kernel(logits, classes, loss, backprop, dims=shape) == 0
        close(loss, -wanted[np.arange(rows), classes], dtype, 8)
        close(backprop, np.exp(wanted) - np.eye(cols)[classes], dtype, 4)
        if rows:
            classes[-1] = cols
            assert kernel(logits, classes, loss, backprop, dims=shape) == 1


def test_cross_entropy_ignores_infinite_logits_of_probability_zero():
    kernel = load("softmax_cross_entropy", "sparse_softmax_cross_entropy")["softmax_cross_entropy.f32"]
    logits, labels = np.array([[0, -np.inf]], np.float32), np.array([[1, 0]], np.float32)
    loss, backprop = filled(1, "f32"), filled((1, 2), "f32")
    assert kernel(logits, labels, loss, backprop, dims=[1, 2]) == 0
    np.testing.assert_array_equal(loss, [0])


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64", "u8", "i16"])
def test_arg_extreme(dtype):
    kernels = load("argmax", "argmin")
    for outer, n, inner in [(1, 1, 1), (3, 17, 1), (3, 17, 5), (200, 65, 7), (0, 0, 3), (0, 3, 3), (2, 5000, 1),
                            (3, 9, 16), (2, 33, 700), (1, 3, 1500), (4, 16, 1), (5, 31, 1), (4, 64, 1), (3, 131, 1)]:
        x = normal((outer, n, inner), dtype, 1)
        if dtype in FLOATS and x.size > 20 and n > 5:
            x[-1, 3, 0] = x[-1, 5, 0] = np.nan
            x[0, :, -1] = np.nan
        for name, index in itertools.product(("argmax", "argmin"), ("i32", "i64")):
            out = filled((outer, inner), index)
            assert kernels[f"{name}.{dtype}.{index}"](x, out, dims=[outer, n, inner]) == 0
            if n:
                # A NaN is passed over, as TensorFlow does it.
                plain = np.where(x == x, x, -np.inf if name == "argmax" else np.inf) if dtype in FLOATS else x
                np.testing.assert_array_equal(out, getattr(np, name)(plain, axis=1))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_the_first_of_equal_extremes(dtype):
    kernels = load("argmax", "argmin")
    for n in (1, 3, 16, 17, 31, 65, 200):
        x = np.random.default_rng(n).integers(0, 3, (40, n, 1)).astype(NUMPY[dtype])
        x[0], x[1] = 1, np.inf
        x[2], x[3, :n // 2], x[3, n // 2:] = -np.inf, -np.inf, np.nan
        for name, worst in (("argmax", -np.inf), ("argmin", np.inf)):
            out = filled((40, 1), "i64")
            assert kernels[f"{name}.{dtype}.i64"](x, out, dims=[40, n, 1]) == 0
            np.testing.assert_array_equal(out, getattr(np, name)(np.where(x == x, x, worst), axis=1))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_running_sums_of_rows_have_the_bits_of_one_after_the_other(dtype):
    """Rows side by side, turned in strips: as few as make a square, squares that overlap, rows left over."""
    kernels = load("cumsum", "cumprod")
    for outer, n in [(16, 16), (17, 17), (40, 31), (33, 79), (50, 80), (65, 300)]:
        x = (1 + normal((outer, n, 1), dtype, 1) / 10).astype(NUMPY[dtype])
        for name, exclusive, reverse in itertools.product(("cumsum", "cumprod"), (0, 1), (0, 1)):
            y, forwards = x.copy(), x[:, ::-1] if reverse else x
            assert kernels[f"{name}.{dtype}"](y, y, dims=[outer, n, 1], attrs=[exclusive, reverse]) == 0
            wanted = (np.add if name == "cumsum" else np.multiply).accumulate(forwards, axis=1)
            if exclusive:
                wanted = np.concatenate([np.full_like(x[:, :1], name == "cumprod"), wanted[:, :-1]], 1)
            np.testing.assert_array_equal(y, wanted[:, ::-1] if reverse else wanted)


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_cumsum(dtype):
    kernel = load("cumsum")[f"cumsum.{dtype}"]
    for outer, n, inner in [(1, 1, 1), (3, 17, 5), (65, 300, 3), (2, 0, 2), (1, 40000, 1), (7, 33, 1), (2, 9, 1500),
                            (3, 40, 8), (2, 5, 0)]:
        x = normal((outer, n, inner), dtype, 1)
        for exclusive, reverse in itertools.product((0, 1), (0, 1)):
            y = filled(x.shape, dtype)
            assert kernel(x, y, dims=[outer, n, inner], attrs=[exclusive, reverse]) == 0
            wide = x.astype(np.float64)[:, ::-1] if reverse else x.astype(np.float64)
            wanted = wide.cumsum(1) - (wide if exclusive else 0)
            close(y, wanted[:, ::-1] if reverse else wanted, dtype, max(n, 1))


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_cumprod(dtype):
    kernel = load("cumprod")[f"cumprod.{dtype}"]
    for outer, n, inner in [(3, 17, 5), (2, 0, 2), (7, 1, 3)]:
        x = np.random.default_rng(1).choice([-1, 1, 2], (outer, n, inner)).astype(filled((1,), dtype).dtype)
        for exclusive, reverse in itertools.product((0, 1), (0, 1)):
            y = filled(x.shape, dtype)
            assert kernel(x, y, dims=[outer, n, inner], attrs=[exclusive, reverse]) == 0
            wide = x[:, ::-1] if reverse else x
            wanted = np.cumprod(wide, axis=1, dtype=x.dtype)
            if exclusive and n:
                wanted = np.concatenate([np.ones_like(wide[:, :1]), wanted[:, :-1]], axis=1)
            np.testing.assert_array_equal(y, wanted[:, ::-1] if reverse else wanted)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_cumprod_complex(dtype):
    kernel = load("cumprod_complex")[f"cumprod_complex.{dtype}"]
    for outer, n, inner in [(3, 17, 5), (2, 0, 2), (7, 1, 3)]:
        x = np.random.default_rng(1).choice([-1, 1, 1j, 1 + 1j], (outer, n, inner))
        for exclusive, reverse in itertools.product((0, 1), (0, 1)):
            y = filled((outer, n, inner, 2), dtype)
            parts = np.stack([x.real, x.imag], axis=-1).astype(y.dtype)
            assert kernel(parts, y, dims=[outer, n, inner], attrs=[exclusive, reverse]) == 0
            wide = x[:, ::-1] if reverse else x
            wanted = np.cumprod(wide, axis=1)
            if exclusive and n:
                wanted = np.concatenate([np.ones_like(wide[:, :1]), wanted[:, :-1]], axis=1)
            np.testing.assert_array_equal(y[..., 0] + 1j * y[..., 1], wanted[:, ::-1] if reverse else wanted)


@pytest.mark.parametrize("index", ["i32", "i64"])
@pytest.mark.parametrize("dtype", ["f32", "f64", "i64", "bool", "u8", "i16"])
def test_gather(dtype, index):
    kernel = load("gather", "scatter_add")[f"gather.{dtype}.{index}"]
    for outer, axis, inner, count in [(1, 1, 1, 1), (3, 17, 5, 31), (1, 100, 64, 300), (2, 5, 300, 65), (2, 3, 4, 0),
                                      (0, 3, 4, 5), (2, 3, 0, 5)]:
        params = normal((outer, axis, inner), dtype, 1)
        indices = np.random.default_rng(2).integers(0, axis, count).astype(NUMPY[index])
        out = filled((outer, count, inner), dtype)
        assert kernel(params, indices, out, dims=[outer, axis, inner, count], order=backwards) == 0
        np.testing.assert_array_equal(out, params[:, indices])
        if count and outer:
            indices[count // 2] = -1
            assert kernel(params, indices, out, dims=[outer, axis, inner, count]) == 1


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_scatter_add(dtype):
    kernel = load("gather", "scatter_add")[f"scatter_add.{dtype}.i32"]
    for outer, axis, inner, count in [(1, 1, 1, 1), (3, 17, 5, 31), (1, 100, 640, 300), (2, 5, 300, 65), (2, 3, 4, 0),
                                      (0, 3, 4, 5), (2, 3, 0, 5)]:
        updates = normal((outer, count, inner), dtype, 1)
        indices = np.random.default_rng(2).integers(0, axis, count).astype(np.int32)
        out = filled((outer, axis, inner), dtype)
        assert kernel(updates, indices, out, dims=[outer, axis, inner, count], order=backwards) == 0
        wanted = np.zeros(out.shape, np.float64)
        np.add.at(wanted, (slice(None), indices), updates)
        close(out, wanted, dtype, 30)
        if count and outer and inner:
            indices[count // 2] = axis
            assert kernel(updates, indices, out, dims=[outer, axis, inner, count]) == 1


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_invert_permutation(dtype):
    kernel = load("invert_permutation")[f"invert_permutation.{dtype}"]
    for n in (0, 1, 17):
        x, out = np.random.default_rng(n).permutation(n).astype(NUMPY[dtype]), filled(n, dtype)
        assert kernel(x, out, dims=[n]) == 0
        np.testing.assert_array_equal(out, np.argsort(x))
    assert kernel(np.array([0, 2], NUMPY[dtype]), filled(2, dtype), dims=[2]) == 1
    assert kernel(np.array([0, -1], NUMPY[dtype]), filled(2, dtype), dims=[2]) == 1
    assert kernel(np.array([1, 1], NUMPY[dtype]), filled(2, dtype), dims=[2]) == 2


@pytest.mark.parametrize("dtype", ["i32", "i64", "u8", "i8", "i16", "u16", "u32"])
def test_checked(dtype):
    kernel = load("checked")[f"checked.{dtype}"]
    for elements in (0, 1, 17, 40_000):
        x, out = np.arange(1, elements + 1).astype(NUMPY[dtype]), filled(elements, dtype)
        x[x <= 0] = 1
        for refused in (0, 1):
            assert kernel(x, out, dims=[elements, 5], attrs=[refused]) == 0
            np.testing.assert_array_equal(out, x)
        if elements:
            x[elements // 2] = 0
            assert kernel(x, out, dims=[elements, 5], attrs=[0]) == 4
            assert kernel(x, out, dims=[elements, 0], attrs=[0]) == 0
            assert kernel(x, out, dims=[elements, 5], attrs=[1]) == 0
            np.testing.assert_array_equal(out, x)
        if elements and dtype[0] == "i":
            x[elements - 1] = -1
            assert kernel(x, out, dims=[elements, 5], attrs=[1]) == 5


def test_nonzero():
    kernel = load("nonzero")["nonzero"]
    mask = np.random.default_rng(0).random(1000) < 0.3
    wanted = np.flatnonzero(mask)
    out = filled(len(wanted), "i64")
    assert kernel(mask, out, dims=[1000, len(wanted)]) == 0
    np.testing.assert_array_equal(out, wanted)
    assert kernel(mask, out, dims=[1000, len(wanted) - 1]) == 2
    assert kernel(mask, filled(1000, "i64"), dims=[1000, len(wanted) + 1]) == 2


@pytest.mark.parametrize("dtype", sorted(set(NUMPY) - {"u64"}))
def test_copy(dtype):
    kernel = load("copy")[f"copy.{dtype}"]
    for elements in (0, 1, 1000, 300_001):
        x, y = normal(elements, dtype, 1), filled(elements, dtype)
        assert kernel(x, y, dims=[elements]) == 0
        np.testing.assert_array_equal(x, y)


def test_state():
    kernels = load("state_mark", "state_check")
    info = np.zeros(2, np.int64)
    assert kernels["state_check"](info, dims=[]) == 3
    assert kernels["state_mark"](info, dims=[]) == 0
    assert kernels["state_mark"](info, dims=[]) == 0
    assert kernels["state_check"](info, dims=[]) == 0
    np.testing.assert_array_equal(info, [1, 2])
