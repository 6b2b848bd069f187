"""Slices written at index tuples: ScatterNd, TensorScatter..., ScatterNdNonAliasingAdd; and what writes into
variables, _CheckedIndices and _Scattered (ops/state/scatter.py).

Updates of one place are applied in the order of the tuples. A tuple out of range is an error when run.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int64, string
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import require_nonnegative
from graphc.ir.op import OPS, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ir.values import zeros
from graphc.ops.array.gather import wide_indices
from graphc.ops.array.gather_nd import TUPLES, check_tuples, tuple_sizes

CHANGED = {"update": "element", "add": "numeric", "sub": "numeric", "mul": "number", "div": "number", "min": "wide",
           "max": "wide"}                                       # the kinds of dtypes that each takes
HOW = ("update", "add", "sub", "mul", "div", "min", "max")      # by the numbers of kernel scatter_nd


def check_updates(op: Op, indices: Spec, updates: Spec, shape: Shape | None, what: str) -> None:
    """Raises ValueError unless updates has the shape of what the tuples name in a tensor of `shape`."""
    depth = check_tuples(op, indices, shape, what, updates.shape)
    if depth is None or shape is None or updates.shape is None or indices.shape is None:
        return
    wanted = (*indices.shape[:-1], *shape[depth:])
    message = (f"argument 'updates' of shape {text(updates.shape)} must have shape {text(wanted)}: that of indices "
               f"{text(indices.shape)} without its last axis, then that of a slice of {what} {text(shape)}")
    if len(wanted) != len(updates.shape):
        raise ValueError(message)
    for a, b in zip(wanted, updates.shape, strict=True):
        require_equal(a, b, message)


def scattered(how: str, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """A copy of table with the updates applied one after the other."""
    result, depth = np.array(table), indices.shape[-1]
    count = int(np.prod(indices.shape[:-1]))
    rows = updates.reshape((count, *table.shape[depth:]))
    with np.errstate(all="ignore"):
        for j, place in enumerate(indices.reshape(count, depth)):
            at = tuple(int(i) for i in place)
            if any(not 0 <= i < n for i, n in zip(at, table.shape, strict=False)):
                raise InvalidArgumentError(f"indices {at} do not index into shape {table.shape}")
            result[at] = _CHANGES[how](result[at], rows[j])
    return result


def _divided(old: Any, new: Any) -> Any:
    if np.asarray(old).dtype.kind == "f":
        return old / new
    wide = np.asarray(old).astype(object)
    quotient = abs(wide) // abs(np.asarray(new).astype(object))
    return np.where((wide < 0) != (np.asarray(new) < 0), -quotient, quotient).astype(np.asarray(old).dtype)


_CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "update": lambda old, new: new, "add": lambda old, new: old + new, "sub": lambda old, new: old - new,
    "mul": lambda old, new: old * new, "div": _divided, "min": np.minimum, "max": np.maximum}


def _updates(op: Op, params: Spec, updates: Spec, kind: str) -> None:
    check_dtype(op, "updates", updates.dtype, kind)
    if params.dtype != updates.dtype:
        raise TypeError(f"argument 'updates' has dtype {updates.dtype.name}, but what it is written into "
                        f"{params.dtype.name}; cast one of them (gc.cast)")


def call_scatter(b: Any, table: Any, indices: Any, updates: Any, y: Any, how: str) -> None:
    """y = table with the updates; nothing is copied if y is the table's own memory."""
    if table is not None and table.buffer != y.buffer:
        b.copy(table, y)
    depth = indices.rank - 1 + y.rank - updates.rank
    b.call("scatter_nd", [wide_indices(b, indices), updates, y], tuple_sizes(y.shape, depth, indices.shape),
           [depth, HOW.index(how)])


def slice_shape(indices: np.ndarray, shape: Sequence[int]) -> tuple[int, ...]:
    return (*indices.shape[:-1], *shape[indices.shape[-1]:])


