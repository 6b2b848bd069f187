"""The same elements under other indices: SparseReorder, SparseReshape."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import DType, bool_, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Composite, Op, Sample, register
from graphc.ir.spec import Spec
from graphc.ops.array.gather import GatherV2
from graphc.ops.array.refuse import require_none
from graphc.ops.sparse.cases import SPARSE, int64s, sparse
from graphc.ops.sparse.parts import agreed, axis_of, check_int64, check_parts, places_of, strides_of
from graphc.ops.sparse.rows import _RowOrder

_UNSORTED: list[tuple[Any, tuple[int, ...]]] = [
    ([[2, 1], [0, 3], [2, 0], [0, 3], [1, 1]], (3, 4)), ([[5], [0], [5], [3]], (7,)),
    ([[1, 0, 1], [0, 2, 0], [1, 0, 0]], (2, 3, 2)), (np.zeros((0, 2)), (2, 3)), ([[0, 0]], (1, 1))]


@register
class SparseReorder(Composite):
    """The elements in row-major order of their index tuples; those of equal ones stay in theirs."""

    operands = ("input_indices", "input_values", "input_shape")
    results = ("output_indices", "output_values")
    types: ClassVar = {"T": "input_values"}
    samples: ClassVar = [Sample({}, sparse(*case)) for case in _UNSORTED] + [
        Sample({}, sparse(*_UNSORTED[0]), (None, d, None), gradient=d.is_floating)
        for d in (float64, int32, int64, int8, bool_)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        indices, values, shape = inputs
        check_dtype(self, "input_values", values.dtype, "element")
        count, rank = check_parts(self, indices, values, shape)
        return Spec(int64, (count, rank)), Spec(values.dtype, (count,))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        indices, values, _ = inputs
        order = sorted(range(len(indices)), key=lambda i: tuple(indices[i]))
        return indices[order], values[order]

    def expand(self, emit: Any, *inputs: Any) -> Any:
        indices, values, _ = inputs
        order = emit(_RowOrder(), indices)
        return emit(GatherV2(axis=0), indices, order), emit(GatherV2(axis=0), values, order)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        if dys[1] is None:
            return [None, None, None]
        order = g.row_order(node.inputs[0])
        return [None, g.gather_v2(dys[1], g.invert_permutation(order), 0), None]


_RESHAPES = [(SPARSE[0], [4, 3]), (SPARSE[0], [2, -1, 3]), (SPARSE[0], [12]), (SPARSE[2], [-1, 4]),
             (SPARSE[3], [1, 1, 1]), (SPARSE[4], [6, 1]), (SPARSE[5], [0, 7]), (SPARSE[1], [-1])]


@register
class SparseReshape(Op):
    """The indices of the same elements in a tensor of new_shape, of which one size may be -1."""

    checks_data = True
    operands = ("input_indices", "input_shape", "new_shape")
    results = ("output_indices", "output_shape")
    samples: ClassVar = [Sample({}, (int64s(rows).reshape(-1, len(shape)), int64s(shape), int64s(new)), gradient=False)
                         for (rows, shape), new in _RESHAPES]

    def infer(self, indices: Spec, shape: Spec, new: Spec) -> tuple[Spec, ...]:
        count, _ = check_parts(self, indices, None, shape)
        check_int64("new_shape", new, 1)
        rank = agreed(self, [("new_shape", axis_of(new, 0))], "the number of new axes")
        return Spec(int64, (count, rank)), Spec(int64, (rank,))

    def reference(self, indices: np.ndarray, shape: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, ...]:
        places = np.ravel_multi_index(tuple(indices.T), tuple(shape)) if len(indices) else np.zeros(0, np.int64)
        try:
            made = np.empty(tuple(shape), np.bool_).reshape(tuple(new)).shape
        except ValueError as error:
            raise InvalidArgumentError(str(error)) from None
        rows = np.unravel_index(places, made) if len(places) else np.zeros((len(made), 0), np.int64)
        return np.array(rows, np.int64).T.reshape(len(indices), len(made)), np.array(made, np.int64)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, shape, new = inputs
        rows, result = outputs
        self._sizes(b, shape, new, result)
        places, domain = places_of(b, indices, shape), rows.shape

        def column(s: Any, place: Any, stride: Any, size: Any) -> Any:
            one = s.constant(1, int64)
            return s("mod", s("floordiv", place, s("max", stride, one)), s("max", size, one))

        b.map(column, [places.broadcast_trailing((domain[1],)), strides_of(b, result).broadcast(domain),
                       result.broadcast(domain)], [rows])

    def _sizes(self, b: Any, shape: Any, new: Any, result: Any) -> None:
        """result = new, with a size in place of -1; or the end of the run."""
        free, known, total = (b.temporary(int64, ()) for _ in range(3))
        b.reduce("add", new, free, (0,), element=lambda s, n: s.cast(s("less", n, s.constant(0, int64)), int64))
        b.reduce("mul", new, known, (0,), element=lambda s, n: s(
            "select", s("less", n, s.constant(0, int64)), s.constant(1, int64), n))
        b.reduce("mul", shape, total, (0,))
        b.map(lambda s, n, free, known, total: s("select", s("less", n, s.constant(0, int64)), s(
            "floordiv", total, s("max", known, s.constant(1, int64))), n),
            [new, *(x.broadcast(new.shape) for x in (free, known, total))], [result])
        require_none(b, lambda s, free: s("less", s.constant(1, int64), free), [free], (),
                     "only one size of new_shape may be -1")
        made = b.temporary(int64, ())
        b.reduce("mul", result, made, (0,))
        require_none(b, lambda s, made, total: s("not_equal", made, total), [made, total], (),
                     "Input to reshape is a SparseTensor whose number of dense values is not that of new_shape")

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None, None]
