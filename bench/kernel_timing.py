"""Timing of kernels, called as the runtime calls them but on one thread, and of peers, alternating."""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from graphc.kernels.kernel import Choice
from graphc.kernels.toolchain.testing import LoadedKernel, aligned


def prepared(kernel: LoadedKernel, operands: Sequence[np.ndarray], dims: Sequence[int], attrs: Sequence[int],
             persistent: bool = False, packable: int = 1) -> Callable[[], None]:
    """A function that runs every tile; bind, workspace and packing of a constant are done beforehand."""
    choice = kernel.choice(dims, attrs, persistent)
    addresses = [a.ctypes.data for a in operands]
    keep: list[Any] = [*operands, aligned(int(choice[Choice.WORK_BYTES])), aligned(int(choice[Choice.SCRATCH_BYTES]) + 64)]
    if choice[Choice.FORMAT]:
        target = aligned(int(choice[Choice.PACKED_BYTES]))
        arguments = np.array([*dims, *attrs, 0], np.int64)
        for tile in range(int(choice[Choice.PACK_TILES])):
            kernel.pack(addresses[packable], arguments.ctypes.data, choice.ctypes.data, target.ctypes.data, tile)
        addresses[packable] = target.ctypes.data
        keep.append(target)
    record = np.array([*addresses, *dims, *attrs, *choice], np.int64)
    work, scratch, at = keep[len(operands)].ctypes.data, keep[len(operands) + 1].ctypes.data, record.ctypes.data
    phases = [(phase, int(choice[word])) for phase, word in enumerate((Choice.TILES, Choice.TILES_1))]

    def run() -> None:
        for phase, tiles in phases:
            for tile in range(tiles):
                kernel.run(at, work, scratch, phase, tile)
        assert keep and record is not None
    return run


def aligned_normal(shape: Sequence[int], dtype: type = np.float32) -> np.ndarray:
    """Random values at an address that is a multiple of 64."""
    count = int(np.prod(shape))
    block = aligned(count * np.dtype(dtype).itemsize).view(dtype)[:count].reshape(shape)
    block[...] = np.random.default_rng(0).standard_normal(shape)
    return block


def medians(functions: dict[str, Callable[[], Any]], seconds: float = 0.3) -> dict[str, float]:
    """Median seconds of each function; they take turns, so that a slow moment of the machine hits all of them."""
    once = {}
    for name, function in functions.items():
        function()
        start = time.perf_counter()
        function()
        once[name] = time.perf_counter() - start
    repeats = {name: max(int(0.002 / max(t, 1e-7)), 1) for name, t in once.items()}
    rounds = max(int(seconds / max(sum(once[n] * repeats[n] for n in once), 1e-6)), 5)
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                function()
            samples[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(values) for name, values in samples.items()}
