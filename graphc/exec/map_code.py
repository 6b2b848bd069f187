"""LLVM text for a fused program: one loop that computes every value of an element, where the evaluator goes value by
value.

The code reads the record that map_bind made (kernels/runtime/map_words.py), and constants from the program in the
image, so one compilation serves all sizes, strides, addresses and constants. Along the innermost axis a load is either
expected to stay at one element (`still`) or to move by one; a load that moves otherwise is gathered into scratch first,
a store that does is scattered from there, so that there is only the one loop to vectorise. A row that is read again and
again is in scratch as often as it fits there. If a `still` load does move
(its axis has one element), the loop runs element by element.
"""
from __future__ import annotations

from graphc.kernels.contracts.dtypes import DTYPES, HELD
from graphc.kernels.layout import INSTR_WORDS
from graphc.kernels.runtime import map_words as m
from graphc.plan.plan import Instr, Program

LLVM_TYPES = {short: DTYPES[short].llvm for short in HELD}
SIZES = {short: DTYPES[short].size for short in HELD}
HELPERS = """declare i64 @gc_map_offset(i64, i64, i64)
declare void @gc_map_gather(i64, i64, i64, i64, i64)
declare void @gc_map_scatter(i64, i64, i64, i64, i64)
declare void @gc_map_repeat(i64, i64, i64, i64)
"""
HELPER_NAMES = ("gc_map_offset", "gc_map_gather", "gc_map_scatter", "gc_map_repeat")
CONST_WORD = 6             # of an instruction: a constant's bits (exec/image.py)
NO_PRIMITIVE = ("const", "index", "linear")


def value_dtype(program: Program, number: int) -> str:
    loads = len(program.loads)
    return program.loads[number] if number < loads else program.instrs[number - loads].dtype


def primitive_name(program: Program, instr: Instr) -> str:
    return f"{instr.op}.{instr.dtype}.{value_dtype(program, instr.args[0])}"


def is_compilable(program: Program) -> bool:
    """Whether compiling pays: no reductions, and more than one primitive."""
    ops = [i.op for i in program.instrs if i.op not in NO_PRIMITIVE]
    dtypes = {value_dtype(program, v) for v in range(len(program.loads) + len(program.instrs))}
    return len(ops) > 1 and not any(op.startswith("reduce.") for op in ops) and dtypes <= set(LLVM_TYPES)


def needed_values(program: Program) -> set[int]:
    needed, loads = set(program.stores), len(program.loads)
    for number in range(len(program.instrs) - 1, -1, -1):
        if loads + number in needed:
            needed.update(program.instrs[number].args)
    return needed


def map_text(program: Program, still: frozenset[int]) -> tuple[str, set[str]]:
    """(text that defines gc_jit_run and gc_jit_run_range, names of the primitives that it calls)."""
    return MapWriter(program, still).write()


