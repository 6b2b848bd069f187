"""The scalar functions of which every elementwise op is made: SCALARS, one row for each function and dtype.

A new primitive is a function in one of this package's files and a row in `_declare`. Functions are numba-compilable,
have no branch that keeps LLVM from vectorising them (unless they say so), call no library, and are never contracted
with one another.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.extending import overload

from ..contracts.dtypes import COMPUTED, CONVERTED, FLOATS, INDICES, NUMBERS
from ..numba_types import NUMBA_TYPES
from . import arithmetic, bessel, exponential, gamma, hyperbolic, incomplete, logic, random, special, trigonometric
from .machine import bfloat_to_float, convert, float_to_bfloat, float_to_half, half_to_float, scalar
from .saturated import truncation

DTYPES: dict[str, Any] = {short: NUMBA_TYPES[short] for short in COMPUTED}
# In float64 only: an op on float32 casts there and back. Each function's number of arguments.
DOUBLE: dict[Any, dict[str, int]] = {
    hyperbolic: {"asinh": 1, "acosh": 1, "atanh": 1}, special: {"erfc": 1},
    bessel: {"bessel_i0e": 1, "bessel_i1e": 1}, gamma: {"lgamma": 1, "digamma": 1, "polygamma": 2, "zeta": 2},
    incomplete: {"igamma": 2, "igammac": 2, "igamma_grad_a": 2, "betainc": 3},
}
# What programs hold, but do not compute in: they convert it (plan/scalar_program.py). 16-bit floats are their bits.
HELD: dict[str, Any] = {short: NUMBA_TYPES[short] for short in CONVERTED}
SIGNED, UNSIGNED = NUMBA_TYPES["i64"], NUMBA_TYPES["u64"]


@dataclass(frozen=True)
class Scalar:
    """name: "less.bool.f32": op, dtype of the result, dtype of the first argument."""

    op: str
    result: str
    arguments: tuple[str, ...]
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        return f"{self.op}.{self.result}.{self.arguments[0]}"


def _make_cast(target: str) -> Callable[..., Any]:
    kind = DTYPES[target]

    @scalar
    def cast(x):
        return convert(x, kind(0))
    return cast


@scalar
def _from_half(x):
    return half_to_float(x)


@scalar
def _to_half(x):
    return float_to_half(x)


@scalar
def _from_bfloat(x):
    return bfloat_to_float(x)


@scalar
def _to_bfloat(x):
    return float_to_bfloat(x)


@scalar
def _signed(x):
    return convert(x, SIGNED(0))


@scalar
def _unsigned(x):
    return convert(x, UNSIGNED(0))


def _held_casts() -> list[Scalar]:
    pairs = (("f16", "f32", _from_half, _to_half), ("bf16", "f32", _from_bfloat, _to_bfloat),
             ("u64", "i64", _signed, _unsigned))
    return [row for held, wide, up, down in pairs
            for row in (Scalar("cast", wide, (held,), up), Scalar("cast", held, (wide,), down))]


def _of_same(op: str, dtypes: tuple[str, ...], arity: int, function: Callable[..., Any]) -> list[Scalar]:
    return [Scalar(op, d, (d,) * arity, function) for d in dtypes]


def _float_functions() -> list[Scalar]:
    a, rows = arithmetic, []
    both = {
        "neg": (1, a.neg), "abs": (1, a.abs_float), "sign": (1, a.sign_float), "square": (1, a.square_float),
        "reciprocal": (1, a.reciprocal), "sqrt": (1, a.square_root), "rsqrt": (1, a.rsqrt), "floor": (1, a.floor_float),
        "ceil": (1, a.ceil_float), "add": (2, a.add), "sub": (2, a.sub), "mul": (2, a.mul), "div": (2, a.div),
        "floordiv": (2, a.floor_div_float), "mod": (2, a.floor_mod_float), "truncdiv": (2, a.trunc_div_float),
        "truncmod": (2, a.trunc_mod_float), "min": (2, a.minimum_float), "max": (2, a.maximum_float),
        "div_no_nan": (2, a.div_no_nan), "mul_no_nan": (2, a.mul_no_nan), "next_after": (2, a.next_after),
    }
    for op, (arity, function) in both.items():
        rows += _of_same(op, FLOATS, arity, function)
    modules = {
        exponential: ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "sinh", "cosh", "pow"),
        trigonometric: ("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
        special: ("erf", "erfinv"), arithmetic: ("round_even",),
    }
    for module, ops in modules.items():
        for op in ops:
            arity = 2 if op in ("pow", "atan2") else 1
            for d in FLOATS:
                rows.append(Scalar(op.removesuffix("_even"), d, (d,) * arity, getattr(module, f"{op}_{d}")))
    for module, arities in DOUBLE.items():
        rows += [Scalar(op, "f64", ("f64",) * arity, getattr(module, f"{op}_f64")) for op, arity in arities.items()]
    for op in ("is_nan", "is_inf", "is_finite"):
        rows += [Scalar(op, "bool", (d,), getattr(logic, op)) for d in FLOATS]
    return rows


def _integer_functions() -> list[Scalar]:
    a, rows = arithmetic, []
    both = {
        "neg": (1, a.neg_int), "abs": (1, a.abs_int), "sign": (1, a.sign_int), "square": (1, a.square_int),
        "not": (1, logic.not_int), "add": (2, a.add_int), "sub": (2, a.sub_int), "mul": (2, a.mul_int),
        "div": (2, a.trunc_div_int),
        "truncdiv": (2, a.trunc_div_int), "truncmod": (2, a.trunc_mod_int), "floordiv": (2, a.floor_div_int),
        "mod": (2, a.floor_mod_int), "min": (2, a.minimum_int), "max": (2, a.maximum_int), "pow": (2, a.power_int),
        "and": (2, logic.and_int), "or": (2, logic.or_int), "xor": (2, logic.xor_int),
        "population_count": (1, logic.population_count),
    }
    for op, (arity, function) in both.items():
        rows += _of_same(op, INDICES, arity, function)
    for op in ("shift_left", "shift_right"):
        rows += [Scalar(op, d, (d, d), getattr(logic, f"{op}_{d}")) for d in INDICES]
    return rows


def _declare() -> list[Scalar]:
    boolean = ("bool",)
    rows = _float_functions() + _integer_functions()
    for op in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"):
        rows += [Scalar(op, "bool", (d, d), getattr(logic, op)) for d in NUMBERS]
    rows += [Scalar(op, "bool", ("bool", "bool"), f) for op, f in (
        ("and", logic.logical_and), ("or", logic.logical_or), ("xor", logic.logical_xor),
        ("not_equal", logic.logical_xor), ("equal", logic.equal))]
    rows += _of_same("not", boolean, 1, logic.logical_not)
    rows += [Scalar("select", d, ("bool", d, d), logic.choose) for d in NUMBERS + boolean]
    for target in DTYPES:
        cast = _make_cast(target)
        truncated = cast if target in (*FLOATS, "bool") else truncation(DTYPES[target])
        rows += [Scalar("cast", target, (source,), truncated if source in FLOATS else cast)
                 for source in DTYPES if source != target]
    rows += _held_casts()
    counters = ("i64",) * 4
    rows += [Scalar("philox", "f32", counters, random.philox_f32), Scalar("philox", "f64", counters, random.philox_f64),
             Scalar("philox_bits", "i64", counters, random.philox_bits)]
    return rows


SCALARS: tuple[Scalar, ...] = tuple(_declare())


def _generic(op: str) -> Callable[..., Any]:
    """A function for kernels that takes the scalar of its argument's dtype."""
    def generic(x):
        raise TypeError(f"{op} is for compiled code")

    by_type = {DTYPES[s.arguments[0]]: s.function for s in SCALARS if s.op == op}

    @overload(generic, strict=False)
    def choose(x):
        function = by_type.get(x)
        return (lambda x: function(x)) if function is not None else None
    return generic


exp, log, log1p, expm1, tanh, sigmoid = (_generic(op) for op in ("exp", "log", "log1p", "expm1", "tanh", "sigmoid"))
