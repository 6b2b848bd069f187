"""Scalar programs in NumPy: every primitive of kernels/scalars, on whole arrays."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from graphc.ir.dtypes import as_dtype
from graphc.ops.math import special_reference
from graphc.ops.random.philox import uniform, words
from graphc.plan.plan import Instr, Program


def _each(function: Any) -> Any:
    """A scalar Python function on arrays, in float64."""
    def run(x: np.ndarray) -> np.ndarray:
        return np.array([function(float(v)) for v in x.ravel()], np.float64).reshape(x.shape)
    return run


def _erf_inverse(y: float) -> float:
    if not -1 < y < 1:
        return math.copysign(math.inf, y) if abs(y) == 1 else math.nan
    x = 0.0
    for _ in range(100):
        step = (math.erf(x) - y) * math.sqrt(math.pi) / 2 * math.exp(min(x * x, 700))
        x -= max(-1.0, min(1.0, step))
    return x


def _truncated_quotient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "f":
        return np.trunc(x / y)
    return np.where(np.equal(y, 0), 0, np.sign(x) * np.sign(y) * (abs(x) // np.maximum(abs(y), 1)))


PRIMITIVES = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "pow": np.power, "neg": np.negative, "abs": np.abs,
    "div": np.divide, "floordiv": np.floor_divide, "mod": np.mod, "truncdiv": _truncated_quotient,
    "truncmod": np.fmod, "sign": np.sign, "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
    "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "square": lambda x: x * x, "reciprocal": lambda x: 1 / x,
    "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softplus": lambda x: np.logaddexp(0, x),
    "erf": _each(math.erf), "erfinv": _each(_erf_inverse), "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh,
    "floor": np.floor, "ceil": np.ceil, "round": np.round, "min": np.minimum, "max": np.maximum, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal, "equal": np.equal,
    "not_equal": np.not_equal, "and": np.bitwise_and, "or": np.bitwise_or, "not": np.invert,
    "xor": np.bitwise_xor, "select": np.where, "cast": lambda x: x, "is_nan": np.isnan, "is_inf": np.isinf,
    "is_finite": np.isfinite, "shift_left": np.left_shift, "shift_right": np.right_shift,
    "population_count": lambda x: np.reshape([bin(int(v) % 2**(8 * x.itemsize)).count("1") for v in x.flat], x.shape),
    "div_no_nan": lambda x, y: np.where(y == 0, 0, x / y), "mul_no_nan": lambda x, y: np.where(y == 0, 0, x * y),
    "next_after": np.nextafter, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "erfc": special.erfc,
    "lgamma": special.gammaln, "digamma": special.psi, "zeta": special.zeta, "igamma": special.gammainc,
    "polygamma": lambda n, x: special.polygamma(n.astype(int), x), "igammac": special.gammaincc,
    "igamma_grad_a": lambda a, x: special_reference.gamma_parts(a, x, slope=True)[0], "betainc": special.betainc,
    "bessel_i0e": special.i0e, "bessel_i1e": special.i1e,
}
REDUCTIONS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum, "and": np.logical_and,
              "or": np.logical_or}


def evaluate(program: Program, loads: list[np.ndarray], domain: tuple[int, ...], reduced: int) -> list[np.ndarray]:
    """The stored values: of the whole domain, or of its rows for values behind a reduction."""
    rows = domain[:len(domain) - reduced]
    values: list[np.ndarray] = [np.array(x) for x in loads]
    behind = [False] * len(values)
    with np.errstate(all="ignore"):
        for instr in program.instrs:
            args = [values[a] for a in instr.args]
            row = any(behind[a] for a in instr.args)
            if row:   # element values used behind the reduction are those of the row's first element
                args = [a if behind[i] or a.ndim == 0 else a[(..., *(0,) * reduced)] if 0 not in a.shape else
                        np.zeros(rows, a.dtype) for a, i in zip(args, instr.args, strict=True)]
            dtype = as_dtype(instr.dtype).numpy
            if instr.op == "const":
                made: Any = np.array(instr.value, dtype)
            elif instr.op == "index":
                made = np.broadcast_to(np.indices(domain)[int(instr.value)], domain)
            elif instr.op == "linear":
                made = np.arange(int(np.prod(domain))).reshape(domain)
            elif instr.op.startswith("reduce."):
                made = _reduced(instr.op.removeprefix("reduce."), np.broadcast_to(args[0], domain), reduced, dtype)
                row = True
            elif instr.op in ("philox", "philox_bits"):
                made = _random(instr, *args)
            else:
                made = PRIMITIVES[instr.op](*args)
            values.append(np.asarray(made).astype(dtype))
            behind.append(row)
    return [values[s] if behind[s] else np.broadcast_to(values[s], domain) for s in program.stores]


def _random(instr: Instr, key: np.ndarray, run: np.ndarray, iteration: np.ndarray, index: np.ndarray) -> np.ndarray:
    count = int(index.max()) + 1 if index.size else 0
    counters = [int(c.flat[0]) if c.size else 0 for c in (key, run, iteration)]
    made = words(*counters, count) if instr.op == "philox_bits" else uniform(*counters, count, as_dtype(instr.dtype))
    return made[index]


def _reduced(combine: str, x: np.ndarray, reduced: int, dtype: Any) -> np.ndarray:
    axes = tuple(range(x.ndim - reduced, x.ndim))
    if combine in ("max", "min"):
        kind = np.dtype(dtype).kind
        limit = (np.iinfo(dtype).min if combine == "max" else np.iinfo(dtype).max) if kind in "iu" else \
            (-np.inf if combine == "max" else np.inf)
        return REDUCTIONS[combine].reduce(x, axes, initial=limit)
    wide = x.astype(np.float64) if np.dtype(dtype).kind == "f" else x
    return REDUCTIONS[combine].reduce(wide, axes) if combine in ("and", "or") else \
        REDUCTIONS[combine].reduce(wide, axes, dtype=wide.dtype)
