"""Scalar functions against NumPy in higher precision: errors in units of the last place, special values, integers."""
from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import special

from graphc.kernels.toolchain.testing import load_primitives

TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "bool": np.bool_, "u8": np.uint8,
         "i8": np.int8, "i16": np.int16, "u16": np.uint16, "u32": np.uint32}
FLOATS = ("f32", "f64")
RNG = np.random.default_rng(3)
Function = Callable[..., Any]


def call(name: str, *arguments: np.ndarray) -> np.ndarray:
    """One primitive on arrays of equal length, by its full name."""
    out = np.empty(len(arguments[0]), TYPES[name.split(".")[1]])
    addresses = [a.ctypes.data for a in arguments] + [0] * (4 - len(arguments))
    load_primitives_once()[name](out.ctypes.data, *addresses, len(out))
    return out


_loaded: dict[str, Callable[..., None]] = {}


def load_primitives_once() -> dict[str, Callable[..., None]]:
    if not _loaded:
        _loaded.update(load_primitives())
    return _loaded


def float_call(op: str, *arguments: np.ndarray) -> np.ndarray:
    dtype = "f32" if arguments[0].dtype == np.float32 else "f64"
    return call(f"{op}.{dtype}.{dtype}", *arguments)


def errors_in_ulp(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """exact: float64 for float32, long double for float64."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(got.dtype)
        error = np.abs(got.astype(exact.dtype) - exact) / np.spacing(np.abs(rounded)).astype(exact.dtype)
    return np.where((got == rounded) | (np.isnan(got) & np.isnan(rounded)), 0, error)


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: np.ndarray) -> np.ndarray:
    return special.erf(x.astype(np.float64))


def erfinv(x: np.ndarray) -> np.ndarray:
    return special.erfinv(x.astype(np.float64))


# op: (reference, units in the last place allowed, intervals)
UNARY: dict[str, tuple[Function, float, list[tuple[float, float]]]] = {
    "exp": (np.exp, 1.5, [(-87, 88), (-1, 1), (-1e-3, 1e-3)]),
    "expm1": (np.expm1, 2.5, [(-30, 88), (-1, 1), (-1e-4, 1e-4)]),
    "log": (np.log, 1.5, [(0, 1e-30), (0.5, 2), (0, 1e30)]),
    "log1p": (np.log1p, 1.5, [(-1, 1), (-1e-3, 1e-3), (0, 1e20)]),
    "tanh": (np.tanh, 3, [(-12, 12), (-1, 1), (-1e-3, 1e-3)]), "sigmoid": (sigmoid, 3, [(-80, 80), (-5, 5)]),
    "softplus": (softplus, 2, [(-50, 50)]), "erf": (erf, 4, [(-5, 5), (0.8, 1.1), (-1e-3, 1e-3)]),
    "erfinv": (erfinv, 8, [(-1, 1), (0.99, 1)]), "sin": (np.sin, 1, [(-4, 4), (-1e3, 1e3), (-1e6, 1e6)]),
    "cos": (np.cos, 1, [(-4, 4), (-1e3, 1e3), (-1e6, 1e6)]), "tan": (np.tan, 3, [(-4, 4), (-1e3, 1e3)]),
    "asin": (np.arcsin, 3, [(-1, 1), (-0.01, 0.01)]), "acos": (np.arccos, 3, [(-1, 1), (0.99, 1)]),
    "atan": (np.arctan, 2, [(-4, 4), (-1e9, 1e9)]), "sinh": (np.sinh, 4, [(-85, 85), (-1, 1)]),
    "cosh": (np.cosh, 4, [(-85, 85), (-1, 1)]), "sqrt": (np.sqrt, 0.5001, [(0, 10)]),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 1.6, [(0, 10)]), "reciprocal": (lambda x: 1 / x, 0.5001, [(-10, 10)]),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", sorted(UNARY))
def test_error_of_functions(op: str, dtype: str) -> None:
    reference, allowed, intervals = UNARY[op]
    for low, high in intervals:
        x = RNG.uniform(low, high, 50000).astype(TYPES[dtype])
        with np.errstate(all="ignore"):
            assert errors_in_ulp(float_call(op, x), reference(wide(x))).max() <= allowed, (low, high)


SPECIAL = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-45, -1e-45, 1e-310, 3e38, -3e38, 1e308, -1e308, 1, -1, 2,
                    -2, 0.5,
                    1e-30])


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", sorted(UNARY))
def test_special_values(op: str, dtype: str) -> None:
    x = SPECIAL
    if op in ("sin", "cos", "tan"):
        x = x[~(np.abs(x) > 2.0**50) | np.isinf(x)]     # beyond that they give NaN
    x = x.astype(TYPES[dtype])
    with np.errstate(all="ignore"):
        expected = UNARY[op][0](x.astype(np.float64)).astype(TYPES[dtype])
        got = float_call(op, x)
        close = np.abs(got - expected) <= 4 * np.spacing(np.abs(expected))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected)) | close
    assert same.all(), list(zip(x[~same], got[~same], expected[~same], strict=True))


@pytest.mark.parametrize("dtype", FLOATS)
def test_pow(dtype: str) -> None:
    kind = TYPES[dtype]
    x, y = RNG.uniform(0, 20, 50000).astype(kind), RNG.uniform(-25, 25, 50000).astype(kind)
    assert errors_in_ulp(float_call("pow", x, y), np.power(wide(x), wide(y))).max() <= 2
    x = RNG.uniform(0.9, 1.1, 50000).astype(kind)
    y = RNG.uniform(-700, 700, 50000).astype(kind)
    assert errors_in_ulp(float_call("pow", x, y), np.power(wide(x), wide(y))).max() <= 2
    values = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1e30, -1e30], kind)
    x, y = (v.reshape(-1).copy() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(float_call("pow", x, y), np.power(x, y), rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
def test_atan2(dtype: str) -> None:
    kind = TYPES[dtype]
    x, y = RNG.standard_normal(20000).astype(kind), RNG.standard_normal(20000).astype(kind)
    assert errors_in_ulp(float_call("atan2", y, x), np.arctan2(wide(y), wide(x))).max() <= 3
    values = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1, -1, 1e-30, -1e30], kind)
    x, y = (v.reshape(-1).copy() for v in np.meshgrid(values, values))
    got, expected = float_call("atan2", y, x), np.arctan2(y, x)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(expected)].all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_exact_float_functions(dtype: str) -> None:
    kind = TYPES[dtype]
    x = np.concatenate([RNG.uniform(-10, 10, 1000), np.arange(-5, 5, 0.5), SPECIAL,
                        [8388609.5, 4503599627370497.5, -2.5, 0.49999997]]).astype(kind)
    y = RNG.permutation(x)
    with np.errstate(all="ignore"):
        for op, reference in {"floor": np.floor, "ceil": np.ceil, "round": np.rint, "abs": np.abs, "neg": np.negative,
                              "sign": np.sign, "square": np.square}.items():
            np.testing.assert_array_equal(float_call(op, x), reference(x), op)
        for op, binary in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum,
                           "max": np.maximum, "floordiv": lambda a, b: np.floor(a / b), "mod": np.mod,
                           "truncmod": np.fmod}.items():
            np.testing.assert_array_equal(float_call(op, x, y), binary(x, y), op)
        for op, test in {"is_nan": np.isnan, "is_inf": np.isinf, "is_finite": np.isfinite}.items():
            np.testing.assert_array_equal(call(f"{op}.bool.{dtype}", x), test(x), op)
        for op, compare in {"less": np.less, "less_equal": np.less_equal, "greater": np.greater, "equal": np.equal,
                            "greater_equal": np.greater_equal, "not_equal": np.not_equal}.items():
            np.testing.assert_array_equal(call(f"{op}.bool.{dtype}", x, y), compare(x, y), op)


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_integers_wrap_and_never_trap(dtype: str) -> None:
    kind = TYPES[dtype]
    edge = np.iinfo(kind)
    values = np.array([0, 1, -1, 2, -2, 3, -3, 7, -7, 100, edge.min, edge.max, edge.min + 1], kind)
    x, y = (v.reshape(-1).copy() for v in np.meshgrid(values, values))
    x = np.concatenate([x, RNG.integers(-1000, 1000, 500).astype(kind)])
    y = np.concatenate([y, RNG.integers(-50, 50, 500).astype(kind)])
    bits = 64 if dtype == "i64" else 32

    def wrap(value: int) -> int:
        return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)

    def truncated(a: int, b: int) -> int:
        return 0 if b == 0 else wrap(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))

    def power(a: int, b: int) -> int:
        if b < 0:
            return {1: 1, -1: 1 if b % 2 == 0 else -1}.get(a, 0)
        return wrap(pow(a, b, 1 << bits))

    exact: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: wrap(a + b), "sub": lambda a, b: wrap(a - b), "mul": lambda a, b: wrap(a * b),
        "floordiv": lambda a, b: 0 if b == 0 else wrap(a // b), "mod": lambda a, b: 0 if b == 0 else a % b,
        "truncdiv": truncated, "truncmod": lambda a, b: 0 if b == 0 else int(math.copysign(1, a)) * (abs(a) % abs(b)),
        "min": min, "max": max, "pow": power, "and": lambda a, b: a & b, "or": lambda a, b: a | b, 
        "xor": lambda a, b: a ^ b,
        "shift_left": lambda a, b: wrap(a << b % bits), "shift_right": lambda a, b: a >> b % bits,
    }
    for op, function in exact.items():
        expected = np.array([function(int(a), int(b)) for a, b in zip(x, y, strict=True)], kind)
        np.testing.assert_array_equal(call(f"{op}.{dtype}.{dtype}", x, y), expected, op)
    one: dict[str, Callable[[int], int]] = {
        "neg": lambda a: wrap(-a), "abs": lambda a: wrap(abs(a)), "square": lambda a: wrap(a * a), "not": lambda a: ~a,
        "sign": lambda a: (a > 0) - (a < 0)}
    for op, unary in one.items():
        np.testing.assert_array_equal(call(f"{op}.{dtype}.{dtype}", x), np.array([unary(int(a)) for a in x], kind), op)


@pytest.mark.parametrize("target", sorted(TYPES))
@pytest.mark.parametrize("source", sorted(TYPES))
def test_casts(source: str, target: str) -> None:
    if source == target:
        return
    kind = np.dtype(TYPES[source])
    if kind.kind == "f":
        x = np.array([0, 1, 1.5, 2.9, 100, 0.25, -0.0] + ([-1, -1.5, -100] if target[0] != "u" else []), kind)
    elif kind.kind == "b":
        x = np.array([False, True])
    else:
        x = np.array([0, 1, 5, 100, np.iinfo(kind).max, np.iinfo(kind).min], kind)
    np.testing.assert_array_equal(call(f"cast.{target}.{source}", x), x.astype(TYPES[target]))


def test_casts_of_floats_out_of_range_saturate() -> None:
    x = np.array([1e30, -1e30, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(call("cast.i32.f32", x), [2**31 - 1, -2**31, 2**31 - 1, -2**31, 0])
    np.testing.assert_array_equal(call("cast.i64.f32", x), [2**63 - 1, -2**63, 2**63 - 1, -2**63, 0])


def test_selection_and_logic() -> None:
    c, d = RNG.integers(0, 2, 100).astype(bool), RNG.integers(0, 2, 100).astype(bool)
    for dtype in ("f32", "f64", "i32", "i64", "bool"):
        x, y = (RNG.integers(0, 2, 100).astype(TYPES[dtype]) for _ in range(2))
        np.testing.assert_array_equal(call(f"select.{dtype}.bool", c, x, y), np.where(c, x, y))
    for op, function in {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor, "equal": np.equal}.items():
        np.testing.assert_array_equal(call(f"{op}.bool.bool", c, d), function(c, d))
    np.testing.assert_array_equal(call("not.bool.bool", c), ~c)


def philox(key: int, run: int, group: int) -> list[int]:
    """Philox 4x32-10 as published."""
    mask = 0xFFFFFFFF
    c = [group & mask, group >> 32, run & mask, run >> 32]
    k = [key & mask, key >> 32]
    for _ in range(10):
        first, second = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(second >> 32) ^ c[1] ^ k[0], second & mask, (first >> 32) ^ c[3] ^ k[1], first & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def test_philox() -> None:
    index = np.arange(40, dtype=np.int64) + (1 << 35)
    key, run, zero = (np.full(40, v, np.int64) for v in (0x123456789ABCDEF, 31 + (7 << 40), 0))
    words = [philox(0x123456789ABCDEF, 31 + (7 << 40), int(i) >> 2)[int(i) & 3] for i in index]
    np.testing.assert_array_equal(call("philox_bits.i64.i64", key, run, zero, index), words)
    expected = (np.array(words) & 0x7FFFFF) / 2.0**23
    np.testing.assert_array_equal(call("philox.f32.i64", key, run, zero, index), expected.astype(np.float32))
    uniform = call("philox.f64.i64", key, run, np.full(40, 5, np.int64), index)
    assert ((uniform >= 0) & (uniform < 1)).all() and len(set(uniform)) == 40
    assert philox(0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8], "the published test vector"


def test_philox_gives_tensorflows_numbers() -> None:
    """random_uniform([], -10, 10) with graph seed 2 and op seeds 31 and 38, as TensorFlow prints them."""
    for seed2, expected in ((31, 9.123926), (38, -4.5340395)):
        arguments = [np.array([v], np.int64) for v in (2, seed2, 0, 0)]
        value = call("philox.f32.i64", *arguments)[0] * np.float32(20) - np.float32(10)
        assert abs(value - expected) < 1e-5, value


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_row_reductions(dtype: str) -> None:
    kind = TYPES[dtype]
    for n in (0, 1, 5, 16, 63, 64, 65, 1000):
        x = RNG.integers(1, 4, n).astype(kind)
        for op, function in {"add": np.add, "max": np.maximum, "min": np.minimum}.items():
            acc = np.array([2], kind)
            entry: Any = load_primitives_once()[f"reduce.{op}.{dtype}.{dtype}"]
            entry(acc.ctypes.data, x.ctypes.data, 0, 0, 0, n)
            assert acc[0] == function.reduce(x, initial=kind(2))


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_reductions_of_four_lines(dtype: str) -> None:
    kind = TYPES[dtype]
    for n in (0, 1, 5, 16, 63, 64, 65, 1000):
        lines = RNG.integers(1, 40, (5, n)).astype(kind)
        for op, function in {"add": np.add, "max": np.maximum, "min": np.minimum}.items():
            acc, *others = (line.copy() for line in lines)
            entry: Any = load_primitives_once()[f"reduce.{op}.{dtype}.{dtype}"]
            entry(acc.ctypes.data, *(line.ctypes.data for line in others), n)
            np.testing.assert_array_equal(acc, function.reduce(lines), op)


def test_a_result_may_lie_where_an_argument_does() -> None:
    x, y = RNG.standard_normal((2, 1001)).astype(np.float32)
    expected = x * y
    load_primitives_once()["mul.f32.f32"](x.ctypes.data, x.ctypes.data, y.ctypes.data, 0, 0, ctypes.c_int64(1001))
    np.testing.assert_array_equal(x, expected)
