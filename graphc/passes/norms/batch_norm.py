"""batch_norm: batch normalisation in training, and its gradient, get their sums over all pixels from one kernel each.

Expanded into maps, FusedBatchNorm would read its pictures once for the mean, once for the variance and once for the
result, and keep the deviations for its gradient; that would write a picture of products to add them up. Here:
    moments of x                 y = (x - mean) * factor + offset
    sums of dy, dy * (x - mean)  dx = (dy - mean of dy + (mean - x) * inverse ** 2 * mean of products) * factor
The second column fuses with what stands around it.

Of pictures of one dtype, float32 or float64: others are expanded. A GPU has no such kernels (plan/compile.py).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ops.array.source import Const
from graphc.ops.math.binary import AddV2, Mul, Sub
from graphc.ops.math.no_nan import MulNoNan
from graphc.ops.math.unary import Rsqrt, Square
from graphc.ops.nn.batch_norm import FusedBatchNorm, FusedBatchNormGrad
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder


@dataclass(frozen=True)
class ChannelMoments(Op):
    """Of each channel, the last axis, of each of the first `batch` axes: mean, variance, and that divided by one less
    than the number of elements."""

    type: ClassVar[str] = "_ChannelMoments"
    operands = ("x",)
    results = ("mean", "variance", "unbiased")
    batch: int = 0

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        shape = inputs[0].shape
        assert shape is not None
        return (Spec(inputs[0].dtype, (*shape[:self.batch], shape[-1])),) * 3

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        x, along = inputs[0].astype(np.float64), tuple(range(self.batch, inputs[0].ndim - 1))
        count = np.float64(np.prod([x.shape[axis] for axis in along]))
        with np.errstate(all="ignore"):
            mean = x.sum(along, keepdims=True) / count
            squares = np.square(x - mean).sum(along)
            found = mean.squeeze(along), squares / count, squares / max(count - 1, min(count, 1))
        return tuple(a.astype(inputs[0].dtype) for a in found)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.call("channel_moments", [*inputs, *outputs],
               dims=[dims.product(inputs[0].shape[:self.batch]), *_sizes(inputs[0], self.batch)])


@dataclass(frozen=True)
class ChannelProducts(Op):
    """Of each channel, the sums of dy and of dy * (x - mean), and both divided by the number of elements."""

    type: ClassVar[str] = "_ChannelProducts"
    operands = ("dy", "x", "mean")
    results = ("total", "product", "mean_total", "mean_product")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return (_row(inputs[1]),) * 4

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        dy, x = (a.reshape(-1, a.shape[-1]).astype(np.float64) for a in inputs[:2])
        sums = dy.sum(0), (dy * (x - inputs[2])).sum(0)
        with np.errstate(all="ignore"):
            return tuple(a.astype(inputs[0].dtype) for a in (*sums, *(s / np.float64(len(x)) for s in sums)))

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.call("channel_products", [*inputs, *outputs], dims=_sizes(inputs[1]))


def _row(picture: Spec) -> Spec:
    assert picture.shape is not None
    return Spec(picture.dtype, (picture.shape[-1],))


def _sizes(picture: Any, batch: int = 0) -> list[Any]:
    return [dims.product(picture.shape[batch:-1]), picture.shape[-1]]


def batch_norm(flow: Flow) -> Flow:
    if not any(isinstance(node.op, (FusedBatchNorm, FusedBatchNormGrad)) for node in flow.nodes()):
        return flow
    return rewrite(flow, [forward, backward])


@asked_of(FusedBatchNorm)
def forward(node: Node) -> Replacement:
    """batch_norm(x) -> (x - mean) * rsqrt(variance + epsilon) * scale + offset, by channel_moments"""
    x, scale, shift = node.inputs[:3]
    if not _fits(node, (x,), scale):
        return None
    emit = _emitter(node)
    mean, variance, unbiased = emit(ChannelMoments(), x)
    factor = emit(Mul(), _inverse(emit, node.op, variance), scale)
    y = emit(AddV2(), emit(Mul(), emit(Sub(), x, mean), factor), shift)
    return (y, mean, unbiased, mean, variance, *(_constant(emit, spec, 0.0) for spec in node.specs[5:]))


@asked_of(FusedBatchNormGrad)
def backward(node: Node) -> Replacement:
    """batch_norm_grad(dy, x) -> (dy - M(dy) + (mean - x) inverse^2 M(dy (x - mean))) scale inverse, M by
    channel_products"""
    dy, x, scale, mean, variance = node.inputs[:5]
    if not _fits(node, (x, dy), scale):
        return None
    emit = _emitter(node)
    total, product, mean_total, mean_product = emit(ChannelProducts(), dy, x, mean)
    inverse = _inverse(emit, node.op, variance)
    slope = emit(Mul(), emit(Square(), inverse), mean_product)
    # Not x - mean: equal nodes become one, and that of the forward way would be kept in memory till here.
    rest = emit(AddV2(), emit(Sub(), dy, mean_total), emit(Mul(), emit(Sub(), mean, x), slope))
    dx = emit(Mul(), rest, emit(Mul(), scale, inverse))
    zero = _constant(emit, x.spec, 0.0)
    return dx, emit(MulNoNan(), inverse, product), total, zero, zero    # of no pixels the inverse is NaN


def _fits(node: Node, pictures: Sequence[Value], scale: Value) -> bool:
    """Whether the node is of training, and the kernels compute it."""
    op: Any = node.op
    specs = [picture.spec for picture in pictures]
    return (op.is_training and op.data_format == "NHWC" and all(s.shape is not None for s in specs)
            and specs[0].dtype in (float32, float64) and scale.spec.dtype == specs[0].dtype)


def _emitter(node: Node) -> Any:
    """The function that makes a node of an op and operands: its value, or the tuple of them."""
    def emit(op: Op, *inputs: Value) -> Any:
        made = make_node(op, inputs, node.origins, node.after)
        return made.value() if len(made.specs) == 1 else tuple(made.value(i) for i in range(len(made.specs)))
    return emit


def _inverse(emit: Any, op: Any, variance: Value) -> Value:
    made: Value = emit(Rsqrt(), emit(AddV2(), variance, _constant(emit, variance.spec, op.epsilon)))
    return made


def _constant(emit: Any, spec: Spec, value: float) -> Value:
    made: Value = emit(Const(value=np.asarray(value, spec.dtype.numpy), dtype=spec.dtype))
    return made
