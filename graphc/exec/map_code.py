"""LLVM text of a fused program's instructions, with what a map's code is made of on the CPU (pass_code.py) and on a GPU
(cuda/code/programs.py)."""
from __future__ import annotations

from graphc.kernels.contracts.dtypes import DTYPES, HELD
from graphc.plan.plan import Instr, Program

LLVM_TYPES = {short: DTYPES[short].llvm for short in HELD}
SIZES = {short: DTYPES[short].size for short in HELD}
NO_PRIMITIVE = ("const", "index", "linear")


def value_dtype(program: Program, number: int) -> str:
    loads = len(program.loads)
    return program.loads[number] if number < loads else program.instrs[number - loads].dtype


def primitive_name(program: Program, instr: Instr) -> str:
    return f"{instr.op}.{instr.dtype}.{value_dtype(program, instr.args[0])}"


class ProgramWriter:
    """Text of a program's values: %v3 is value 3; %offset and %stride of an access tell an index value."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lines: list[str] = []
        self.primitives: set[str] = set()

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def memory_type(self, dtype: str) -> str:
        return "i8" if dtype == "bool" else LLVM_TYPES[dtype]

    def instruction(self, value: int, instr: Instr, access_of: dict[int, int]) -> None:
        """access_of: of an index value, the number of its access."""
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
