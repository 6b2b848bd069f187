"""Conversions between PTX's types, and fused multiply-adds: results that are rounded once."""
from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from graphc.kernels.toolchain.load import load_ir

from ptx.text import DTYPES, Instruction, PtxError

Read = Callable[[], Any]
ROUNDING = {"rmi": np.floor, "rpi": np.ceil, "rzi": np.trunc, "rni": np.rint}


def conversion(instruction: Instruction, reader: Callable[[str, str], Read]) -> Read | None:
    """What a cvt computes; None if it is another instruction."""
    name, *modifiers, to, of = instruction.parts if len(instruction.parts) > 2 else ("", "", "")
    if name != "cvt":
        return None
    if to in ("f16x2", "bf16x2") and of == "f32" and modifiers == ["rn"]:
        high, low = (reader(operand, of) for operand in instruction.operands[1:])
        return lambda: _bits(high(), to) << np.uint32(16) | _bits(low(), to)
    value = reader(instruction.operands[1], of)
    if (to, of, modifiers) == ("tf32", "f32", ["rna"]):
        return lambda: _to_tf32(np.asarray(value()))
    if to not in DTYPES or len(modifiers) > 1:
        raise PtxError(f"not emulated: {instruction.line}")
    target, rounding = DTYPES[to], ROUNDING.get("".join(modifiers))
    if "f" in of and "f" not in to:
        if rounding is None:
            raise PtxError(f"a conversion without rounding: {instruction.line}")
        return lambda: _whole(rounding(np.asarray(value())).astype(np.float64), target)
    if rounding is not None and to == of:
        return lambda: rounding(value())
    if modifiers not in ([], ["rn"]):
        raise PtxError(f"not emulated: {instruction.line}")
    return lambda: np.asarray(value()).astype(target)


def _bits(value: Any, pair: str) -> np.ndarray:
    made = np.atleast_1d(np.asarray(value)).astype(DTYPES[pair.removesuffix("x2")])
    return made.view(np.uint16).astype(np.uint32)


def _to_tf32(value: np.ndarray) -> np.ndarray:
    """To 10 bits behind the point; half way, away from zero."""
    bits = np.atleast_1d(value).view(np.uint32)
    return np.where(np.isfinite(value), (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000), bits)


def _whole(value: np.ndarray, target: np.dtype) -> np.ndarray:
    """As PTX converts: the nearest number that the type has, 0 for NaN."""
    low, high = np.iinfo(target).min, np.iinfo(target).max
    inside = (value > float(low)) & (value < float(high))
    made = np.where(inside, value, 0).astype(target)
    return np.where(value >= float(high), target.type(high), np.where(value <= float(low), target.type(low), made))


def fused(dtype: np.dtype, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x * y + z, rounded once."""
    x, y, z = np.broadcast_arrays(x, y, z)
    if dtype.itemsize == 2:
        return _to_half(_sum_to_odd(x.astype(np.float64) * y.astype(np.float64), z.astype(np.float64)), dtype)
    x, y, z = (np.ascontiguousarray(v, dtype) for v in (x, y, z))
    made = np.empty_like(x)
    _loops()[dtype.itemsize](x.ctypes.data, y.ctypes.data, z.ctypes.data, made.ctypes.data, made.size)
    return made


def _sum_to_odd(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b, rounded so that rounding once more to fewer bits gives what rounding the exact sum gives: where it is not
    exact, the last bit is set."""
    total = a + b
    of_b = total - a
    error = (a - (total - of_b)) + (b - of_b)
    even = (np.ascontiguousarray(total).view(np.int64) & 1) == 0
    changes = np.isfinite(total) & (error != 0) & even
    return np.where(changes, np.nextafter(total, np.where(error > 0, np.inf, -np.inf)), total)


def _to_half(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype == DTYPES["f16"]:
        return value.astype(dtype)
    single = value.astype(np.float32)                          # likewise rounded to odd
    even = (np.ascontiguousarray(single).view(np.int32) & 1) == 0
    changes = np.isfinite(single) & (single != value) & even
    toward = np.where(single < value, np.float32(np.inf), np.float32(-np.inf))
    return np.where(changes, np.nextafter(single, toward), single).astype(dtype)


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