class MapWriter:
    """Accesses are numbered as in the bound record: loads, stores, then index values in order."""

    def __init__(self, program: Program, still: frozenset[int]) -> None:
        self.program, self.still = program, still
        self.lines: list[str] = []
        self.needed = needed_values(program)
        loads, stores = len(program.loads), len(program.stores)
        self.loads = [i for i in range(loads) if i in self.needed]
        self.stores = [(loads + j, value) for j, value in enumerate(program.stores)]
        positions = [loads + i for i, instr in enumerate(program.instrs) if instr.op in ("index", "linear")]
        self.counts = [(loads + stores + k, value) for k, value in enumerate(positions) if value in self.needed]
        self.primitives: set[str] = set()

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def word(self, name: str, base: str, index: int | str) -> None:
        """%name = word `index` behind pointer %base."""
        self.emit(f"%{name}.at = getelementptr i64, ptr %{base}, i64 {index}")
        self.emit(f"%{name} = load i64, ptr %{name}.at")

    def write(self) -> tuple[str, set[str]]:
        arguments = ", ".join(f"i64 %{name}" for name in ("out", "counter", "work", "scratch", "begin", "end"))
        self.lines += [f"define i32 @gc_jit_run_range({arguments}) {{", "entry:"]
        self.enter()
        self.emit("br label %rows")
        self.row()
        self.loop()
        self.leave_row()
        self.lines += ["done:", "  ret i32 0", "}", *_RUN.format(tile=m.TILE_ELEMENTS, total=m.TOTAL).splitlines(),
                       "!0 = distinct !{}", "!1 = distinct !{!1, !2, !3}", '!2 = !{!"llvm.loop.parallel_accesses", !0}',
                       f'!3 = !{{!"llvm.loop.interleave.count", i32 {4 if len(self.needed) <= 24 else 2}}}']
        return "\n".join(self.lines) + "\n", self.primitives

    def enter(self) -> None:
        """Reads the record: sizes, addresses, strides along the innermost axis."""
        self.emit("%o = inttoptr i64 %out to ptr")
        self.word("pass.word", "o", m.PASS_0)
        self.emit("%pass = getelementptr i64, ptr %o, i64 %pass.word")
        self.emit("%pass.address = ptrtoint ptr %pass to i64")
        self.word("rank", "pass", m.P_RANK)
        self.emit("%last = sub i64 %rank, 1")
        self.emit(f"%sizes = getelementptr i64, ptr %pass, i64 {m.P_SIZES}")
        self.word("inner", "sizes", "%last")
        self.word("chunk", "o", m.CHUNK)
        self.word("period", "pass", m.P_PERIOD)
        self.word("span", "pass", m.P_SPAN)
        self.word("slot.bytes", "o", m.SLOT_BYTES)
        self.word("room.bytes", "o", m.ROOM)
        self.emit("%room = add i64 %scratch, %room.bytes")
        limits = []
        for number, size in self.memory_accesses():
            self.access(number)
            self.word(f"base{number}", f"row{number}", m.A_ADDRESS)
            self.word(f"shift{number}", f"row{number}", m.A_OFFSET)
            self.emit(f"%counted{number} = add i64 %counter, %shift{number}")
            self.emit(f"%null{number} = icmp eq i64 %base{number}, 0")
            self.emit(f"%address{number} = select i1 %null{number}, i64 %counted{number}, i64 %base{number}")
            stays = number in self.still
            self.emit(f"%moved{number} = icmp ne i64 %stride{number}, {0 if stays else size}")
            limit = "1" if stays else "%chunk"
            self.emit(f"%limit{number} = select i1 %moved{number}, i64 {limit}, i64 9223372036854775807")
            self.emit(f"%slot{number} = mul i64 %slot.bytes, {number}")
            self.emit(f"%register{number} = add i64 %room, %slot{number}")
            limits.append(f"%limit{number}")
        for number, _ in self.counts:
            self.access(number)
        self.constants()
        self.minimum("most", ["9223372036854775807", *limits])
        self.repeat_rows()

    def repeat_rows(self) -> None:
        """Fills scratch with the rows that repeat; periods of others are 0, divided by as 1."""
        for number in self.loads:
            self.word(f"repeats{number}", f"row{number}", m.A_PERIOD)
            self.emit(f"%once{number} = icmp eq i64 %repeats{number}, 0")
            self.emit(f"%period{number} = select i1 %once{number}, i64 1, i64 %repeats{number}")
        self.emit("%count = sub i64 %end, %begin")
        self.emit("call void @gc_map_repeat(i64 %out, i64 %counter, i64 %scratch, i64 %count)")

    def constants(self) -> None:
        """Constants are read from the program's instructions in the image."""
        loads = len(self.program.loads)
        self.word("program.address", "o", m.PROGRAM)
        self.emit("%program = inttoptr i64 %program.address to ptr")
        for k, instr in enumerate(self.program.instrs):
            if instr.op == "const" and loads + k in self.needed:
                value, word = loads + k, 3 + loads + INSTR_WORDS * k + CONST_WORD
                self.emit(f"%constant{value} = getelementptr i64, ptr %program, i64 {word}")
                self.emit(f"%stored{value} = load {self.memory_type(instr.dtype)}, ptr %constant{value}")
                self.as_value(value, instr.dtype)

    def memory_accesses(self) -> list[tuple[int, int]]:
        """(number, bytes of an element) of the loads and stores that are made."""
        loads = [(i, SIZES[self.program.loads[i]]) for i in self.loads]
        return loads + [(number, SIZES[value_dtype(self.program, value)]) for number, value in self.stores]

    def access(self, number: int) -> None:
        self.emit(f"%row{number} = getelementptr i64, ptr %o, i64 {m.HEADER + m.ACCESS_WORDS * number}")
        self.emit(f"%strides{number} = getelementptr i64, ptr %row{number}, i64 {m.A_STRIDES}")
        self.emit(f"%strides.address{number} = ptrtoint ptr %strides{number} to i64")
        self.word(f"stride{number}", f"strides{number}", "%last")

    def minimum(self, name: str, values: list[str]) -> None:
        current = values[0]
        for k, value in enumerate(values[1:]):
            result = f"%{name}.{k}"
            self.emit(f"{result}.less = icmp slt i64 {value}, {current}")
            self.emit(f"{result} = select i1 {result}.less, i64 {value}, i64 {current}")
            current = result
        self.emit(f"%{name} = add i64 {current}, 0")

    def row(self) -> None:
        """Part of a row of the innermost axis: where each access begins; what has to be gathered is."""
        self.lines.append("rows:")
        self.emit("%p = phi i64 [ %begin, %entry ], [ %next, %row.done ]")
        self.emit("%more = icmp slt i64 %p, %end")
        self.emit("br i1 %more, label %start, label %done")
        self.lines.append("start:")
        self.emit("%inside = urem i64 %p, %inner")
        self.emit("%left = sub i64 %inner, %inside")
        self.emit("%rest = sub i64 %end, %p")
        self.emit("%phase = urem i64 %p, %period")
        self.emit("%repeated = sub i64 %span, %phase")
        self.minimum("run", ["%left", "%rest", "%most", "%repeated"])
        for number in [n for n, _ in self.memory_accesses()] + [n for n, _ in self.counts]:
            strides = f"%strides.address{number}"
            self.emit(f"%offset{number} = call i64 @gc_map_offset(i64 %pass.address, i64 {strides}, i64 %p)")
        for number, size in self.memory_accesses():
            name = f"direct{number}" if number in self.loads else f"where{number}"
            self.emit(f"%{name} = add i64 %address{number}, %offset{number}")
            if number in self.loads:
                self.emit(f"%phase{number} = urem i64 %p, %period{number}")
                self.emit(f"%within{number} = mul i64 %phase{number}, {size}")
                self.emit(f"%copied{number} = add i64 %register{number}, %within{number}")
                self.emit(f"%where{number} = select i1 %once{number}, i64 %direct{number}, i64 %copied{number}")
        block = "start"
        for number in self.loads:
            size, kind = SIZES[self.program.loads[number]], self.memory_type(self.program.loads[number])
            if number in self.still:
                self.emit(f"%p{number} = inttoptr i64 %where{number} to ptr")
                self.emit(f"%stored{number} = load {kind}, ptr %p{number}")
                self.as_value(number, self.program.loads[number])
                continue
            self.emit(f"br i1 %moved{number}, label %gather{number}, label %ready{number}")
            self.lines.append(f"gather{number}:")
            row = f"i64 %stride{number}, i64 {size}, i64 %run"
            self.emit(f"call void @gc_map_gather(i64 %register{number}, i64 %where{number}, {row})")
            self.emit(f"br label %ready{number}")
            self.lines.append(f"ready{number}:")
            self.emit(f"%from{number} = phi i64 [ %where{number}, %{block} ], [ %register{number}, %gather{number} ]")
            self.emit(f"%p{number} = inttoptr i64 %from{number} to ptr")
            block = f"ready{number}"
        for number, _ in self.stores:
            self.emit(f"%to{number} = select i1 %moved{number}, i64 %register{number}, i64 %where{number}")
            self.emit(f"%p{number} = inttoptr i64 %to{number} to ptr")
        self.emit("br label %loop")
        self.before_loop = block

    def memory_type(self, dtype: str) -> str:
        return "i8" if dtype == "bool" else LLVM_TYPES[dtype]

    def as_value(self, number: int, dtype: str) -> None:
        """%v = what was loaded; booleans are bits in registers and bytes in memory."""
        if dtype == "bool":
            self.emit(f"%v{number} = icmp ne i8 %stored{number}, 0")
        else:
            kind = LLVM_TYPES[dtype]
            self.emit(f"%v{number} = bitcast {kind} %stored{number} to {kind}")

    def loop(self) -> None:
        self.lines.append("loop:")
        self.emit(f"%i = phi i64 [ 0, %{self.before_loop} ], [ %i.next, %loop ]")
        for number in self.loads:
            dtype = self.program.loads[number]
            if number not in self.still:
                kind = self.memory_type(dtype)
                self.emit(f"%e{number} = getelementptr {kind}, ptr %p{number}, i64 %i")
                self.emit(f"%stored{number} = load {kind}, ptr %e{number}, !llvm.access.group !0")
                self.as_value(number, dtype)
        loads = len(self.program.loads)
        access_of = {value: number for number, value in self.counts}
        for k, instr in enumerate(self.program.instrs):
            if loads + k in self.needed:
                self.instruction(loads + k, instr, access_of)
        for number, value in self.stores:
            dtype = value_dtype(self.program, value)
            kind, result = self.memory_type(dtype), f"%v{value}"
            if dtype == "bool":
                self.emit(f"%byte{number} = zext i1 {result} to i8")
                result = f"%byte{number}"
            self.emit(f"%e{number} = getelementptr {kind}, ptr %p{number}, i64 %i")
            self.emit(f"store {kind} {result}, ptr %e{number}, !llvm.access.group !0")
        self.emit("%i.next = add nuw nsw i64 %i, 1")
        self.emit("%again = icmp slt i64 %i.next, %run")
        self.emit("br i1 %again, label %loop, label %stored, !llvm.loop !1")

    def instruction(self, value: int, instr: Instr, access_of: dict[int, int]) -> None:
        if instr.op == "const":
            return
        kind = LLVM_TYPES[instr.dtype]
        if instr.op in ("index", "linear"):
            number = access_of[value]
            self.emit(f"%step{value} = mul i64 %i, %stride{number}")
            self.emit(f"%wide{value} = add i64 %offset{number}, %step{value}")
            self.emit(f"%v{value} = {'trunc i64' if kind == 'i32' else 'bitcast i64'} %wide{value} to {kind}")
            return
        name = primitive_name(self.program, instr)
        self.primitives.add(name)
        arguments = ", ".join(f"{LLVM_TYPES[value_dtype(self.program, a)]} %v{a}" for a in instr.args)
        self.emit(f"%v{value} = call {kind} @gc_scalar.{name}({arguments})")

    def leave_row(self) -> None:
        self.lines.append("stored:")
        for number, value in self.stores:
            size = SIZES[value_dtype(self.program, value)]
            self.emit(f"br i1 %moved{number}, label %scatter{number}, label %kept{number}")
            self.lines.append(f"scatter{number}:")
            self.emit(f"call void @gc_map_scatter(i64 %where{number}, i64 %stride{number}, i64 %register{number}, "
                      f"i64 {size}, i64 %run)")
            self.emit(f"br label %kept{number}")
            self.lines.append(f"kept{number}:")
        self.emit("br label %row.done")
        self.lines.append("row.done:")
        self.emit("%next = add i64 %p, %run")
        self.emit("br label %rows")


_RUN = """
define i32 @gc_jit_run(i64 %out, i64 %counter, i64 %work, i64 %scratch, i64 %phase, i64 %tile) {{
  %o = inttoptr i64 %out to ptr
  %each.at = getelementptr i64, ptr %o, i64 {tile}
  %each = load i64, ptr %each.at
  %total.at = getelementptr i64, ptr %o, i64 {total}
  %total = load i64, ptr %total.at
  %begin = mul i64 %tile, %each
  %full = add i64 %begin, %each
  %less = icmp slt i64 %full, %total
  %end = select i1 %less, i64 %full, i64 %total
  %status = call i32 @gc_jit_run_range(i64 %out, i64 %counter, i64 %work, i64 %scratch, i64 %begin, i64 %end)
  ret i32 %status
}}
"""
