"""Gradients of tables in loops and branches: the rows of every iteration, or of the branch that was taken.

What is made here is IndexedSlices; nothing has the size of the table.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros
from graphc.api.array.join import concat
from graphc.api.array.shapes import shape
from graphc.api.control import lists
from graphc.api.gradients.slices import Gradient, IndexedSlices
from graphc.ir.dtypes import DType
from graphc.ir.tensor import Tensor


def joined_rows(values: Tensor, row: Tensor, indices: Tensor, index: Tensor, table: Tensor) -> IndexedSlices:
    """The gradient of `table`, whose rows and indices stand on two lists, pushed as `row` and `index`."""
    static = row.spec.static_shape
    known = static is not None and None not in static[1:]
    sizes: Any = (-1, *static[1:]) if known else concat([[-1], shape(table)[1:]], 0)  # type: ignore[index]
    return IndexedSlices(lists.concat(values, sizes, row.dtype), lists.concat(indices, (-1,), index.dtype),
                         shape(table))


def index_type(gradients: Iterable[Gradient | None]) -> DType | None:
    """The dtype of indices that suits all of these IndexedSlices; None if one of them is a tensor."""
    given = [g for g in gradients if g is not None]
    slices = [g for g in given if isinstance(g, IndexedSlices)]
    if len(slices) < len(given):
        return None
    return max((g.indices.dtype for g in slices), key=lambda dtype: dtype.size)


def parts(table: Tensor, gradient: Gradient | None, indices: DType) -> list[Tensor]:
    """Values and indices of the gradient of a table; of None: no rows."""
    if isinstance(gradient, IndexedSlices):
        return [gradient.values, cast(gradient.indices, indices)]
    static = table.spec.static_shape
    known = static is not None and None not in static[1:]
    sizes: Any = (0, *static[1:]) if known else concat([[0], shape(table)[1:]], 0)  # type: ignore[index]
    return [zeros(sizes, table.dtype), zeros((0,), indices)]
