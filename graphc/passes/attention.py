"""attention: softmax(scale * q kT + mask) v becomes one step, whose scores never are a matrix in memory.

 1. A product p v is looked at whose p is a softmax that nothing else reads (in training its gradient does: there
    everything stays as it is).
 2. Behind the softmax: a mask that is added, if it broadcasts along whole rows; behind that, or instead, a factor that
    is one number, as a product or quotient; then the product q kT. Either may be missing, nothing else may stand there,
    and nothing else may read what lies between.
 3. The batches of q, k and v must provably be the same. Up to two leading axes; of the mask each is there or 1.

Transposes that belong to a product are parts of it by now (simplify).
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.array.source import Const
from graphc.ops.math.binary import Add, Mul
from graphc.ops.math.division import RealDiv
from graphc.ops.math.matmul import BatchMatMul
from graphc.ops.nn.softmax import Softmax
from graphc.passes.fuse import are_apart
from graphc.passes.rewriter import Replacement, asked_of, rewrite

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

MOST_LEADING = 2


@dataclass(frozen=True)
class Attention(Op):
    """softmax(scale * q kT + mask) v in the last two axes, over one or two leading ones.

    q[..., rows, depth], k[..., cols, depth], v[..., cols, columns]; mask, if there is one, [..., rows or 1, cols] with
    leading axes that are the others' or 1.
    """

    type: ClassVar[str] = "_Attention"
    operands = ("q", "k", "v", "mask*")
    results = ("output",)
    scale: float

    def infer(self, *inputs: Spec) -> Spec:
        q, v = inputs[0], inputs[2]
        assert q.shape is not None and v.shape is not None
        return Spec(q.dtype, (*q.shape[:-1], v.shape[-1]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        q, k, v = (x.astype(np.float64) for x in inputs[:3])
        scores = q @ k.swapaxes(-1, -2) * self.scale + (inputs[3] if len(inputs) > 3 else 0)
        if scores.shape[-1]:
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores = scores / scores.sum(-1, keepdims=True)
        return (scores @ v).astype(inputs[0].dtype)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        q, k, v = inputs[:3]
        *lead, rows, depth = q.shape
        outer, inner = (1, *lead)[-MOST_LEADING:]
        cols, columns = v.shape[-2:]
        steps = _steps(inputs[3].shape, len(q.shape)) if len(inputs) > 3 else (0, 0, 0)
        b.call("attention", [q, k, v, inputs[3] if len(inputs) > 3 else q, outputs[0]],
               dims=[outer, inner, rows, cols, depth, columns, *steps], attrs=[len(inputs) > 3, self.scale])


def attention(flow: Flow, apart: Collection[tuple[str, str]] = ()) -> Flow:
    """apart: of a plan for a GPU, names and types of the user's ops that stay on the host: joined with their like."""
    if not any(isinstance(node.op, Softmax) for node in flow.nodes()):
        return flow
    uses = Counter(v for node in flow.nodes() for v in node.inputs) + Counter(flow.outputs)

    def inner(value: Value, kind: type[Op]) -> Node | None:
        """The node that makes a value, if it is of this kind and only one other reads the value."""
        return value.node if isinstance(value.node.op, kind) and uses[value] == 1 else None

    @asked_of(BatchMatMul)
    def join(node: Node) -> Replacement:
        """softmax(q kT * scale + mask) v -> attention(q, k, v, mask)"""
        assert isinstance(node.op, BatchMatMul)
        softmax = inner(node.inputs[0], Softmax)
        if softmax is None or node.op.adj_x or node.op.adj_y or node.specs[0].dtype not in (float32, float64):
            return None
        scores, mask = softmax.inputs[0], None
        added = inner(scores, Add)
        if added is not None:
            scores, mask = _parts(added, softmax.specs[0].shape)
        factor = inner(scores, Op)
        product, scale = (None if factor is None else _scaled(factor)) or (scores, 1.0)
        made = inner(product, BatchMatMul)
        if made is None or not isinstance(made.op, BatchMatMul) or made.op.adj_x or not made.op.adj_y:
            return None
        operands = (*made.inputs, node.inputs[1])
        if not _fit(operands, node.specs[0].shape):
            return None
        # what was left out may have made sizes known, or required them
        between = [n for n in (softmax, added, factor, made) if n is not None]
        after = dict.fromkeys(n for origin in (node, *between) for n in origin.after if n not in between)
        if any(n.requirements for n in between):
            return None
        if len({are_apart(n.origins, apart) for n in (node, *between)}) > 1:
            return None
        return make_node(Attention(scale), operands if mask is None else (*operands, mask), node.origins, tuple(after))

    return rewrite(flow, [join])


def _parts(added: Node, shape: Shape | None) -> tuple[Value, Value | None]:
    """(x, mask) of their sum, x a product of matrices or a multiple of one; else (the sum, None)."""
    for x, mask in (added.inputs, added.inputs[::-1]):
        product, _ = _scaled(x.node) or (x, 1.0)
        if isinstance(product.node.op, BatchMatMul) and _is_mask(mask, shape):
            return x, mask
    return added.value(), None


def _scaled(node: Node) -> tuple[Value, float] | None:
    """(x, factor) of a product or quotient of x and one number."""
    if isinstance(node.op, Mul):
        pairs = [node.inputs, node.inputs[::-1]]
    elif isinstance(node.op, RealDiv):
        pairs = [node.inputs]
    else:
        return None
    for x, number in pairs:
        if isinstance(number.node.op, Const) and number.spec.shape == ():
            value = float(number.node.op.value)
            return x, (value if isinstance(node.op, Mul) else 1 / value if value else np.inf)
    return None


def _fit(operands: Sequence[Value], result: Shape | None) -> bool:
    """Whether q, k and v have the result's leading axes, one or two."""
    shapes = [value.spec.shape for value in operands]
    if result is None or any(shape is None or len(shape) != len(result) for shape in shapes):
        return False
    return 1 <= len(result) - 2 <= MOST_LEADING and all(
        dims.same(a, b) for shape in shapes for a, b in zip((shape or ())[:-2], result, strict=False))


def _is_mask(value: Value, scores: Shape | None) -> bool:
    """Whether it has whole rows of scores, and of each other axis all or one."""
    shape = value.spec.shape
    if shape is None or scores is None or not 1 <= len(shape) <= len(scores):
        return False
    same = [dims.same(a, b) for a, b in zip(shape, scores[len(scores) - len(shape):], strict=True)]
    return same[-1] and all(equal or dims.same(size, 1) for equal, size in zip(same, shape, strict=True))


def _steps(mask: Sequence[Size], rank: int) -> tuple[Size, Size, Size]:
    """Elements of the mask from one index of the outer, the inner leading axis and the rows to the next."""
    sizes = ((1,) * (MOST_LEADING + 2) + tuple(mask))[-(MOST_LEADING + 2):]
    found = []
    for axis in range(MOST_LEADING + 1):
        found.append(0 if dims.same(sizes[axis], 1) else dims.product(sizes[axis + 1:]))
    outer, inner, row = found
    return outer, inner, row
