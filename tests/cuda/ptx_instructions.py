"""What PTX instructions between registers compute, in NumPy. An unknown one, or an unknown modifier, is refused."""
from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from graphc.kernels.toolchain.load import load_ir

from ptx_text import DTYPES, Instruction, PtxError

Read = Callable[[], Any]
ROUNDING = {"rmi": np.floor, "rpi": np.ceil, "rzi": np.trunc, "rni": np.rint}
HARMLESS = ("rn", "lo", "sync", "aligned", "uni")
COMPARISONS = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
               "ge": np.greater_equal}
UNSIGNED_COMPARISONS = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}
WIDE = {"s16": "s32", "u16": "u32", "s32": "s64", "u32": "u64"}


def operation(instruction: Instruction, reader: Callable[[str, str], Read],
              write: Callable[[str, Any], None]) -> Callable[[], None]:
    """An action that runs the instruction."""
    parts, operands = instruction.opcode.split("."), instruction.operands
    name, kind = parts[0], parts[-1]
    compute = _special(name, parts, operands, reader) or _plain(name, parts, [reader(o, kind) for o in operands[1:]],
                                                                instruction)
    return lambda: write(operands[0], compute())


def _special(name: str, parts: list[str], operands: tuple[str, ...], reader: Callable[[str, str], Read]) -> Read | None:
    """Instructions whose operands are not all of the type that the opcode ends with."""
    kind = parts[-1]
    if name == "setp":
        return _comparison(parts[1], kind, *(reader(o, kind) for o in operands[1:]))
    if name == "selp":
        a, b, chosen = reader(operands[1], kind), reader(operands[2], kind), reader(operands[3], "pred")
        return lambda: np.where(chosen(), a(), b()).astype(DTYPES[kind])
    if name in ("shl", "shr"):
        return _shift(name, DTYPES[kind], reader(operands[1], kind), reader(operands[2], "u32"))
    if name == "cvt":
        return _conversion(parts, reader(operands[1], kind))
    if name in ("mul", "mad") and parts[1] in ("wide", "hi"):
        return _wide(name, parts, operands, reader)
    if name == "bfe" and kind[0] == "u":
        value, at, count = reader(operands[1], kind), reader(operands[2], "u32"), reader(operands[3], "u32")
        return lambda: (value() >> DTYPES[kind].type(at())) & DTYPES[kind].type((1 << int(count())) - 1)
    if name == "popc":
        value = reader(operands[1], kind)
        return lambda: np.bitwise_count(value()).astype(np.uint32)
    return None


def _comparison(relation: str, kind: str, a: Read, b: Read) -> Read:
    relation = UNSIGNED_COMPARISONS.get(relation, relation)
    floating = kind[0] == "f"
    if relation in ("nan", "num"):
        return lambda: (np.isnan(a()) | np.isnan(b())) == (relation == "nan")
    if floating and relation not in COMPARISONS:               # ltu: or one is no number
        compare = COMPARISONS[relation[:-1]]
        return lambda: compare(a(), b()) | np.isnan(a()) | np.isnan(b())
    compare = COMPARISONS[relation]
    if floating and relation == "ne":
        return lambda: compare(a(), b()) & ~np.isnan(a()) & ~np.isnan(b())
    return lambda: compare(a(), b())


def _shift(name: str, dtype: np.dtype, value: Read, by: Read) -> Read:
    bits = 8 * dtype.itemsize

    def compute() -> Any:
        count = np.asarray(by())
        least = np.minimum(count, bits - 1).astype(dtype)
        made = np.left_shift(value(), least) if name == "shl" else np.right_shift(value(), least)
        return made if dtype.kind == "i" else np.where(count >= bits, dtype.type(0), made)

    return compute


def _conversion(parts: list[str], value: Read) -> Read:
    target, source = DTYPES[parts[-2]], DTYPES[parts[-1]]
    rounding = ROUNDING.get(parts[1])
    if source.kind == "f" and target.kind != "f":
        if rounding is None:
            raise PtxError(f"a conversion without rounding: {'.'.join(parts)}")
        return lambda: _whole(rounding(np.asarray(value())).astype(np.float64), target)
    if rounding is not None and source == target:
        return lambda: rounding(value())
    return lambda: np.asarray(value()).astype(target)


