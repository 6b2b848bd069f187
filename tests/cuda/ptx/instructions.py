"""What PTX instructions between registers compute, in NumPy. An unknown one, or an unknown modifier, is refused."""
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ptx.bits import bit_operation
from ptx.rounding import conversion, fused
from ptx.text import DTYPES, Instruction, PtxError

Read = Callable[[], Any]
HARMLESS = ("rn", "lo", "sync", "aligned", "uni", "NaN")
COMPARISONS = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
               "ge": np.greater_equal}
UNSIGNED_COMPARISONS = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}
WIDE = {"s16": "s32", "u16": "u32", "s32": "s64", "u32": "u64"}


def operation(instruction: Instruction, reader: Callable[[str, str], Read],
              write: Callable[[str, Any], None]) -> Callable[[], None]:
    """An action that runs the instruction."""
    compute = (_special(instruction, reader) or bit_operation(instruction, reader) or conversion(instruction, reader)
               or _plain(instruction, reader))
    return lambda: write(instruction.operands[0], compute())


def is_float(kind: str) -> bool:
    return "f" in kind


def _special(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read | None:
    """Instructions whose operands are not all of the type that the opcode ends with."""
    parts, operands = instruction.parts, instruction.operands
    name, kind = parts[0], parts[-1]
    if name == "setp":
        if len(parts) != 3:
            raise PtxError(f"not emulated: {instruction.line}")
        return _comparison(parts[1], kind, *(reader(o, kind) for o in operands[1:]))
    if name == "selp":
        a, b, chosen = reader(operands[1], kind), reader(operands[2], kind), reader(operands[3], "pred")
        return lambda: np.where(chosen(), a(), b()).astype(DTYPES[kind])
    if name in ("mul", "mad") and parts[1] in ("wide", "hi"):
        return _wide(instruction, reader)
    return None


def _comparison(relation: str, kind: str, a: Read, b: Read) -> Read:
    relation = UNSIGNED_COMPARISONS.get(relation, relation)
    floating = is_float(kind)
    if relation in ("nan", "num"):
        return lambda: (np.isnan(a()) | np.isnan(b())) == (relation == "nan")
    if floating and relation not in COMPARISONS:               # ltu: or one is no number
        compare = COMPARISONS[relation[:-1]]
        return lambda: compare(a(), b()) | np.isnan(a()) | np.isnan(b())
    compare = COMPARISONS[relation]
    if floating and relation == "ne":
        return lambda: compare(a(), b()) & ~np.isnan(a()) & ~np.isnan(b())
    return lambda: compare(a(), b())


def _wide(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    name, how, kind = instruction.parts
    if kind not in WIDE and (how, kind) not in (("hi", "u64"), ("hi", "s64")):
        raise PtxError(f"not emulated: {instruction.line}")
    a, b = (reader(o, kind) for o in instruction.operands[1:3])
    if kind not in WIDE:
        return lambda: _high_product(np.asarray(a()), np.asarray(b()))
    wide = DTYPES[WIDE[kind]]

    def product() -> Any:
        return np.asarray(a()).astype(wide) * np.asarray(b()).astype(wide)

    if how == "hi":
        return lambda: (product() >> wide.type(8 * DTYPES[kind].itemsize)).astype(DTYPES[kind])
    if name == "mul":
        return product
    more = reader(instruction.operands[3], WIDE[kind])
    return lambda: product() + more()


def _high_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The upper 64 bits of the product of 64-bit numbers."""
    a, b = np.broadcast_arrays(a, b)
    products = [x * y >> 64 for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)]
    return np.array([p % (1 << 64) for p in products], np.uint64).reshape(a.shape).view(a.dtype)


def _plain(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read:
    parts, operands = instruction.parts, instruction.operands[1:]
    kind = parts[-1]
    paired = kind.endswith("x2")
    element = kind.removesuffix("x2")
    if element not in DTYPES or [p for p in parts[1:-1] if p not in HARMLESS]:
        raise PtxError(f"not emulated: {instruction.line}")
    name = parts[0] + ".NaN" * ("NaN" in parts)
    function = _functions(element).get(name)
    if function is None:
        raise PtxError(f"not emulated: {instruction.line}")
    given = [reader(o, "b32" if paired else kind) for o in operands]
    if not paired:
        return lambda: function(*(np.asarray(g()) for g in given))

    def pairs() -> Any:
        values = np.broadcast_arrays(*(np.atleast_1d(np.asarray(g())) for g in given))
        halves = [np.ascontiguousarray(v).view(DTYPES[element]) for v in values]
        return np.ascontiguousarray(function(*halves), DTYPES[element]).view(np.uint32)

    return pairs


@cache
def _functions(kind: str) -> dict[str, Callable[..., Any]]:
    dtype, floating = DTYPES[kind], is_float(kind)
    one = np.asarray(1).astype(dtype)[()]

    def quotient(x: np.ndarray, y: np.ndarray) -> Any:
        if floating:
            return x / y
        y = np.where(y == 0, one, y)                           # a GPU does not trap either; any number may come
        return x // y if dtype.kind == "u" else (x - np.fmod(x, y)) // y

    return {
        "mov": lambda x: x, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": quotient,
        "rem": lambda x, y: np.fmod(x, np.where(y == 0, one, y)),
        "mad": lambda x, y, z: x * y + z, "fma": lambda x, y, z: fused(dtype, x, y, z),
        "min": _least if floating else np.minimum, "max": _most if floating else np.maximum,
        "min.NaN": lambda x, y: _with_nan(x, y, _least(x, y)), "max.NaN": lambda x, y: _with_nan(x, y, _most(x, y)),
        "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
        "not": np.logical_not if kind == "pred" else np.invert,
        "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "rcp": lambda x: one / x,
        "copysign": lambda x, y: np.copysign(y, x),
    }


def _least(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The other one, if one is no number; -0 is less than 0."""
    return np.where(x == y, np.where(np.signbit(x), x, y), np.fmin(x, y))


def _most(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(x == y, np.where(np.signbit(x), y, x), np.fmax(x, y))


def _with_nan(x: np.ndarray, y: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x) | np.isnan(y), otherwise.dtype.type("nan"), otherwise)
