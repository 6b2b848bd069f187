"""Machine code for a map on the CPU, as LLVM text: for each pass of a bound map (kernels/runtime/map_words.py) a
function that takes the place of its list of primitives.

The evaluator fetches a chunk's operands, has one primitive after the other work on all of the chunk, and puts the
results. A pass's code does what is between: it finds the operands where the evaluator's pointers say, and leaves the
values that are stored or reduced where they say; the others stay in registers of the processor. So it serves all sizes,
strides and addresses, reads constants from the program in the image, and gives the evaluator's bits.

A pass is one loop over the elements of a chunk, or several: exp, tanh and their like take all registers for their
constants, so a loop has one of them at most. What a loop leaves for a later one goes through `room`, some of the map's
scratch. Results are written where nothing is read any more: they may lie in an operand's memory.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from graphc.exec.map_code import LLVM_TYPES, NO_PRIMITIVE, ProgramWriter, value_dtype
from graphc.kernels.layout import INSTR_WORDS
from graphc.kernels.runtime import map_words as m
from graphc.plan.plan import Instr, Program

BOUNDS = {"max": "ogt", "min": "olt"}  # how LLVM compares for a bound on what may be NaN
NUMBER_BOUND, ZERO_BOUND, UNKNOWN_BOUND = range(3)
FLOATS = ("float", "double")
CONST_WORD = 6             # of an instruction: a constant's bits (exec/image.py)
POLYNOMIALS = frozenset((
    "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "erf", "erfinv", "sin", "cos", "tan", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "pow", "philox", "philox_bits"))
ARGUMENTS = "i64 %out, i64 %pointers, i64 %count, i64 %room, i64 %position"
INTERLEAVED = 24           # values of a loop of which LLVM takes four vectors at a time; of more, two


def kind_of_bound(value: float) -> int:
    """What stands for a constant in a form: of NaN and -0.0 code knows nothing."""
    if value == 0:
        return ZERO_BOUND if math.copysign(1, value) > 0 else UNKNOWN_BOUND
    return NUMBER_BOUND if value == value else UNKNOWN_BOUND


@dataclass(frozen=True)
class Form:
    """What a map's code depends on. still: loads that stay at one element as long as a chunk lasts."""

    program: Program
    still: frozenset[int] = frozenset()

    @cached_property
    def reduced(self) -> bool:
        return bool(row_values(self.program))


@dataclass(frozen=True)
class Loop:
    """Values by their numbers: computed here, in order; then stored as results of the pass."""

    computed: tuple[int, ...]
    results: tuple[int, ...]


@dataclass(frozen=True)
class Pass:
    """One pass of a form, cut into loops. spills: where in `room` a value waits for a later loop."""

    form: Form
    number: int
    loops: tuple[Loop, ...]
    spills: dict[int, int]

    @cached_property
    def pays(self) -> bool:
        """Whether code saves anything: there is more than one primitive, and not just one polynomial a loop."""
        primitives, loops = sum(len(loop.computed) for loop in self.loops), len(self.loops)
        return primitives > 1 and (loops == 1 or primitives >= 2 * loops)

    @property
    def registers(self) -> int:
        """How many registers of `room` it takes."""
        return max(self.spills.values(), default=-1) + 1


def passes_of(form: Form) -> tuple[Pass, Pass]:
    program, loads = form.program, len(form.program.loads)
    rows = row_values(program)
    reduces = {v for v in rows if program.instrs[v - loads].op.startswith("reduce.")}
    stores = set(program.stores)
    reduced = {program.instrs[v - loads].args[0] for v in reduces & _needed(program, stores & rows, set())}
    return (_pass(form, 0, (stores - rows) | reduced, set()),
            _pass(form, 1, stores & rows, reduces))


def row_values(program: Program) -> set[int]:
    """Values that depend on a reduction."""
    loads, rows = len(program.loads), set[int]()
    for k, instr in enumerate(program.instrs):
        if instr.op.startswith("reduce.") or any(a in rows for a in instr.args):
            rows.add(loads + k)
    return rows


def _needed(program: Program, roots: set[int], given: set[int]) -> set[int]:
    found, loads = set(roots), len(program.loads)
    for number in range(loads + len(program.instrs) - 1, loads - 1, -1):
        if number in found and number not in given:
            found.update(program.instrs[number - loads].args)
    return found


