"""Rows without an element get one: SparseFillEmptyRows and its gradient."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_, float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, register
from graphc.ir.spec import Spec, text
from graphc.ops.sparse.cases import SPARSE, arrays_of, entries, int64s, sparse
from graphc.ops.sparse.parts import (
    axis_of,
    check_int64,
    check_parts,
    positions,
    put,
    row_order,
    take,
    value_at,
)

_CASES = [SPARSE[0], SPARSE[2], SPARSE[1], SPARSE[3], SPARSE[4], SPARSE[5], ([[2, 1], [0, 3], [2, 0]], (4, 4))]


@register
class SparseFillEmptyRows(Op):
    """A sparse tensor with default_value at the start of each row that has no element; which rows those are, and where
    each element came to stand. Elements are in the order of their rows."""

    checks_data = True
    moves = True
    operands = ("indices", "values", "dense_shape", "default_value")
    results = ("output_indices", "output_values", "empty_row_indicator", "reverse_index_map")
    types: ClassVar = {"T": "values"}
    samples: ClassVar = [Sample({}, (*sparse(*case), ())) for case in _CASES] + [
        Sample({}, (*sparse(*SPARSE[0]), ()), (None, d, None, d), gradient=d.is_floating)
        for d in (float64, int32, int64, int8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype, bool_, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        indices, values, shape, default = inputs
        check_dtype(self, "values", values.dtype, "element")
        if default.dtype != values.dtype:
            raise TypeError(f"argument 'default_value' has dtype {default.dtype.name}, but 'values' has "
                            f"{values.dtype.name}; cast one of them (gc.cast)")
        if default.shape not in (None, ()):
            raise ValueError(f"argument 'default_value' must be a scalar, but has shape {text(default.shape)}")
        count, rank = check_parts(self, indices, values, shape)
        if isinstance(rank, int) and rank < 1:
            raise ValueError("a sparse tensor of rank 0 has no rows")
        filled, rows = own_symbol(self, "filled"), value_at(self, shape, 0, "rows")
        return (Spec(int64, (filled, rank)), Spec(values.dtype, (filled,)), Spec(bool_, (rows,)),
                Spec(int64, (count,)))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        indices, values, shape, default = inputs
        if np.any((indices[:, 0] < 0) | (indices[:, 0] >= shape[0])):
            raise InvalidArgumentError(f"a row of indices is not in [0, {shape[0]})")
        found: list[Any] = []
        places, empty = np.zeros(len(indices), np.int64), np.zeros(shape[0], np.bool_)
        for row in range(shape[0]):
            mine = np.flatnonzero(indices[:, 0] == row)
            empty[row] = not len(mine)
            places[mine] = np.arange(len(mine)) + len(found)
            found += [entries(indices, values)[i] for i in mine] or [((row, *[0] * (len(shape) - 1)), default)]
        return *arrays_of(found, len(shape), values.dtype), empty, places

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape, default = inputs
        rows, filled, empty, places = outputs
        count = empty.shape[0]
        b.bind_unknown(shape, [count])
        row = b.temporary(int64, indices.shape[:1])
        b.copy(indices.select(1, 0), row)
        counts, sizes, before, begin = (b.temporary(int64, (count,)) for _ in range(4))
        ones = b.temporary(int64, row.shape)
        b.fill(ones, 1)
        b.call("scatter_add", [ones, row, counts], [1, count, 1, row.shape[0]])
        b.map(lambda s, n: (s("equal", n, s.constant(0, int64)), s("max", n, s.constant(1, int64))), [counts],
              [empty, sizes])
        for given, made in ((counts, before), (sizes, begin)):
            b.call("cumsum", [given, made], [1, count, 1], [1, 0])
        self._place(b, row, before, begin, places)
        total = b.temporary(int64, ())
        b.reduce("add", sizes, total, (0,))
        b.bind(total, [filled.shape[0]])
        b.copy(default.broadcast(filled.shape), filled)
        b.fill(rows, 0)
        put(b, values, places, filled)
        put(b, indices, places, rows)
        self._fill(b, empty, begin, rows)

    def _place(self, b: Any, row: Any, before: Any, begin: Any, places: Any) -> None:
        """Where each element comes to stand: where its row begins, and so many on as it has elements before it."""
        order = row_order(b, b.reshape(row, (row.shape[0], 1)))
        sorted_row, rank = take(b, row, order), b.temporary(int64, row.shape)
        b.map(lambda s, first, at: s("add", at, s("sub", s.index(0), first)),
              [take(b, before, sorted_row), take(b, begin, sorted_row)], [rank])
        b.fill(places, 0)
        put(b, rank, order, places)

    def _fill(self, b: Any, empty: Any, begin: Any, rows: Any) -> None:
        missing = dims.symbol("missing", ("runtime", "missing"))
        found = positions(b, empty, missing)
        updates = b.temporary(int64, (missing, rows.shape[1]))
        b.fill(updates, 0)
        b.copy(found, updates.select(1, 0))
        put(b, updates, take(b, begin, found), rows)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        if dys[1] is None:
            return [None] * 4
        values, default = g.sparse_fill_empty_rows_grad(node.outputs[3], dys[1])
        return [None, values, None, default]


@register
class SparseFillEmptyRowsGrad(Op):
    """The gradients of the values, and of the default value: the sum over what no value came to."""

    checks_data = True
    of_complex = "linear"
    operands = ("reverse_index_map", "grad_values")
    results = ("d_values", "d_default_value")
    types: ClassVar = {"T": "grad_values"}
    samples: ClassVar = [Sample({}, (int64s(places), (n,)), (None, d), gradient=d.is_floating)
                         for places, n, d in (
        ([0, 3, 1], 5, float32), ([2, 0], 3, float64), ([], 2, float32), ([], 0, float32), ([0, 1], 2, float32),
        ([1, 3], 4, int32), ([1], 3, int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[1].dtype, inputs[1].dtype

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        places, dy = inputs
        check_int64("reverse_index_map", places, 1)
        check_dtype(self, "grad_values", dy.dtype, "numeric")
        check_rank("grad_values", dy, 1)
        count = axis_of(places, 0)
        return Spec(dy.dtype, (own_symbol(self, "count") if count is None else count,)), Spec(dy.dtype, ())

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        places, dy = inputs
        if np.any((places < 0) | (places >= len(dy))):
            raise InvalidArgumentError(f"an element of reverse_index_map is not in [0, {len(dy)})")
        rest = np.delete(dy, places)
        return dy[places], np.array(rest.sum(dtype=dy.dtype), dy.dtype)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        places, dy = inputs
        take(b, dy, places, outputs[0])
        rest, zeros = b.temporary(dy.dtype, dy.shape), b.temporary(dy.dtype, places.shape)
        b.copy(dy, rest)
        b.fill(zeros, 0)
        put(b, zeros, places, rest)
        b.reduce("add", rest, outputs[1], (0,))

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        places, dy = node.inputs
        given = g.unsorted_segment_sum(g.ones_like(g.cast(places, dy.dtype)), places, g.size(dy))
        found = [g.unsorted_segment_sum(dys[0], places, g.size(dy))] if dys[0] is not None else []
        found += [g.mul(dys[1], g.sub(g.ones_like(given), given))] if dys[1] is not None else []
        return [None, g.add(*found) if len(found) == 2 else found[0] if found else None]
