"""Small PTX kernels written in a test: their lines run over arrays, in the emulator and in the library."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.exec.cuda.driver import find_device
from graphc.exec.cuda.work import Launch as Work

from ptx.emulator import Launch
from ptx.memory import Memory
from ptx.text import parse
from stand_in_driver import IS_THERE, driver_standing_in

HEAD = """.version 7.0
.target sm_80
.address_size 64
.visible .entry gc_test({parameters})
{{
	.reg .pred %p<32>;
	.reg .b16 %rs<64>;
	.reg .b32 %r<128>;
	.reg .b64 %rd<64>;
	.shared .align 128 .b8 room[{shared}];
{loads}
	mov.u32 %r0, %tid.x;
	cvt.u64.u32 %rd0, %r0;
{lines}
	ret;
}}
"""


def text_of(lines: str, arrays: int, shared: int = 1024) -> str:
    """Array i's address is in %rd(40 + i), the thread's number in %r0 and %rd0; `room` is shared memory."""
    parameters = ",\n".join(f"\t.param .u64 p{i}" for i in range(arrays))
    loads = "\n".join(f"\tld.param.u64 %rd{40 + i}, [p{i}];" for i in range(arrays))
    return HEAD.format(parameters="\n" + parameters + "\n", shared=shared, loads=loads, lines=lines)


def run(lines: str, *arrays: np.ndarray, threads: int = 32, blocks: int = 1, shared: int = 1024,
        only_emulated: bool = False, most_steps: int = 10 ** 6) -> list[np.ndarray]:
    """What is in the arrays afterwards. only_emulated: the library does not know the instructions, or may
    give something else, as it runs threads in another order."""
    return run_text(text_of(lines, len(arrays), shared), arrays, threads, blocks, only_emulated, most_steps)


def run_text(text: str, arrays: Sequence[np.ndarray], threads: int = 32, blocks: int = 1,
             only_emulated: bool = False, most_steps: int = 10 ** 6) -> list[np.ndarray]:
    """What is in the arrays afterwards, in the emulator; the library gives the same."""
    memory, places = Memory(), []
    for array in arrays:
        places.append(memory.allocate(array.nbytes))
        memory.view(places[-1], array.nbytes, True)[:] = np.frombuffer(array.tobytes(), np.uint8)
    Launch(memory, parse(text)["gc_test"], (blocks,), threads, places, most_steps=most_steps).run()
    found = [np.frombuffer(memory.view(at, a.nbytes, False).tobytes(), a.dtype).reshape(a.shape)
             for at, a in zip(places, arrays, strict=True)]
    if IS_THERE and not only_emulated:
        for ours, theirs in zip(found, in_library(text, arrays, threads, blocks), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)     # floats are added in another order
    return found


def in_library(text: str, arrays: Sequence[np.ndarray], threads: int, blocks: int) -> list[np.ndarray]:
    """The same in the library that stands in for libcuda."""
    with driver_standing_in(compute=80):
        device = find_device()
        assert device is not None
        device.enter()
        kept = [np.array(a) for a in arrays]
        places = [device.allocate(a.nbytes) for a in kept]
        for at, array in zip(places, kept, strict=True):
            device.upload(at, array.ctypes.data, array.nbytes)
        Work(text, "gc_test", (blocks,), (threads,), tuple(places)).submit(device)
        for at, array in zip(places, kept, strict=True):
            device.download(array.ctypes.data, at, array.nbytes)
        device.wait()
        for at in places:
            device.free(at)
    return kept


def each_thread(operation: str, kind: str, *arrays: Any, threads: int = 32, result: str = "",
                only_emulated: bool = False) -> np.ndarray:
    """`operation` with {d}, {0}, {1}, ... in place of registers, for each element of the arrays. kind: of memory."""
    size = np.asarray(arrays[0]).itemsize
    register = {2: "%rs", 4: "%r", 8: "%rd"}
    inputs = "".join(f"mad.lo.u64 %rd20, %rd0, {size}, %rd{40 + i};\nld.global.{kind} "
                     f"{register[size]}{10 + i}, [%rd20];\n" for i in range(len(arrays)))
    result = result or kind
    out = np.zeros(threads, {"16": np.uint16, "32": np.uint32, "64": np.uint64}[result[1:]])
    target = f"{register[out.itemsize]}30"
    line = operation.format(*(f"{register[size]}{10 + i}" for i in range(len(arrays))), d=target)
    store = f"mad.lo.u64 %rd20, %rd0, {out.itemsize}, %rd{40 + len(arrays)};\nst.global.{result} [%rd20], {target};"
    return run(f"{inputs}{line}\n{store}", *arrays, out, threads=threads, only_emulated=only_emulated)[-1]