def _pass(form: Form, number: int, roots: set[int], given: set[int]) -> Pass:
    """given: values that are there already, as loads are."""
    program, loads = form.program, len(form.program.loads)

    def op(value: int) -> str:
        return program.instrs[value - loads].op

    needed = sorted(_needed(program, roots, given))
    computed = [v for v in needed if v >= loads and v not in given and op(v) not in NO_PRIMITIVE]
    parts: list[list[int]] = [[]]
    for v in computed:
        if op(v) in POLYNOMIALS and any(op(other) in POLYNOMIALS for other in parts[-1]):
            parts.append([])
        parts[-1].append(v)
    loop_of = {v: k for k, part in enumerate(parts) for v in part}
    last_read = max((loop_of[v] for v in computed for a in program.instrs[v - loads].args if a not in loop_of),
                    default=0)
    stored_in = {v: max(loop_of[v], last_read) for v in sorted(roots) if v in loop_of}
    last_use = dict(stored_in)
    for v in computed:
        for a in program.instrs[v - loads].args:
            last_use[a] = max(last_use.get(a, 0), loop_of[v])
    loops = tuple(Loop(tuple(part), tuple(v for v, k in stored_in.items() if k == number_of_loop))
                  for number_of_loop, part in enumerate(parts))
    return Pass(form, number, loops, _spills(computed, loop_of, last_use))


def _spills(computed: list[int], loop_of: dict[int, int], last_use: dict[int, int]) -> dict[int, int]:
    """A register of room for each value that a later loop reads; it is free again after the last of them."""
    spills: dict[int, int] = {}
    free_from: list[int] = []
    for v in computed:
        if last_use.get(v, 0) > loop_of[v]:
            register = next((r for r, loop in enumerate(free_from) if loop < loop_of[v]), len(free_from))
            free_from[register:register + 1] = [last_use[v]]
            spills[v] = register
    return spills


def pass_text(made: Pass, name: str) -> tuple[str, set[str]]:
    """(text that defines the function `name`, names of the primitives that it calls)."""
    calls, functions, primitives = [], list[str](), set[str]()
    for k, loop in enumerate(made.loops):
        writer = LoopWriter(made, loop)
        # Numbers of metadata, which belong to the module: four a loop.
        functions.append(writer.write(f"{name}.{k}", 4 * (2 * k + made.number)))
        primitives |= writer.primitives
        calls.append(f"  call void @{name}.{k}({ARGUMENTS})\n")
    return "".join([*functions, f"define void @{name}({ARGUMENTS}) {{\n", *calls, "  ret void\n}\n"]), primitives


