"""float16 and bfloat16: every bit of their conversions, float32 inside, NumPy without bfloat16, random numbers."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference
from graphc.ir import dtypes
from graphc.ir.half import as_float32

needs_bfloat16 = pytest.mark.skipif(not dtypes.HAS_BFLOAT16, reason="ml_dtypes is not installed")
HALVES = [gc.float16, pytest.param(gc.bfloat16, marks=needs_bfloat16)]


@pytest.fixture(autouse=True)
def graph() -> Any:
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal, NaN being NaN whatever its bits."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    numbers = ~np.isnan(expected.astype(np.float64))
    bits = f"u{found.dtype.itemsize}"
    np.testing.assert_array_equal(found[numbers].view(bits), expected[numbers].view(bits))
    assert np.isnan(found[~numbers].astype(np.float64)).all()


@pytest.mark.parametrize("dtype", HALVES)
def test_every_half_as_float32(dtype: gc.DType) -> None:
    every = np.arange(2**16, dtype=np.uint16).view(dtype.numpy)
    x = gc.placeholder(dtype, [None])
    wide = run(gc.cast(x, gc.float32), {x: every})
    with np.errstate(all="ignore"):
        same_bits(wide, every.astype(np.float32))
        same_bits(run(gc.cast(gc.cast(x, gc.float32), dtype), {x: every}), every)


@pytest.mark.parametrize("dtype", HALVES)
def test_rounding_to_a_half(dtype: gc.DType) -> None:
    """Around every number and every middle between two, where halves go to even; overflow and subnormal numbers."""
    every = np.arange(2**16, dtype=np.uint16).view(dtype.numpy).astype(np.float32)
    every = np.unique(every[np.isfinite(every)])
    middles = (every[1:] / 2 + every[:-1] / 2).astype(np.float32)
    beyond = np.array([np.inf, -np.inf, np.nan, 3.4e38, 65519.996, 65520, -65520], np.float32)
    at = np.concatenate([every, middles, beyond])
    with np.errstate(all="ignore"):
        points = np.concatenate([at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))])
        x = gc.placeholder(gc.float32, [None])
        same_bits(run(gc.cast(x, dtype), {x: points}), points.astype(dtype.numpy))


def test_bfloat16_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants, arithmetic and files work; feeds and fetches say what to install."""
    monkeypatch.setattr(dtypes, "HAS_BFLOAT16", False)
    monkeypatch.setattr(dtypes, "_found_bfloat16", [])
    x = gc.placeholder(gc.float32, [None])
    half = gc.cast(x, gc.bfloat16) * gc.constant(1.5, gc.bfloat16) + gc.ones_like(gc.cast(x, gc.bfloat16))
    given = np.array([1, 2, 1 + 2**-8, 1 + 3 * 2**-8, math.pi], np.float32)
    once = gc.cast(gc.constant(given, gc.bfloat16), gc.float32)
    np.testing.assert_array_equal(run(once), np.array([1, 2, 1, 1 + 2**-6, 3.140625], np.float32))
    np.testing.assert_array_equal(run(gc.cast(half, gc.float32), {x: given})[:2], [2.5, 4])
    fed = gc.placeholder(gc.bfloat16, [None])
    for fetch, feeds in ((half, {x: given}), (gc.cast(fed, gc.float32), {fed: given})):
        with pytest.raises(gc.errors.UnimplementedError, match=r"pip install graphc\[bfloat16\]"):
            run(fetch, feeds)
    with pytest.raises(gc.errors.UnimplementedError, match="ml_dtypes"):
        gc.bfloat16.as_numpy_dtype  # noqa: B018
    made = gc.make_tensor_proto(given, gc.bfloat16)
    assert made.dtype == 14 and len(made.tensor_content) == 10
    np.testing.assert_array_equal(as_float32(gc.make_ndarray(made)), [1, 2, 1, 1 + 2**-6, 3.140625])


