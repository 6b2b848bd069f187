"""Bands of diagonals that begin at the left or end at the right: MatrixDiagV3, MatrixDiagPartV3, MatrixSetDiagV3.

align says where the lines of diagonals above the main one stand, then of those below: "RIGHT_LEFT", "LEFT_RIGHT",
"LEFT_LEFT" or "RIGHT_RIGHT". The main diagonal is the longest line, or stands where either says left.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.op import attr, operand_field, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation
from graphc.ops.array.diagonal_bands import Banded, MatrixDiagPartV2, MatrixDiagV2, MatrixSetDiagV2

_ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


class _Aligned(Banded):
    """Mixed into version 2 of an op."""

    def infer(self, *inputs: Spec) -> Spec:
        align = self.align  # type: ignore[attr-defined]
        if align not in _ALIGNMENTS:
            raise ValueError(f"align is {align!r}, but must be one of {', '.join(_ALIGNMENTS)}")
        return super().infer(*inputs)  # type: ignore[return-value]

    def from_left(self, place: int) -> bool:
        d, (above, _, below) = self.k[-1] - place, self.align.partition("_")  # type: ignore[attr-defined]
        return (d >= 0 and above == "LEFT") or (d <= 0 and below == "LEFT")


    def _numpy_in_band(self, diagonal: np.ndarray, place: int, length: int) -> np.ndarray:
        above, below = self.align.split("_")  # type: ignore[attr-defined]
        low, high = self.k[0], self.k[-1]  # type: ignore[attr-defined]
        if low == high:
            return diagonal[..., :length]
        sides = {above} if high - place > 0 else {below} if high - place < 0 else {above, below}
        line = diagonal[..., place, :]
        return line[..., :length] if "LEFT" in sides else line[..., line.shape[-1] - length:]


def _samples(op: type[Banded]) -> list[Any]:
    several = [s for s in op.samples if len(s.attributes["k"]) == 2]
    return [replace(s, attributes={**s.attributes, "align": a}) for a in _ALIGNMENTS for s in several] + op.samples[:2]


@register
class MatrixDiagPartV3(_Aligned, MatrixDiagPartV2):
    """Diagonals k[0] to k[1] of the last two axes, the highest first, where align says, padded to the longest one."""

    operands = ("input", "k", "padding_value")
    k: tuple[int, ...] = operand_field("int_or_ints")
    align: str = attr("string", "RIGHT_LEFT")
    samples: ClassVar = _samples(MatrixDiagPartV2)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, k, _ = node.inputs
        return [g.matrix_set_diag_v3(g.zeros_like(x), dy, k, align=self.align), None, None]


@register
class MatrixSetDiagV3(_Aligned, MatrixSetDiagV2):
    """input, diagonals k[0] to k[1] of its last two axes replaced by the rows of diagonal, which stand where align
    says."""

    operands = ("input", "diagonal", "k")
    k: tuple[int, ...] = operand_field("int_or_ints")
    align: str = attr("string", "RIGHT_LEFT")
    samples: ClassVar = _samples(MatrixSetDiagV2)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, diagonal, k = node.inputs
        without = g.matrix_set_diag_v3(dy, g.zeros_like(diagonal), k, align=self.align)
        return [without, g.matrix_diag_part_v3(dy, k, g.constant(0, dy.dtype), align=self.align), None]


@register
class MatrixDiagV3(_Aligned, MatrixDiagV2):
    """Matrices with the rows of diagonal, which stand where align says, as their diagonals k[0] to k[1]."""

    operands = ("diagonal", "k", "num_rows", "num_cols", "padding_value")
    k: tuple[int, ...] = operand_field("int_or_ints")
    num_rows: Size = operand_field("int")
    num_cols: Size = operand_field("int")
    align: str = attr("string", "RIGHT_LEFT")
    samples: ClassVar = _samples(MatrixDiagV2)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        zero = g.constant(0, dy.dtype)
        return [g.matrix_diag_part_v3(dy, node.inputs[1], zero, align=self.align), None, None, None, None]
