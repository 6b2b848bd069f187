"""The fastest that one core can multiply and add, as the yardstick of the other benchmarks: `peak("f32")` in GF/s.

A loop of independent fused multiply-adds on registers, in the widest vectors of this machine, compiled by llvmlite.
"""
from __future__ import annotations

import ctypes
import functools
import time

import llvmlite.binding as llvm

LANES = {"f32": 16, "f64": 8}
CHAINS, UNROLLED, ROUNDS = 12, 4, 2_000_000


def _text(dtype: str, lanes: int) -> str:
    element = {"f32": "float", "f64": "double"}[dtype]
    vector, fma = f"<{lanes} x {element}>", f"@llvm.fma.v{lanes}{dtype}"
    body = []
    names = [f"%p{i}" for i in range(CHAINS)]
    for u in range(UNROLLED):
        for i in range(CHAINS):
            body.append(f"  %v{u}_{i} = call {vector} {fma}({vector} %x, {vector} %y, {vector} {names[i]})")
            names[i] = f"%v{u}_{i}"
    phis = "\n".join(f"  %p{i} = phi {vector} [ %x, %entry ], [ {names[i]}, %loop ]" for i in range(CHAINS))
    sums = []
    total = names[0]
    for i in range(1, CHAINS):
        sums.append(f"  %t{i} = fadd {vector} {total}, {names[i]}")
        total = f"%t{i}"
    return f"""declare {vector} {fma}({vector}, {vector}, {vector})
define {element} @peak(i64 %rounds, ptr %data) {{
entry:
  %x = load {vector}, ptr %data, align 8
  %second = getelementptr {element}, ptr %data, i64 {lanes}
  %y = load {vector}, ptr %second, align 8
  br label %loop
loop:
  %n = phi i64 [ %rounds, %entry ], [ %left, %loop ]
{phis}
{chr(10).join(body)}
  %left = sub i64 %n, 1
  %more = icmp ne i64 %left, 0
  br i1 %more, label %loop, label %done
done:
{chr(10).join(sums)}
  %result = extractelement {vector} {total}, i32 0
  ret {element} %result
}}
"""


@functools.cache
def peak(dtype: str = "f32") -> float:
    """GF/s of one core, the best of five runs."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    wide = features.get("avx512f", False)
    bits = 512 if wide else 256 if features.get("avx2", False) else 128
    lanes = bits // (8 * {"f32": 4, "f64": 8}[dtype])
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten() + (",-prefer-256-bit" if wide else ""), opt=3)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_text(dtype, lanes)), machine)
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_void_p)(engine.get_function_address("peak"))
    data = (ctypes.c_byte * 256)()
    best = float("inf")
    for _ in range(5):
        start = time.thread_time()
        function(ROUNDS, ctypes.addressof(data))
        best = min(best, time.thread_time() - start)
    return ROUNDS * CHAINS * UNROLLED * lanes * 2 / best / 1e9


if __name__ == "__main__":
    print({dtype: round(peak(dtype), 1) for dtype in LANES})
