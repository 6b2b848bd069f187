"""Values of a sparse tensor, each computed from itself and what belongs to it: SparseDenseCwiseMul, Div and Add,
SparseSoftmax."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, float32, float64, int8, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Composite, Op, Sample, register
from graphc.ir.spec import Spec
from graphc.ops.array.gather import GatherV2
from graphc.ops.array.gather_nd import GatherNd
from graphc.ops.math.binary import Add, Mul, Sub
from graphc.ops.math.division import Div, RealDiv
from graphc.ops.math.unary import Exp
from graphc.ops.math.unsorted_segments import UnsortedSegmentMax, UnsortedSegmentSum
from graphc.ops.sparse.cases import SPARSE, check_inside, int64s, sparse
from graphc.ops.sparse.parts import check_parts
from graphc.ops.sparse.rows import _DenseTuples, _RowGroups

_CASES = [(SPARSE[0], (3, 4)), (SPARSE[0], (4,)), (SPARSE[0], (3, 1)), (SPARSE[0], ()), (SPARSE[2], (3, 1)),
          (SPARSE[1], (7,)), (SPARSE[4], (2, 3)), (SPARSE[3], (1,))]


class _ByDense(Composite):
    """The values of a sparse tensor, by those of a dense one broadcast to its shape."""

    operands: ClassVar[tuple[str, ...]] = ("sp_indices", "sp_values", "sp_shape", "dense")
    results: ClassVar[tuple[str, ...]] = ("output",)
    types: ClassVar[dict[str, str]] = {"T": "sp_values"}
    function: ClassVar[type[Op]]
    samples: ClassVar[Sequence[Sample]] = [
        Sample({}, (*sparse(*case), dense), low=0.5, high=2) for case, dense in _CASES] + [
        Sample({}, (*sparse(*SPARSE[0]), (4,)), (None, d, None, d), gradient=d.is_floating, low=1, high=9)
        for d in (float64, int32, int64, int8)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, *inputs: Spec) -> Spec:
        indices, values, shape, dense = inputs
        check_dtype(self, "sp_values", values.dtype, "number")
        if dense.dtype != values.dtype:
            raise TypeError(f"argument 'dense' has dtype {dense.dtype.name}, but 'sp_values' has {values.dtype.name}; "
                            "cast one of them (gc.cast)")
        count, _ = check_parts(self, indices, values, shape)
        _DenseTuples().infer(indices, shape, dense)
        return Spec(values.dtype, (count,))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        indices, values, shape, dense = inputs
        check_inside(indices, shape)
        broadcast = np.broadcast_to(dense, tuple(shape))
        found = broadcast[tuple(indices.T)] if len(indices) else values
        made: np.ndarray = type(self).function().reference(values, np.array(found, values.dtype))
        return made

    def expand(self, emit: Any, *inputs: Any) -> Any:
        indices, values, shape, dense = inputs
        places = emit(_DenseTuples(), indices, shape, dense)
        return emit(type(self).function(), values, emit(GatherNd(), dense, places))


@register
class SparseDenseCwiseMul(_ByDense):
    """The values times those of a dense tensor, broadcast, at their indices."""

    function = Mul

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        indices, values, shape, dense = node.inputs
        places = g.dense_tuples(indices, shape, dense)
        slope = g.scatter_nd(places, g.mul(dy, values), g.shape(dense, out_type=int64))
        return [None, g.mul(dy, g.gather_nd_like(dense, places, values)), None, slope]


@register
class SparseDenseCwiseDiv(_ByDense):
    """The values over those of a dense tensor, broadcast, at their indices."""

    function = Div

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        indices, values, shape, dense = node.inputs
        places = g.dense_tuples(indices, shape, dense)
        divisor = g.gather_nd_like(dense, places, values)
        of_dense = g.mul(dy, g.real_div(g.neg(values), g.square(divisor)))
        return [None, g.real_div(dy, divisor), None,
                g.scatter_nd(places, of_dense, g.shape(dense, out_type=int64))]


@register
class SparseDenseCwiseAdd(_ByDense):
    """The values plus those of a dense tensor, broadcast, at their indices. No gradient, as in TensorFlow 1."""

    function = Add
    samples: ClassVar = [Sample(s.attributes, s.inputs, s.dtypes, False, s.tolerance, s.low, s.high)
                         for s in _ByDense.samples]


@register
class SparseSoftmax(Composite):
    """The softmax of the values that share all indices but the last one."""

    operands = ("sp_indices", "sp_values", "sp_shape")
    results = ("output",)
    types: ClassVar = {"T": "sp_values"}
    samples: ClassVar = [Sample({}, sparse(*case), (None, d, None)) for case, d in (
        (SPARSE[0], float32), (SPARSE[2], float32), (SPARSE[3], float32), (SPARSE[4], float32), (SPARSE[0], float64),
        (([[0, 0], [0, 1], [0, 2], [1, 1]], (2, 3)), float32))] + [
        Sample({}, (int64s([[0, 0], [0, 1], [1, 0]]), np.array([1e4, -1e4, 3], np.float32), int64s([2, 2])))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, *inputs: Spec) -> Spec:
        indices, values, shape = inputs
        check_dtype(self, "sp_values", values.dtype, "floating")
        count, rank = check_parts(self, indices, values, shape)
        if isinstance(rank, int) and rank < 2:
            raise ValueError(f"Input should have rank >= 2, but received a sparse tensor of rank {rank}")
        return Spec(values.dtype, (count,))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        indices, values, _ = inputs
        made, rows = np.zeros_like(values), indices[:, :-1].tolist()
        for row in rows:
            mine = [i for i, other in enumerate(rows) if other == row]
            powers = np.exp(values[mine] - values[mine].max())
            made[mine] = powers / powers.sum()
        return made

    def expand(self, emit: Any, *inputs: Any) -> Any:
        indices, values, _ = inputs
        groups, count = emit(_RowGroups(dropped=1), indices), values.spec.shape[0]
        largest = emit(UnsortedSegmentMax(num_segments=count), values, groups)
        powers = emit(Exp(), emit(Sub(), values, emit(GatherV2(axis=0), largest, groups)))
        sums = emit(UnsortedSegmentSum(num_segments=count), powers, groups)
        return emit(RealDiv(), powers, emit(GatherV2(axis=0), sums, groups))

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        y = node.outputs[0]
        groups = g.row_groups(node.inputs[0], dropped=1)
        sums = g.unsorted_segment_sum(g.mul(dy, y), groups, g.size(y))
        return [None, g.mul(g.sub(dy, g.gather_v2(sums, groups, 0)), y), None]
