"""LLVM text for a fused program as a GPU kernel: its instructions are those of exec/map_code.py, unchanged, so that a
map gives the CPU's bits; what differs is the loop around them.

Everything that a run may change comes as a parameter: addresses, sizes, strides, constants. So one kernel serves all
maps of a program with as many axes, once those of size 1 are dropped and neighbours merged (maps.py).

Elements (no reduction): each thread takes UNROLLED elements, a block's width apart. It loads all of them before it
stores any, which keeps several loads in flight; positions behind the end load the last element and store nothing.

Rows (with a reduction): a block's threads are (row, lane). A lane combines every lanes-th element of its row, the
lanes' results are combined in shared memory, lower half with upper half, and lane 0 evaluates the row's values. If
there are few rows, each is cut into segments (grid.y), whose results go to memory as partial results; a second kernel
combines those. All depends on sizes alone, so a run repeats to the bit; sums of floats are in another order than the
CPU's.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.exec.cuda.ptx import ATTRIBUTES, DECLARATIONS
from graphc.exec.map_code import LLVM_TYPES, MapWriter, value_dtype
from graphc.plan.plan import Program

THREADS = 256              # of a block
UNROLLED, LONG = 4, 24     # a program of more than LONG instructions takes one element a thread, ...
# ... and so does one with a function that has hundreds of instructions itself: it waits for no memory.
LONG_FUNCTIONS = frozenset(("philox", "philox_bits", "igamma", "igammac", "igamma_grad_a", "betainc", "zeta", "polygamma",
                            "lgamma", "digamma", "erfc", "bessel_i0e", "bessel_i1e"))
GLOBAL = "ptr addrspace(1)"
_IDENTITIES = {"add": ("0.0", "0"), "mul": ("1.0", "1"), "and": ("", "true"), "or": ("", "false")}
_INFINITY = {"max": "0xFFF0000000000000", "min": "0x7FF0000000000000"}


@dataclass(frozen=True)
class Shape:
    """What the text depends on beside the program. outer, inner: axes; inner: -1 without a reduction. narrow: positions
    fit into 32 bits. source, target: "values" of the program, or "partial" results."""

    outer: int
    inner: int = -1
    narrow: bool = True
    source: str = "values"
    target: str = "values"


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


def kernel_text(program: Program, shape: Shape) -> tuple[str, set[str]]:
    """(text that defines the kernel gc_map, names of the primitives that it calls)."""
    writer = KernelWriter(program, shape)
    return writer.kernel(), writer.primitives


def unrolled(program: Program, inner: int = -1) -> int:
    """Elements that a thread takes at once; inner: the axes of its rows, -1: none."""
    short = len(program.instrs) <= LONG and not any(i.op in LONG_FUNCTIONS for i in program.instrs)
    return 1 if not short else 2 * UNROLLED if inner == 1 else UNROLLED


class KernelWriter(MapWriter):
    """Parameters in order: sizes (see maps.py), accesses (address, strides of the axes), constants."""

    def __init__(self, program: Program, shape: Shape) -> None:
        super().__init__(program, frozenset())
        self.shape, self.parts = shape, parts_of(program)
        self.parameters: list[str] = []
        self.access_of = {value: number for number, value in self.parts.counts}
        self.constants_used = [len(program.loads) + k for k, i in enumerate(program.instrs) if i.op == "const" and
                               len(program.loads) + k in self.parts.element_values | self.parts.row_values]
        self.text: list[str] = []          # of functions that are complete
        self.fresh = 0

    def kernel(self) -> str:
        rows = self.shape.inner >= 0
        if self.parts.element_values and self.shape.source == "values":
            results = [v for _, v in self.parts.element_stores] + [
                self.program.instrs[r - len(self.program.loads)].args[0] for r in self.parts.reduces]
            self.function("gc_element", self.parts.element_values, results, ())
        if self.parts.row_stores and self.shape.target == "values":
            self.function("gc_row", self.parts.row_values, [v for _, v in self.parts.row_stores], self.parts.reduces)
        if rows:
            self.row_kernel()
        else:
            self.element_kernel()
        bounds = f'"nvvm.maxntid"="{THREADS}"'
        head = f"define ptx_kernel void @gc_map({', '.join(self.parameters)}) {bounds} {{\nentry:\n"
        return "".join([DECLARATIONS, *self.text, head, *(f"{line}\n" for line in self.lines), "}\n", ATTRIBUTES])

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

    def new(self) -> str:
        self.fresh += 1
        return f"%t{self.fresh}"

    def value(self, expression: str) -> str:
        """A new register that holds it."""
        made = self.new()
        self.emit(f"{made} = {expression}")
        return made

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def special(self, name: str, wide: bool = True) -> str:
        found = self.value(f"call i32 @llvm.nvvm.read.ptx.sreg.{name}()")
        return self.value(f"zext i32 {found} to i64") if wide else found

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
            product = self.value(f"mul i64 {index}, %s{number}.{first + axis}")
            start = self.value(f"add i64 {start}, {product}")
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
        return self.offset(number, indices, first, self.value(f"add i64 %base{number}, {start}"))

    # A thread takes elements

    def element_kernel(self) -> None:
        sizes = [self.parameter("i64", f"size{k}") for k in range(self.shape.outer)]
        count = self.parameter("i64", "count")
        stores = self.parts.element_stores
        self.access_parameters(self.parts.element_loads, [n for n, _ in stores], len(sizes))
        width = unrolled(self.program)
        thread, block = self.special("tid.x"), self.special("ctaid.x")
        first = self.value(f"mul i64 {block}, {THREADS * width}")
        first = self.value(f"add i64 {first}, {thread}")
        some = self.value(f"icmp slt i64 {first}, {count}")
        self.emit(f"br i1 {some}, label %go, label %done")
        self.label("go")
        rows = []
        for u in range(width):
            position = self.value(f"add i64 {first}, {THREADS * u}") if u else first
            inside = self.value(f"icmp slt i64 {position}, {count}")
            indices = self.indices(self.value(f"select i1 {inside}, i64 {position}, i64 {first}"), sizes)
            known = {n: self.load(n, self.offset(n, indices)) for n in self.parts.element_loads}
            rows.append((inside, indices, known))
        for u, (inside, indices, known) in enumerate(rows):
            offsets = {n: self.counted(n, indices) for n, _ in self.parts.counts}
            results = [v for _, v in stores]
            made = self.call("gc_element", self.parts.element_values, results, known, offsets)
            self.emit(f"br i1 {inside}, label %store{u}, label %next{u}")
            self.label(f"store{u}")
            for (number, value), register in zip(stores, made, strict=True):
                self.store(number, value, register, self.offset(number, indices))
            self.emit(f"br label %next{u}")
            self.label(f"next{u}")
        self.emit("br label %done")
        self.label("done")
        self.emit("ret void")

    # A block takes rows

    def reduction(self, number: int) -> tuple[str, str, str]:
        """(binary operation, dtype, identity) of a reducing instruction."""
        instr = self.program.instrs[number - len(self.program.loads)]
        operation, dtype = instr.op.removeprefix("reduce."), instr.dtype
        kind = LLVM_TYPES[dtype]
        floating = kind in ("float", "double")
        if operation in _INFINITY:
            bits = 0 if floating else int(kind[1:])
            lowest = str(-(1 << bits - 1)) if bits else ""
            highest = str((1 << bits - 1) - 1) if bits else ""
            return operation, dtype, _INFINITY[operation] if floating else lowest if operation == "max" else highest
        return operation, dtype, _IDENTITIES[operation][0 if floating else 1]

    def combine(self, number: int, a: str, b: str) -> str:
        operation, dtype, _ = self.reduction(number)
        name, kind = f"{operation}.{dtype}.{dtype}", LLVM_TYPES[dtype]
        self.primitives.add(name)
        return self.value(f"call {kind} @gc_scalar.{name}({kind} {a}, {kind} {b})")

    def row_kernel(self) -> None:
        outer = [self.parameter("i64", f"size{k}") for k in range(self.shape.outer)]
        inner = [self.parameter("i64", f"inner{k}") for k in range(self.shape.inner)]
        for name in ("rows", "cols", "segment", "lanes", "block.rows", "lanes.first"):
            self.parameter("i64", name)
        partial = {r: self.parameter(GLOBAL, f"partial{r}") for r in self.parts.reduces
                   } if "partial" in (self.shape.source, self.shape.target) else {}
        from_values, to_values = self.shape.source == "values", self.shape.target == "values"
        loads = {*(self.parts.element_loads if from_values else ()), *(self.parts.row_loads if to_values else ())}
        stores = [n for n, _ in (*(self.parts.element_stores if from_values else ()),
                                 *(self.parts.row_stores if to_values else ()))]
        self.access_parameters(sorted(loads), stores, len(outer) + len(inner))
        row, lane, slot = self.places()
        valid = self.value(f"icmp slt i64 {row}, %rows")
        there = self.value(f"select i1 {valid}, i64 {row}, i64 0")
        outer_indices = self.indices(there, outer)
        block = self.special("ctaid.y")
        begin = self.value(f"mul i64 {block}, %segment")
        end = self.value(f"add i64 {begin}, %segment")
        less = self.value(f"icmp slt i64 {end}, %cols")
        end = self.value(f"select i1 {less}, i64 {end}, i64 %cols")
        end = self.value(f"select i1 {valid}, i64 {end}, i64 0")
        first = self.value(f"add i64 {begin}, {lane}")
        sums = self.row_loop(first, end, there, outer_indices, len(outer), inner, partial)
        totals = self.across(sums, lane, slot)
        leads = self.value(f"icmp eq i64 {lane}, 0")
        writes = self.value(f"and i1 {leads}, {valid}")
        self.emit(f"br i1 {writes}, label %write, label %end")
        self.label("write")
        if to_values:
            self.row_values(totals, outer_indices)
        else:
            segments = self.special("nctaid.y")
            at = self.value(f"mul i64 {row}, {segments}")
            at = self.value(f"add i64 {at}, {block}")
            for number, total in totals.items():
                self.partial_store(number, partial[number], at, total)
        self.emit("br label %end")
        self.label("end")
        self.emit("ret void")

    def places(self) -> tuple[str, str, str]:
        """(row, lane, slot in shared memory) of this thread. lanes.first: neighbours are lanes of a row, else rows."""
        thread, block = self.special("tid.x"), self.special("ctaid.x")
        by_lane = self.value("icmp ne i64 %lanes.first, 0")
        by = self.value(f"select i1 {by_lane}, i64 %lanes, i64 %block.rows")
        low = self.value(f"urem i64 {thread}, {by}")
        high = self.value(f"udiv i64 {thread}, {by}")
        lane = self.value(f"select i1 {by_lane}, i64 {low}, i64 {high}")
        inside = self.value(f"select i1 {by_lane}, i64 {high}, i64 {low}")
        start = self.value(f"mul i64 {block}, %block.rows")
        slot = self.value(f"mul i64 {lane}, %block.rows")
        return self.value(f"add i64 {start}, {inside}"), lane, self.value(f"add i64 {slot}, {inside}")

    def row_loop(self, first: str, end: str, row: str, outer: Sequence[str], axes: int, inner: Sequence[str],
                 partial: dict[int, str]) -> dict[int, str]:
        """What this thread's elements give, by reducing instruction. The sums of neighbours are apart."""
        from_values = self.shape.source == "values"
        width = unrolled(self.program, self.shape.inner) if from_values else 1
        stores = self.parts.element_stores if from_values else ()
        used = [*self.parts.element_loads, *(n for n, _ in stores)] if from_values else []
        starts = {n: self.offset(n, outer) for n in used}
        starts.update((n, self.counted(n, outer)) for n, _ in self.parts.counts)
        apart = {n: self.value(f"mul i64 %lanes, %s{n}.{axes}") for n in starts} if len(inner) == 1 else {}
        step = self.value(f"mul i64 %lanes, {width}")
        self.emit("br label %before")
        self.label("before")
        self.emit("br label %test")
        self.label("test")
        self.emit(f"%at = phi i64 [ {first}, %before ], [ %at.next, %again ]")
        names = {(r, u): f"%sum{r}.{u}" for r in self.parts.reduces for u in range(width)}
        for (r, _), name in names.items():
            _, dtype, identity = self.reduction(r)
            self.emit(f"{name} = phi {LLVM_TYPES[dtype]} [ {identity}, %before ], [ {name}.next, %again ]")
        more = self.value(f"icmp slt i64 %at, {end}")
        self.emit(f"br i1 {more}, label %body, label %done")
        self.label("body")
        heads = {n: self.offset(n, ["%at"], axes, start) for n, start in starts.items()} if len(inner) == 1 else {}
        taken = []
        for u in range(width):
            position = self.value(f"add i64 %at, {self.value(f'mul i64 %lanes, {u}')}")
            inside = self.value(f"icmp slt i64 {position}, {end}")
            if heads:
                offsets = {n: self.further(head, apart[n], u, inside) for n, head in heads.items()}
            else:
                indices = self.indices(self.value(f"select i1 {inside}, i64 {position}, i64 %at"), inner)
                offsets = {n: self.offset(n, indices, axes, start) for n, start in starts.items()}
            loaded = {n: self.load(n, offsets[n]) for n in self.parts.element_loads if n in offsets}
            taken.append((inside, offsets, loaded))
        for u, (inside, offsets, loaded) in enumerate(taken):
            if from_values:
                results = [v for _, v in stores] + [
                    self.program.instrs[r - len(self.program.loads)].args[0] for r in self.parts.reduces]
                made = self.call("gc_element", self.parts.element_values, results, loaded, offsets)
                values = dict(zip(self.parts.reduces, made[len(stores):], strict=True))
            else:
                at = self.value(f"add i64 {self.value(f'mul i64 {row}, %cols')}, %at")
                made, values = [], {r: self.partial_load(r, partial[r], at) for r in self.parts.reduces}
            for r, found in values.items():
                kind = LLVM_TYPES[self.reduction(r)[1]]
                joined = self.combine(r, names[r, u], found)
                self.emit(f"{names[r, u]}.next = select i1 {inside}, {kind} {joined}, {kind} {names[r, u]}")
            if stores:
                self.emit(f"br i1 {inside}, label %store{u}, label %next{u}")
                self.label(f"store{u}")
                for (number, value), register in zip(stores, made, strict=False):
                    self.store(number, value, register, offsets[number])
                self.emit(f"br label %next{u}")
                self.label(f"next{u}")
        self.emit("br label %again")
        self.label("again")
        self.emit(f"%at.next = add i64 %at, {step}")
        self.emit("br label %test")
        self.label("done")
        return {r: self.joined(r, [names[r, u] for u in range(width)]) for r in self.parts.reduces}

    def further(self, head: str, apart: str, count: int, inside: str) -> str:
        """The offset `count` lanes' widths further, the first one if that is outside."""
        if not count:
            return head
        there = self.value(f"add i64 {head}, {self.value(f'mul i64 {apart}, {count}')}")
        return self.value(f"select i1 {inside}, i64 {there}, i64 {head}")

    def joined(self, number: int, registers: Sequence[str]) -> str:
        while len(registers) > 1:
            half = len(registers) // 2
            registers = [self.combine(number, a, b) for a, b in zip(registers[:half], registers[half:], strict=True)]
        return registers[0]

    def across(self, sums: dict[int, str], lane: str, slot: str) -> dict[int, str]:
        """The lanes' results combined, for lane 0: halves, in shared memory."""
        barrier = "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)"
        where = {}
        for r, register in sums.items():
            dtype = self.reduction(r)[1]
            kind = self.memory_type(dtype)
            self.text.append(f"@shared{r} = internal addrspace(3) global [{THREADS} x {kind}] undef, align 16\n")
            where[r] = self.shared_store(r, slot, register)
        half = self.value("lshr i64 %lanes, 1")
        self.emit("br label %halves")
        self.label("halves")
        self.emit(f"%half = phi i64 [ {half}, %done ], [ %half.next, %halved ]")
        self.emit(barrier)
        some = self.value("icmp sgt i64 %half, 0")
        self.emit(f"br i1 {some}, label %halving, label %whole")
        self.label("halving")
        low = self.value(f"icmp slt i64 {lane}, %half")
        self.emit(f"br i1 {low}, label %join, label %halved")
        self.label("join")
        far = self.value("mul i64 %half, %block.rows")
        other = self.value(f"add i64 {slot}, {far}")
        for r in sums:
            self.shared_store(r, slot, self.combine(r, self.shared_load(r, slot), self.shared_load(r, other)))
        self.emit("br label %halved")
        self.label("halved")
        self.emit("%half.next = lshr i64 %half, 1")
        self.emit("br label %halves")
        self.label("whole")
        return {r: self.shared_load(r, slot) for r in sums}

    def shared_place(self, number: int, slot: str) -> str:
        kind = self.memory_type(self.reduction(number)[1])
        return self.value(f"getelementptr {kind}, ptr addrspace(3) @shared{number}, i64 {slot}")

    def shared_store(self, number: int, slot: str, register: str) -> str:
        dtype, where = self.reduction(number)[1], self.shared_place(number, slot)
        if dtype == "bool":
            register = self.value(f"zext i1 {register} to i8")
        self.emit(f"store {self.memory_type(dtype)} {register}, ptr addrspace(3) {where}")
        return where

    def shared_load(self, number: int, slot: str) -> str:
        dtype, where = self.reduction(number)[1], self.shared_place(number, slot)
        found = self.value(f"load {self.memory_type(dtype)}, ptr addrspace(3) {where}")
        return self.value(f"icmp ne i8 {found}, 0") if dtype == "bool" else found

    def partial_load(self, number: int, base: str, at: str) -> str:
        dtype = self.reduction(number)[1]
        where = self.value(f"getelementptr {self.memory_type(dtype)}, {GLOBAL} {base}, i64 {at}")
        found = self.value(f"load {self.memory_type(dtype)}, {GLOBAL} {where}")
        return self.value(f"icmp ne i8 {found}, 0") if dtype == "bool" else found

    def partial_store(self, number: int, base: str, at: str, register: str) -> None:
        dtype = self.reduction(number)[1]
        where = self.value(f"getelementptr {self.memory_type(dtype)}, {GLOBAL} {base}, i64 {at}")
        if dtype == "bool":
            register = self.value(f"zext i1 {register} to i8")
        self.emit(f"store {self.memory_type(dtype)} {register}, {GLOBAL} {where}")

    def row_values(self, totals: dict[int, str], outer: Sequence[str]) -> None:
        stores = self.parts.row_stores
        known = {n: self.load(n, self.offset(n, outer)) for n in self.parts.row_loads}
        known.update((r, total) for r, total in totals.items() if r in self.parts.row_values)
        offsets = {n: self.counted(n, outer) for n, _ in self.parts.counts}
        given = [r for r in self.parts.reduces if r in self.parts.row_values]
        made = self.call("gc_row", self.parts.row_values, [v for _, v in stores], known, offsets, given)
        for (number, value), register in zip(stores, made, strict=True):
            self.store(number, value, register, self.offset(number, outer))
