"""PTX -> LLVM text for this machine: the code that the stand-in for libcuda runs in place of a GPU's.

A kernel becomes void @name(ptr parameters, ptr thread), which is called once a thread. `thread` is what
standin/launch.h calls Thread. Registers are variables, which LLVM's mem2reg makes registers again. What threads do
together (barriers, shuffles, mma, cp.async) are calls to functions of the stand-in, whose addresses are given. Shared
and local memory have plain addresses behind what `thread` says; global addresses are the host's own, so that guard
pages see every access.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.exec.cuda.tensor_map import BYTES

from ptx.text import DTYPES, TENSOR_MAP, Instruction, Kernel, PtxError

NUMBERS = ("%tid.x", "%ntid.x", "%ctaid.x", "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid",
           "%warpid")
SHARED_AT = 64                         # where in `thread` the address of shared memory stands
FLOATS = {"f16": "half", "f32": "float", "f64": "double"}
HELPERS = ("barrier", "warp", "copy", "copies_commit", "copies_wait", "misaligned", "phase_begin", "phase_arrive",
           "phase_wait", "box", "pixels", "warpgroup")


def bits_of(kind: str) -> int:
    return 1 if kind == "pred" else 32 if kind in ("f16x2", "bf16x2") else 8 * DTYPES[kind].itemsize


def type_of(kind: str) -> str:
    """bf16 is held as its bits."""
    return FLOATS.get(kind) or f"i{bits_of(kind)}"


def register_bits(name: str) -> int:
    return 1 if name.startswith("%p") else {"%rs": 16, "%rd": 64, "%SP": 64}.get(name[:3], 32)


def parameter_bytes(kind: str) -> int:
    return BYTES if kind == TENSOR_MAP else DTYPES[kind.replace("b", "u")].itemsize


class HostWriter:
    """Writes one kernel. helpers: addresses of the stand-in's functions."""

    def __init__(self, name: str, kernel: Kernel, helpers: Mapping[str, int]) -> None:
        self.name, self.kernel, self.helpers = name, kernel, helpers
        self.lines: list[str] = []
        self.registers: set[str] = set()
        self.rooms: list[str] = []
        self.declarations: set[str] = set()
        self.fresh = 0
        self.parameters, at = {}, 0                    # where each begins; each fills whole words
        for parameter, kind in kernel.parameters:
            self.parameters[parameter] = at
            at += -(-parameter_bytes(kind) // 8) * 8

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def value(self, expression: str) -> str:
        self.fresh += 1
        self.emit(f"%t{self.fresh} = {expression}")
        return f"%t{self.fresh}"

    def label(self) -> str:
        self.fresh += 1
        return f"l{self.fresh}"

    def intrinsic(self, name: str, kind: str, *arguments: str, more: str = "") -> str:
        """A call of an LLVM intrinsic whose arguments and result are of one type; more: arguments behind them."""
        kinds = ", ".join([kind] * len(arguments) + (["i1"] if more else []))
        self.declarations.add(f"declare {kind} @{name}({kinds})")
        given = ", ".join([f"{kind} {a}" for a in arguments] + ([more] if more else []))
        return self.value(f"call {kind} @{name}({given})")

    # Operands

    def read(self, operand: str, kind: str) -> str:
        """The operand as a value of type_of(kind)."""
        bits, target = bits_of(kind), type_of(kind)
        if operand in NUMBERS:
            at = self.value(f"getelementptr i32, ptr %thread, i64 {NUMBERS.index(operand)}")
            return self.resized(self.value(f"load i32, ptr {at}"), 32, bits)
        if operand.startswith("%"):
            self.registers.add(operand)
            width = register_bits(operand)
            found = self.resized(self.value(f'load i{width}, ptr %"{operand}"'), width, bits)
            return found if target.startswith("i") else self.value(f"bitcast i{bits} {found} to {target}")
        return self.constant(operand, bits, target)

    def resized(self, value: str, before: int, after: int, signed: bool = False) -> str:
        if before == after:
            return value
        how = "trunc" if before > after else "sext" if signed else "zext"
        return self.value(f"{how} i{before} {value} to i{after}")

    def constant(self, operand: str, bits: int, target: str) -> str:
        if operand in self.kernel.shared:
            return self.value(f"add i64 %shared, {self.kernel.shared[operand]}")
        if operand in self.parameters:
            at = self.value(f"getelementptr i8, ptr %parameters, i64 {self.parameters[operand]}")
            return self.value(f"ptrtoint ptr {at} to i64")
        if operand in self.kernel.local:
            return self.value(f"add i64 %local, {self.kernel.local[operand]}")
        if operand in self.kernel.constants:
            return self.value(f"ptrtoint ptr @{operand} to i64")
        if operand[:2].lower() in ("0f", "0d"):
            number = int(operand[2:], 16)
        else:
            number = int(operand, 0) % (1 << bits)
        if bits == 1:
            return str(number)
        return str(number) if target.startswith("i") else self.value(f"bitcast i{bits} {number} to {target}")

    def write(self, register: str, value: str, kind: str) -> None:
        """A value of type_of(kind); a signed one fills its register with its sign."""
        if register == "_":
            return
        bits, width = bits_of(kind), register_bits(register)
        if not type_of(kind).startswith("i"):
            value = self.value(f"bitcast {type_of(kind)} {value} to i{bits}")
        self.registers.add(register)
        value = self.resized(value, bits, width, signed=kind.startswith("s"))
        self.emit(f'store i{width} {value}, ptr %"{register}"')

    def address(self, operand: str, width: int = 1) -> str:
        """[register or symbol + number] as a pointer. width: bytes, of which it must be a multiple."""
        base, _, offset = operand[1:-1].partition("+")
        found = self.value(f"add i64 {self.read(base.strip(), 'u64')}, {int(offset or 0)}")
        if width > 1:
            low, wrong, right = self.value(f"and i64 {found}, {width - 1}"), self.label(), self.label()
            self.emit(f"br i1 {self.value(f'icmp ne i64 {low}, 0')}, label %{wrong}, label %{right}, !prof !0")
            self.lines.append(f"{wrong}:")
            self.helper("misaligned", "void", f"i64 {found}", f"i64 {width}")
            self.emit("unreachable")
            self.lines.append(f"{right}:")
        return self.value(f"inttoptr i64 {found} to ptr")

    def helper(self, name: str, result: str, *arguments: str) -> str:
        call = f"call {result} inttoptr (i64 {self.helpers[name]} to ptr)({', '.join(['ptr %thread', *arguments])})"
        if result == "void":
            self.emit(call)
            return ""
        return self.value(call)

    # The kernel

    def text(self, write: Callable[[HostWriter, Instruction], None]) -> str:
        """write: writes an instruction that is no jump."""
        places: dict[int, list[str]] = {}
        for label, at in self.kernel.labels.items():
            places.setdefault(at, []).append(self.block(label))
        for at, instruction in enumerate(self.kernel.code):
            for label in places.get(at, ()):
                self.emit(f"br label %{label}")
                self.lines.append(f"{label}:")
            self._instruction(instruction, write)
        for label in places.get(len(self.kernel.code), ()):
            self.emit(f"br label %{label}")
            self.lines.append(f"{label}:")
        self.emit("ret void")
        constants = [f"@{name} = internal constant [{len(stored)} x i8] [{_listed(stored)}], align 16"
                     for name, stored in self.kernel.constants.items()]
        variables = [f'  %"{register}" = alloca i{register_bits(register)}' for register in sorted(self.registers)]
        variables += self.rooms
        head = [f"define void @{self.name}(ptr %parameters, ptr %thread) null_pointer_is_valid {{",
                "entry:", *variables,
                f"  %room = alloca [{self.kernel.local_bytes} x i8], align 16",
                "  %local = ptrtoint ptr %room to i64",
                f"  %shared.at = getelementptr i8, ptr %thread, i64 {SHARED_AT}",
                "  %shared = load i64, ptr %shared.at"]
        return "\n".join([*sorted(self.declarations), *constants, *head, *self.lines, "}",
                          '!0 = !{!"branch_weights", i32 1, i32 100000}', ""])

    def block(self, label: str) -> str:
        return "b" + label.replace("$", ".")

    def _instruction(self, instruction: Instruction, write: Callable[[HostWriter, Instruction], None]) -> None:
        behind = self.label()
        if instruction.name in ("bra", "ret", "exit"):
            if instruction.name == "bra":
                target = self.block(instruction.operands[0])
            else:
                target = self.label()
            self.emit(f"br label %{target}" if instruction.predicate is None
                      else f"br i1 {self._taken(instruction)}, label %{target}, label %{behind}")
            if instruction.name != "bra":
                self.lines.append(f"{target}:")
                self.emit("ret void")
            self.lines.append(f"{behind}:")
        elif instruction.predicate is not None:
            there = self.label()
            self.emit(f"br i1 {self._taken(instruction)}, label %{there}, label %{behind}")
            self.lines.append(f"{there}:")
            write(self, instruction)
            self.emit(f"br label %{behind}")
            self.lines.append(f"{behind}:")
        else:
            write(self, instruction)

    def _taken(self, instruction: Instruction) -> str:
        assert instruction.predicate is not None
        holds = self.read(instruction.predicate, "pred")
        return self.value(f"xor i1 {holds}, true") if instruction.negated else holds


def _listed(stored: bytes) -> str:
    return ", ".join(f"i8 {byte}" for byte in stored)


def refuse(instruction: Instruction) -> PtxError:
    return PtxError(f"the stand-in does not know: {instruction.line}")


def words_on_stack(w: HostWriter, values: Sequence[str]) -> str:
    """A pointer to these 64-bit values."""
    room = f"%words{len(w.rooms)}"
    w.rooms.append(f"  {room} = alloca [{max(len(values), 2)} x i64]")
    for i, value in enumerate(values):
        at = w.value(f"getelementptr i64, ptr {room}, i64 {i}")
        w.emit(f"store i64 {value}, ptr {at}")
    return room
