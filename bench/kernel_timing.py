"""Timing of kernels, called as the runtime calls them but on one thread, and of peers, alternating."""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import cfunc

from graphc.kernels.contracts.calls import Choice
from graphc.kernels.runtime.memory import call_status
from graphc.kernels.toolchain.testing import LoadedKernel, aligned

from peer_timing import medians

__all__ = ["aligned_normal", "medians", "prepared"]


@cfunc("int64(int64, int64, int64, int64, int64, int64)")
def _run_tiles(run: int, record: int, work: int, scratch: int, first: int, second: int) -> int:
    """All tiles of both phases, as the runtime's loop calls them: from Python a call costs a microsecond."""
    status = 0
    for tile in range(first):
        status |= call_status(run, (record, work, scratch, 0, tile))
    for tile in range(second):
        status |= call_status(run, (record, work, scratch, 1, tile))
    return status


def prepared(kernel: LoadedKernel, operands: Sequence[np.ndarray], dims: Sequence[int], attrs: Sequence[int],
             persistent: bool = False, winograd: bool = True, packable: int = 1, way: int = -1,
             bfloat16: int = 0) -> Callable[[], None]:
    """A function that runs every tile; bind, workspace and packing of a constant are done beforehand. way: the one
    wanted, -1: bind decides; bfloat16: a number of contracts/bfloat16.py."""
    choice = kernel.choice(dims, attrs, persistent, winograd, way, bfloat16)
    addresses = [a.ctypes.data for a in operands]
    keep: list[Any] = [*operands, aligned(int(choice[Choice.WORK_BYTES])),
                       aligned(int(choice[Choice.SCRATCH_BYTES]) + 64)]
    if choice[Choice.FORMAT]:
        target = aligned(int(choice[Choice.PACKED_BYTES]))
        arguments = np.array([*dims, *attrs, 0], np.int64)
        for tile in range(int(choice[Choice.PACK_TILES])):
            kernel.pack(addresses[packable], arguments.ctypes.data, choice.ctypes.data, target.ctypes.data, tile)
        addresses[packable] = target.ctypes.data
        keep.append(target)
    record = np.array([*addresses, *dims, *attrs, *choice], np.int64)
    work, scratch, at = keep[len(operands)].ctypes.data, keep[len(operands) + 1].ctypes.data, record.ctypes.data
    address = ctypes.cast(kernel.run, ctypes.c_void_p).value    # type: ignore[arg-type]
    numbers = (address, at, work, scratch, choice[Choice.TILES], choice[Choice.TILES_1])
    values = [ctypes.c_int64(int(number)) for number in numbers]
    run_tiles = _run_tiles.ctypes

    def run() -> None:
        if run_tiles(*values):
            raise RuntimeError(f"{kernel.name} refused its operands")
        assert keep and record is not None
    return run


def aligned_normal(shape: Sequence[int], dtype: type = np.float32) -> np.ndarray:
    """Random values at an address that is a multiple of 64."""
    count = int(np.prod(shape))
    block = aligned(count * np.dtype(dtype).itemsize).view(dtype)[:count].reshape(shape)
    block[...] = np.random.default_rng(0).standard_normal(shape)
    return block
