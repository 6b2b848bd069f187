"""cross_entropy: a cross entropy whose gradient is multiplied by a number a row (the gradient of the loss) gives that
product itself.

    loss, backprop = cross_entropy(logits, labels)         loss, product = weighted(logits, labels, w)
    product = backprop * w

Of 50,000 words backprop is a large matrix, which would be written, read and written again. The product of the sparse
form may lie in the memory of the logits. w may not depend on a loss: then there is no backprop before it is known.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal
from graphc.ops.math.binary import Mul
from graphc.ops.nn.softmax import SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits
from graphc.passes.shared.groups import Group, Values, with_groups, with_specs_of

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

_PLAIN = (SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits)


@dataclass(frozen=True)
class _Weighted(Op):
    operands = ("features", "labels", "weights")
    results = ("product", "loss")
    kernel: ClassVar[str]
    plain: ClassVar[type[Op]]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        inferred: Any = self.plain().infer(*inputs[:2])
        loss, backprop = inferred
        assert inputs[2].shape is not None and loss.shape is not None
        require_equal(inputs[2].shape[0], loss.shape[0], "rows of a loss and of its gradient")
        return backprop, loss

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        loss, backprop = self.plain().reference(*inputs[:2])
        return backprop * inputs[2].reshape(-1, 1), loss

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.call(self.kernel, [*inputs, *outputs[::-1]], dims=list(inputs[0].shape))


@dataclass(frozen=True)
class WeightedCrossEntropy(_Weighted):
    """SoftmaxCrossEntropyWithLogits, its gradient times a number a row."""

    type: ClassVar[str] = "_WeightedCrossEntropy"
    kernel = "weighted_softmax_cross_entropy"
    plain = SoftmaxCrossEntropyWithLogits


@dataclass(frozen=True)
class WeightedSparseCrossEntropy(_Weighted):
    """SparseSoftmaxCrossEntropyWithLogits, its gradient times a number a row, in the logits' memory if that is free."""

    type: ClassVar[str] = "_WeightedSparseCrossEntropy"
    checks_data = True
    overwrites = 0
    kernel = "weighted_sparse_softmax_cross_entropy"
    plain = SparseSoftmaxCrossEntropyWithLogits

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        product, loss = outputs
        if not b.same_memory(inputs[0], product):
            b.copy(inputs[0], product)
        b.call(self.kernel, [*inputs[1:], loss, product], dims=list(product.shape))


def cross_entropy(flow: Flow) -> Flow:
    losses = [node for node in flow.nodes() if isinstance(node.op, _PLAIN)]
    if not losses:
        return flow
    readers: dict[Value, list[Node]] = defaultdict(list)
    kept, place = {v.node for v in flow.outputs}, {}
    for number, node in enumerate(flow.nodes()):
        place[node] = number
        kept.update(node.after)
        for value in node.inputs:
            readers[value].append(node)
    first = min(place[node] for node in losses)
    groups = []
    for node in losses:
        found = _product(node, readers[node.value(1)])
        if found is None or node.value(1) in flow.outputs or {node, found[0]} & set(flow.effects):
            continue
        product, weights = found
        if not _depends(weights.node, set(losses), place, first):
            groups.append(_group(node, product, weights))
    return with_groups(flow, groups) if groups else flow


def _product(node: Node, readers: Sequence[Node]) -> tuple[Node, Value] | None:
    """The one node that reads the gradient, a product, and its other factor, which is one number a row."""
    if len(readers) != 1 or not isinstance(readers[0].op, Mul) or node.specs[0].dtype not in (float32, float64):
        return None
    product, backprop = readers[0], node.specs[1].shape
    a, b = product.inputs
    weights = a if b == node.value(1) else b
    shape = weights.spec.shape
    if node.after or product.after or product.requirements or backprop is None or shape is None or len(shape) != 2:
        return None
    fits = dims.same(shape[0], backprop[0]) and dims.same(shape[1], 1) and product.specs[0].shape == backprop
    return (product, weights) if fits else None


def _depends(node: Node, losses: set[Node], place: dict[Node, int], first: int) -> bool:
    seen, waiting = {node}, [node]
    while waiting:
        top = waiting.pop()
        if top in losses:
            return True
        if place[top] > first:
            more = {n for n in (*(v.node for v in top.inputs), *top.after) if n not in seen}
            seen |= more
            waiting += more
    return False


def _group(node: Node, product: Node, weights: Value) -> Group:
    sparse = isinstance(node.op, SparseSoftmaxCrossEntropyWithLogits)
    op: Any = WeightedSparseCrossEntropy() if sparse else WeightedCrossEntropy()
    results = product.value(), node.value()

    def build(inputs: Values, _: Values) -> Values:
        made = with_specs_of(make_node(op, inputs, (*node.origins, *product.origins)), results)
        return made.value(0), made.value(1)

    return Group((*node.inputs, weights), results, build)
