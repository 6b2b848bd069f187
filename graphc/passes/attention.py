"""attention: softmax(scale * q kT + mask) v becomes one step, whose scores never are a matrix in memory; in training
its gradient becomes another.

 1. A softmax is looked at whose result p only the product p v reads, or that and the gradient (attention_match.py).
 2. Before the softmax: a mask that is added, if it broadcasts along whole rows; before that, or instead, a factor that
    is one number, as a product or quotient; then the product q kT. Either may be missing, nothing else may stand there,
    and nothing else may read what lies between.
 3. The batches of q, k and v must provably be the same. Up to two leading axes; of the mask each is there or 1.
 4. In training the step keeps two numbers for each row of scores, and the gradient computes the scores anew, block by
    block. It takes the place of all three products that give the gradients by q, k and v; where one of them is not
    wanted, or p's gradient is read elsewhere (a mask that is trained), everything stays as it is.

Transposes that belong to a product are parts of it by now (simplify).
"""
from __future__ import annotations

from graphc.ir.node import Flow, Node, Origin, make_node
from graphc.ops.array.transpose import Transpose
from graphc.ops.nn.softmax import Softmax
from graphc.passes.attention_match import Found, Matcher
from graphc.passes.attention_ops import Attention, AttentionGrad, AttentionKept
from graphc.passes.fuse import NO_SIDES, Sides, side_of
from graphc.passes.groups import Group, Values, with_groups, with_specs_of


def attention(flow: Flow, sides: Sides = NO_SIDES) -> Flow:
    """sides: of a plan for GPUs, where the user's ops were placed: those of different sides are not joined."""
    softmaxes = [node for node in flow.nodes() if isinstance(node.op, Softmax)]
    if not softmaxes:
        return flow
    match = Matcher(flow)
    found = [f for f in map(match, softmaxes) if f is not None and _on_one_side(f, sides)]
    return with_groups(flow, [group for f in found for group in _groups(f)]) if found else flow


def _on_one_side(found: Found, sides: Sides) -> bool:
    nodes = (*found.nodes, *(found.gradient.nodes if found.gradient else ()))
    return len({side_of(node.origins, sides) for node in nodes}) == 1


def _groups(found: Found) -> list[Group]:
    """The step, and that of its gradient if there is one."""
    def forward(inputs: Values, _: Values) -> Values:
        op = Attention(found.scale) if found.gradient is None else AttentionKept(found.scale)
        made = make_node(op, inputs, _origins(found.nodes), found.after)
        made = with_specs_of(made, found.results)
        return tuple(made.value(i) for i in range(len(made.specs)))

    step = Group((found.q, found.k, found.v, *found.mask), found.results, forward)
    gradient = found.gradient
    if gradient is None:
        return [step]

    def backward(inputs: Values, made: Values) -> Values:
        q, k, v, dy, *mask = inputs
        node = make_node(AttentionGrad(found.scale), (q, k, v, *made, dy, *mask), _origins(gradient.nodes))
        dq, dk, dv = (node.value(i) for i in range(3))
        if gradient.dk_transposed:
            rank = len(found.k.spec.shape or ())
            perm = (*range(rank - 2), rank - 1, rank - 2)
            dk = make_node(Transpose(perm=perm), (dk,), gradient.results[1].node.origins).value()
        return dq, dk, dv

    return [step, Group((found.q, found.k, found.v, gradient.dy, *found.mask), gradient.results, backward, step)]


def _origins(nodes: tuple[Node, ...]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for node in nodes for origin in node.origins))
