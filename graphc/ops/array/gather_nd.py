"""Slices picked by tuples of indices: GatherNd; and TF's first Gather, along axis 0."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_, float64, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import OPS, Composite, Op, Sample, attr, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.gather import rows_gradient

TUPLE_LIMIT = 7          # indices of one tuple: what kernels take


def check_tuples(op: Op, indices: Spec, shape: Shape | None, what: str, updates: Shape | None = None) -> int | None:
    """The length of the index tuples; None if it is not known. updates: the shape of what belongs to the tuples, whose
    rank says the length, too. Raises ValueError if they do not fit `shape`."""
    check_dtype(op, "indices", indices.dtype, "index")
    if indices.shape is None:
        return None
    if not indices.shape:
        raise ValueError("argument 'indices' must have at least one axis, that of the index tuples, but is a scalar")
    depth = indices.shape[-1]
    if not isinstance(depth, int):
        if updates is None or shape is None:
            return None
        found = len(indices.shape) - 1 + len(shape) - len(updates)
        require_equal(depth, found, f"the length of the index tuples of indices of shape {text(indices.shape)}, for "
                      f"updates of rank {len(updates)} and {what} of rank {len(shape)}")
        depth = found
    if shape is not None and not 0 <= depth <= len(shape):
        raise ValueError(f"the index tuples of indices of shape {text(indices.shape)} have {depth} elements, but "
                         f"{what} of shape {text(shape)} has {len(shape)} axes")
    if depth > TUPLE_LIMIT:
        raise ValueError(f"index tuples of {depth} elements are not supported; the limit is {TUPLE_LIMIT}")
    return depth


def tuple_sizes(shape: Sequence[Size], depth: int, indices: Sequence[Size]) -> list[Size]:
    """batch (1), count, inner and seven sizes: the dims of kernels gather_nd and scatter_nd."""
    sizes = [*shape[:depth], *(1,) * (TUPLE_LIMIT - depth)]
    return [1, dims.product(indices[:-1]), dims.product(shape[depth:]), *sizes]


# Tuples, and a shape into which they go; other rows of them, and fewer rows, do as well.
TUPLES = [(np.array([[0, 1], [2, 0], [2, 0], [1, 1]]), (3, 2, 5)), (np.array([[[1], [0]], [[2], [2]]]), (3, 4)),
          (np.array([1, 2, 1]), (4, 3, 5)), (np.zeros((0, 2), np.int64), (3, 2)), (np.zeros((2, 0), np.int64), (3,)),
          (np.array([[0, 0, 1], [1, 2, 0], [1, 1, 1], [0, 2, 1]]), (2, 3, 2))]


@register
class GatherNd(Op):
    """The slices of params at the index tuples in the last axis of indices. A tuple out of range is an error when
    run."""

    checks_data = True
    moves = True
    operands = ("params", "indices")
    results = ("output",)
    types: ClassVar = {"Tparams": "params", "Tindices": "indices"}
    samples: ClassVar = [Sample({}, (s, i.astype(t)), (d, None)) for i, s in TUPLES
                         for d, t in ((None, np.int32), (float64, np.int64), (int64, np.int32))] + [
        Sample({}, (np.array([[True, False]]), np.array([[0, 1], [0, 0]], np.int32)), (bool_, None), gradient=False)]

    def infer(self, params: Spec, indices: Spec) -> Spec:
        depth = check_tuples(self, indices, params.shape, "params")
        if params.shape is None or indices.shape is None:
            return Spec(params.dtype, None)
        if depth is None:
            raise ValueError(f"the last axis of indices of shape {text(indices.shape)}, the length of the index "
                             f"tuples, must have a known size, as the rank of the result depends on it; say it by "
                             "set_shape")
        return Spec(params.dtype, (*indices.shape[:-1], *params.shape[depth:]))

    def reference(self, params: np.ndarray, indices: np.ndarray) -> np.ndarray:
        if np.any((indices < 0) | (indices >= params.shape[:indices.shape[-1]])):
            raise InvalidArgumentError(f"indices do not index into shape {params.shape}")
        return params[tuple(np.moveaxis(indices, -1, 0))] if indices.shape[-1] else np.broadcast_to(
            params, (*indices.shape[:-1], *params.shape))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        params, indices = node.inputs
        static = indices.spec.static_shape
        if static is not None and len(static) == 2 and static[1] == 1:
            return [g.indexed_slices(dy, g.reshape(indices, [-1]), g.shape(params)), None]
        return [g.scatter_nd(indices, dy, g.shape(params, out_type=indices.dtype)), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        params, indices = inputs
        depth = indices.shape[-1]
        b.call("gather_nd", [params, indices, outputs[0]], tuple_sizes(params.shape, depth, indices.shape), [depth])


@register
class _GatherNdLike(Op):
    """GatherNd whose result has the shape of `like`, whose rank says how long the tuples are: gradients of scatters."""

    checks_data = True
    moves = True
    operands = ("params", "indices", "like")
    results = ("output",)
    types: ClassVar = {"Tparams": "params", "Tindices": "indices"}
    samples: ClassVar = [Sample({}, (s, i.astype(t), (*i.shape[:-1], *s[i.shape[-1]:])), (d, None, d)) for i,
                         s in TUPLES
                         for d, t in ((None, np.int32), (float64, np.int64))]

    def infer(self, params: Spec, indices: Spec, like: Spec) -> Spec:
        if like.dtype != params.dtype:
            raise TypeError(f"argument 'like' has dtype {like.dtype.name}, but 'params' has {params.dtype.name}")
        check_tuples(self, indices, params.shape, "params", like.shape)
        return Spec(params.dtype, like.shape)

    def reference(self, params: np.ndarray, indices: np.ndarray, like: np.ndarray) -> np.ndarray:
        if np.any((indices < 0) | (indices >= params.shape[:indices.shape[-1]])):
            raise InvalidArgumentError(f"indices do not index into shape {params.shape}")
        rows = [params[tuple(place)] for place in indices.reshape(-1, indices.shape[-1])] if (
            indices.size) else [params] * int(np.prod(indices.shape[:-1]))
        return np.array(rows, params.dtype).reshape(like.shape)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        params, indices, _ = node.inputs
        return [g.scatter_nd(indices, dy, g.shape(params, out_type=indices.dtype)), None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        params, indices, _ = inputs
        depth = indices.rank - 1 + params.rank - outputs[0].rank
        b.call("gather_nd", [params, indices, outputs[0]], tuple_sizes(params.shape, depth, indices.shape), [depth])


@register
class Gather(Composite):
    """The slices of params along axis 0 that indices names: what GatherV2 was at first."""

    operands = ("params", "indices")
    results = ("output",)
    types: ClassVar = {"Tparams": "params", "Tindices": "indices"}
    validate_indices: bool = attr("bool", True)
    samples: ClassVar = [Sample({}, (s, i), (d, None)) for s, i, d in (
        ((5, 3), np.array([[4, 0], [2, 2]], np.int32), None), ((7,), np.array(3, np.int64), int32),
        ((5, 3), np.zeros((0,), np.int32), None))]

    def infer(self, params: Spec, indices: Spec) -> Spec:
        made: Spec = OPS.make("GatherV2", axis=0).infer(params, indices)  # type: ignore[assignment]
        return made

    def reference(self, params: np.ndarray, indices: np.ndarray) -> np.ndarray:
        if np.any((indices < 0) | (indices >= len(params))):
            raise InvalidArgumentError(f"an index is not in [0, {len(params)})")
        return np.take(params, indices, axis=0)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        params, indices = node.inputs
        return [rows_gradient(g, params, indices, dy), None]

    def expand(self, emit: Any, params: Any, indices: Any) -> Any:
        return emit(OPS.make("GatherV2", axis=0), params, indices)
