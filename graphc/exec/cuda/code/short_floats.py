"""16-bit floats in a kernel that computes with float32: widened as they are loaded, rounded as they are stored."""
from __future__ import annotations

from graphc.exec.cuda.code.builder import KernelBuilder, Value

_LLVM = {"f16": "half", "bf16": "bfloat"}


def widened(k: KernelBuilder, value: Value) -> Value:
    """What was loaded, as float32 if it is a 16-bit float."""
    if value.dtype not in _LLVM:
        return value
    if value.dtype == "bf16":
        bits = k.value(f"shl i32 {k.value(f'zext i16 {value} to i32')}, 16")
        return k.made(f"bitcast i32 {bits} to float", "f32")
    return k.made(f"fpext half {k.value(f'bitcast i16 {value} to half')} to float", "f32")


def rounded_to(k: KernelBuilder, value: Value, dtype: str) -> Value:
    """A value as it is stored: of a 16-bit float the nearest one, as the CPU's cast has it."""
    if dtype == value.dtype:
        return value
    short = k.value(f"fptrunc float {value} to {_LLVM[dtype]}")
    return k.made(f"bitcast {_LLVM[dtype]} {short} to i16", dtype)
