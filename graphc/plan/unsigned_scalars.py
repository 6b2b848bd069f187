"""uint64 in programs whose primitives know int64: the same bits, and what differs between the two.

Sums, products and logic are the same on both; order is that of int64 with the highest bit flipped; quotients and
conversions to floating point take half of the number first, which fits int64.
"""
from __future__ import annotations

from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import DType, float32, float64, int64, uint64

ALIKE = frozenset({"add", "sub", "mul", "neg", "square", "and", "or", "xor", "not", "shift_left", "equal", "not_equal",
                   "select"})
ORDERED = frozenset({"less", "less_equal", "greater", "greater_equal", "min", "max"})
HIGHEST = -2**63


def unsigned_primitive(s: Any, primitive: str, args: tuple[Any, ...]) -> Any:
    """s(primitive, *args), of which some are uint64."""
    signed = tuple(_signed(s, a) if a.dtype == uint64 else a for a in args)
    if primitive in ALIKE:
        made = s(primitive, *signed)
        return made if made.dtype.is_bool else _unsigned(s, made)
    if primitive in ORDERED:
        made = s(primitive, *(_ordered(s, a) for a in signed))
        return made if made.dtype.is_bool else _unsigned(s, _ordered(s, made))
    if primitive == "abs":
        return args[0]
    if primitive == "sign":
        return s.cast(s("not_equal", signed[0], s.constant(0, int64)), uint64)
    own = {"truncdiv": _quotient, "floordiv": _quotient, "div": _quotient, "truncmod": _remainder, "mod": _remainder,
           "pow": _power, "shift_right": _shift_right}.get(primitive)
    if own is None:
        raise UnimplementedError(f"'{primitive}' is not implemented for dtype uint64; cast to one of float32, float64, "
                                 "int32, int64 (gc.cast)")
    return _unsigned(s, own(s, *signed))


def unsigned_cast(s: Any, x: Any, dtype: DType) -> Any:
    """s.cast(x, dtype), one of both uint64."""
    if x.dtype == uint64:
        signed = _signed(s, x)
        if not dtype.is_floating:
            return s.cast(signed, dtype)
        wide = dtype if dtype in (float32, float64) else float32
        return s.cast(_as_float(s, signed, wide), dtype)
    if x.dtype.is_half:
        x = s.cast(x, float32)
    return _unsigned(s, _from_float(s, x) if x.dtype.is_floating else s.cast(x, int64))


def unsigned_reduce(s: Any, combine: str, x: Any) -> Any:
    signed = _signed(s, x)
    if combine in ("max", "min"):
        return _unsigned(s, _ordered(s, s.reduce(combine, _ordered(s, signed))))
    return _unsigned(s, s.reduce(combine, signed))


def _signed(s: Any, x: Any) -> Any:
    if x.op == "cast" and x.args[0].dtype == int64:
        return x.args[0]
    return s.typed("cast", int64, x)


def _unsigned(s: Any, x: Any) -> Any:
    if x.op == "cast" and x.args[0].dtype == uint64:
        return x.args[0]
    return s.typed("cast", uint64, x)


def _ordered(s: Any, x: Any) -> Any:
    """An int64 in whose order the unsigned numbers are; its own inverse."""
    return s("xor", x, s.constant(HIGHEST, int64)) if x.dtype == int64 else x


def _shift_right(s: Any, x: Any, y: Any) -> Any:
    """Zeros come in from above; y is taken modulo 64."""
    moved = s("and", y, s.constant(63, int64))
    kept = s("not", s("shift_left", s("shift_left", s.constant(-1, int64), s("sub", s.constant(63, int64), moved)),
                      s.constant(1, int64)))
    return s("and", s("shift_right", x, moved), kept)


def _half(s: Any, x: Any) -> Any:
    return s("and", s("shift_right", x, s.constant(1, int64)), s.constant(2**63 - 1, int64))


def _quotient(s: Any, x: Any, y: Any) -> Any:
    """Of half the dividend, doubled; one more if what is left holds y once more. 0 if y is 0."""
    zero, one = s.constant(0, int64), s.constant(1, int64)
    guess = s("shift_left", s("truncdiv", _half(s, x), y), one)
    left = s("sub", x, s("mul", guess, y))
    more = s.cast(s("less_equal", _ordered(s, y), _ordered(s, left)), int64)
    small = s("add", guess, more)
    large = s.cast(s("less_equal", _ordered(s, y), _ordered(s, x)), int64)      # y has the highest bit: 0 or 1
    return s("select", s("equal", y, zero), zero, s("select", s("less", y, zero), large, small))


def _remainder(s: Any, x: Any, y: Any) -> Any:
    zero = s.constant(0, int64)
    return s("select", s("equal", y, zero), zero, s("sub", x, s("mul", _quotient(s, x, y), y)))


def _power(s: Any, x: Any, y: Any) -> Any:
    """x ** (y // 2), squared, times x for an odd y: the exponent of int64 may not have the highest bit."""
    one = s.constant(1, int64)
    root = s("pow", x, _half(s, y))
    odd = s("equal", s("and", y, one), one)
    return s("mul", s("mul", root, root), s("select", odd, x, one))


def _as_float(s: Any, x: Any, dtype: DType) -> Any:
    """Half of a number with the highest bit, doubled; the bit that is lost stays after the last one, for rounding."""
    lost = s("and", x, s.constant(1, int64))
    half = s.cast(s("or", _half(s, x), lost), dtype)
    return s("select", s("less", x, s.constant(0, int64)), s("add", half, half), s.cast(x, dtype))


def _from_float(s: Any, x: Any) -> Any:
    """Numbers of 2**63 and more are converted without the highest bit, those from 2**64 on are the largest; negative
    ones wrap, NaN is 0."""
    limit = s.constant(2.0**63, x.dtype)
    low = s.cast(x, int64)
    high = s("xor", s.cast(s("sub", x, limit), int64), s.constant(HIGHEST, int64))
    beyond = s("greater_equal", x, s.constant(2.0**64, x.dtype))
    return s("select", beyond, s.constant(-1, int64), s("select", s("greater_equal", x, limit), high, low))
