"""Rows of a table, by index: what updates with sparse gradients and scatter ops are made of.

The order makes it safe to change a table where it lies: _RowsInside ends the run for a bad index; the indices that it
gives go to _ScatterRows, which then has nothing to refuse and may come after every check (plan/placement.py).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation

COMBINATIONS = ("add", "sub", "mul", "div", "min", "max")       # as kernels/cpu/array/update_rows.py counts them
_INDICES = np.array([3, 0, 3, 1, 0], np.int32)
_DISTINCT = np.array([4, 0, 2], np.int64)


def check_indices(op: Op, indices: Spec, rank: int | None = None) -> None:
    if indices.dtype not in (int32, int64):
        raise TypeError(f"argument 'indices' must be int32 or int64, but is {indices.dtype.name}")
    if rank is not None and indices.shape is not None and len(indices.shape) != rank:
        raise ValueError(f"{op.type}: argument 'indices' must be of rank {rank}, but has shape {text(indices.shape)}")


def check_rows(table: Shape | None, indices: Shape | None, rows: Shape | None, name: str) -> None:
    """Raises ValueError unless rows has the shape of the indices and behind it that of a row of the table."""
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


@register
class _RowsInside(Op):
    """The indices themselves, unless one is not in [0, limit): then the run ends."""

    checks_data = True
    operands = ("indices", "limit")
    results = ("output",)
    types: ClassVar = {"Tindices": "indices", "Tlimit": "limit"}
    limit: Size = operand_field("int")
    samples: ClassVar = [Sample({"limit": 5}, (i,)) for i in (_INDICES, _DISTINCT, _INDICES[:0], np.array(4, np.int64),
                                                              _INDICES[:4].reshape(2, 2))]

    def infer(self, indices: Spec) -> Spec:
        check_indices(self, indices)
        return Spec(indices.dtype, indices.shape)

    def reference(self, indices: np.ndarray) -> np.ndarray:
        return indices

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call("inside", [inputs[0], outputs[0]], [inputs[0].elements, self.limit])


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


@register
class _ScatterRows(Op):
    """params, whose rows at the indices are replaced ("set") or combined with `rows` in the order of the indices.

    The result is written over params if nothing else needs them.
    """

    overwrites = 0
    operands = ("params", "indices", "rows")
    results = ("output",)
    types: ClassVar = {"T": "params", "Tindices": "indices"}
    combine: str = attr("string", "set")
    samples: ClassVar = [
        Sample({"combine": c}, (p, i, r), (d, None, d), gradient=False, low=low) for c, p, i, r, d, low in (
            ("set", (5, 3), _DISTINCT, (3, 3), None, -1.0), ("set", (4,), _INDICES[:0], (0,), float64, -1.0),
            ("add", (4, 3), _INDICES, (5, 3), None, -1.0), ("add", (4, 2, 3), _INDICES.reshape(5, 1), (5, 1, 2, 3),
                                                            float64, -1.0),
            ("sub", (4, 65), _INDICES, (5, 65), None, -1.0), ("mul", (4,), _INDICES, (5,), None, -1.0),
            ("div", (4, 3), _INDICES, (5, 3), None, 0.5), ("min", (4, 3), _INDICES, (5, 3), None, -1.0),
            ("max", (4, 3), _INDICES, (5, 3), None, -1.0), ("add", (4, 3), np.array(2, np.int64), (3,), None, -1.0),
            ("set", (4, 0), _INDICES, (5, 0), None, -1.0))]

    def infer(self, params: Spec, indices: Spec, rows: Spec) -> Spec:
        check_dtype(self, "params", params.dtype, "any" if self.combine == "set" else
                    "floating" if self.combine == "div" else "wide")
        check_indices(self, indices)
        if rows.dtype != params.dtype:
            raise TypeError(f"argument 'rows' has dtype {rows.dtype.name}, but 'params' has {params.dtype.name}")
        check_rows(params.shape, indices.shape, rows.shape, "rows")
        return Spec(params.dtype, params.shape)

    def reference(self, params: np.ndarray, indices: np.ndarray, rows: np.ndarray) -> np.ndarray:
        result, flat = params.copy(), rows.reshape((indices.size, *params.shape[1:]))
        meanings = {"set": lambda a, b: b, "add": np.add, "sub": np.subtract, "mul": np.multiply,
                    "div": np.true_divide, "min": np.minimum, "max": np.maximum}
        for index, row in zip(indices.ravel(), flat, strict=True):
            result[index] = meanings[self.combine](result[index], row)
        return result

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        params, indices, rows = inputs
        y = outputs[0]
        if not b.same_memory(params, y):
            b.copy(params, y)
        sizes = [indices.elements, params.shape[0], dims.product(params.shape[1:])]
        if self.combine == "set":
            b.call("set_rows", [indices, rows, y], sizes)
        else:
            b.call("combine_rows", [indices, rows, y], sizes, [COMBINATIONS.index(self.combine)])
