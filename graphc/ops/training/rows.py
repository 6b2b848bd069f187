"""Rows of a table, by index: what updates with sparse gradients check, and the sum of the rows of one index."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Op, Sample, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation

_INDICES = np.array([3, 0, 3, 1, 0], np.int32)
_DISTINCT = np.array([4, 0, 2], np.int64)


def check_indices(op: Op, indices: Spec, rank: int | None = None) -> None:
    if indices.dtype not in (int32, int64):
        raise TypeError(f"argument 'indices' must be int32 or int64, but is {indices.dtype.name}")
    if rank is not None and indices.shape is not None and len(indices.shape) != rank:
        raise ValueError(f"{op.type}: argument 'indices' must be of rank {rank}, but has shape {text(indices.shape)}")


def check_rows(table: Shape | None, indices: Shape | None, rows: Shape | None, name: str) -> None:
    """Raises ValueError unless rows has the shape of the indices and after it that of a row of the table."""
    if table is None or indices is None or rows is None:
        return
    if not table:
        raise ValueError("a scalar has no rows")
    wanted = (*indices, *table[1:])
    message = f"argument '{name}' must have shape {text(wanted)}, but has {text(rows)}"
    if len(wanted) != len(rows):
        raise ValueError(message)
    for a, b in zip(wanted, rows, strict=True):
        require_equal(a, b, message)


# Unique and UnsortedSegmentSum together do what _SumEqual does. But how many rows they give only the run knows, so that
# all after them is bound again in each: 17 us against 12 for 320 rows of 100, 206 against 64 for 4,096 of 64.
@register
class _FirstEqual(Op):
    """Of each index, the position of the first index equal to it: int64."""

    operands = ("indices",)
    results = ("position",)
    types: ClassVar = {"Tindices": "indices"}
    samples: ClassVar = [Sample({}, (i,)) for i in (
        _INDICES, _DISTINCT, _INDICES[:0], np.arange(65, dtype=np.int32) % 7, np.array([-9, 2**40, -9], np.int64))]

    def infer(self, indices: Spec) -> Spec:
        check_indices(self, indices, 1)
        return Spec(int64, indices.shape)

    def reference(self, indices: np.ndarray) -> np.ndarray:
        return np.array([np.flatnonzero(indices == i)[0] for i in indices], np.int64)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call("first_equal", [inputs[0], outputs[0]], [inputs[0].elements])


@register
class _SumEqual(Op):
    """Row j is the sum of all rows whose index is that of row j: rows named several times hold one sum."""

    operands = ("rows", "indices")
    results = ("output",)
    types: ClassVar = {"T": "rows", "Tindices": "indices"}
    samples: ClassVar = [
        Sample({}, (shape, indices), (d, None), gradient=False) for shape, indices, d in (
            ((5, 3), _INDICES, None), ((3,), _DISTINCT, float64), ((5, 2, 3), np.zeros(5, np.int32), None),
            ((0, 3), _INDICES[:0], None), ((5, 0), _INDICES, None))]

    def infer(self, rows: Spec, indices: Spec) -> Spec:
        check_dtype(self, "rows", rows.dtype, "wide")
        check_indices(self, indices, 1)
        if rows.shape is not None and indices.shape is not None:
            message = f"rows of shape {text(rows.shape)} do not fit indices of shape {text(indices.shape)}"
            if not rows.shape:
                raise ValueError(message)
            require_equal(rows.shape[0], indices.shape[0], message)
        return Spec(rows.dtype, rows.shape)

    def reference(self, rows: np.ndarray, indices: np.ndarray) -> np.ndarray:
        _, place = np.unique(indices, return_inverse=True)
        sums = np.zeros_like(rows)
        np.add.at(sums, place.ravel(), rows)
        return sums[place.ravel()]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows, indices = inputs
        first = b.temporary(int64, indices.shape)
        b.call("first_equal", [indices, first], [indices.elements])
        b.call("sum_equal", [rows, first, outputs[0]], [rows.shape[0], dims.product(rows.shape[1:])])
