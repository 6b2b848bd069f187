"""Two sparse tensors of one shape made one: SparseAdd, SparseSparseMaximum, SparseSparseMinimum."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int8, int32, int64, uint8
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import own_symbol
from graphc.ir.op import Composite, Op, Sample, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text
from graphc.ops.array.refuse import require_none
from graphc.ops.math.segments import call_segment
from graphc.ops.math.unsorted_segments import _GatherKept
from graphc.ops.sparse.cases import arrays_of, check_inside, entries, int64s, sparse
from graphc.ops.sparse.parts import (
    check_int64,
    check_parts,
    checked,
    first_of_groups,
    joined,
    part,
    positions,
    put,
    row_groups,
    row_order,
    take,
)
from graphc.ops.sparse.rows import _FindRows

_PAIRS: list[tuple[Any, Any, tuple[int, ...]]] = [
    ([[0, 1], [0, 3], [2, 0]], [[0, 0], [0, 3], [2, 0], [2, 3]], (3, 4)), ([[1], [4]], [[0], [5]], (7,)),
    ([[0, 0, 1], [1, 1, 1]], np.zeros((0, 3)), (2, 3, 2)), (np.zeros((0, 2)), [[1, 2]], (2, 3)),
    (np.zeros((0, 2)), np.zeros((0, 2)), (0, 3)), ([[0, 0]], [[0, 0]], (1, 1))]


class _Merged(Op):
    """What ops on two sparse tensors of one shape share."""

    checks_data = True

    def check(self, inputs: Sequence[Spec]) -> tuple[Size, Size]:
        """(a size of its own: the number of the result's elements, the number of axes)."""
        a, b = inputs[:3], inputs[3:6]
        for operand in (a[1], b[1]):
            check_dtype(self, "a_values", operand.dtype, "number")
        if a[1].dtype != b[1].dtype:
            raise TypeError(f"argument 'b_values' has dtype {b[1].dtype.name}, but 'a_values' has {a[1].dtype.name}; "
                            "cast one of them (gc.cast)")
        (_, rank), (_, other) = check_parts(self, *a), check_parts(self, *b, first=3)
        require_equal(rank, other, "Operands should have the same number of axes, that of a_shape and of b_shape")
        if a[2].value is not None and b[2].value is not None:
            for m, n in zip(a[2].value, b[2].value, strict=True):
                require_equal(m, n, f"Operands' shapes do not match: a_shape is {text(a[2].value)}, b_shape "
                              f"{text(b[2].value)}")
        return own_symbol(self, "count"), rank

    def union(self, b: Any, inputs: Sequence[Any], inside: bool = False) -> tuple[Any, Any, Any, Size]:
        """(all rows, the group of each, the first row of each group, number of groups). inside: they must be in the
        shape."""
        require_none(b, lambda s, m, n: s("not_equal", m, n), [inputs[2], inputs[5]], inputs[2].shape,
                     "Operands' shapes do not match: sizes of a_shape that are not those of b_shape")
        rows = joined(b, [inputs[0], inputs[3]])
        if inside:
            rows = checked(b, rows, inputs[2])
        group, found = row_groups(b, rows, row_order(b, rows), rows.shape[1])
        count = dims.symbol("groups", ("runtime", "groups"))
        b.bind(found, [count])
        return rows, group, first_of_groups(b, group, count), count

    @staticmethod
    def same_shape(inputs: Sequence[np.ndarray]) -> None:
        if inputs[2].tolist() != inputs[5].tolist():
            raise InvalidArgumentError("Operands' shapes do not match")


def _add_samples() -> list[Sample]:
    made = [Sample({}, (*sparse(a, s), *sparse(b, s), np.float32(0))) for a, b, s in _PAIRS]
    a, b, shape = _PAIRS[0]
    apart = (int64s(a), np.array([2, -0.5, 3], np.float32), int64s(shape),
             int64s(b), np.array([0.25, 0.4, -4, 1], np.float32), int64s(shape), np.float32(0.5))
    made.append(Sample({}, apart))
    made += [Sample({}, (*sparse(a, shape), *sparse(b, shape), np.array(0, d.numpy)),
                    (None, d, None, None, d), gradient=d.is_floating) for d in (float64, int32, int64, int8)]
    return made


@register
class SparseAdd(_Merged):
    """The sum of two sparse tensors. Where both have an element it is left out if it is less than thresh either way."""

    operands = ("a_indices", "a_values", "a_shape", "b_indices", "b_values", "b_shape", "thresh")
    results = ("sum_indices", "sum_values", "sum_shape")
    types: ClassVar = {"T": "a_values", "Treal": "thresh"}
    samples: ClassVar = _add_samples()

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        count, rank = self.check(inputs)
        thresh = inputs[6]
        if thresh.dtype != inputs[1].dtype:
            raise TypeError(f"argument 'thresh' has dtype {thresh.dtype.name}, but must be {inputs[1].dtype.name} as "
                            "a_values; cast it (gc.cast)")
        if thresh.shape not in (None, ()):
            raise ValueError(f"argument 'thresh' must be a scalar, but has shape {text(thresh.shape)}")
        return Spec(int64, (count, rank)), Spec(inputs[1].dtype, (count,)), Spec(int64, (rank,), inputs[2].value)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.same_shape(inputs)
        total: dict[tuple[int, ...], list[Any]] = {}
        for row, value in entries(*inputs[:2]) + entries(*inputs[3:5]):
            total.setdefault(row, []).append(value)
        with np.errstate(all="ignore"):
            sums = {row: np.add.reduce(values, dtype=inputs[1].dtype) for row, values in total.items()}
            kept = [(row, sums[row]) for row in sorted(sums) if len(total[row]) == 1 or abs(sums[row]) >= inputs[6]]
        return *arrays_of(kept, len(inputs[2]), inputs[1].dtype), inputs[2]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows, group, first, count = self.union(b, inputs)
        sums, mask = b.temporary(inputs[1].dtype, (count,)), b.temporary(bool_, (count,))
        call_segment(b, "sum", joined(b, [inputs[1], inputs[4]]), group, sums, False)
        ones, members = b.temporary(int64, group.shape), b.temporary(int64, (count,))
        b.fill(ones, 1)
        call_segment(b, "sum", ones, group, members, False)
        b.map(lambda s, v, least, n: s("or", s("equal", n, s.constant(1, int64)), s("less_equal", least, s("abs", v))),
              [sums, inputs[6].broadcast((count,)), members], [mask])
        kept = positions(b, mask, outputs[0].shape[0])
        take(b, rows, take(b, first, kept), outputs[0])
        take(b, sums, kept, outputs[1])
        b.copy(inputs[2], outputs[2])

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        if dys[1] is None:
            return [None] * 7
        a, b = g.sparse_add_grad(dys[1], node.inputs[0], node.inputs[3], node.outputs[0])
        return [None, a, None, None, b, None, None]


@register
class SparseAddGrad(Composite):
    """The gradients of both operands' values: those of the sum at the same indices, 0 where the sum has none."""

    operands = ("backprop_val_grad", "a_indices", "b_indices", "sum_indices")
    results = ("a_val_grad", "b_val_grad")
    types: ClassVar = {"T": "backprop_val_grad"}
    samples: ClassVar = [Sample({}, ((3,), int64s([[0, 1], [2, 0]]), int64s([[0, 0], [0, 1], [1, 1]]),
                                     int64s([[0, 0], [0, 1], [2, 0]])), (d,), gradient=d.is_floating)
                         for d in (float32, float64, int32, int64)] + [
        Sample({}, ((0,), np.zeros((0, 2), np.int64), int64s([[0, 3]]), np.zeros((0, 2), np.int64)))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        check_dtype(self, "backprop_val_grad", inputs[0].dtype, "wide")
        for name, spec in zip(self.operands[1:], inputs[1:], strict=True):
            check_int64(name, spec, 2)
        found = [_FindRows().infer(rows, inputs[3]) for rows in inputs[1:3]]
        return tuple(Spec(inputs[0].dtype, spec.shape) for spec in found)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        dy, *given, total = inputs
        known = dict(entries(total, dy))
        return tuple(np.array([known.get(tuple(row), 0) for row in rows.tolist()], dy.dtype) for rows in given)

    def expand(self, emit: Any, *inputs: Any) -> Any:
        dy, a, b, total = inputs
        return tuple(emit(_GatherKept(), dy, emit(_FindRows(), rows, total)) for rows in (a, b))

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        dy, a, b, total = node.inputs
        found = [g.unsorted_segment_sum(slope, g.find_rows(rows, total), g.size(dy))
                 for slope, rows in zip(dys, (a, b), strict=True) if slope is not None]
        return [g.add(*found) if len(found) == 2 else found[0] if found else None, None, None, None]


class _Extreme(_Merged):
    """Elements that one of both lacks are 0. No gradient, as in TensorFlow 1."""

    operands: ClassVar[tuple[str, ...]] = ("a_indices", "a_values", "a_shape", "b_indices", "b_values", "b_shape")
    results: ClassVar[tuple[str, ...]] = ("output_indices", "output_values")
    types: ClassVar[dict[str, str]] = {"T": "a_values"}
    primitive: ClassVar[str]
    samples: ClassVar[Sequence[Sample]] = [
        Sample({}, (*sparse(a, s), *sparse(b, s)), gradient=False) for a, b, s in _PAIRS] + [
        Sample({}, (*sparse(_PAIRS[0][0], (3, 4)), *sparse(_PAIRS[0][1], (3, 4))), (None, d, None, None, d),
               gradient=False, low=-9, high=9) for d in (float64, int32, int64, int8, uint8)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int64, inputs[1].dtype

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        same_dtypes(self, [inputs[1], inputs[4]])
        count, rank = self.check(inputs)
        return Spec(int64, (count, rank)), Spec(inputs[1].dtype, (count,))

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.same_shape(inputs)
        check_inside(np.concatenate([inputs[0], inputs[3]]), inputs[2])
        one, two = dict(entries(*inputs[:2])), dict(entries(*inputs[3:5]))
        function, none = {"max": np.maximum, "min": np.minimum}[self.primitive], inputs[1].dtype.type(0)
        found = [(row, function(one.get(row, none), two.get(row, none))) for row in sorted({*one, *two})]
        return arrays_of(found, len(inputs[2]), inputs[1].dtype)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rows, group, first, count = self.union(b, inputs, inside=True)
        b.bind_unknown(_as_vector(b, count), outputs[1].shape)
        take(b, rows, first, outputs[0])
        sides, begin = [], 0
        for values in (inputs[1], inputs[4]):
            side = b.temporary(values.dtype, (count,))
            b.fill(side, 0)
            put(b, values, part(b, group, begin, values.shape[0]), side)
            begin = begin + values.shape[0]
            sides.append(side)
        b.map(lambda s, x, y: s(self.primitive, x, y), sides, [outputs[1]])


def _as_vector(b: Any, size: Size) -> Any:
    made = b.temporary(int64, (1,))
    b.store_sizes([size], made)
    return made


@register
class SparseSparseMaximum(_Extreme):
    """The greater elements of two sparse tensors, which lack zeros only"""

    primitive = "max"


@register
class SparseSparseMinimum(_Extreme):
    """The lesser elements of two sparse tensors, which lack zeros only"""

    primitive = "min"
