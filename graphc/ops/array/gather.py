"""Elements picked by index: GatherV2 and its gradient, OneHot, Where (the indices of what is true), boolean_mask."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, bool_, float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind
from graphc.ir.known import own_symbol, regrouped, require_nonnegative, with_moved_value
from graphc.ir.op import Op, Permuted, Sample, attr, normalise_axis, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation


def _check_indices(indices: Spec) -> None:
    if indices.dtype not in (int32, int64):
        raise TypeError(f"argument 'indices' must be int32 or int64, but is {indices.dtype.name}")


_INDICES = np.array([[4, 0], [2, 2], [0, 1]])
_BATCHED: list[tuple[int, int, tuple[int, ...], np.ndarray, Any, Any]] = [
    (1, 1, (3, 5), _INDICES, np.int32, None), (1, 1, (3, 5, 2), _INDICES, np.int64, float64),
    (2, 1, (3, 2, 5, 4), _INDICES, np.int32, int64), (-1, -1, (3, 7, 5), _INDICES, np.int32, None),
    (2, 2, (3, 2, 5), _INDICES, np.int32, None), (-2, -2, (4, 5, 3), _INDICES[:2], np.int32, None)]


@register
class GatherV2(Op):
    """The slices of params along `axis` that indices names. An index out of range is an error when run."""

    checks_data = True
    operands = ("params", "indices", "axis")
    results = ("output",)
    types: ClassVar = {"Tparams": "params", "Tindices": "indices", "Taxis": "axis"}
    moves = True
    axis: int = operand_field("int", 0)
    batch_dims: int = attr("int", 0)
    samples: ClassVar = [Sample({"axis": a}, (s, i.astype(t)), (d, None)) for a, s, i, t, d in (
        (0, (5, 3), _INDICES, np.int32, None), (1, (2, 5, 3), _INDICES, np.int64, float64),
        (-1, (2, 5), _INDICES[:, 0], np.int32, int64), (0, (7,), np.array(3), np.int32, None),
        (0, (5, 3), _INDICES[:0], np.int32, None))] + [
        Sample({"axis": a, "batch_dims": n}, (s, i.astype(t)), (d, None)) for a, n, s, i, t, d in _BATCHED]

    def infer(self, params: Spec, indices: Spec) -> Spec:
        _check_indices(indices)
        if params.shape is None or indices.shape is None:
            return Spec(params.dtype, None)
        if not params.shape:
            raise ValueError("params must have at least one axis")
        axis = normalise_axis(self.axis, len(params.shape))
        batch = _batch_axes(self.batch_dims, params.shape, indices.shape, axis)
        made = Spec(params.dtype, (*params.shape[:axis], *indices.shape[batch:], *params.shape[axis + 1:]))
        if batch == 0 and indices.value is not None and all(isinstance(v, int) for v in indices.value):
            size = params.shape[axis]
            for v in indices.value:
                if isinstance(size, int) and not 0 <= v < size:  # type: ignore[operator]
                    raise ValueError(
                        f"index {v} is out of range for axis {axis} of params of shape {text(params.shape)}"
                    )
            if params.value is not None:
                known = np.array(indices.value, dtype=np.int64).reshape(indices.shape)  # type: ignore[arg-type]
                return with_moved_value(_Taken(self, known), made, params)  # type: ignore[arg-type]
        return made

    def reference(self, params: np.ndarray, indices: np.ndarray) -> np.ndarray:
        batch, axis = self.batch_dims % indices.ndim if self.batch_dims < 0 else self.batch_dims, self.axis
        if np.any((indices < 0) | (indices >= params.shape[axis])):      # NumPy would count negative ones from the back
            raise InvalidArgumentError(f"an index is not in [0, {params.shape[axis]})")
        if not batch:
            return np.take(params, indices, axis=axis)
        axis = axis % params.ndim
        places = list(np.ndindex(*params.shape[:batch]))
        made = [np.take(params[at], indices[at], axis=axis - batch) for at in places]
        shape = (*params.shape[:axis], *indices.shape[batch:], *params.shape[axis + 1:])
        return np.array(made, params.dtype).reshape(shape)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        params, indices, _ = node.inputs
        rank = params.spec.rank
        if self.batch_dims or (self.axis != 0 and (rank is None or self.axis != -rank)):
            shape = g.shape(params)
            return [g.scatter_sum(dy, indices, shape, axis=self.axis, batch_dims=self.batch_dims), None, None]
        return [rows_gradient(g, params, indices, dy), None, None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        if self.batch_dims or ranks[1] != 1:
            return None
        moved = replace(self, axis=perm.index(normalise_axis(self.axis, len(perm))))
        return Permuted(moved, (perm, None), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        params, indices = inputs
        axis = normalise_axis(self.axis, params.rank)
        batch = _batch_axes(self.batch_dims, params.shape, indices.shape, axis)
        if batch:
            indices, sizes = _per_row(params.shape, indices, axis, batch)
            b.call("gather_nd", [params, indices, outputs[0]], sizes, [1])
            return
        b.call("gather", [params, indices, outputs[0]], _gather_sizes(params.shape, axis, indices.shape))


def rows_gradient(g: GradientBuilder, params: Any, indices: Any, dy: Any) -> Any:
    """The gradient of a table of which the rows at `indices` were taken."""
    shape = g.shape(params)
    if indices.spec.rank != 1:
        count = g.reshape(g.size(indices), [1])
        dy, indices = g.reshape(dy, g.concat_v2([count, shape[1:]], 0)), g.reshape(indices, [-1])
    return g.indexed_slices(dy, indices, shape)


def wide_indices(b: Any, x: Any) -> Any:
    """x as int64, which is what kernel scatter_nd takes."""
    if x.dtype == int64:
        return x
    made = b.temporary(int64, x.shape)
    b.map(lambda s, v: s.cast(v, int64), [x], [made])
    return made


def _batch_axes(batch_dims: int, params: Sequence[Size], indices: Sequence[Size], axis: int) -> int:
    """How many axes params and indices have in common. Raises ValueError if batch_dims or their sizes do not fit."""
    batch = batch_dims + len(indices) if batch_dims < 0 else batch_dims
    if not 0 <= batch <= min(len(indices), len(params) - 1):
        raise ValueError(f"batch_dims {batch_dims} does not fit params of shape {text(params)} and indices of shape "
                         f"{text(indices)}")
    if batch > axis:
        raise ValueError(f"batch_dims {batch_dims} must be at most axis {axis}")
    for i in range(batch):
        require_equal(params[i], indices[i], f"batch axis {i} of params of shape {text(params)} must be that of "
                      f"indices of shape {text(indices)}")
    return batch


def _per_row(shape: Sequence[Size], indices: Any, axis: int, batch: int) -> tuple[Any, list[Size]]:
    """The indices once for each index of the axes between batch and axis, and the dims of kernels gather_nd and
    scatter_nd."""
    for i in range(batch, axis):
        indices = indices.expand(i)
    spread = indices.broadcast((*shape[:axis], *indices.shape[axis:]))
    return spread, [dims.product(shape[:axis]), dims.product(indices.shape[axis:]), dims.product(shape[axis + 1:]),
                    shape[axis], 1, 1, 1, 1, 1, 1]


def _gather_sizes(shape: Sequence[Size], axis: int, indices: Sequence[Size]) -> list[Size]:
    """outer, axis, inner, count: the dims of kernels gather and scatter_add."""
    return [dims.product(shape[:axis]), shape[axis], dims.product(shape[axis + 1:]), dims.product(indices)]


class _Taken:
    """GatherV2 with known indices, for `with_moved_value`."""

    def __init__(self, op: GatherV2, indices: np.ndarray) -> None:
        self.op, self.indices = op, indices

    def reference(self, params: np.ndarray) -> np.ndarray:
        return np.asarray(self.op.reference(params, self.indices), dtype=object)


def _batched_shape(shape: Sequence[int], indices: np.ndarray, axis: int, batch: int) -> tuple[int, ...]:
    axis, batch = axis % len(shape), batch % indices.ndim if batch < 0 else batch
    return (*shape[:axis], *indices.shape[batch:], *shape[axis + 1:])


@register
class _ScatterSum(Op):
    """Zeros of shape `shape`, to which the slices of updates are added along `axis` where indices says: GatherV2's
    gradient."""

    checks_data = True
    operands = ("updates", "indices", "shape")
    results = ("output",)
    types: ClassVar = {"T": "updates", "Tindices": "indices", "Tshape": "shape"}
    of_complex = "linear"
    shape: tuple[Size, ...] = operand_field("ints")
    axis: int = attr("int", 0)
    batch_dims: int = attr("int", 0)
    samples: ClassVar = [Sample({"axis": a, "shape": s}, (u, i.astype(t)), (d, None)) for a, s, u, i, t, d in (
        (0, (5, 3), (3, 2, 3), _INDICES, np.int32, None), (1, (2, 5, 3), (2, 3, 2, 3), _INDICES, np.int64, float64),
        (-1, (2, 5), (2, 3), _INDICES[:, 0], np.int32, None), (0, (7,), (), np.array(3), np.int32, None))] + [
        Sample({"axis": a, "shape": s, "batch_dims": n}, (_batched_shape(s, i, a, n), i.astype(t)),
               (d, None)) for a, n, s, i, t, d in _BATCHED]

    def infer(self, updates: Spec, indices: Spec) -> Spec:
        check_dtype(self, "updates", updates.dtype, "product")
        _check_indices(indices)
        axis = normalise_axis(self.axis, len(self.shape))
        if updates.shape is not None and indices.shape is not None:
            batch = _batch_axes(self.batch_dims, self.shape, indices.shape, axis)
            wanted = (*self.shape[:axis], *indices.shape[batch:], *self.shape[axis + 1:])
            message = f"updates of shape {text(updates.shape)} must have shape {text(wanted)}"
            if len(wanted) != len(updates.shape):
                raise ValueError(message)
            for a, b in zip(wanted, updates.shape, strict=True):
                require_equal(a, b, message)
        return Spec(updates.dtype, self.shape)

    def reference(self, updates: np.ndarray, indices: np.ndarray) -> np.ndarray:
        axis = self.axis % len(self.shape)
        outside = indices[(indices < 0) | (indices >= self.shape[axis])]  # type: ignore[operator]
        if outside.size:
            raise InvalidArgumentError(f"index {outside[0]} is not in [0, {self.shape[axis]})")
        result = np.zeros(self.shape, updates.dtype)  # type: ignore[arg-type]
        batch = self.batch_dims % indices.ndim if self.batch_dims < 0 else self.batch_dims
        if batch:
            inner = _ScatterSum(shape=self.shape[batch:], axis=axis - batch)
            for at in np.ndindex(*result.shape[:batch]):
                result[at] = inner.reference(updates[at], indices[at])
            return result
        moved = np.moveaxis(result, axis, 0)
        rows = updates.reshape((*self.shape[:axis], indices.size, *self.shape[axis + 1:]))  # type: ignore[arg-type]
        np.add.at(moved, indices.ravel(), np.moveaxis(rows, axis, 0))
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.gather_v2(dy, node.inputs[1], self.axis, batch_dims=self.batch_dims), None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        axis = normalise_axis(self.axis, len(self.shape))
        batch = _batch_axes(self.batch_dims, self.shape, inputs[1].shape, axis)
        if batch:
            indices, sizes = _per_row(self.shape, inputs[1], axis, batch)
            b.fill(outputs[0], 0)
            b.call("scatter_nd", [wide_indices(b, indices), inputs[0], outputs[0]], sizes, [1, 1])
            return
        b.call("scatter_add", [*inputs, outputs[0]], _gather_sizes(outputs[0].shape, axis, inputs[1].shape))


@register
class OneHot(Op):
    """on_value where the new axis' index is that of indices, else off_value."""

    operands = ("indices", "depth", "on_value", "off_value")
    results = ("output",)
    types: ClassVar = {"T": "on_value", "TI": "indices"}
    same = ("on_value", "off_value")
    moves = True
    depth: Size = operand_field("int")
    axis: int = attr("int", -1)
    samples: ClassVar = [Sample({"depth": n, "axis": a}, (i, (), ()), (None, d, d), gradient=False) for n, a, i, d in (
        (5, -1, np.array([0, 4, 7, -1, 2], np.int32), float32), (3, 0, np.array([[0, 2], [1, 1]], np.int64), float64),
        (4, 1, np.array([[0, 3, 2], [1, 1, 0]], np.int32), int64), (3, -1, np.array(1, np.int32), float32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, indices: Spec, on: Spec, off: Spec) -> Spec:
        check_dtype(self, "indices", indices.dtype, "integer")
        check_dtype(self, "on_value", on.dtype, "element")
        if on.dtype != off.dtype:
            raise TypeError(f"on_value is {on.dtype.name}, but off_value is {off.dtype.name}")
        if isinstance(self.depth, int) and self.depth < 0:
            raise ValueError(f"depth must not be negative, but is {self.depth}")
        require_nonnegative([self.depth], "depth must not be negative")
        if indices.shape is None:
            return Spec(on.dtype, None)
        axis = normalise_axis(self.axis, len(indices.shape) + 1)
        return Spec(on.dtype, (*indices.shape[:axis], self.depth, *indices.shape[axis:]))

    def reference(self, indices: np.ndarray, on: np.ndarray, off: np.ndarray) -> np.ndarray:
        axis = self.axis % (indices.ndim + 1)
        positions = np.arange(self.depth).reshape([-1 if i == axis else 1 for i in range(indices.ndim + 1)])  # type: ignore
        return np.where(np.expand_dims(indices, axis) == positions, on, off)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None, None, None]      # as TF, which has none by the values either

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        axis = normalise_axis(self.axis, y.rank)

        def choose(s: Any, index: Any, on: Any, off: Any) -> Any:
            return s("select", s("equal", s.cast(index, int64), s.index(axis)), on, off)

        b.elementwise(choose, [inputs[0].expand(axis), inputs[1], inputs[2]], [y])


@register
class Where(Op):
    """The indices of the true (nonzero) elements of input, in row-major order: int64, one row each."""

    checks_data = True
    operands = ("input",)
    results = ("index",)
    types: ClassVar = {"T": "input"}
    moves = True
    samples: ClassVar = [
        Sample({}, (m,), (bool_,), gradient=False)
        for m in (
            np.array([True, False, True]),
            np.array([[False, True], [True, True], [False, False]]),
            np.zeros((2, 3), np.bool_),
            np.zeros((0, 3), np.bool_),
        )
    ]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        if x.shape == ():
            raise ValueError("argument 'input' must have rank 1 or more, but is a scalar")
        rank: Size = dims.symbol("rank", ("rank",)) if x.shape is None else len(x.shape)
        return Spec(int64, (own_symbol(self, "count"), rank))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.argwhere(x).astype(np.int64)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        if x.dtype != bool_:
            mask = b.temporary(bool_, x.shape)
            b.map(lambda s, v: s("not_equal", v, s.constant(0, x.dtype)), [x], [mask])
            x = mask
        found = b.temporary(int64, ())
        b.reduce("add", regrouped(b.contiguous(x), (x.elements,)), found, (0,), element=lambda s, v: s.cast(v, int64))
        count = y.shape[0]
        b.bind(found, [count])
        flat = b.temporary(int64, (count,))
        b.call("nonzero", [x, flat], [x.elements, count])
        self._unravel(b, x, flat, y)

    def _unravel(self, b: Any, x: Any, flat: Any, y: Any) -> None:
        """Row-major positions to one index for each axis."""
        rest = b.temporary(int64, (max(1, x.rank),))
        b.store_sizes(list(x.shape) or [1], rest)
        inner = flat
        for axis in reversed(range(x.rank)):
            size = rest.select(0, axis).broadcast(flat.shape)
            target = y.select(1, axis)
            if axis == 0:
                b.copy(inner, target)
                return
            outer = b.temporary(int64, flat.shape)
            b.map(lambda s, i, n: (s("mod", i, n), s("floordiv", i, n)), [inner, size], [target, outer])
            inner = outer
