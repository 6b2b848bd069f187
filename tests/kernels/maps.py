"""Maps without a graph: one Program over NumPy arrays, bound and run by the evaluator or with the JIT's code.

The images made here have a header, one program and one MAP record; buffers are the arrays' own memory.
"""
from __future__ import annotations

import ctypes
import itertools
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
from guarded import Memory

from graphc.exec.jit import CompiledProgram
from graphc.exec.library import Library, load_library
from graphc.ir.dtypes import as_dtype
from graphc.kernels.layout import CODE_CONST, CODE_INDEX, CODE_LINEAR, CODE_REDUCE, Header
from graphc.kernels.runtime.map_words import CODE_WORDS
from graphc.plan.plan import Instr, Program

_turns = itertools.count()


@dataclass
class Operand:
    """An array, and the strides (elements) at which a domain meets it, from element `offset` on; None: reduced axis."""

    array: np.ndarray
    strides: tuple[int | None, ...]
    offset: int = 0


def constant_bits(value: Any, dtype: str) -> int:
    raw = np.array(value, as_dtype(dtype).numpy).tobytes().ljust(8, b"\0")
    return int(np.frombuffer(raw, np.int64)[0])


def value_dtype(program: Program, number: int) -> str:
    loads = len(program.loads)
    return program.loads[number] if number < loads else program.instrs[number - loads].dtype


def instr_words(program: Program, instr: Instr, numbers: dict[str, int], kernels: int) -> list[int]:
    arguments = [*instr.args, *[-1] * (4 - len(instr.args))]
    if instr.op == "const":
        code, value = CODE_CONST, constant_bits(instr.value, instr.dtype)
    elif instr.op in ("index", "linear"):
        code, value = (CODE_INDEX, int(instr.value)) if instr.op == "index" else (CODE_LINEAR, 0)
    else:
        name = f"{instr.op}.{instr.dtype}.{value_dtype(program, instr.args[0])}"
        code, value = numbers[name] - kernels, 0
        if instr.op.startswith("reduce."):
            code = CODE_REDUCE - code
    return [code, as_dtype(instr.dtype).number, *arguments, value]


def native(address: int) -> Any:
    """A C function of six int64 arguments and an int32 result."""
    return ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_int64] * 6)(address)


class BoundMap:
    """A program bound to arrays. Keeps everything that the bound record points to."""

    def __init__(self, program: Program, domain: tuple[int, ...], reduced: int, loads: list[Operand],
                 stores: list[Operand],
                 library: Library | None = None, code: CompiledProgram | None = None) -> None:
        self.library = library or load_library()
        self.code = np.array(code[:CODE_WORDS] if code else [0] * CODE_WORDS, np.int64)
        kernels = int(self.library.registry[1])
        numbers = {name: i for i, name in enumerate(self.library.names)}
        words = [len(program.loads), len(program.instrs), len(program.stores)]
        words += [as_dtype(d).number for d in program.loads]
        for instr in program.instrs:
            words += instr_words(program, instr, numbers, kernels)
        words += program.stores
        dims: list[int] = []

        def dim(value: int | None) -> int:
            if value is None:
                return -1
            dims.append(value)
            return len(dims) - 1

        record = [0, len(domain), reduced, len(loads), len(stores), *(dim(d) for d in domain)]
        for number, operand in enumerate([*loads, *stores]):
            record += [number, dim(operand.offset), *(dim(s) for s in operand.strides)]
        header = [0] * 16
        header[Header.PROGRAMS], header[Header.PROGRAM_TABLE] = 1, 16
        self.image = np.array([*header, 17, *words], np.int64)
        self.record, self.dims = np.array(record, np.int64), np.array([*dims, 0], np.int64)
        self.operands, self.loads = [*loads, *stores], len(loads)
        self._place()
        self.run_entry = native(self.library.entry["gc_map_run"])
        self.range_entry = native(self.library.entry["gc_map_run_range"])
        count_words = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 3)(self.library.entry["gc_map_words"])
        bind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 8)(self.library.entry["gc_map_bind"])
        registry = self.library.registry.ctypes.data
        self.out = np.full(count_words(self.record.ctypes.data, self.image.ctypes.data, registry) + 1, 0x5A5A5A5A,
                           np.int64)
        bind(self.image.ctypes.data, self.record.ctypes.data, self.dims.ctypes.data, self.buffers.ctypes.data, registry,
             self.library.functions.ctypes.data, self.out.ctypes.data, self.code.ctypes.data)
        assert self.out[-1] == 0x5A5A5A5A, "map_bind wrote behind its table"
        self.work = np.full(int(self.out[3]) + 64, 0x7F, np.uint8)
        self.scratch = np.full(int(self.out[2]) + 64, 0x7F, np.uint8)
        self.counter = np.zeros(2, np.int64)

    def _place(self) -> None:
        """Copies of the arrays that end or begin at a guard page, one after the other."""
        memory = Memory(at_end=next(_turns) % 2 == 0)
        weakref.finalize(self, memory.free)
        self.blocks: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for operand in self.operands:
            array = operand.array
            if array.ctypes.data not in self.blocks:
                assert array.flags.c_contiguous
                block = memory.block(array.nbytes).view(array.dtype)
                self.blocks[array.ctypes.data] = (array.reshape(-1), block)
        self.buffers = np.array([self.blocks[o.array.ctypes.data][1].ctypes.data for o in self.operands], np.int64)

    def _put(self) -> None:
        for array, block in self.blocks.values():
            block[:] = array

    def _get(self) -> None:
        for operand in self.operands[self.loads:]:
            array, block = self.blocks[operand.array.ctypes.data]
            array[:] = block

    def addresses(self) -> list[int]:
        return [a.ctypes.data for a in (self.out, self.counter, self.work, self.scratch)]

    def run(self, backwards: bool = False) -> None:
        """Every tile of both phases."""
        function, addresses = self.run_entry, self.addresses()
        self._put()
        for phase in range(2):
            tiles = range(int(self.out[phase]))
            for tile in reversed(tiles) if backwards else tiles:
                assert function(*addresses, phase, tile) == 0
        self._get()
        assert (self.scratch[int(self.out[2]):] == 0x7F).all() and (self.work[int(self.out[3]):] == 0x7F).all()

    def run_range(self, begin: int, end: int) -> None:
        self._put()
        assert self.range_entry(*self.addresses(), begin, end) == 0
        self._get()
