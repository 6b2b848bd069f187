"""What the 32 threads of a warp tell each other without shared memory. All of them must come here together."""
from __future__ import annotations

from collections.abc import Callable

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value
from graphc.exec.map_code import LLVM_TYPES
from graphc.kernels.contracts.dtypes import DTYPES

WARP = 32
WARPS = THREADS // WARP    # of a block
DECLARATIONS = "".join(f"declare i32 @llvm.nvvm.shfl.sync.{mode}.i32(i32, i32, i32, i32)\n" for mode in ("bfly", "up"))
Join = Callable[[Value, Value], Value]


def of_partner(k: KernelBuilder, value: Value, distance: int) -> Value:
    """The value of the thread whose number differs in that bit."""
    return _shuffled(k, value, "bfly", distance, WARP - 1)


def of_earlier(k: KernelBuilder, value: Value, distance: int) -> Value:
    """The value of the thread so far before this one in its warp; its own where there is none."""
    return _shuffled(k, value, "up", distance, 0)


def _shuffled(k: KernelBuilder, value: Value, mode: str, by: int, clamp: int) -> Value:
    size, kind = DTYPES[value.dtype].size, LLVM_TYPES[value.dtype]
    bits = f"i{8 * size}"
    word = value.register if kind == bits else k.value(f"bitcast {kind} {value} to {bits}")
    if size == 8:
        halves = [k.value(f"trunc i64 {word} to i32"),
                  k.value(f"trunc i64 {k.value(f'lshr i64 {word}, 32')} to i32")]
    else:
        halves = [word if size == 4 else k.value(f"zext {bits} {word} to i32")]
    told = [k.value(f"call i32 @llvm.nvvm.shfl.sync.{mode}.i32(i32 -1, i32 {half}, i32 {by}, i32 {clamp})")
            for half in halves]
    if size == 8:
        low, high = (k.value(f"zext i32 {half} to i64") for half in told)
        word = k.value(f"or i64 {low}, {k.value(f'shl i64 {high}, 32')}")
    else:
        word = told[0] if size == 4 else k.value(f"trunc i32 {told[0]} to {bits}")
    return Value(k, word, value.dtype) if kind == bits else k.made(f"bitcast {bits} {word} to {kind}", value.dtype)


def joined(values: list[Value], join: Join) -> Value:
    """What a thread's own values, a power of two of them, come to."""
    while len(values) > 1:
        middle = len(values) // 2
        values = [join(a, b) for a, b in zip(values[:middle], values[middle:], strict=True)]
    return values[0]


def joined_among(k: KernelBuilder, value: Value, lanes: int, join: Join, shared: Array) -> Value:
    """What `lanes` neighbouring threads (a power of two, up to a block) have together, for each of them. join: gives
    the same whichever comes first. shared: WARPS elements, used if lanes are more than a warp."""
    distance = 1
    while distance < min(lanes, WARP):
        value = join(value, of_partner(k, value, distance))
        distance *= 2
    if lanes <= WARP:
        return value
    thread = k.index("tid.x")
    with k.when((thread & (WARP - 1)).equals(0)):
        shared[thread // WARP] = value
    k.barrier()
    first = (thread & -lanes) // WARP
    found = [shared[first + i] for i in range(lanes // WARP)]
    k.barrier()                                            # they may be written again
    return joined(found, join)
