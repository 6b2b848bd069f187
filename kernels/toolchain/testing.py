"""Kernels on NumPy arrays, for tests: `load_kernels(["matmul.f32"])["matmul.f32"](a, b, c, dims=[...], attrs=[...])`.

The very code of the library is called: bind, then pack if the kernel asks for it, then every tile of both phases in the
order asked for. Compiled for the best ISA of this machine (GRAPHC_ISA overrides) and cached.
"""
from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contracts.calls import Choice
from .archive import read_archive
from .build import library_archive
from .load import load_objects, words_at
from .targets import host_targets

I64, I32 = ctypes.c_int64, ctypes.c_int32
BIND = ctypes.CFUNCTYPE(None, I64, I64)
RUN = ctypes.CFUNCTYPE(I32, I64, I64, I64, I64, I64)
PACK = ctypes.CFUNCTYPE(I32, I64, I64, I64, I64, I64)


def aligned(nbytes: int, fill: int = 0x7F) -> np.ndarray:
    """A 64-byte aligned block; its bytes are `fill`, so that a kernel that relies on zeros shows."""
    block = np.full(nbytes + 64, fill, np.uint8)
    start = -block.ctypes.data % 64
    return block[start:start + nbytes]


@dataclass(frozen=True)
class LoadedKernel:
    """choice(dims, attrs) binds only; calling it binds, packs and runs on arrays (outputs are written in place)."""

    name: str
    bind: Callable[[int, int], None]
    run: Callable[..., int]
    pack: Callable[..., int] | None

    def choice(self, dims: Sequence[int], attrs: Sequence[int] = (), persistent: bool = False,
               winograd: bool = True, way: int = -1, bfloat16: int = 0) -> np.ndarray:
        words = np.zeros(Choice.SIZE, np.int64)
        words[Choice.PERSISTENT], words[Choice.NO_WINOGRAD] = int(persistent), int(not winograd)
        words[Choice.WAY], words[Choice.MAY_ROUND] = 1 + way, int(bfloat16)
        arguments = np.array([*dims, *attrs, 0], np.int64)
        self.bind(arguments.ctypes.data, words.ctypes.data)
        return words

    def __call__(self, *operands: Any, dims: Sequence[int], attrs: Sequence[int] = (), persistent: bool = False,
                 winograd: bool = True, way: int = -1, packable: int = 1, order: Callable[[int], Sequence[int]] = range,
                 allocate: Callable[[int], np.ndarray] = aligned, bfloat16: int = 0) -> int:
        """Returns the first status other than 0. way: the one wanted, -1: bind decides. packable:
        position of the packable operand; order: of the tiles; allocate: bytes to an aligned block of them, for
        workspace and the packed operand; bfloat16: a number of contracts/bfloat16.py."""
        choice = self.choice(dims, attrs, persistent, winograd, way, bfloat16)
        arrays = [np.asarray(o) for o in operands]
        addresses = [a.ctypes.data for a in arrays]
        keep = [allocate(int(choice[Choice.WORK_BYTES])), allocate(int(choice[Choice.SCRATCH_BYTES]) + 64)]
        if choice[Choice.FORMAT]:
            if self.pack is None:
                raise ValueError(f"{self.name}: bind asks for format {choice[Choice.FORMAT]} but there is no pack")
            target = allocate(int(choice[Choice.PACKED_BYTES]))
            arguments = np.array([*dims, *attrs, 0], np.int64)
            for tile in order(int(choice[Choice.PACK_TILES])):
                self.pack(addresses[packable], arguments.ctypes.data, choice.ctypes.data, target.ctypes.data, tile)
            addresses[packable] = target.ctypes.data
            keep.append(target)
        record = np.array([*addresses, *dims, *attrs, *choice], np.int64)
        for phase, tiles in enumerate((choice[Choice.TILES], choice[Choice.TILES_1])):
            for tile in order(int(tiles)):
                status = self.run(record.ctypes.data, keep[0].ctypes.data, keep[1].ctypes.data, phase, tile)
                if status:
                    return status
        return 0


def load_kernels(names: Sequence[str], isa: str | None = None) -> dict[str, LoadedKernel]:
    """Compiles and loads kernels by name ("matmul" for all dtypes, or "matmul.f32"); returns them by full name."""
    full_names, addresses = _open(names, isa)
    return {name: LoadedKernel(name, BIND(addresses[3 * i]), RUN(addresses[3 * i + 1]),
                               PACK(addresses[3 * i + 2]) if addresses[3 * i + 2] else None)
            for i, name in enumerate(full_names)}


def load_primitives(isa: str | None = None) -> dict[str, Callable[..., None]]:
    """Every scalar primitive: name -> function(dst, a, b, c, d, n) of addresses."""
    function_type = ctypes.CFUNCTYPE(None, I64, I64, I64, I64, I64, I64)
    full_names, addresses = _open(["primitives"], isa)
    return {name: function_type(address) for name, address in zip(full_names, addresses, strict=True)}


def _open(names: Sequence[str], isa: str | None) -> tuple[list[str], list[int]]:
    """Names in the registry of the library of `names` alone, and its table of functions."""
    isa = isa or os.environ.get("GRAPHC_ISA") or host_targets()[0].name
    table = f"gc_functions_{isa.replace('-', '_')}"
    objects = [data for name, data in read_archive(library_archive(isa, tuple(names))) if name.endswith(".o")]
    found = load_objects(objects, [table, "gc_registry", "gc_names", "gc_names_bytes"])
    length, = words_at(found["gc_names_bytes"], 1)
    _, kernels, primitives = words_at(found["gc_registry"], 3)
    full_names = ctypes.string_at(found["gc_names"], length).decode().split("\0")[:-1]
    return full_names, words_at(found[table], 3 * kernels + primitives)
