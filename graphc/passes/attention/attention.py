"""attention: softmax(scale * q kT + mask) v becomes one step, whose scores never are a matrix in memory; in training
its gradient becomes another.

 1. A softmax is looked at whose result p only the product p v reads, or that and the gradient (match.py).
 2. Between the softmax and that product there may be a dropout (dropout.py), whose random numbers the step
    draws itself, and its gradient again.
 3. Before the softmax: a mask (masks.py), if it broadcasts along whole rows; before that, or instead, a
    factor that is one number, as a product or quotient; then the product q kT. Either may be missing, nothing else may
    stand there, and nothing else may read what lies between.
 4. The batches of q, k and v must provably be those of the scores, or broadcast to them. Up to two leading axes; of
    the mask each is there or 1.
 5. In training the step keeps two numbers for each row of scores, and the gradient computes the scores anew, block by
    block. It takes the place of all three products that give the gradients by q, k and v; where one of them is not
    wanted, or p's gradient is read elsewhere, everything stays as it is. A gradient by what is added to the scores
    (trained distances of tokens) is one more result, if it is the sum along leading axes or rows.
 6. In training a step computes scores and exponentials twice. Where few rows and keys are known to be, the scores are
    as small as q, and that costs more than keeping them: it stays composed.

Transposes that belong to a product are parts of it by now (simplify).
"""
from __future__ import annotations

from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.spec import Shape
from graphc.ops.array.broadcast import BroadcastTo
from graphc.ops.array.shapes import Reshape
from graphc.ops.array.transpose import Transpose
from graphc.ops.nn.softmax import Softmax
from graphc.passes.attention.match import Found, Matcher
from graphc.passes.attention.ops import ADDED, Attention, AttentionGrad, AttentionKept
from graphc.passes.shared.groups import Group, Values, with_groups, with_specs_of
from graphc.passes.shared.sides import Sides, side_of

FEW = 64                               # rows and keys


def attention(flow: Flow, sides: Sides | None = None) -> Flow:
    """sides: of a plan for GPUs, where the user's ops were placed: those of different sides are not joined, nor are
    masks that are not added, which the kernels there do not know."""
    softmaxes = [node for node in flow.nodes() if isinstance(node.op, Softmax)]
    if not softmaxes:
        return flow
    match = Matcher(flow)
    found = [f for f in map(match, softmaxes) if f is not None and _is_for(f, sides)]
    return with_groups(flow, [group for f in found for group in _groups(f)]) if found else flow


def _is_for(found: Found, sides: Sides | None) -> bool:
    if sides is None:
        sizes = (found.nodes[len(found.results)].specs[0].shape or ())[-2:]
        return found.gradient is None or not all(isinstance(size, int) and size <= FEW for size in sizes)
    if found.mask is not None and found.mask.does != ADDED:
        return False
    nodes = (*found.nodes, *(found.gradient.nodes if found.gradient else ()))
    return len({side_of(node.origins, sides) for node in nodes}) == 1


def _groups(found: Found) -> list[Group]:
    """The step, and that of its gradient if there is one. What they read of the flow: q, k, v, in the gradient dy, and
    what the mask is made of."""
    mask, dropout, origins = found.mask, found.dropout, _origins(found.nodes)
    parts, does = (mask.parts, mask.does) if mask else ((), ADDED)
    drawn = dropout.parts() if dropout else ()

    def operands(inputs: Values, behind: Values) -> Values:
        """q, k, v, those that stand after them, and the mask, which is made of inputs[3:]."""
        wide = (_broadcast(value, found.lead(), origins) for value in inputs[:3])
        return (*wide, *behind, *((mask.operand(inputs[3:], origins),) if mask else ()))

    def forward(inputs: Values, _: Values) -> Values:
        read = 3 + len(parts)
        draws = dropout.operands(inputs[read:], origins) if dropout else ()
        kept = dropout is not None or found.gradient is not None
        op = AttentionKept(found.scale, does, dropped=bool(dropout)) if kept else Attention(found.scale, does)
        made = make_node(op, operands(inputs[:read], draws), origins, found.after)
        made = with_specs_of(made, found.results)
        return tuple(made.value(i) for i in range(len(made.specs)))

    step = Group((found.q, found.k, found.v, *parts, *drawn), found.results, forward)
    gradient = found.gradient
    if gradient is None:
        return [step]

    def backward(inputs: Values, made: Values) -> Values:
        dy = _broadcast(inputs[0], found.lead(), _origins(gradient.nodes))
        draws = made[0].node.inputs[3:5] if dropout else ()
        by_mask = gradient.mask_shape((*found.lead(), *(found.nodes[-1].specs[0].shape or ())[-2:]))
        op = AttentionGrad(found.scale, does, dropped=bool(dropout), by_mask=by_mask)
        node = make_node(op, operands(inputs[1:], (*made, dy, *draws)), _origins(gradient.nodes))
        dq, dk, dv = (node.value(i) for i in range(3))
        if gradient.summed is not None:
            dq, dk = (gradient.summed.of(value, node.origins) for value in (dq, dk))
        if gradient.dk_transposed:
            rank = len(dk.spec.shape or ())
            perm = (*range(rank - 2), rank - 1, rank - 2)
            dk = make_node(Transpose(perm=perm), (dk,), gradient.results[1].node.origins).value()
        if gradient.by_mask is None:
            return dq, dk, dv
        shape = gradient.by_mask.specs[0].shape or ()
        return dq, dk, dv, make_node(Reshape(shape=shape), (node.value(3),), gradient.by_mask.origins).value()

    results = (*gradient.results, *((gradient.by_mask.value(),) if gradient.by_mask else ()))
    return [step, Group((gradient.dy, found.q, found.k, found.v, *parts), results, backward, step)]


def _broadcast(value: Value, lead: Shape, origins: tuple[Origin, ...]) -> Value:
    """With these leading axes: heads of q that share one of k and v, or a batch that only the mask has."""
    shape = value.spec.shape or ()
    wanted = (*lead, *shape[-2:])
    return value if shape == wanted else make_node(BroadcastTo(shape=wanted), (value,), origins).value()


def _origins(nodes: tuple[Node, ...]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for node in nodes for origin in node.origins))
