"""Gradients of matrices in loops: a sum of products, one an iteration, each of few rows.

The sum over t of transposed(a_t) @ b_t is transposed(a) @ b, where a and b are all a_t and all b_t, one below the
other. So the loop keeps the factors on lists, and they are multiplied once after it. That saves reading and writing
the sum, which has the matrix' size, in every iteration, and a product of many rows is faster than many of few.
"""
from __future__ import annotations

from typing import Any

from graphc.api.array.join import stack
from graphc.api.array.shapes import shape
from graphc.api.control import lists
from graphc.api.math.matmul import matmul
from graphc.ir.tensor import Tensor
from graphc.ops.math.matmul import pays_to_join

FEW_ROWS = 8         # with so many, a product with a transposed matrix as it lies is faster than with a copy (measured)


def has_few_rows(matrix: Tensor) -> bool:
    """Whether a transposed matrix that this one is multiplied with in a loop is to be read as it lies."""
    rows = (matrix.spec.static_shape or (None,))[0]
    return rows is not None and rows <= FEW_ROWS


def factors(gradient: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor] | None:
    """(a, b) if `gradient` of `matrix` is transposed(a) @ b, of so few rows, or of not known ones, that they are to be
    kept; otherwise None."""
    definition: Any = gradient.op.definition
    if gradient.op.type != "MatMul" or not definition.transpose_a or definition.transpose_b:
        return None
    left, right = gradient.op.inputs
    sizes = [s for t in (left, right, matrix) for s in (t.spec.static_shape or (None, None))]
    if None not in sizes and not pays_to_join(sizes[0] * sizes[1], sizes[2] * sizes[3], sizes[4] * sizes[5]):
        return None
    return left, right


def joined_product(left: Tensor, right: Tensor, matrix: Tensor) -> Tensor:
    """The gradient of `matrix`, whose factors of all iterations stand on two lists."""
    static = matrix.spec.static_shape
    widths: list[Any] = [shape(matrix)[i] if static is None or static[i] is None else static[i]  # type: ignore[index]
                         for i in range(2)]
    rows = [lists.concat(handle, (-1, width) if isinstance(width, int) else stack([-1, width]), matrix.dtype)
            for handle, width in zip((left, right), widths, strict=True)]
    made: Tensor = matmul(*rows, transpose_a=True)
    return made