@pytest.mark.parametrize("dtype", HALVES)
def test_sums_are_accumulated_in_float32(dtype: gc.DType) -> None:
    x = gc.placeholder(dtype, [None, None])
    ones = np.ones((3, 5000), dtype.numpy)
    product = gc.matmul(x, gc.ones_like(x), transpose_b=True)
    for found in run([gc.reduce_sum(x, 1), product[:, 0], gc.cumsum(x, 1)[:, -1]], {x: ones}):
        assert found.dtype == dtype.numpy
        np.testing.assert_array_equal(found.astype(np.float32), np.full(3, np.float32(dtype.numpy.type(5000))))
    mean = run(gc.reduce_mean(gc.zeros([70000], dtype) + 3))
    assert mean == 3                                       # neither the sum nor the count fits float16
    total = gc.reduce_mean(gc.zeros([70000], dtype) + x[0, 0])
    assert abs(float(run(gc.gradients(total, x)[0], {x: ones})[0, 0]) - 1) < 2e-2


def test_half_functions_round_once() -> None:
    """What a function computes in between is not rounded."""
    x = gc.placeholder(gc.float16, [None])
    points = np.arange(-1000, 1000).astype(np.float16) / np.float16(100)
    wide = points.astype(np.float32)
    found = run(gc.nn.softplus(x), {x: points})
    np.testing.assert_array_equal(found, np.logaddexp(0, wide.astype(np.float64)).astype(np.float16))


def test_halves_fused_and_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each op rounds its result, whether it is stored or not."""
    x = gc.placeholder(gc.float16, [None])
    y = gc.exp(gc.tanh(x * 1.7) + 0.3) - gc.square(x)
    points = np.random.default_rng(0).normal(size=999).astype(np.float16)
    fused = run(y, {x: points})
    monkeypatch.setenv("GRAPHC_FUSION", "0")
    same_bits(run(y, {x: points}), fused)
    same_bits(fused, np.asarray(run_reference(y, {x: points})))


@pytest.mark.parametrize("dtype", HALVES)
def test_random_halves(dtype: gc.DType) -> None:
    uniform, normal = run([gc.random_uniform([20000], dtype=dtype), gc.random_normal([20000], dtype=dtype)])
    assert uniform.dtype == normal.dtype == dtype.numpy
    wide = uniform.astype(np.float32)
    assert wide.min() >= 0 and wide.max() < 1 and abs(wide.mean() - 0.5) < 0.02
    assert abs(normal.astype(np.float32).std() - 1) < 0.03


def test_moments_of_float16() -> None:
    """Computed in float32, as TF's: 300 squared does not fit float16."""
    x = gc.placeholder(gc.float16, [None])
    mean, variance = run(gc.nn.moments(x, [0]), {x: [-200, 200, 100, -100]})
    assert mean.dtype == variance.dtype == np.float16 and mean == 0 and variance == 25000


@pytest.mark.parametrize("dtype", HALVES)
def test_halves_in_a_list(dtype: gc.DType) -> None:
    x, y = gc.placeholder(dtype, [2]), gc.placeholder(gc.float32, [])
    found = run(gc.identity_n([x, y]), {x: [0.5, 3], y: 0.1})
    assert found[0].dtype == dtype.as_numpy_dtype and found[0].tolist() == [0.5, 3] and found[1] == np.float32(0.1)


@pytest.mark.parametrize("dtype", HALVES)
def test_halves_are_serialized_as_they_are(dtype: gc.DType) -> None:
    x = gc.placeholder(dtype, [2])
    contents = {gc.float16: b"f.\x00@", gc.bfloat16: b"\xcd=\x00@"}[dtype]   # TensorFlow's
    assert run(gc.io.serialize_tensor(x), {x: [0.1, 2]}) == (
        b"\x08" + bytes([dtype.number]) + b'\x12\x04\x12\x02\x08\x02"\x04' + contents)
