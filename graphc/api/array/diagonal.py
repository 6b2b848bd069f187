"""Diagonals and bands of matrices: matrix_diag, eye and their kin."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.fill import ones, zeros
from graphc.api.array.join import concat, stack
from graphc.api.math.binary import minimum
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension
from graphc.ops.array.diagonal import Diag, DiagPart, MatrixBandPart, MatrixDiag, MatrixDiagPart, MatrixSetDiag
from graphc.ops.array.diagonal_bands import MatrixDiagPartV2, MatrixDiagV2, MatrixSetDiagV2


def _is_main(k: Any) -> bool:
    return isinstance(k, (int, np.integer)) and k == 0


@public("linalg.diag", "matrix_diag")
def matrix_diag(diagonal: Any, name: str = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1,
                padding_value: Any = 0) -> Tensor:
    """Matrices with `diagonal` on their diagonals k, zeros elsewhere: [..., n] gives [..., n, n].

    Args:
        diagonal: numbers or bools [..., n]; of several diagonals [..., diagonals, n], the highest first.
        k: the diagonal, 0 the main one, above it positive; or (lowest, highest).
        num_rows, num_cols: the size of the matrices; -1: as small as possible.
        padding_value: what stands off the diagonals.

    Raises TypeError for strings, ValueError for scalars and for sizes that do not fit `diagonal` and k. As
    `tf.matrix_diag`, and `tf.linalg.diag` of TensorFlow 1.15 (shorter diagonals lie to the left).

    >>> gc.matrix_diag([1, 2]).eval()
    array([[1, 0],
           [0, 2]], dtype=int32)
    >>> gc.linalg.diag([1, 2], k=1).eval()
    array([[0, 1, 0],
           [0, 0, 2],
           [0, 0, 0]], dtype=int32)
    """
    padded = is_tensor_like(padding_value) or padding_value
    if _is_main(k) and num_rows == -1 and num_cols == -1 and not padded:
        result: Tensor = apply(MatrixDiag, diagonal, name=name)
        return result
    diagonal = convert_to_tensor(diagonal, name="diagonal")
    padding = convert_to_tensor(padding_value, diagonal.dtype, "padding_value")
    result = apply(MatrixDiagV2, diagonal, k, num_rows, num_cols, padding, name=name)
    return result


@public("linalg.diag_part", "matrix_diag_part")
def matrix_diag_part(input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0) -> Tensor:
    """Diagonal k of the matrices in the last two axes: [..., n, m] gives [..., min(n, m)] for the main one.

    input: numbers or bools. k: a diagonal, above the main one positive, or (lowest, highest): then [..., diagonals,
    length], the highest first, shorter ones filled up after with padding_value. Raises TypeError for strings,
    ValueError for vectors and for a k that names no diagonal. As `tf.matrix_diag_part`.

    >>> x = gc.constant([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    >>> gc.matrix_diag_part(x).eval()
    array([1, 5, 9], dtype=int32)
    >>> gc.linalg.diag_part(x, k=(-1, 0)).eval()
    array([[1, 5, 9],
           [4, 8, 0]], dtype=int32)
    """
    if _is_main(k):
        result: Tensor = apply(MatrixDiagPart, input, name=name)
        return result
    input = convert_to_tensor(input, name="input")
    padding = convert_to_tensor(padding_value, input.dtype, "padding_value")
    result = apply(MatrixDiagPartV2, input, k, padding, name=name)
    return result


@public("linalg.set_diag", "matrix_set_diag")
def matrix_set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0) -> Tensor:
    """input with the diagonals k of its matrices replaced by `diagonal`.

    input: numbers or bools [..., n, m]; diagonal: of its dtype, [..., min(n, m)], or of several [..., diagonals,
    length] as `matrix_diag_part` gives them. Raises TypeError for strings and if the dtypes differ, ValueError for
    shapes that do not fit and for a k that names no diagonal. As `tf.matrix_set_diag`.

    >>> gc.matrix_set_diag(gc.ones([2, 3], gc.int32), [7, 8]).eval()
    array([[7, 1, 1],
           [1, 8, 1]], dtype=int32)
    """
    if _is_main(k):
        result: Tensor = apply(MatrixSetDiag, input, diagonal, name=name)
        return result
    result = apply(MatrixSetDiagV2, input, diagonal, k, name=name)
    return result


@public("linalg.band_part", "matrix_band_part")
def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """input with zeros but for num_lower diagonals below and num_upper above the main one; a negative number: all of
    them.

    input: numbers or bools [..., n, m]; TypeError for strings, ValueError for vectors. (-1, 0) leaves the lower
    triangle: a mask for what may not look ahead. As `tf.matrix_band_part`.

    >>> gc.matrix_band_part(gc.ones([3, 3]), -1, 0).eval()
    array([[1., 0., 0.],
           [1., 1., 0.],
           [1., 1., 1.]], dtype=float32)
    """
    limits = [n if is_tensor_like(n) else np.asarray(n, np.int64) for n in (num_lower, num_upper)]
    result: Tensor = apply(MatrixBandPart, input, *limits, name=name)
    return result


@public("linalg.tensor_diag", "diag")
def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor of twice the rank with `diagonal` on its diagonal, zeros elsewhere: [n] gives [n, n].

    diagonal: floating point, complex, int32 or int64, of rank 1 to 4. For batches of matrices see `gc.matrix_diag`.
    Raises TypeError for other dtypes, ValueError for other ranks. As `tf.diag`.

    >>> gc.diag([1., 2.]).eval()
    array([[1., 0.],
           [0., 2.]], dtype=float32)
    """
    result: Tensor = apply(Diag, diagonal, name=name)
    return result


@public("linalg.tensor_diag_part", "diag_part")
def diag_part(input: Any, name: str | None = None) -> Tensor:
    """The elements where both halves of the index are equal: [n, n] gives [n], [n, m, n, m] gives [n, m].

    input: floating point, complex, int32 or int64 (TypeError otherwise), of even rank and with equal halves of its
    shape (ValueError otherwise). For batches of matrices see `gc.matrix_diag_part`. As `tf.diag_part`.

    >>> gc.diag_part([[1., 2.], [3., 4.]]).eval()
    array([1., 4.], dtype=float32)
    """
    result: Tensor = apply(DiagPart, input, name=name)
    return result


@public("eye", "linalg.eye")
def eye(num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = float32,
        name: str | None = None) -> Tensor:
    """Identity matrices [*batch_shape, num_rows, num_columns], with 1 on the main diagonal.

    num_rows, num_columns (by default num_rows), batch_shape: Python numbers or int32 tensors. dtype: numbers or bool.
    Raises TypeError for others and for negative or broken numbers. As `tf.eye`.

    >>> gc.eye(2, 3).eval()
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    >>> gc.eye(2, batch_shape=[5]).shape
    TensorShape([Dimension(5), Dimension(2), Dimension(2)])
    """
    with get_default_graph().name_scope(name or "eye"):
        rows, columns = (int(n) if isinstance(n, Dimension) else n for n in (
            num_rows, num_rows if num_columns is None else num_columns))
        known = not is_tensor_like(rows) and not is_tensor_like(columns)
        if known and not all(isinstance(n, (int, np.integer)) and n >= 0 for n in (rows, columns)):
            raise TypeError("num_rows and num_columns must be positive integer values.")
        square = num_columns is None or (known and rows == columns)
        size = min(rows, columns) if known else minimum(rows, columns)
        front: Any = [] if batch_shape is None else batch_shape
        if known and not is_tensor_like(front) and not any(map(is_tensor_like, front)):
            front = [int(n) for n in front]
            ones_of, whole = [*front, size], [*front, rows, columns]
        else:
            front = convert_to_tensor(np.zeros(0, np.int32) if isinstance(front, list) and not front else front)
            empty = front.shape.as_list() == [0]
            ones_of, whole = (stack(part) if empty else concat([front, part], 0) for part in ([size], [rows, columns]))
        if square:
            return matrix_diag(ones(ones_of, dtype))
        return matrix_set_diag(zeros(whole, dtype), ones(ones_of, dtype))
