"""LLVM text for a fused program as a GPU kernel, what its two forms have in common (elements.py, rows.py).

The program's instructions are those of exec/map_code.py, unchanged, so that a map gives the CPU's bits; what differs is
the loop around them. Everything that a run may change comes as a parameter: addresses, sizes, strides, constants. So
one kernel serves all maps of a program with as many axes, once those of size 1 are dropped and neighbours merged
(../maps.py).
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.exec.cuda.code.ptx import ATTRIBUTES, DECLARATIONS
from graphc.exec.cuda.code.text_writer import TextWriter
from graphc.exec.map_code import LLVM_TYPES, SIZES, ProgramWriter, value_dtype
from graphc.plan.plan import Program

THREADS = 256              # of a block
UNROLLED, LONG = 4, 24     # a program of more than LONG instructions takes one element a thread, ...
# ... and so does one with a function that has hundreds of instructions itself: it waits for no memory.
LONG_FUNCTIONS = frozenset(("philox", "philox_bits", "igamma", "igammac", "igamma_grad_a", "betainc", "zeta",
                            "polygamma", "lgamma", "digamma", "erfc", "bessel_i0e", "bessel_i1e"))
REGISTERS, ELSEWHERE = 255, 20         # of a thread; for what is neither an operand nor a sum
GLOBAL = "ptr addrspace(1)"


@dataclass(frozen=True)
class Shape:
    """What the text depends on beside the program. outer, inner: axes; inner: -1 without a reduction. narrow: positions
    fit into 32 bits. source, target: "values" of the program, or "partial" results. tiled: a block takes a tile of the
    last two axes, along both of which operands lie."""

    outer: int
    inner: int = -1
    narrow: bool = True
    source: str = "values"
    target: str = "values"
    tiled: bool = False


@dataclass(frozen=True)
class Parts:
    """The values of a program by when they are computed: accesses are numbered as in exec/map_code.py.

    element_loads, row_loads: loads that pass 0 (all of the domain) and pass 1 (rows) read; element_stores, row_stores:
    pairs (number, value); counts: pairs (number, value) of index values; reduces: numbers of reducing instructions.
    """

    element_loads: tuple[int, ...]
    row_loads: tuple[int, ...]
    element_stores: tuple[tuple[int, int], ...]
    row_stores: tuple[tuple[int, int], ...]
    counts: tuple[tuple[int, int], ...]
    reduces: tuple[int, ...]
    element_values: frozenset[int]
    row_values: frozenset[int]


def parts_of(program: Program) -> Parts:
    loads, stores = len(program.loads), len(program.stores)
    reduces = tuple(loads + k for k, i in enumerate(program.instrs) if i.op.startswith("reduce."))
    of_rows: set[int] = set(reduces)
    for k, instr in enumerate(program.instrs):
        if any(a in of_rows for a in instr.args):
            of_rows.add(loads + k)
    numbered = [(loads + j, value) for j, value in enumerate(program.stores)]
    rows = tuple((n, v) for n, v in numbered if v in of_rows)
    elements = tuple((n, v) for n, v in numbered if v not in of_rows)
    sources = [program.instrs[r - loads].args[0] for r in reduces]
    element_values = _needed(program, [*sources, *(v for _, v in elements)], ())
    row_values = _needed(program, [v for _, v in rows], reduces)
    positions = [loads + k for k, i in enumerate(program.instrs) if i.op in ("index", "linear")]
    counts = tuple((loads + stores + k, value) for k, value in enumerate(positions)
                   if value in element_values | row_values)
    return Parts(tuple(i for i in range(loads) if i in element_values),
                 tuple(i for i in range(loads) if i in row_values), elements, rows, counts, reduces,
                 frozenset(element_values), frozenset(row_values))


def _needed(program: Program, roots: Iterable[int], given: Sequence[int]) -> set[int]:
    found, loads = set(roots), len(program.loads)
    for number in range(loads + len(program.instrs) - 1, loads - 1, -1):
        if number in found and number not in given:
            found.update(program.instrs[number - loads].args)
    return found


def unrolled(program: Program, inner: int = -1) -> int:
    """Elements that a thread takes at once; inner: the axes of its rows, -1: none."""
    if len(program.instrs) > LONG or any(i.op in LONG_FUNCTIONS for i in program.instrs):
        return 1
    width = 2 * UNROLLED if inner == 1 else UNROLLED
    while width > 1 and _registers(program, width, inner) > REGISTERS:
        width //= 2
    return width


def _registers(program: Program, width: int, inner: int) -> int:
    """About as many as a thread needs that takes `width` elements at once: for what is loaded before anything is
    computed, and for sums. In rows of one axis each access keeps its place beside that, for each element."""
    parts = parts_of(program)
    accessed = list(parts.element_loads)
    kept = sum(_words(program, r) for r in parts.reduces)
    if inner == 1:
        accessed += [value for _, value in parts.element_stores]
        kept += 2 * (len(accessed) + len(parts.counts))
    return ELSEWHERE + width * (kept + sum(_words(program, value) for value in accessed))


def _words(program: Program, value: int) -> int:
    return max(SIZES[value_dtype(program, value)] // 4, 1)


class KernelWriter(TextWriter, ProgramWriter):
    """Parameters in order: sizes (see ../maps.py), accesses (address, strides of the axes), constants."""

    def __init__(self, program: Program, shape: Shape) -> None:
        ProgramWriter.__init__(self, program)
        TextWriter.__init__(self)
        self.shape, self.parts = shape, parts_of(program)
        self.parameters: list[str] = []
        self.access_of = {value: number for number, value in self.parts.counts}
        self.constants_used = [len(program.loads) + k for k, i in enumerate(program.instrs) if i.op == "const" and
                               len(program.loads) + k in self.parts.element_values | self.parts.row_values]
        self.text: list[str] = []          # of functions that are complete

    def kernel(self) -> str:
        """The text of the module."""
        self.functions()
        self.body()
        bounds = f'"nvvm.maxntid"="{THREADS}"'
        head = f"define ptx_kernel void @gc_map({', '.join(self.parameters)}) {bounds} {{\nentry:\n"
        return "".join([DECLARATIONS, *self.text, head, *(f"{line}\n" for line in self.lines), "}\n", ATTRIBUTES])

    def functions(self) -> None:
        """Writes the functions that the kernel calls."""
        raise NotImplementedError

    def body(self) -> None:
        """Writes the kernel's parameters and instructions."""
        raise NotImplementedError

    def reduced(self) -> list[int]:
        """What each reducing instruction reduces."""
        return [self.program.instrs[r - len(self.program.loads)].args[0] for r in self.parts.reduces]

    # The program's values, as a function that the kernel calls

    def function(self, name: str, values: frozenset[int], results: Sequence[int], given: Sequence[int]) -> None:
        """@name(loads, counts, constants, given values) -> results, each list in the order of numbers."""
        self.lines = []
        loads = len(self.program.loads)
        arguments = [f"{LLVM_TYPES[value_dtype(self.program, v)]} %v{v}" for v in self.passed(values, given)]
        arguments += [f"i64 %offset{number}" for number, value in self.parts.counts if value in values]
        for number, value in self.parts.counts:
            if value in values:
                self.emit(f"%stride{number} = add i64 0, 0")
        self.emit("%i = add i64 0, 0")
        for k, instr in enumerate(self.program.instrs):
            if loads + k in values and loads + k not in given:
                self.instruction(loads + k, instr, self.access_of)
        self.emit(f"%r0 = insertvalue {self.record(results)} poison, i1 true, 0")
        for i, v in enumerate(results):
            kind = LLVM_TYPES[value_dtype(self.program, v)]
            self.emit(f"%r{i + 1} = insertvalue {self.record(results)} %r{i}, {kind} %v{v}, {i + 1}")
        self.emit(f"ret {self.record(results)} %r{len(results)}")
        self.text += [f"define internal {self.record(results)} @{name}({', '.join(arguments)}) {{\n",
                      *(f"{line}\n" for line in self.lines), "}\n"]
        self.lines = []

    def record(self, results: Sequence[int]) -> str:
        """The type of the results; it begins with a bit, so that it is never empty."""
        return "{ " + ", ".join(["i1", *(LLVM_TYPES[value_dtype(self.program, v)] for v in results)]) + " }"

    def passed(self, values: frozenset[int], given: Sequence[int]) -> list[int]:
        """Values that the function gets: loads, constants, given ones."""
        return [v for v in sorted(values) if v < len(self.program.loads) or v in self.constants_used or v in given]

    def call(self, name: str, values: frozenset[int], results: Sequence[int], known: dict[int, str],
             offsets: dict[int, str], given: Sequence[int] = ()) -> list[str]:
        """The registers of the results. known: registers of values; offsets: of index values' accesses."""
        arguments = [f"{LLVM_TYPES[value_dtype(self.program, v)]} {known.get(v, f'%c{v}')}"
                     for v in self.passed(values, given)]
        arguments += [f"i64 {offsets[number]}" for number, value in self.parts.counts if value in values]
        made = self.new()
        self.emit(f"{made} = call {self.record(results)} @{name}({', '.join(arguments)})")
        registers = []
        for i in range(len(results)):
            registers.append(self.new())
            self.emit(f"{registers[-1]} = extractvalue {self.record(results)} {made}, {i + 1}")
        return registers

    # Pieces

    def parameter(self, kind: str, name: str) -> str:
        self.parameters.append(f"{kind} %{name}")
        return f"%{name}"

    def access_parameters(self, loads: Iterable[int], stores: Iterable[int], axes: int) -> None:
        """Addresses and strides of memory, then offsets and strides of index values, then constants."""
        for number in (*loads, *stores):
            # Loads through `readonly noalias` would use the cache that does not see stores: maps may work in place.
            self.parameter(f"{GLOBAL} align 1", f"base{number}")
            for axis in range(axes):
                self.parameter("i64", f"s{number}.{axis}")
        for number, _ in self.parts.counts:
            self.parameter("i64", f"base{number}")
            for axis in range(axes):
                self.parameter("i64", f"s{number}.{axis}")
        for v in self.constants_used:
            dtype = value_dtype(self.program, v)
            given = self.parameter(self.memory_type(dtype), f"given{v}")
            if dtype == "bool":
                self.emit(f"%c{v} = icmp ne i8 {given}, 0")
            else:
                self.emit(f"%c{v} = bitcast {LLVM_TYPES[dtype]} {given} to {LLVM_TYPES[dtype]}")

    def indices(self, position: str, sizes: Sequence[str]) -> list[str]:
        """The index of each axis at a row-major position."""
        if len(sizes) <= 1:
            return [position] * len(sizes)
        kind = "i32" if self.shape.narrow else "i64"

        def cut(register: str) -> str:
            return self.value(f"trunc i64 {register} to i32") if self.shape.narrow else register

        rest, found = cut(position), []
        for size in reversed(sizes[1:]):
            by = cut(size)
            quotient = self.value(f"udiv {kind} {rest}, {by}")
            whole = self.value(f"mul {kind} {quotient}, {by}")
            found.append(self.value(f"sub {kind} {rest}, {whole}"))
            rest = quotient
        found.append(rest)
        return [self.value(f"zext i32 {i} to i64") if self.shape.narrow else i for i in reversed(found)]

    def offset(self, number: int, indices: Sequence[str], first: int = 0, start: str = "0") -> str:
        """Bytes (of an index value: units) from an access's first element on, by its strides from axis `first` on."""
        for axis, index in enumerate(indices):
            product = self.i64("mul", index, f"%s{number}.{first + axis}")
            start = self.i64("add", start, product)
        return start

    def load(self, number: int, offset: str) -> str:
        dtype = self.program.loads[number]
        where = self.value(f"getelementptr i8, {GLOBAL} %base{number}, i64 {offset}")
        stored = self.value(f"load {self.memory_type(dtype)}, {GLOBAL} {where}")
        return self.value(f"icmp ne i8 {stored}, 0") if dtype == "bool" else stored

    def store(self, number: int, value: int, register: str, offset: str) -> None:
        dtype = value_dtype(self.program, value)
        where = self.value(f"getelementptr i8, {GLOBAL} %base{number}, i64 {offset}")
        if dtype == "bool":
            register = self.value(f"zext i1 {register} to i8")
        self.emit(f"store {self.memory_type(dtype)} {register}, {GLOBAL} {where}")

    def counted(self, number: int, indices: Sequence[str], first: int = 0, start: str = "0") -> str:
        return self.offset(number, indices, first, self.i64("add", f"%base{number}", start))
