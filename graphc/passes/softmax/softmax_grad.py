"""softmax_grad: the gradients of softmax and log-softmax become one step each, which reads its rows once.

As maps they are a reduction, whose operands are read again for the result.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Op, normalise_axes
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ops.math.binary import Mul, Sub
from graphc.ops.math.reduction import Sum
from graphc.ops.math.unary import Exp
from graphc.ops.nn.softmax import LogSoftmax, Softmax
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder


@dataclass(frozen=True)
class _Gradient(Op):
    operands = ("y", "dy")
    results = ("dx",)
    kernel: ClassVar[str]

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, inputs[0].shape)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        shape = inputs[0].shape
        b.call(self.kernel, [*inputs, outputs[0]], dims=[dims.product(shape[:-1]), shape[-1]])


@dataclass(frozen=True)
class SoftmaxGrad(_Gradient):
    """(dy - sum(dy * y)) * y along the last axis"""

    type: ClassVar[str] = "_SoftmaxGrad"
    kernel = "softmax_grad"

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        y, dy = (a.astype(np.float64) for a in inputs)
        with np.errstate(all="ignore"):
            found: np.ndarray = ((dy - (dy * y).sum(-1, keepdims=True)) * y).astype(inputs[0].dtype)
        return found


@dataclass(frozen=True)
class LogSoftmaxGrad(_Gradient):
    """dy - sum(dy) * exp(y) along the last axis"""

    type: ClassVar[str] = "_LogSoftmaxGrad"
    kernel = "log_softmax_grad"

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        y, dy = (a.astype(np.float64) for a in inputs)
        with np.errstate(all="ignore"):
            found: np.ndarray = (dy - dy.sum(-1, keepdims=True) * np.exp(y)).astype(inputs[0].dtype)
        return found


def softmax_grad(flow: Flow) -> Flow:
    if not any(isinstance(node.op, (Softmax, LogSoftmax)) for node in flow.nodes()):
        return flow
    return rewrite(flow, [of_softmax, of_log_softmax])


@asked_of(Mul)
def of_softmax(node: Node) -> Replacement:
    """(dy - sum(dy * y)) * y -> softmax_grad(y, dy), y = softmax(x)"""
    for less, y in (node.inputs, node.inputs[::-1]):
        if not isinstance(y.node.op, Softmax) or not isinstance(less.node.op, Sub):
            continue
        dy, total = less.node.inputs
        weighted = _summed(total)
        if weighted is not None and isinstance(weighted.node.op, Mul) and set(weighted.node.inputs) == {dy, y}:
            return _gradient(SoftmaxGrad(), node, y, dy)
    return None


@asked_of(Sub)
def of_log_softmax(node: Node) -> Replacement:
    """dy - sum(dy) * exp(y) -> log_softmax_grad(y, dy), y = log_softmax(x)"""
    dy, part = node.inputs
    if not isinstance(part.node.op, Mul):
        return None
    for total, power in (part.node.inputs, part.node.inputs[::-1]):
        of_y = isinstance(power.node.op, Exp) and isinstance(power.node.inputs[0].node.op, LogSoftmax)
        if of_y and _summed(total) == dy:
            return _gradient(LogSoftmaxGrad(), node, power.node.inputs[0], dy)
    return None


def _summed(total: Value) -> Value | None:
    """x of sum(x) along the last axis, which is kept."""
    op = total.node.op
    if not isinstance(op, Sum) or not op.keep_dims:
        return None
    x = total.node.inputs[0]
    rank = len(x.spec.shape or ())
    return x if rank and normalise_axes(op.axis, rank) == (rank - 1,) else None


def _gradient(op: Op, node: Node, y: Value, dy: Value) -> Replacement:
    shapes = y.spec.shape, dy.spec.shape
    fits = y.spec.dtype in (float32, float64) and shapes[0] is not None and shapes[0] == shapes[1]
    return make_node(op, (y, dy), node.origins, node.after) if fits else None
