"""Writing LLVM text: registers that are named as they come, and the few instructions that every kernel has."""
from __future__ import annotations


class TextWriter:
    """`lines` is the body of the function that is being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fresh = 0

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def new(self) -> str:
        self.fresh += 1
        return f"%t{self.fresh}"

    def value(self, expression: str) -> str:
        """A new register that holds it."""
        made = self.new()
        self.emit(f"{made} = {expression}")
        return made

    def i64(self, operation: str, a: str | int, b: str | int) -> str:
        return self.value(f"{operation} i64 {a}, {b}")

    def less(self, a: str | int, b: str | int) -> str:
        return self.value(f"icmp slt i64 {a}, {b}")

    def chosen(self, condition: str, a: str | int, b: str | int) -> str:
        """a if the condition holds, else b."""
        return self.value(f"select i1 {condition}, i64 {a}, i64 {b}")

    def special(self, name: str) -> str:
        """One of the numbers that tell a thread which one it is, in ptx.SPECIAL."""
        found = self.value(f"call i32 @llvm.nvvm.read.ptx.sreg.{name}()")
        return self.value(f"zext i32 {found} to i64")

    def barrier(self) -> None:
        """All threads of the block come here before any of them goes on."""
        self.emit("call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)")
