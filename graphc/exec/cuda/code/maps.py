"""The GPU kernel of a fused program."""
from __future__ import annotations

from graphc.exec.cuda.code.elements import ElementWriter
from graphc.exec.cuda.code.programs import KernelWriter, Shape
from graphc.exec.cuda.code.rows import RowWriter
from graphc.plan.plan import Program


def kernel_text(program: Program, shape: Shape) -> tuple[str, set[str]]:
    """(text that defines the kernel gc_map, names of the primitives that it calls)."""
    writer: KernelWriter = (RowWriter if shape.inner >= 0 else ElementWriter)(program, shape)
    return writer.kernel(), writer.primitives
