"""A map with a reduction as a GPU kernel.

A block's threads are (row, lane). A lane combines every lanes-th element of its row, the lanes' results are combined in
shared memory, lower half with upper half, and lane 0 evaluates the row's values. If there are few rows, each is cut
into segments (grid.y), whose results go to memory as partial results; a second kernel combines those. All depends on
sizes and strides alone, so a run repeats to the bit; sums of floats are in another order than the CPU's.

Parameters in order: sizes of the rows' axes, of the reduced axes, numbers (NUMBERS), addresses of partial results,
accesses (address, strides of the axes), constants.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.exec.cuda.code.programs import GLOBAL, THREADS, KernelWriter, unrolled
from graphc.exec.map_code import LLVM_TYPES

# lanes.first: neighbouring threads are lanes of a row, else rows.
NUMBERS = ("rows", "cols", "segment", "lanes", "block.rows", "lanes.first")
_IDENTITIES = {"add": ("0.0", "0"), "mul": ("1.0", "1"), "and": ("", "true"), "or": ("", "false")}
_INFINITY = {"max": "0xFFF0000000000000", "min": "0x7FF0000000000000"}


class RowWriter(KernelWriter):
    """See the header."""

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

    def functions(self) -> None:
        if self.shape.source == "values":
            results = [v for _, v in self.parts.element_stores] + self.reduced()
            self.function("gc_element", self.parts.element_values, results, ())
        if self.shape.target == "values" and self.parts.row_stores:
            self.function("gc_row", self.parts.row_values, [v for _, v in self.parts.row_stores], self.parts.reduces)

    def body(self) -> None:
        outer = [self.parameter("i64", f"size{k}") for k in range(self.shape.outer)]
        inner = [self.parameter("i64", f"inner{k}") for k in range(self.shape.inner)]
        for name in NUMBERS:
            self.parameter("i64", name)
        partial = {r: self.parameter(GLOBAL, f"partial{r}") for r in self.parts.reduces
                   } if "partial" in (self.shape.source, self.shape.target) else {}
        from_values, to_values = self.shape.source == "values", self.shape.target == "values"
        loads = {*(self.parts.element_loads if from_values else ()), *(self.parts.row_loads if to_values else ())}
        stores = [n for n, _ in (*(self.parts.element_stores if from_values else ()),
                                 *(self.parts.row_stores if to_values else ()))]
        self.access_parameters(sorted(loads), stores, len(outer) + len(inner))
        row, lane, slot = self.places()
        valid = self.less(row, "%rows")
        there = self.chosen(valid, row, 0)
        outer_indices = self.indices(there, outer)
        block = self.special("ctaid.y")
        begin = self.i64("mul", block, "%segment")
        end = self.i64("add", begin, "%segment")
        less = self.less(end, "%cols")
        end = self.chosen(less, end, "%cols")
        end = self.chosen(valid, end, 0)
        first = self.i64("add", begin, lane)
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
            at = self.i64("mul", row, segments)
            at = self.i64("add", at, block)
            for number, total in totals.items():
                self.partial_store(number, partial[number], at, total)
        self.emit("br label %end")
        self.label("end")
        self.emit("ret void")

    def places(self) -> tuple[str, str, str]:
        """(row, lane, slot in shared memory) of this thread. lanes.first: neighbours are lanes of a row, else rows."""
        thread, block = self.special("tid.x"), self.special("ctaid.x")
        by_lane = self.value("icmp ne i64 %lanes.first, 0")
        by = self.chosen(by_lane, "%lanes", "%block.rows")
        low = self.i64("urem", thread, by)
        high = self.i64("udiv", thread, by)
        lane = self.chosen(by_lane, low, high)
        inside = self.chosen(by_lane, high, low)
        start = self.i64("mul", block, "%block.rows")
        slot = self.i64("mul", lane, "%block.rows")
        return self.i64("add", start, inside), lane, self.i64("add", slot, inside)

    def row_loop(self, first: str, end: str, row: str, outer: Sequence[str], axes: int, inner: Sequence[str],
                 partial: dict[int, str]) -> dict[int, str]:
        """What this thread's elements give, by reducing instruction. The sums of neighbours are apart."""
        from_values = self.shape.source == "values"
        width = unrolled(self.program, self.shape.inner) if from_values else 1
        stores = self.parts.element_stores if from_values else ()
        used = [*self.parts.element_loads, *(n for n, _ in stores)] if from_values else []
        starts = {n: self.offset(n, outer) for n in used}
        starts.update((n, self.counted(n, outer)) for n, _ in self.parts.counts)
        apart = {n: self.i64("mul", "%lanes", f"%s{n}.{axes}") for n in starts} if len(inner) == 1 else {}
        step = self.i64("mul", "%lanes", width)
        self.emit("br label %before")
        self.label("before")
        self.emit("br label %test")
        self.label("test")
        self.emit(f"%at = phi i64 [ {first}, %before ], [ %at.next, %again ]")
        names = {(r, u): f"%sum{r}.{u}" for r in self.parts.reduces for u in range(width)}
        for (r, _), name in names.items():
            _, dtype, identity = self.reduction(r)
            self.emit(f"{name} = phi {LLVM_TYPES[dtype]} [ {identity}, %before ], [ {name}.next, %again ]")
        more = self.less("%at", end)
        self.emit(f"br i1 {more}, label %body, label %done")
        self.label("body")
        heads = {n: self.offset(n, ["%at"], axes, start) for n, start in starts.items()} if len(inner) == 1 else {}
        taken = []
        for u in range(width):
            position = self.i64("add", "%at", self.i64("mul", "%lanes", u))
            inside = self.less(position, end)
            if heads:
                offsets = {n: self.further(head, apart[n], u, inside) for n, head in heads.items()}
            else:
                indices = self.indices(self.chosen(inside, position, "%at"), inner)
                offsets = {n: self.offset(n, indices, axes, start) for n, start in starts.items()}
            loaded = {n: self.load(n, offsets[n]) for n in self.parts.element_loads if n in offsets}
            taken.append((inside, offsets, loaded))
        for u, (inside, offsets, loaded) in enumerate(taken):
            if from_values:
                results = [v for _, v in stores] + self.reduced()
                made = self.call("gc_element", self.parts.element_values, results, loaded, offsets)
                values = dict(zip(self.parts.reduces, made[len(stores):], strict=True))
            else:
                at = self.i64("add", self.i64("mul", row, "%cols"), "%at")
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
        there = self.i64("add", head, self.i64("mul", apart, count))
        return self.chosen(inside, there, head)

    def joined(self, number: int, registers: Sequence[str]) -> str:
        while len(registers) > 1:
            half = len(registers) // 2
            registers = [self.combine(number, a, b) for a, b in zip(registers[:half], registers[half:], strict=True)]
        return registers[0]

    def across(self, sums: dict[int, str], lane: str, slot: str) -> dict[int, str]:
        """The lanes' results combined, for lane 0: halves, in shared memory."""
        where = {}
        for r, register in sums.items():
            dtype = self.reduction(r)[1]
            kind = self.memory_type(dtype)
            self.text.append(f"@shared{r} = internal addrspace(3) global [{THREADS} x {kind}] undef, align 16\n")
            where[r] = self.shared_store(r, slot, register)
        half = self.i64("lshr", "%lanes", 1)
        self.emit("br label %halves")
        self.label("halves")
        self.emit(f"%half = phi i64 [ {half}, %done ], [ %half.next, %halved ]")
        self.barrier()
        some = self.value("icmp sgt i64 %half, 0")
        self.emit(f"br i1 {some}, label %halving, label %whole")
        self.label("halving")
        low = self.less(lane, "%half")
        self.emit(f"br i1 {low}, label %join, label %halved")
        self.label("join")
        far = self.i64("mul", "%half", "%block.rows")
        other = self.i64("add", slot, far)
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