def _whole(value: np.ndarray, target: np.dtype) -> np.ndarray:
    """As PTX converts: the nearest number that the type has, 0 for NaN."""
    low, high = np.iinfo(target).min, np.iinfo(target).max
    inside = (value > float(low)) & (value < float(high))
    made = np.where(inside, value, 0).astype(target)
    return np.where(value >= float(high), target.type(high), np.where(value <= float(low), target.type(low), made))


def _wide(name: str, parts: list[str], operands: tuple[str, ...], reader: Callable[[str, str], Read]) -> Read:
    kind = parts[-1]
    if kind not in WIDE:
        raise PtxError(f"not emulated: {'.'.join(parts)}")
    a, b, wide = reader(operands[1], kind), reader(operands[2], kind), DTYPES[WIDE[kind]]

    def product() -> Any:
        return np.asarray(a()).astype(wide) * np.asarray(b()).astype(wide)

    if parts[1] == "hi":
        return lambda: (product() >> (8 * DTYPES[kind].itemsize)).astype(DTYPES[kind])
    if name == "mul":
        return product
    more = reader(operands[3], WIDE[kind])
    return lambda: product() + more()


def _plain(name: str, parts: list[str], given: list[Read], instruction: Instruction) -> Read:
    dtype = DTYPES[parts[-1]]
    strange = [p for p in parts[1:-1] if p not in HARMLESS]
    function = _functions(dtype).get(name)
    if strange or function is None:
        raise PtxError(f"not emulated: {instruction.line}")
    return lambda: function(*(np.asarray(g()) for g in given))


@cache
def _functions(dtype: np.dtype) -> dict[str, Callable[..., Any]]:
    floating, one = dtype.kind == "f", np.asarray(1).astype(dtype)[()]

    def quotient(x: np.ndarray, y: np.ndarray) -> Any:
        if floating:
            return x / y
        y = np.where(y == 0, one, y)                           # a GPU does not trap either; any number may come
        return x // y if dtype.kind == "u" else (x - np.fmod(x, y)) // y

    return {
        "mov": lambda x: x, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": quotient,
        "rem": lambda x, y: np.fmod(x, np.where(y == 0, one, y)),
        "mad": lambda x, y, z: x * y + z, "fma": lambda x, y, z: _fused(dtype, x, y, z),
        "min": np.fmin if floating else np.minimum, "max": np.fmax if floating else np.maximum,
        "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert,
        "neg": np.negative, "abs": np.abs, "sqrt": np.sqrt, "rcp": lambda x: one / x,
        "copysign": lambda x, y: np.copysign(y, x),
    }


def _fused(dtype: np.dtype, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x * y + z, rounded once."""
    x, y, z = (np.ascontiguousarray(v, dtype) for v in np.broadcast_arrays(x, y, z))
    made = np.empty_like(x)
    _loops()[dtype.itemsize](x.ctypes.data, y.ctypes.data, z.ctypes.data, made.ctypes.data, made.size)
    return made


@cache
def _loops() -> dict[int, Callable[..., None]]:
    """Compiled loops over arrays, by the size of an element."""
    text = "".join(f"""declare {kind} @llvm.fma.{short}({kind}, {kind}, {kind})
define void @emulated_{short}(ptr %x, ptr %y, ptr %z, ptr %to, i64 %n) {{
start:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %end
loop:
  %i = phi i64 [ 0, %start ], [ %next, %loop ]
  %x.at = getelementptr {kind}, ptr %x, i64 %i
  %y.at = getelementptr {kind}, ptr %y, i64 %i
  %z.at = getelementptr {kind}, ptr %z, i64 %i
  %to.at = getelementptr {kind}, ptr %to, i64 %i
  %a = load {kind}, ptr %x.at
  %b = load {kind}, ptr %y.at
  %c = load {kind}, ptr %z.at
  %r = call {kind} @llvm.fma.{short}({kind} %a, {kind} %b, {kind} %c)
  store {kind} %r, ptr %to.at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}}
""" for kind, short in (("float", "f32"), ("double", "f64")))
    found = load_ir(text, ["emulated_f32", "emulated_f64"])
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64)
    return {4: function(found["emulated_f32"]), 8: function(found["emulated_f64"])}
