"""Rows sorted into parts and put together again: DynamicPartition, DynamicStitch, ParallelDynamicStitch; ListDiff.

The sizes of the results come from the data (ADR 15).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, bool_, float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind, check_rank
from graphc.ir.known import own_symbol, regrouped
from graphc.ir.op import Op, Sample, attr, register, same_dtypes
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ir.values import zeros
from graphc.ops.array.gather import wide_indices
from graphc.ops.array.refuse import require_none

_PARTS: list[tuple[int, list[Any], tuple[int, ...], Any]] = [
    (2, [0, 1, 1, 0], (4, 3), None), (3, [2, 0, 2], (3,), float64), (1, [0, 0], (2, 2), int64), (2, [], (0, 3), None),
    (3, [[0, 2], [2, 0]], (2, 2, 3), None)]


@register
class DynamicPartition(Op):
    """num_partitions tensors: number i holds the rows of data where partitions is i, in their order."""

    checks_data = True
    moves = True
    operands = ("data", "partitions")
    results = ("outputs*",)
    types: ClassVar = {"T": "data"}
    same = ("data",)
    num_partitions: int = attr("int")
    samples: ClassVar = [Sample({"num_partitions": n}, (s, np.array(p, np.int32)), (d, None)) for n, p, s, d in _PARTS]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype,) * self.num_partitions

    def infer(self, data: Spec, partitions: Spec) -> tuple[Spec, ...]:
        check_dtype(self, "data", data.dtype, "element")
        if partitions.dtype != int32:
            raise TypeError(f"argument 'partitions' must be int32, but is {partitions.dtype.name}")
        if self.num_partitions < 1:
            raise ValueError(f"num_partitions must be at least 1, but is {self.num_partitions}")
        if data.shape is None or partitions.shape is None:
            return (Spec(data.dtype, None),) * self.num_partitions
        rank = len(partitions.shape)
        message = f"data of shape {text(data.shape)} must begin with the shape {text(partitions.shape)} of partitions"
        if rank > len(data.shape):
            raise ValueError(message)
        for a, b in zip(data.shape, partitions.shape, strict=False):
            require_equal(a, b, message)
        return tuple(Spec(data.dtype, (own_symbol(self, f"count{i}"), *data.shape[rank:]))
                     for i in range(self.num_partitions))

    def reference(self, data: np.ndarray, partitions: np.ndarray) -> tuple[np.ndarray, ...]:
        if np.any((partitions < 0) | (partitions >= self.num_partitions)):
            raise InvalidArgumentError(f"partitions are not all in [0, {self.num_partitions})")
        return tuple(data[partitions == i] for i in range(self.num_partitions))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        data, partitions = node.inputs
        given = [g.zeros_like(y) if dy is None else dy for dy, y in zip(dys, node.outputs, strict=True)]
        sizes = g.shape(partitions)
        places = g.reshape(g.range(0, g.size(partitions)), sizes)
        taken = g.dynamic_partition(places, partitions, num_partitions=self.num_partitions)
        return [g.reshape(g.dynamic_stitch(list(taken), given), g.shape(data)), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        data, partitions = inputs[0], b.contiguous(inputs[1])
        rows = partitions.elements
        limit = self.num_partitions

        def outside(s: Any, i: Any) -> Any:
            return s("or", s("less", i, s.constant(0, int32)), s("less_equal", s.constant(limit, int32), i))

        require_none(b, outside, [partitions], partitions.shape, f"partitions must be in [0, {limit})")
        flat, masks, counts = regrouped(partitions, (rows,)), [], b.temporary(int64, (limit,))
        for i in range(limit):
            mask = b.temporary(bool_, (rows,))
            b.map(lambda s, p, number=i: s("equal", p, s.constant(number, int32)), [flat], [mask])
            b.reduce("add", mask, counts.select(0, i), (0,), element=lambda s, flag: s.cast(flag, int64))
            masks.append(mask)
        b.bind(counts, [y.shape[0] for y in outputs])
        inner = dims.product(data.shape[partitions.rank:])
        for mask, y in zip(masks, outputs, strict=True):
            places = b.temporary(int64, (y.shape[0],))
            b.call("nonzero", [mask, places], [rows, y.shape[0]])
            b.call("gather", [data, places, y], [1, rows, inner, y.shape[0]])


class _Stitch(Op):
    """merged[indices[m][i, ...]] = data[m][i, ...]: what both kinds share. Rows that no index names are 0."""

    checks_data = True
    moves = True
    operands = ("indices*", "data*")
    results = ("merged",)
    types: ClassVar = {"T": "data*"}

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[-1].dtype,)

    def infer(self, *inputs: Spec) -> Spec:
        half = len(inputs) // 2
        if not half or len(inputs) % 2:
            raise ValueError(f"as many indices as data are needed, and at least one, not {len(inputs)} tensors in all")
        indices, data = inputs[:half], inputs[half:]
        check_dtype(self, "data", data[0].dtype, "element")
        for i, (index, value) in enumerate(zip(indices, data, strict=True)):
            if index.dtype != int32:
                raise TypeError(f"indices[{i}] must be int32, but is {index.dtype.name}")
            if value.dtype != data[0].dtype:
                raise TypeError(f"data[{i}] has dtype {value.dtype.name}, but data[0] has {data[0].dtype.name}")
        known = [(i, x.shape, y.shape) for i, (x, y) in enumerate(zip(indices, data, strict=True))
                 if x.shape is not None and y.shape is not None]
        if not known:
            return Spec(data[0].dtype, None)
        row = known[0][2][len(known[0][1]):]
        for i, index, value in known:
            message = (f"data[{i}] of shape {text(value)} must begin with the shape {text(index)} of indices[{i}], "
                       f"and go "
                       f"on with {text(row)}, a row of data[{known[0][0]}]")
            if len(value) != len(index) + len(row):
                raise ValueError(message)
            for a, b in zip(value, (*index, *row), strict=True):
                require_equal(a, b, message)
        return _with_known_rows(indices, data, Spec(data[0].dtype, (own_symbol(self, "count"), *row)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        half = len(inputs) // 2
        count = max((int(i.max()) for i in inputs[:half] if i.size), default=-1) + 1
        row = inputs[half].shape[inputs[0].ndim:]
        merged = zeros((count, *row), inputs[half].dtype)
        for index, value in zip(inputs[:half], inputs[half:], strict=True):
            if np.any(index < 0):
                raise InvalidArgumentError("an index is out of range")
            merged[index] = value
        return merged

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        half = len(node.inputs) // 2
        return [*[None] * half, *(g.gather_v2(dy, indices, 0) for indices in node.inputs[:half])]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y, half = outputs[0], len(inputs) // 2
        self._bind_count(b, inputs[:half], y.shape[0])
        b.fill(y, 0)
        inner = dims.product(y.shape[1:])
        for indices, data in zip(inputs[:half], inputs[half:], strict=True):
            sizes = [1, indices.elements, inner, y.shape[0], 1, 1, 1, 1, 1, 1]
            b.call("scatter_nd", [wide_indices(b, indices), data, y], sizes, [1, 0])

    def _bind_count(self, b: Any, indices: Sequence[Any], count: Any) -> None:
        """The size of the result becomes known: the largest index and one more."""
        if isinstance(count, int):
            return
        largest = b.temporary(int64, ())
        b.fill(largest, -1)
        for x in indices:
            flat, own, joined = regrouped(b.contiguous(x), (x.elements,)), b.temporary(int64, ()), b.temporary(int64,
                                                                                                               ())
            # Of nothing the largest is the smallest integer, which does not count.
            b.reduce("max", flat, own, (0,), element=lambda s, i: s.cast(i, int64))
            b.map(lambda s, m, n: s("max", m, n), [largest, own], [joined])
            largest = joined
        total = b.temporary(int64, ())
        b.map(lambda s, n: s("max", s("add", n, s.constant(1, int64)), s.constant(0, int64)), [largest], [total])
        b.bind(total, [count])


def _with_known_rows(indices: Sequence[Spec], data: Sequence[Spec], result: Spec) -> Spec:
    """The spec of the result, whose size, and elements if they are sizes, are known where the indices are: a shape that
    gradients of TensorFlow's put together from two."""
    places = [x.value for x in indices]
    if any(p is None or not all(isinstance(i, int) and i >= 0 for i in p) for p in places):
        return result
    count = max((i for p in places for i in p or ()), default=-1) + 1  # type: ignore[type-var, operator]
    made = Spec(result.dtype, (count, *result.shape[1:]))  # type: ignore[index]
    if len(made.shape or ()) != 1 or not made.dtype.is_integer or any(x.value is None for x in data):
        return made
    found = {i: v for p, x in zip(places, data, strict=True) for i, v in zip(p or (), x.value or (), strict=True)}
    return made.with_value(tuple(found.get(i, 0) for i in range(count)))


