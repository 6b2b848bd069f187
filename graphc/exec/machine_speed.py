"""What this machine can do at best, as the yardstick of what runs take: multiplications and additions on registers, and
bytes read from memory, by all threads at once.

Measured when a process first asks for it, in some 0.15 s, by the time that threads are given, as others may use the
machine. They may slow it down all the same: the best figures that were ever measured of this processor, these threads
and this instruction set are kept in the disk cache.
"""
from __future__ import annotations

import ctypes
import functools
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

from graphc.exec.library import load_library

CHAINS, UNROLLED = 12, 4               # independent sums: more than the latency of an addition takes
ROUNDS = 200_000                       # some milliseconds
READ_BYTES = 48 << 20                  # of each thread: more than its caches hold
TRIES = 4                              # the best one counts
BITS = {"x86-64-v4": 512, "x86-64-v3": 256, "aarch64": 128}
WIDTHS = {"f32": 32, "f64": 64}
_TYPES = {"f32": "float", "f64": "double"}


@dataclass(frozen=True)
class MachineSpeed:
    """Of all threads together: floating point operations a second (a fused multiply-add counts as two) in float32 and
    float64, and bytes a second from memory."""

    f32: float
    f64: float
    bandwidth: float


def machine_speed(threads: int) -> MachineSpeed:
    """The speed of so many threads of this process, measured at most once a machine."""
    return _speed(threads, load_library().isa)


@functools.cache
def _speed(threads: int, isa: str) -> MachineSpeed:
    from graphc.kernels.toolchain import cache

    key = f"speed-{cache.hash_of(processor(), isa, str(threads), _text(BITS[isa]))}"
    found, best = cache.read(key), asdict(_measure(threads, BITS[isa]))
    for name, speed in json.loads(found or b"{}").items():
        best[name] = max(best[name], speed)
    cache.write(key, json.dumps(best).encode())
    return MachineSpeed(**best)


def processor() -> str:
    """What tells one machine from another that shares its cache."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            head = file.read(4096)
    except OSError:
        head = platform.processor()
    names = [line for line in head.splitlines() if line.startswith(("model", "cpu family", "cache size", "CPU part"))]
    return f"{platform.node()} {os.cpu_count()} {names}"


def _measure(threads: int, bits: int) -> MachineSpeed:
    from graphc.kernels.toolchain.load import load_ir

    found = load_ir(_text(bits), ["multiply_f32", "multiply_f64", "read_f32"])
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_void_p)
    functions = {name: kind(address) for name, address in found.items()}
    numbers = np.ones(2 * bits // 8, np.uint8)
    blocks = [np.ones(READ_BYTES + 64, np.uint8) for _ in range(threads)]
    places = [int(block.ctypes.data) + -int(block.ctypes.data) % 64 for block in blocks]
    with ThreadPoolExecutor(threads) as pool:
        def seconds_of(call: Callable[[int], object], thread: int) -> float:
            start = time.thread_time()
            call(thread)
            return time.thread_time() - start

        def best(call: Callable[[int], object]) -> float:
            """Seconds of the quickest of some tries of all threads."""
            return min(max(pool.map(functools.partial(seconds_of, call), range(threads))) for _ in range(TRIES))

        def multiplied(dtype: str) -> float:
            multiply, place = functions[f"multiply_{dtype}"], int(numbers.ctypes.data)
            operations = threads * ROUNDS * CHAINS * UNROLLED * (bits // WIDTHS[dtype]) * 2
            return operations / best(lambda thread: multiply(ROUNDS, place))

        rounds = READ_BYTES // (bits // 8 * UNROLLED)
        read = best(lambda thread: functions["read_f32"](rounds, places[thread]))
        return MachineSpeed(multiplied("f32"), multiplied("f64"), threads * READ_BYTES / read)


def _text(bits: int) -> str:
    """LLVM text: multiply_f32 and multiply_f64 (rounds of CHAINS * UNROLLED multiply-adds), read_f32 (rounds of
    UNROLLED vectors that are added up)."""
    return "\n".join([*(_multiply(dtype, bits // width) for dtype, width in WIDTHS.items()), _read(bits // 32)])


def _multiply(dtype: str, lanes: int) -> str:
    vector, fma = f"<{lanes} x {_TYPES[dtype]}>", f"@llvm.fma.v{lanes}{dtype}"
    names, body = [f"%p{i}" for i in range(CHAINS)], []
    for u in range(UNROLLED):
        for i in range(CHAINS):
            body.append(f"  %v{u}_{i} = call {vector} {fma}({vector} %x, {vector} %y, {vector} {names[i]})")
            names[i] = f"%v{u}_{i}"
    phis = [f"  %p{i} = phi {vector} [ %x, %entry ], [ {name}, %loop ]" for i, name in enumerate(names)]
    return f"""declare {vector} {fma}({vector}, {vector}, {vector})
define {_TYPES[dtype]} @multiply_{dtype}(i64 %rounds, ptr %data) {{
entry:
  %x = load {vector}, ptr %data, align 1
  %second = getelementptr {vector}, ptr %data, i64 1
  %y = load {vector}, ptr %second, align 1
  br label %loop
""" + _loop([*phis, *body], names, vector, _TYPES[dtype])


def _read(lanes: int) -> str:
    vector = f"<{lanes} x float>"
    phis = [f"  %p{i} = phi {vector} [ zeroinitializer, %entry ], [ %v{i}, %loop ]" for i in range(UNROLLED)]
    body = ["  %at = phi i64 [ 0, %entry ], [ %next, %loop ]", *phis]
    for i in range(UNROLLED):
        body += [f"  %n{i} = add i64 %at, {i}", f"  %a{i} = getelementptr {vector}, ptr %data, i64 %n{i}",
                 f"  %r{i} = load {vector}, ptr %a{i}, align {4 * lanes}", f"  %v{i} = fadd {vector} %p{i}, %r{i}"]
    body.append(f"  %next = add i64 %at, {UNROLLED}")
    return """define float @read_f32(i64 %rounds, ptr %data) {
entry:
  br label %loop
""" + _loop(body, [f"%v{i}" for i in range(UNROLLED)], vector, "float")


def _loop(body: list[str], sums: list[str], vector: str, element: str) -> str:
    """The rest of a function: the loop, and the sum of what it leaves."""
    added, total = [], sums[0]
    for i, name in enumerate(sums[1:]):
        added.append(f"  %t{i} = fadd {vector} {total}, {name}")
        total = f"%t{i}"
    return "\n".join([
        "loop:", "  %n = phi i64 [ %rounds, %entry ], [ %left, %loop ]", *body, "  %left = sub i64 %n, 1",
        "  %more = icmp ne i64 %left, 0", "  br i1 %more, label %loop, label %done", "done:", *added,
        f"  %result = extractelement {vector} {total}, i32 0", f"  ret {element} %result", "}", ""])
