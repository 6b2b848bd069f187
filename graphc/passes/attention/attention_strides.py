"""attention_strides: attention reads q, k, v and dy where they lie, and writes what is transposed next transposed.

A layer's product gives [batch, rows, 3 * heads * depth]; reshapes, transposes and splits make q, k and v of it. Each of
them was a copy, and so was the transpose after attention that brings the heads of a row together.

 1. An operand that is another value seen through transposes, slices, parts of splits, broadcasts and reshapes that
    strides can express (ir/access.py) is read there: the op keeps shape, strides and first element, if its rows are
    whole. As many of these nodes are looked through as leave it so.
 2. A result that only transposes read which bring the second leading axis after the rows is written that way; the
    gradient, which reads the output, too, knows.

What nodes that are looked through require of sizes becomes the step's requirement. Last, for fuse only looks at what
is left: views that nobody else reads are gone by then.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphc.ir import dims
from graphc.ir.access import Access, whole
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Alias, normalise_axis
from graphc.ops.array.broadcast import BroadcastTo
from graphc.ops.array.join import Split, SplitV, Unpack
from graphc.ops.array.slicing import Slice, StridedSlice
from graphc.ops.array.transpose import Transpose
from graphc.passes.attention.ops import Attending, AttentionGrad, Seen
from graphc.passes.shared.groups import Group, Values, with_groups, with_specs_of

HEADS_BEHIND_ROWS = (0, 2, 1, 3)
OUTPUT = 3                             # of AttentionGrad's operands


def attention_strides(flow: Flow) -> Flow:
    found = [node for node in flow.nodes() if isinstance(node.op, Attending) and not node.op.seen]
    if not found:
        return flow
    readers: dict[Value, list[Node]] = defaultdict(list)
    for node in flow.nodes():
        for value in node.inputs:
            readers[value].append(node)
    return with_groups(flow, [_group(node, readers, set(flow.outputs)) for node in found])


@dataclass(frozen=True)
class _Place:
    """Where an operand is: in all of `base`, or seen in it (ops.py). through: nodes in between."""

    base: Value
    seen: Seen | None = None
    through: tuple[Node, ...] = ()


def _group(node: Node, readers: dict[Value, list[Node]], fetched: set[Value]) -> Group:
    """The same node, which reads and writes where it can what others would copy."""
    op = node.op
    assert isinstance(op, Attending)
    places = {operand: _place_of(node.inputs[operand]) for operand in op.read}
    inputs = tuple(places[i].base if i in places else value for i, value in enumerate(node.inputs))
    matrices = 3 if isinstance(op, AttentionGrad) else 1       # results that have heads
    behind = [_transposes(node.value(i), readers, fetched) if i < matrices else []
              for i in range(len(node.specs))]
    through = dict.fromkeys(n for place in places.values() for n in place.through)

    def build(inputs: Values, _: Values) -> Values:
        inside = tuple(map(bool, behind))
        if isinstance(op, AttentionGrad):
            output = inputs[OUTPUT].node
            within = _brings_heads(output)
            inputs = (*inputs[:OUTPUT], output.inputs[0] if within else inputs[OUTPUT], *inputs[OUTPUT + 1:])
            inside = (within, *inside)
        kind = replace(op, seen=tuple(place.seen for place in places.values()), inside=inside)
        made = make_node(kind, inputs, node.origins, node.after)
        made = replace(made, requirements=tuple(dict.fromkeys((
            *made.requirements, *node.requirements, *(r for n in through for r in n.requirements)))))
        made = with_specs_of(made, [turned[0].value() if turned else node.value(i) for i, turned in enumerate(behind)])
        results = [make_node(Transpose(perm=HEADS_BEHIND_ROWS), (made.value(i),), node.origins).value() if turned
                   else made.value(i) for i, turned in enumerate(behind)]
        return (*results, *(made.value(i) for i, turned in enumerate(behind) for _ in turned))

    return Group(inputs, (*(node.value(i) for i in range(len(node.specs))),
                          *(n.value() for turned in behind for n in turned)), build)


def _transposes(value: Value, readers: dict[Value, list[Node]], fetched: set[Value]) -> list[Node]:
    """The nodes that bring its heads behind its rows, if no others read it but the gradient; else none."""
    found = [n for n in readers[value] if not (isinstance(n.op, AttentionGrad) and n.inputs[OUTPUT] == value)]
    fits = value not in fetched and all(_brings_heads(n) and not n.requirements and not n.after for n in found)
    return found if fits else []


def _brings_heads(node: Node) -> bool:
    return isinstance(node.op, Transpose) and node.op.permutation() == HEADS_BEHIND_ROWS


def _place_of(value: Value) -> _Place:
    """The value that is furthest away through which strides can say where `value` is."""
    best = _Place(value)
    for place in _places(value):
        if place is not None:
            best = place
    return best


def _places(value: Value) -> Iterator[_Place | None]:
    """The places of `value` in each of the values that it is seen in; None where it is none by strides."""
    through: list[Value] = []
    while _is_looked_through(value.node):
        through.append(value)
        value = value.node.inputs[0]
        x: Access | None = whole(0, value.spec.dtype, value.spec.shape or ())
        for seen in reversed(through):
            x = x and _seen(seen, x)
        fits = x is not None and _has_whole_rows(x)
        yield _Place(value, (x.shape, x.strides, x.offset), tuple(v.node for v in through)) if x and fits else None


def _is_looked_through(node: Node) -> bool:
    if node.after or len(node.inputs) != 1:
        return False
    same = all(spec.dtype == node.inputs[0].spec.dtype for spec in node.specs)
    return same and isinstance(node.op, (Transpose, BroadcastTo, Slice, StridedSlice, Split, SplitV, Unpack, Alias))


def _seen(value: Value, x: Access) -> Access | None:
    """The access of a node's result, made from that of its operand."""
    op = value.node.op
    if isinstance(op, (Transpose, BroadcastTo, Slice, StridedSlice)):
        return op.view(None, x)  # type: ignore[no-any-return]
    if isinstance(op, Unpack):
        return x.select(normalise_axis(op.axis, x.rank), value.index)
    if isinstance(op, (Split, SplitV)):
        axis = normalise_axis(op.split_dim, x.rank)
        before = sum((spec.shape[axis] for spec in value.node.specs[:value.index] if spec.shape), start=0)
        return x.part(axis, before, (value.spec.shape or ())[axis])
    return x.regrouped(value.spec.shape or ())


def _has_whole_rows(x: Access) -> bool:
    """Whether the elements of its rows follow each other, and all of it lies from its first element on."""
    rows = dims.same(x.strides[-1], 1) or dims.same(x.shape[-1], 1)
    return rows and all(map(dims.nonnegative, (x.offset, *x.strides)))