# A scalar holds the largest index: fewer rows, or others, leave the result's size as it is.
_STITCHES = [([[0, 2], [1, 4], 5], (3,), None), ([3, [0, 2]], (), float64), ([[[0, 1], [4, 2]], [3], 5], (2, 3), int64),
             ([[0, 1], [1, 0], 2], (2,), None), ([[0], []], (5,), None)]
_STITCH_SAMPLES = [
    Sample({}, (*(np.array(i, np.int32) for i in indices), *((*np.array(i, np.int32).shape, *row) for i in indices)),
           (*(None,) * len(indices), *(d,) * len(indices)), gradient=number != 3)
    for number, (indices, row, d) in enumerate(_STITCHES)]


@register
class DynamicStitch(_Stitch):
    """merged[indices[m][i, ...]] = data[m][i, ...], of several for one row the last one; rows without an index are
    0."""

    samples: ClassVar = _STITCH_SAMPLES


@register
class ParallelDynamicStitch(_Stitch):
    """DynamicStitch whose order does not matter to the user."""

    samples: ClassVar = _STITCH_SAMPLES


@register
class ListDiff(Op):
    """The elements of x that are none of y's, in their order, and where they stand in x."""

    checks_data = True
    operands = ("x", "y")
    results = ("out", "idx")
    types: ClassVar = {"T": "x"}
    out_idx: DType = attr("type", int32)
    samples: ClassVar = [Sample({"out_idx": t}, (np.array(x, d.numpy), np.array(y, d.numpy)), gradient=False)
                         for x, y, d, t in (
        ([1, 2, 3, 4, 5, 6], [1, 3, 5], int32, int32), ([7.0, 7.0, 2.0], [2.0, 9.0], float32, int64),
        ([], [1, 2], int64, int32), ([3, 1], [], int32, int32), ([1.5, 2.5], [1.5, 2.5, 2.5], float64, int32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, self.out_idx

    def infer(self, x: Spec, y: Spec) -> tuple[Spec, ...]:
        check_kind(self, (x,), "comparable")
        same_dtypes(self, (x, y))
        check_dtype(self, "out_idx", self.out_idx, "index")
        check_rank("x", x, 1)
        check_rank("y", y, 1)
        count = own_symbol(self, "count")
        return Spec(x.dtype, (count,)), Spec(self.out_idx, (count,))

    def reference(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        found = np.flatnonzero(~np.isin(x, y))
        return x[found], found.astype(self.out_idx.numpy)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs
        out, places = outputs
        size, count, found = x.shape[0], out.shape[0], b.temporary(int64, ())
        mask = b.temporary(bool_, (size,))
        b.call("absent", [x, y, mask], [size, y.shape[0]])
        b.reduce("add", mask, found, (0,), element=lambda s, flag: s.cast(flag, int64))
        b.bind(found, [count])
        flat = places if self.out_idx == int64 else b.temporary(int64, (count,))
        b.call("nonzero", [mask, flat], [size, count])
        if flat is not places:
            b.map(lambda s, i: s.cast(i, int32), [flat], [places])
        b.call("gather", [x, flat, out], [1, size, 1, count])