class LoopWriter(ProgramWriter):
    """The function of one loop."""

    def __init__(self, made: Pass, loop: Loop) -> None:
        super().__init__(made.form.program)
        self.made, self.loop = made, loop
        read = {a for v in loop.computed for a in self.program.instrs[v - len(self.program.loads)].args}
        self.read = sorted((read | set(loop.results)) - set(loop.computed))
        self.access = ""

    def write(self, name: str, number: int) -> str:
        """number: of the first of four metadata."""
        group, tag, parallel, interleave = (f"!{number + k}" for k in range(4))
        self.access = f"!llvm.access.group {group}"
        self.enter()
        self.body(tag)
        values = len(self.read) + len(self.loop.computed)
        return "\n".join([
            f"define internal void @{name}({ARGUMENTS}) {{", "entry:", *self.lines, "done:", "  ret void", "}",
            f"{group} = distinct !{{}}", f"{tag} = distinct !{{{tag}, {parallel}, {interleave}}}",
            f'{parallel} = !{{!"llvm.loop.parallel_accesses", {group}}}',
            f'{interleave} = !{{!"llvm.loop.interleave.count", i32 {4 if values <= INTERLEAVED else 2}}}', ""])

    def enter(self) -> None:
        """Where everything lies; constants and loads that stay are read."""
        self.emit("%o = inttoptr i64 %out to ptr")
        self.emit("%p = inttoptr i64 %pointers to ptr")
        self.word("slot.bytes", "o", m.SLOT_BYTES)
        self.word("program.address", "o", m.PROGRAM)
        self.emit("%program = inttoptr i64 %program.address to ptr")
        for value in self.read:
            dtype = value_dtype(self.program, value)
            if self.op(value) == "const":
                k = value - len(self.program.loads)
                word = 3 + len(self.program.loads) + INSTR_WORDS * k + CONST_WORD
                self.emit(f"%from{value} = getelementptr i64, ptr %program, i64 {word}")
            elif value in self.made.spills:
                self.spilled(f"from{value}", value)
            elif not self.counted(value):
                self.pointer(f"from{value}", value)
            if self.stays(value):
                self.emit(f"%stored{value} = load {self.memory_type(dtype)}, ptr %from{value}")
                self.as_value(value, dtype)
        for value in self.loop.results:
            self.pointer(f"to{value}", value)
        for value in self.left():
            self.spilled(f"room{value}", value)
        self.emit("br label %loop")

    def body(self, tag: str) -> None:
        self.lines.append("loop:")
        self.emit("%i = phi i64 [ 0, %entry ], [ %i.next, %loop ]")
        for value in self.read:
            if self.counted(value):
                self.count(value)
            elif not self.stays(value):
                self.load(value)
        for value in self.loop.computed:
            self.instruction(value, self.program.instrs[value - len(self.program.loads)], {})
        for value in self.loop.results:
            self.store(value, f"to{value}")
        for value in self.left():
            self.store(value, f"room{value}")
        self.emit("%i.next = add nuw nsw i64 %i, 1")
        self.emit("%again = icmp slt i64 %i.next, %count")
        self.emit(f"br i1 %again, label %loop, label %done, !llvm.loop {tag}")

    def instruction(self, value: int, instr: Instr, access_of: dict[int, int]) -> None:
        if instr.op in BOUNDS and LLVM_TYPES[instr.dtype] in FLOATS and self.bounds(instr.args[1]):
            self.bound(value, instr)
        else:
            super().instruction(value, instr, access_of)

    def bounds(self, value: int) -> bool:
        return self.op(value) == "const" and self.program.instrs[value - len(self.program.loads)].value != UNKNOWN_BOUND

    def bound(self, value: int, instr: Instr) -> None:
        """The greater, or lesser, of a value and a constant, with the primitive's bits (NaN if the value is, the
        constant of equals) in fewer instructions. `maxps y, x` of x86 gives x if that is NaN or equal: nobody need look
        whether the constant is NaN, and only zeros are equal and have other bits; adding 0 makes the one of the
        other."""
        kind, (x, y) = LLVM_TYPES[instr.dtype], instr.args
        zero = self.program.instrs[y - len(self.program.loads)].value == ZERO_BOUND
        chosen = f"%chosen{value}" if zero else f"%v{value}"
        self.emit(f"%beyond{value} = fcmp {BOUNDS[instr.op]} {kind} %v{y}, %v{x}")
        self.emit(f"{chosen} = select i1 %beyond{value}, {kind} %v{y}, {kind} %v{x}")
        if zero:
            self.emit(f"%v{value} = fadd {kind} {chosen}, 0.0")

    def op(self, value: int) -> str:
        loads = len(self.program.loads)
        return self.program.instrs[value - loads].op if value >= loads else "load"

    def stays(self, value: int) -> bool:
        return value in self.made.form.still or self.op(value) == "const"

    def counted(self, value: int) -> bool:
        """Without a reduction elements are taken in order, so that their numbers need no memory."""
        return self.op(value) == "linear" and not self.made.form.reduced

    def left(self) -> list[int]:
        """What is computed here and read in a later loop."""
        return [v for v in self.loop.computed if v in self.made.spills]

    def word(self, name: str, base: str, index: int) -> None:
        """%name = word `index` after pointer %base."""
        self.emit(f"%{name}.at = getelementptr i64, ptr %{base}, i64 {index}")
        self.emit(f"%{name} = load i64, ptr %{name}.at")

    def pointer(self, name: str, value: int) -> None:
        """%name = where the evaluator's pointers say that a value lies."""
        self.word(f"{name}.address", "p", value)
        self.emit(f"%{name} = inttoptr i64 %{name}.address to ptr")

    def spilled(self, name: str, value: int) -> None:
        """%name = where a value lies in room."""
        self.emit(f"%{name}.offset = mul i64 %slot.bytes, {self.made.spills[value]}")
        self.emit(f"%{name}.address = add i64 %room, %{name}.offset")
        self.emit(f"%{name} = inttoptr i64 %{name}.address to ptr")

    def load(self, value: int) -> None:
        dtype = value_dtype(self.program, value)
        kind = self.memory_type(dtype)
        self.emit(f"%at{value} = getelementptr {kind}, ptr %from{value}, i64 %i")
        self.emit(f"%stored{value} = load {kind}, ptr %at{value}, {self.access}")
        self.as_value(value, dtype)

    def count(self, value: int) -> None:
        kind = LLVM_TYPES[value_dtype(self.program, value)]
        self.emit(f"%wide{value} = add i64 %position, %i")
        self.emit(f"%v{value} = {'trunc i64' if kind == 'i32' else 'bitcast i64'} %wide{value} to {kind}")

    def as_value(self, value: int, dtype: str) -> None:
        """%v = what was loaded; booleans are bits in registers and bytes in memory."""
        if dtype == "bool":
            self.emit(f"%v{value} = icmp ne i8 %stored{value}, 0")
        else:
            kind = LLVM_TYPES[dtype]
            self.emit(f"%v{value} = bitcast {kind} %stored{value} to {kind}")

    def store(self, value: int, pointer: str) -> None:
        dtype = value_dtype(self.program, value)
        kind, result = self.memory_type(dtype), f"%v{value}"
        if dtype == "bool":
            self.emit(f"%byte.{pointer} = zext i1 {result} to i8")
            result = f"%byte.{pointer}"
        self.emit(f"%at.{pointer} = getelementptr {kind}, ptr %{pointer}, i64 %i")
        self.emit(f"store {kind} {result}, ptr %at.{pointer}, {self.access}")
