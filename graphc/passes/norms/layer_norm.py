"""layer_norm: rows normalised by their own moments, and the gradient of that, become one step each.

Layer norm as users write it is two reductions and a map: it reads its matrix three times, and its gradient does so some
ten times and keeps matrices for it. The steps made here (layer_norm_ops.py) read each row once, from memory: what else
they need of it comes from the cache. The gradient computes the moments again, so the norm keeps nothing for it; sums
over all rows, for scale, shift and the bias in front, are by-products, and so is the addition of what comes
around the norm (a residual connection). layer_norm_match.py says what is found.

Of float32 and float64. A GPU has no such kernels (plan/compile.py).
"""
from __future__ import annotations

from dataclasses import replace

from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import Op
from graphc.ops.array.shapes import Reshape
from graphc.ops.math.binary import AddN
from graphc.passes.norms.layer_norm_match import ROOTS, Backward, Forward, Matcher
from graphc.passes.norms.layer_norm_ops import LayerNorm, LayerNormGrad
from graphc.passes.shared.groups import Group, Values, with_groups, with_specs_of


def layer_norm(flow: Flow) -> Flow:
    roots = [node for node in flow.nodes() if isinstance(node.op, ROOTS)]
    if not roots:
        return flow
    match, groups = Matcher(flow), []
    taken: set[Value] = set()
    for root in roots:
        for found in match(root):
            if taken.isdisjoint(found.results()):
                taken.update(found.results())
                groups.append(_forward(found) if isinstance(found, Forward) else _backward(found))
    return with_groups(flow, groups) if groups else flow


def _forward(found: Forward) -> Group:
    norm = found.norm
    op = LayerNorm(norm.axes, found.params, norm.centred, found.scale is not None, norm.epsilon,
                   found.shift is not None)

    def build(inputs: Values, _: Values) -> Values:
        return (with_specs_of(_made(op, inputs, found), found.results()).value(),)

    return Group(found.inputs(), found.results(), build)


def _backward(found: Backward) -> Group:
    norm = found.norm
    op = LayerNormGrad(norm.axes, found.params, norm.centred, found.scale is not None, norm.epsilon,
                       bool(found.addends), "total" in found.found)
    more = len(found.addends)

    def build(inputs: Values, _: Values) -> Values:
        given, addends = inputs[:len(inputs) - more], inputs[len(inputs) - more:]
        if more > 1:
            addends = (make_node(AddN(), addends, _origins(found)).value(),)
        made = _made(op, (*given, *addends), found)
        if "dx" in found.found:
            made = with_specs_of(made, (found.found["dx"],))
        return tuple(_shaped(made.value(op.results.index(name)), value) for name, value in found.found.items())

    return Group(found.inputs(), found.results(), build)


def _made(op: Op, inputs: Values, found: Forward | Backward) -> Node:
    made = make_node(op, inputs, _origins(found))
    return replace(made, requirements=tuple(dict.fromkeys((*found.required, *made.requirements))))


def _shaped(made: Value, old: Value) -> Value:
    """Under the shape of the value that it replaces."""
    shape = old.spec.shape
    if made.spec.shape == shape or shape is None:
        return made
    node: Node = make_node(Reshape(shape=shape), (made,), old.node.origins)
    return replace(node, specs=old.node.specs).value()


def _origins(found: Forward | Backward) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(origin for value in found.results() for origin in value.node.origins))
