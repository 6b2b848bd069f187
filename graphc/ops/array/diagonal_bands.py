"""Any diagonals, and several at once: MatrixDiagV2, MatrixDiagPartV2, MatrixSetDiagV2.

Diagonal d lies d columns right of the main one (below 0: rows below it). Those of a band are the rows of one tensor,
the highest first, each from the left, padded to the longest one; diagonal_alignments.py has those that begin elsewhere.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.known import known_ints
from graphc.ir.op import Op, Sample, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.diagonal import check_matrix, require_shape


def _band(k: Sequence[int]) -> tuple[int, int]:
    """The lowest and the highest diagonal. Raises ValueError for anything but one number or two in order."""
    numbers = known_ints(k, "k")
    if len(numbers) not in (1, 2):
        raise ValueError(f"k must be one or two numbers, but is {numbers}")
    if numbers[0] > numbers[-1]:
        raise ValueError(f"the first of k, {numbers[0]}, must not be greater than the second, {numbers[-1]}")
    return numbers[0], numbers[-1]


def _lines(k: Sequence[int], rows: Size, columns: Size) -> Iterator[tuple[int, Size, Size, Size]]:
    """For each diagonal, the highest first: its place in the band, its first row and column, its length."""
    low, high = _band(k)
    for place, d in enumerate(range(high, low - 1, -1)):
        row, column = max(-d, 0), max(d, 0)
        yield place, row, column, dims.maximum(dims.minimum(rows - row, columns - column), 0)


def _longest(k: Sequence[int], rows: Size, columns: Size) -> Size:
    low, high = _band(k)
    return dims.minimum(rows + min(high, 0), columns - max(low, 0))


def _line(x: Any, row: Size, column: Size, length: Size) -> Any:
    rank = x.rank
    return x.part(rank - 2, row, length).part(rank - 1, column, length).diagonal(rank - 2, rank - 1)


def _check_band(k: Sequence[int], x: Shape) -> None:
    low, high = _band(k)
    for d, size in ((-low, x[-2]), (high, x[-1])):
        require_less_equal(min(d, 0) if d < 0 else d, size, f"k {tuple(k)} must name diagonals of matrices of shape "
                           f"{text(tuple(x[-2:]))}")


class Banded(Op):
    """What has bands of diagonals."""

    def from_left(self, place: int) -> bool:
        """Whether the line at this place of the band begins at the left; else it ends at the right."""
        return True

    def _in_band(self, diagonal: Any, place: int, length: Size) -> Any:
        """The access of one line of the band: the last axis, where its elements are."""
        k = self.k  # type: ignore[attr-defined]
        line = diagonal if k[0] == k[-1] else diagonal.select(diagonal.rank - 2, place)
        start = 0 if k[0] == k[-1] or self.from_left(place) else line.shape[-1] - length
        return line.part(line.rank - 1, start, length)

    def _numpy_in_band(self, diagonal: np.ndarray, place: int, length: int) -> np.ndarray:
        """The same in an array."""
        k = self.k  # type: ignore[attr-defined]
        return (diagonal if k[0] == k[-1] else diagonal[..., place, :])[..., :length]


def _numpy_lines(k: Sequence[int], x: np.ndarray) -> Iterator[tuple[int, tuple[Any, ...], int]]:
    """For each diagonal, the highest first: its place in the band, its elements as an index of NumPy, its length."""
    for place, d in enumerate(range(k[-1], k[0] - 1, -1)):
        rows = [i for i in range(x.shape[-2]) if 0 <= i + d < x.shape[-1]]
        yield place, (..., rows, [i + d for i in rows]), len(rows)


_BANDS: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
    ((1,), (3, 4), None), ((-1,), (2, 4, 3), float64), ((-1, 1), (3, 3), None), ((0, 2), (2, 3, 4), int64),
    ((-2, -1), (4, 3), None)]


def _diagonal_shape(k: Sequence[int], shape: Sequence[int]) -> tuple[Any, ...]:
    lines = () if k[0] == k[-1] else (k[-1] - k[0] + 1,)
    return (*shape[:-2], *lines, _longest(k, *shape[-2:]))


@register
class MatrixDiagPartV2(Banded):
    """Diagonals k[0] to k[1] of the last two axes, the highest first, each from the left, padded to the longest one."""

    moves = True
    operands = ("input", "k", "padding_value")
    results = ("diagonal",)
    types: ClassVar = {"T": "input"}
    k: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [Sample({"k": k}, (s, ()), (d, d)) for k, s, d in _BANDS]

    def infer(self, x: Spec, padding: Spec) -> Spec:
        check_kind(self, (x,), "any")
        _check_padding(x, padding)
        check_matrix("input", x)
        if x.shape is None:
            return Spec(x.dtype, None)
        _check_band(self.k, x.shape)
        return Spec(x.dtype, _diagonal_shape(self.k, x.shape))  # type: ignore[arg-type]

    def reference(self, x: np.ndarray, padding: np.ndarray) -> np.ndarray:
        lines = list(_numpy_lines(self.k, x))
        shape = (*x.shape[:-2], len(lines), max(length for _, _, length in lines))
        result = np.full(shape if len(lines) > 1 else (*shape[:-2], shape[-1]), padding, x.dtype)
        for place, at, length in lines:
            self._numpy_in_band(result, place, length)[...] = x[at]
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, k, _ = node.inputs
        return [g.matrix_set_diag_v2(g.zeros_like(x), dy, k), None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        b.copy(inputs[1].broadcast(y.shape), y)
        for place, row, column, length in _lines(self.k, *x.shape[-2:]):
            b.copy(_line(x, row, column, length), self._in_band(y, place, length))


def _check_padding(x: Spec, padding: Spec) -> None:
    if padding.dtype != x.dtype:
        raise TypeError(f"argument 'padding_value' has dtype {padding.dtype.name}, but the tensor {x.dtype.name}; cast "
                        "one of them (gc.cast)")
    if padding.shape not in (None, ()):
        raise ValueError(f"argument 'padding_value' must be a scalar, but has shape {text(padding.shape)}")


@register
class MatrixSetDiagV2(Banded):
    """input, diagonals k[0] to k[1] of its last two axes replaced by the rows of diagonal, the highest first."""

    moves = True
    operands = ("input", "diagonal", "k")
    results = ("output",)
    types: ClassVar = {"T": "input"}
    k: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [Sample({"k": k}, (s, _diagonal_shape(k, s)), (d, d)) for k, s, d in _BANDS]

    def infer(self, x: Spec, diagonal: Spec) -> Spec:
        check_kind(self, (x,), "any")
        same_dtypes(self, (x, diagonal))
        check_matrix("input", x)
        if x.shape is not None and diagonal.shape is not None:
            _check_band(self.k, x.shape)
            wanted = _diagonal_shape(self.k, x.shape)  # type: ignore[arg-type]
            require_shape("diagonal", diagonal.shape, wanted, f"for an input of shape {text(x.shape)}")
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
        result = np.array(x)
        for place, at, length in _numpy_lines(self.k, x):
            result[at] = self._numpy_in_band(diagonal, place, length)
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, diagonal, k = node.inputs
        zero = g.constant(0, dy.dtype)
        return [g.matrix_set_diag_v2(dy, g.zeros_like(diagonal), k), g.matrix_diag_part_v2(dy, k, zero), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.copy(inputs[0], outputs[0])
        for place, row, column, length in _lines(self.k, *outputs[0].shape[-2:]):
            b.copy(self._in_band(inputs[1], place, length), _line(outputs[0], row, column, length))


@register
class MatrixDiagV2(Banded):
    """Matrices with the rows of diagonal as their diagonals k[0] to k[1], the highest first, padding_value elsewhere.

    num_rows, num_cols: their size; -1: the smallest one that holds the diagonals.
    """

    moves = True
    operands = ("diagonal", "k", "num_rows", "num_cols", "padding_value")
    results = ("output",)
    types: ClassVar = {"T": "diagonal"}
    k: tuple[int, ...] = operand_field("int_or_ints")
    num_rows: Size = operand_field("int")
    num_cols: Size = operand_field("int")
    samples: ClassVar = [Sample({"k": k, "num_rows": s[-2], "num_cols": s[-1]}, (_diagonal_shape(k, s), ()), (d, d))
                         for k, s, d in _BANDS] + [
        Sample({"k": (1,), "num_rows": -1, "num_cols": -1}, ((2, 3), ())),
        Sample({"k": (-1,), "num_rows": -1, "num_cols": 4}, ((3,), ()), (float64, float64)),
        Sample({"k": (-1, 0), "num_rows": 4, "num_cols": -1}, ((2, 3), ()))]

    def _size(self, shape: Shape) -> tuple[Size, Size]:
        low, high = _band(self.k)
        longest = shape[-1]
        smallest = (longest - min(high, 0), longest + max(low, 0))
        rows_open, columns_open = (dims.equal(size, -1) for size in (self.num_rows, self.num_cols))
        side = dims.maximum(*smallest)
        rows = dims.select(rows_open, dims.select(columns_open, side, smallest[0]), self.num_rows)
        columns = dims.select(columns_open, dims.select(rows_open, side, smallest[1]), self.num_cols)
        return rows, columns

    def infer(self, diagonal: Spec, padding: Spec) -> Spec:
        check_kind(self, (diagonal,), "any")
        _check_padding(diagonal, padding)
        if diagonal.shape is None:
            return Spec(diagonal.dtype, None)
        lines = 0 if self.k[0] == self.k[-1] else 1
        if len(diagonal.shape) < 1 + lines:
            raise ValueError(f"argument 'diagonal' of shape {text(diagonal.shape)} must have {1 + lines} axes or more "
                             f"for k {tuple(self.k)}")
        rows, columns = self._size(diagonal.shape)
        message = f"num_rows and num_cols do not fit a diagonal of shape {text(diagonal.shape)} and k {tuple(self.k)}"
        require_equal(_longest(self.k, rows, columns), diagonal.shape[-1], message)
        if lines:
            low, high = _band(self.k)
            require_equal(diagonal.shape[-2], high - low + 1, f"{message}: rows of diagonal and diagonals")
        return Spec(diagonal.dtype, (*diagonal.shape[:len(diagonal.shape) - 1 - lines], rows, columns))

    def reference(self, diagonal: np.ndarray, padding: np.ndarray) -> np.ndarray:
        lines = 0 if self.k[0] == self.k[-1] else 1
        rows: Any = self.num_rows
        columns: Any = self.num_cols
        least = (diagonal.shape[-1] + max(-self.k[-1], 0), diagonal.shape[-1] + max(self.k[0], 0))
        if rows == columns == -1:
            least = (max(least), max(least))
        rows, columns = least[0] if rows == -1 else rows, least[1] if columns == -1 else columns
        result = np.full((*diagonal.shape[:diagonal.ndim - 1 - lines], rows, columns), padding, diagonal.dtype)
        for place, at, length in _numpy_lines(self.k, result):
            result[at] = self._numpy_in_band(diagonal, place, length)
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.matrix_diag_part_v2(dy, node.inputs[1], g.constant(0, dy.dtype)), None, None, None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        b.copy(inputs[1].broadcast(y.shape), y)
        for place, row, column, length in _lines(self.k, *y.shape[-2:]):
            b.copy(self._in_band(inputs[0], place, length), _line(y, row, column, length))