@register
class ScatterNd(Op):
    """Zeros of shape `shape`, to which updates are added at the index tuples in the last axis of indices."""

    checks_data = True
    of_complex = "linear"
    operands = ("indices", "updates", "shape")
    results = ("output",)
    types: ClassVar = {"T": "updates", "Tindices": "indices"}
    shape: tuple[Size, ...] = operand_field("ints", dtype="indices")
    samples: ClassVar = [Sample({"shape": s}, (i.astype(t), slice_shape(i, s)), (None, d)) for i, s in TUPLES
                         for d, t in ((None, np.int32), (float64, np.int64), (int64, np.int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[Any, ...]:
        return (inputs[1].dtype,)

    def infer(self, indices: Spec, updates: Spec) -> Spec:
        if updates.dtype != string:
            check_dtype(self, "updates", updates.dtype, "numeric")
        require_nonnegative(self.shape, f"the shape {text(self.shape)} must not be negative")
        if any(isinstance(s, int) and s < 0 for s in self.shape):
            raise ValueError(f"the shape {text(self.shape)} must not be negative")
        check_updates(self, indices, updates, self.shape, "the result")
        return Spec(updates.dtype, self.shape)

    def reference(self, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        return scattered("add", zeros(self.shape, updates.dtype), indices, updates)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, g.gather_nd_like(dy, node.inputs[0], node.inputs[1]), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        if outputs[0].dtype == string:
            b.compute(OPS.make("_StringsAt", shape=self.shape), inputs, outputs)
            return
        b.fill(outputs[0], 0)
        call_scatter(b, None, *inputs, outputs[0], "add")


class _TensorScatter(Op):
    """tensor with the updates applied at the index tuples: what its kinds share."""

    checks_data = True
    of_complex = "linear"
    operands = ("tensor", "indices", "updates")
    results = ("output",)
    types: ClassVar = {"T": "tensor", "Tindices": "indices"}
    how: ClassVar[str]

    def infer(self, tensor: Spec, indices: Spec, updates: Spec) -> Spec:
        _updates(self, tensor, updates, CHANGED[self.how])
        check_updates(self, indices, updates, tensor.shape, f"'{self.operands[0]}'")
        return Spec(tensor.dtype, tensor.shape)

    def reference(self, tensor: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        return scattered(self.how, tensor, indices, updates)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        call_scatter(b, *inputs, outputs[0], self.how)


_SAMPLES = [Sample({}, (s, i.astype(t), slice_shape(i, s)), (d, None, d)) for i, s in TUPLES
            for d, t in ((None, np.int32), (float64, np.int64), (int64, np.int64))]


def _is_unique(indices: np.ndarray) -> bool:
    places = [tuple(place) for place in indices.reshape(-1, indices.shape[-1])] if indices.shape[-1] else [0, 0]
    return len(set(places)) == len(places)


@register
class TensorScatterUpdate(_TensorScatter):
    """tensor, its slices at the index tuples replaced by updates; of several for one place the last one counts."""

    moves = True
    how: ClassVar[str] = "update"
    # The gradient of a place that is named twice goes to both updates, as in TensorFlow: no finite difference.
    samples: ClassVar = [replace(s, gradient=_is_unique(s.inputs[1])) for s in _SAMPLES] + [
        Sample({}, (np.zeros((2, 2), np.bool_), np.array([[1, 0]], np.int32), np.array([True])), gradient=False)]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, indices, updates = node.inputs
        return [g.tensor_scatter_update(dy, indices, g.zeros_like(updates)), None,
                g.gather_nd_like(dy, indices, updates)]


@register
class TensorScatterAdd(_TensorScatter):
    """tensor, to which updates are added at the index tuples."""

    how: ClassVar[str] = "add"
    samples: ClassVar = _SAMPLES

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy, None, g.gather_nd_like(dy, node.inputs[1], node.inputs[2])]


@register
class TensorScatterSub(_TensorScatter):
    """tensor, from which updates are subtracted at the index tuples."""

    how: ClassVar[str] = "sub"
    samples: ClassVar = _SAMPLES

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy, None, g.neg(g.gather_nd_like(dy, node.inputs[1], node.inputs[2]))]


class _TensorScatterExtreme(_TensorScatter):
    """Its gradient goes in equal parts to all, of tensor and updates, that are the result, as in TensorFlow."""

    of_complex = ""

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        (tensor, indices, updates), y = node.inputs, node.outputs[0]
        chosen = g.cast(g.equal(tensor, y), dy.dtype)
        updated = g.cast(g.equal(updates, g.gather_nd_like(y, indices, updates)), dy.dtype)
        count = g.tensor_scatter_add(chosen, indices, updated)
        share = dy / g.maximum(count, g.ones_like(count))
        return [share * chosen, None, g.gather_nd_like(share, indices, updates) * updated]


@register
class TensorScatterMax(_TensorScatterExtreme):
    """tensor; at the index tuples the larger one of it and of updates."""

    how: ClassVar[str] = "max"
    samples: ClassVar = _SAMPLES


@register
class TensorScatterMin(_TensorScatterExtreme):
    """tensor; at the index tuples the smaller one of it and of updates."""

    how: ClassVar[str] = "min"
    samples: ClassVar = _SAMPLES


@register
class ScatterNdNonAliasingAdd(TensorScatterAdd):
    """input, to which updates are added at the index tuples."""

    operands = ("input", "indices", "updates")
    types: ClassVar = {"T": "input", "Tindices": "indices"}


@register
class _CheckedIndices(Op):
    """indices; a tuple that is not inside of the first axes of a tensor of shape `shape` ends the run."""

    checks_data = True
    operands = ("indices",)
    types: ClassVar = {"T": "indices"}
    shape: tuple[Size, ...] = attr("list(int)")        # of the axes that a tuple indexes
    samples: ClassVar = [Sample({"shape": s[:i.shape[-1]]}, (i.astype(t),), gradient=False) for i, s in TUPLES
                         for t in (np.int32, np.int64)]

    def infer(self, indices: Spec) -> Spec:
        check_dtype(self, "indices", indices.dtype, "index")
        if indices.shape is not None:
            require_equal(indices.shape[-1], len(self.shape), "the length of the index tuples")
        return Spec(indices.dtype, indices.shape)

    def reference(self, indices: np.ndarray) -> np.ndarray:
        if np.any((indices < 0) | (indices >= np.array(self.shape, np.int64))):
            raise InvalidArgumentError(f"indices do not index into shape {self.shape}")
        return indices

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        depth = len(self.shape)
        _, count, _, *sizes = tuple_sizes(self.shape, depth, inputs[0].shape)
        b.call("checked_indices", [inputs[0], outputs[0]], [count, *sizes], [depth])


@register
class _Scattered(Op):
    """table with updates at index tuples that were checked before, in the table's own memory where that is free."""

    overwrites = 0
    of_complex = "linear"              # of those that CHANGED lets through
    operands = ("table", "indices", "updates")
    types: ClassVar = {"T": "table", "Tindices": "indices"}
    how: str = attr("string")
    samples: ClassVar = [Sample({"how": h}, s.inputs, s.dtypes, gradient=False, low=1, high=3) for s in _SAMPLES[:4]
                         for h in HOW]

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return self.how == "update"

    def infer(self, table: Spec, indices: Spec, updates: Spec) -> Spec:
        _updates(self, table, updates, CHANGED[self.how])
        check_updates(self, indices, updates, table.shape, "the variable")
        return Spec(table.dtype, table.shape)

    def reference(self, table: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
        return scattered(self.how, table, indices, updates)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        raise LookupError("an update of a variable has no gradient")

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        call_scatter(b, *inputs, outputs[0], self.how)
