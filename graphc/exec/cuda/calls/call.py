"""A kernel's call with its sizes, and what kernels of the device are made of: maps, and launches of a kernel's text."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from graphc.exec.cuda.calls.checks import Check, Range
from graphc.exec.cuda.code.builder import THREADS, KernelBuilder
from graphc.exec.cuda.code.ptx import OLDEST_COMPUTE, make_ptx
from graphc.exec.cuda.maps import BoundMap, Place, launches
from graphc.exec.cuda.work import Launch, Work
from graphc.exec.jit import scalar_functions
from graphc.exec.library import Library
from graphc.kernels.contracts.dtypes import DTYPES
from graphc.plan.plan import Instr, Program

if TYPE_CHECKING:
    from graphc.exec.cuda.vendor.libraries import Libraries
    from graphc.exec.cuda.warpgroup_choice import WarpgroupProducts


class Products(Enum):
    """How float32 is multiplied: by fused multiply-adds, or on tensor cores, operands rounded to tf32 before, or such
    numbers already: float16 or bfloat16 before they were widened, where all are of one type."""

    FUSED = 0
    ROUNDED = 1
    EXACT = 2
    EXACT_F16 = 3
    EXACT_BF16 = 4


@dataclass
class Call:
    """A kernel's call with its sizes. operands: addresses. facts: gives memory with these bytes in it, which stays;
    scratch: gives memory of this run, by bytes; checks: what the call adds to them is looked at after the run.
    libraries: NVIDIA's, where they are there; warpgroups: products of compute capability 9.0. stored: what the operands
    are in memory (16-bit floats where types say float32: narrowed.py)."""

    types: tuple[str, ...]
    operands: tuple[int, ...]
    dims: tuple[int, ...]
    attrs: tuple[int, ...]
    library: Library
    scratch: Callable[[int], int]
    facts: Callable[[bytes], int]
    checks: list[Check] = field(default_factory=list)
    products: Products = Products.FUSED
    libraries: Libraries | None = None
    warpgroups: WarpgroupProducts | None = None
    stored: tuple[str, ...] = ()

    def stored_as(self, operand: int) -> str:
        """What an operand is in memory."""
        return self.stored[operand] if self.stored else self.types[0]

    def of_type(self, dtype: str) -> Call:
        """The same whose numbers are of that type: for what moves elements as they are."""
        return replace(self, types=(dtype, *self.types[1:]), stored=())


def size_of(dtype: str) -> int:
    return DTYPES[dtype].size


def map_work(call: Call, program: Program, domain: Sequence[int], reduced: int,
         places: Sequence[tuple[int, Sequence[int]]]) -> list[Launch]:
    """places: address and strides in elements of each load and store; of an index value (0, its strides)."""
    accesses = {}
    for number, (address, strides) in enumerate(places):
        loads, stores = len(program.loads), len(program.stores)
        if number < loads:
            size = size_of(program.loads[number])
        elif number < loads + stores:
            value = program.stores[number - loads]
            size = size_of(program.loads[value] if value < loads else program.instrs[value - loads].dtype)
        else:
            size = 1
        accesses[number] = Place(address, tuple(s * size for s in strides))
    return launches(BoundMap(program, tuple(domain), reduced, accesses), call.library, call.scratch)


def launch(call: Call, kernel: KernelBuilder, threads: int, *words: int) -> list[Work]:
    """The kernel with that many threads; words: its parameters."""
    return blocks(call, kernel, (-(-threads // THREADS),), *words) if threads else []


def blocks(call: Call, kernel: KernelBuilder, grid: tuple[int, ...], *words: int,
           compute: int = OLDEST_COMPUTE) -> list[Work]:
    """The kernel with that many blocks. compute: as make_ptx has it."""
    ptx = make_ptx("".join([*scalar_functions(call.library, kernel.primitives), kernel.text()]), compute)
    return [Launch(ptx, kernel.name, grid, (THREADS,), words)]


def filled(call: Call, address: int, count: int, dtype: str, value: float) -> list[Work]:
    b = ProgramBuilder()
    return list(map_work(call, b.program(b("const", dtype, value=value)), (count,), 0, [(address, (1,))]))


class ProgramBuilder:
    """Writes a Program: loads first, then instructions; a value is its number."""

    def __init__(self, *loads: str) -> None:
        self.loads, self.instrs = loads, []  # type: tuple[str, ...], list[Instr]

    def __call__(self, op: str, dtype: str, *args: int, value: float = 0) -> int:
        self.instrs.append(Instr(op, dtype, args, value))
        return len(self.loads) + len(self.instrs) - 1

    def as_type(self, dtype: str, value: int) -> int:
        """A value, cast if it is of another type."""
        loads = len(self.loads)
        found = self.loads[value] if value < loads else self.instrs[value - loads].dtype
        return value if found == dtype else self("cast", dtype, value)

    def program(self, *stores: int) -> Program:
        return Program(self.loads, tuple(self.instrs), stores)


def checked(call: Call, indices: int, count: int, dtype: str, size: int, step: int = 1,
            at_most: int | None = None) -> list[Work]:
    """What notes the smallest and the largest index, which must be in [0, size); none at all is no bad one. step: from
    one to the next. at_most: what larger ones count as."""
    if not count:
        return []
    place = call.scratch(16)
    call.checks.append(Range(place, size))
    b = ProgramBuilder(dtype)
    wide = 0 if dtype == "i64" else b("cast", "i64", 0)
    if at_most is not None:
        wide = b("min", "i64", wide, b("const", "i64", value=max(at_most, 0)))
    program = b.program(b("reduce.min", "i64", wide), b("reduce.max", "i64", wide))
    return list(map_work(call, program, (count,), 1, [(indices, (step,)), (place, (0,)), (place + 8, (0,))]))
