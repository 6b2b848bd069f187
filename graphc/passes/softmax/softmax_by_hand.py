"""softmax_by_hand: softmax and log-softmax that programs compute themselves become the ops, and so do their gradients.

    e = exp(x - max(x))    y = e / sum(e)                     softmax(x)
    z = x - max(x)         y = z - log(sum(exp(z)))           log_softmax(x)

along the last axis. Gradients by x are, as the ops above make them,

    (dy / s + sum(dy * ((-e / s) / s))) * e                   (dy - sum(dy * y)) * y
    dy + (sum(-dy) / s) * exp(z)                              dy - sum(dy) * exp(y)

The gradient through max(x), where no stop_gradient is, gets the negative sum of that along a row, which is 0 but for
rounding: it is left out. Nothing else may read what lies between, or it would be computed twice. What stands several
times in the graph, such as x - max(x), is merged first.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import Op, Reduction, normalise_axes
from graphc.ops.array.broadcast import BroadcastTo
from graphc.ops.array.cast import Cast
from graphc.ops.math.binary import AccumulateNV2, Add, AddN, AddV2, Mul, Sub
from graphc.ops.math.comparison import Equal
from graphc.ops.math.division import RealDiv
from graphc.ops.math.reduction import Max, Sum
from graphc.ops.math.unary import Exp, Log, Neg, Reciprocal
from graphc.ops.nn.softmax import LogSoftmax, Softmax
from graphc.passes.shared.groups import Group, Values, with_groups
from graphc.passes.simplification.common_subexpressions import common_subexpressions

SUMS = (Add, AddV2, AddN, AccumulateNV2)


@dataclass
class _Found:
    """x: the operand; y: the result; by_x: its gradient and dy, if there is one; others: what is added to it, and what
    it is added up of besides, whose sums along a row the gradient through the maximum has. nodes: those that go."""

    op: Op
    x: Value
    y: Value
    by_x: Value | None = None
    dy: Value | None = None
    others: tuple[Value, ...] = ()
    terms: tuple[Value, ...] = ()
    nodes: list[Node] = field(default_factory=list)

    @property
    def origins(self) -> tuple[Origin, ...]:
        return tuple(dict.fromkeys(origin for node in self.nodes for origin in node.origins))


def softmax_by_hand(flow: Flow) -> Flow:
    if not _Matcher(flow).exponentials:
        return flow
    match = _Matcher(merged := common_subexpressions(flow))
    found = [f for f in map(match, match.exponentials) if f is not None]
    return with_groups(merged, [group for f in found for group in _groups(f)]) if found else flow


def _groups(found: _Found) -> list[Group]:
    def forward(inputs: Values, _: Values) -> Values:
        return (make_node(found.op, inputs, found.origins).value(),)

    def backward(inputs: Values, made: Values) -> Values:
        dy, *others = inputs
        y, origins = made[0], found.origins
        if isinstance(found.op, Softmax):
            total = _node(Sum(axis=(-1,), keep_dims=True), origins, _node(Mul(), origins, dy, y))
            by_x = _node(Mul(), origins, _node(Sub(), origins, dy, total), y)
        else:
            total = _node(Sum(axis=(-1,), keep_dims=True), origins, dy)
            by_x = _node(Sub(), origins, dy, _node(Mul(), origins, total, _node(Exp(), origins, y)))
        return (_node(AddN(), origins, by_x, *others) if others else by_x,)

    step = Group((found.x,), (found.y,), forward)
    if found.by_x is None or found.dy is None:
        return [step]
    return [step, Group((found.dy, *found.others), (found.by_x,), backward, step)]


def _node(op: Op, origins: tuple[Origin, ...], *inputs: Value) -> Value:
    return make_node(op, inputs, origins).value()


class _Matcher:
    """Called with a node exp(x - max(x)): what it is part of."""

    def __init__(self, flow: Flow) -> None:
        self.readers: dict[Value, list[Node]] = defaultdict(list)
        self.exponentials: list[Node] = []
        self.kept = {value.node for value in flow.outputs} | set(flow.effects)
        for node in flow.nodes():
            if isinstance(node.op, Exp) and _less_max(node.inputs[0]):
                self.exponentials.append(node)
            self.kept.update(node.after)
            for value in node.inputs:
                self.readers[value].append(node)

    def __call__(self, e: Node) -> _Found | None:
        z = e.inputs[0].node
        sums = [n for n in self.readers[e.value()] if _is_of_rows(n, Sum, e.value())]
        if len(sums) != 1:
            return None
        found = self._softmax(z, e, sums[0]) or self._log_softmax(z, e, sums[0])
        if found is None or not self._through_max(found, z.inputs[1]):
            return None
        results = {value.node for value in (found.y, found.by_x) if value is not None}
        gone = set(found.nodes)
        inner = gone - results
        alone = all(gone.issuperset(self.readers[n.value()]) for n in inner) and not inner & self.kept
        return found if alone and not any(n.requirements or n.after for n in gone) else None

    def _softmax(self, z: Node, e: Node, s: Node) -> _Found | None:
        quotients = self._of(e, RealDiv, e, s)
        if len(quotients) != 1:
            return None
        found = _Found(Softmax(), z.inputs[0], quotients[0].value(), nodes=[z, e, s, quotients[0]])
        more = [n for n in self.readers[e.value()] if n not in found.nodes]
        if not more:
            return found
        negatives, products = [n for n in more if isinstance(n.op, Neg)], [n for n in more if isinstance(n.op, Mul)]
        if len(more) != 2 or len(negatives) != 1 or len(products) != 1:
            return None
        first = self._of(negatives[0], RealDiv, negatives[0], s)
        second = self._of(first[0], RealDiv, first[0], s) if len(first) == 1 else []
        weighted = self.readers[second[0].value()] if len(second) == 1 else []
        if len(weighted) != 1 or not isinstance(weighted[0].op, Mul):
            return None
        dy, terms = _other(weighted[0], second[0]), _other(products[0], e).node
        if not isinstance(terms.op, SUMS) or len(terms.inputs) != 2:
            return None
        for whole, part in (terms.inputs, terms.inputs[::-1]):
            total, between = _unbroadcast(part)
            fits = isinstance(whole.node.op, RealDiv) and whole.node.inputs == (dy, s.value())
            if fits and _is_of_rows(total, Sum, weighted[0].value()):
                found.nodes += [negatives[0], first[0], second[0], weighted[0], total, *between, whole.node, terms,
                                products[0]]
                found.by_x, found.dy, found.terms = products[0].value(), dy, (products[0].value(),)
                return found
        return None

    def _log_softmax(self, z: Node, e: Node, s: Node) -> _Found | None:
        logs = [n for n in self.readers[s.value()] if isinstance(n.op, Log)]
        results = self._of(z, Sub, z, logs[0]) if len(logs) == 1 else []
        if len(results) != 1:
            return None
        found = _Found(LogSoftmax(), z.inputs[0], results[0].value(), nodes=[z, e, s, logs[0], results[0]])
        more = [n for n in self.readers[e.value()] if n is not s]
        if not more:
            return found
        by_e = self.readers[more[0].value()] if len(more) == 1 and isinstance(more[0].op, Mul) else []
        sums = [n for n in by_e if isinstance(n.op, SUMS)]
        if len(sums) != 1:
            return None
        product, between = _unbroadcast(_other(more[0], e))
        if not isinstance(product.op, Mul):
            return None
        for total, part in (product.inputs, product.inputs[::-1]):
            divides = isinstance(part.node.op, Reciprocal) and part.node.inputs[0] == s.value()
            for dy in sums[0].inputs if divides else ():
                negative = _negative_sums(total.node, (dy,))
                if negative is not None:
                    found.nodes += [*negative, part.node, product, *between, more[0], sums[0]]
                    found.by_x, found.dy, found.terms = sums[0].value(), dy, (dy, more[0].value())
                    found.others = _without(sums[0].inputs, *found.terms)
                    return found
        return None

    def _through_max(self, found: _Found, m: Value) -> bool:
        """Takes the gradient through max(x) into what goes, if there is one; False if others read max(x)."""
        if all(n is found.nodes[0] for n in self.readers[m]):
            return True
        by_x = found.by_x
        if by_x is None:
            return False
        for term in found.others:                      # it is added with the other terms,
            nodes = self._of_max(term, found.terms, m, found.x)
            if nodes is not None:
                found.others = _without(found.others, term)
                found.nodes += nodes
                return True
        for total in self.readers[by_x]:               # or after them
            for term in total.inputs if isinstance(total.op, SUMS) and not found.others else ():
                nodes = self._of_max(term, (by_x,), m, found.x)
                if nodes is not None:
                    found.others, found.by_x = _without(total.inputs, term, by_x), total.value()
                    found.nodes += [*nodes, total]
                    return True
        return False

    def _of_max(self, term: Value, parts: tuple[Value, ...], m: Value, x: Value) -> list[Node] | None:
        """The nodes of (m == x) / count * sum(-parts)."""
        if not isinstance(term.node.op, Mul):
            return None
        for share, total in (term.node.inputs, term.node.inputs[::-1]):
            total_node, between = _unbroadcast(total)
            sums = _negative_sums(total_node, parts)
            if sums is None or not isinstance(share.node.op, RealDiv):
                continue
            flags, count = share.node.inputs
            equal = flags.node.inputs[0].node if isinstance(flags.node.op, Cast) else flags.node
            if _is_of_rows(count.node, Sum, flags) and isinstance(equal.op, Equal) and set(equal.inputs) == {m, x}:
                return [*sums, *between, equal, flags.node, count.node, share.node, term.node, m.node]
        return None

    def _of(self, node: Node, kind: type[Op], left: Node, right: Node) -> list[Node]:
        """The readers of a node that are this op of these two."""
        inputs = (left.value(), right.value())
        return [n for n in self.readers[node.value()] if isinstance(n.op, kind) and n.inputs == inputs]


def _less_max(value: Value) -> bool:
    """Whether it is x - max(x)."""
    node = value.node
    real = value.spec.dtype in (float32, float64)
    return real and isinstance(node.op, Sub) and _is_of_rows(node.inputs[1].node, Max, node.inputs[0])


def _negative_sums(node: Node, parts: tuple[Value, ...]) -> list[Node] | None:
    """The nodes, if this is what the negatives of the parts add up to along a row."""
    if len(parts) > 1:
        if not isinstance(node.op, SUMS) or len(node.inputs) != len(parts):
            return None
        found = [node]
        for part in parts:
            sums = next((s for x in node.inputs if (s := _negative_sums(x.node, (part,))) is not None), None)
            if sums is None:
                return None
            found += sums
        return found
    negative = node.inputs[0].node if isinstance(node.op, Sum) else node
    fits = isinstance(negative.op, Neg) and negative.inputs == parts and _is_of_rows(node, Sum, negative.value())
    return [negative, node] if fits else None


def _without(values: Sequence[Value], *gone: Value) -> tuple[Value, ...]:
    return tuple(value for value in values if value not in gone)


def _is_of_rows(node: Node, kind: type[Reduction], x: Value) -> bool:
    """Whether it reduces x along the last axis, which is kept."""
    op, shape = node.op, x.spec.shape
    return (isinstance(op, kind) and node.inputs[0] == x and bool(shape) and op.keep_dims
            and normalise_axes(op.axis, len(shape or ())) == (len(shape or ()) - 1,))


def _unbroadcast(value: Value) -> tuple[Node, Sequence[Node]]:
    """The node of a value, and the broadcast after it, if there is one."""
    node = value.node
    return (node.inputs[0].node, (node,)) if isinstance(node.op, BroadcastTo) else (node, ())


def _other(node: Node, operand: Node) -> Value:
    """Of a node of two operands, one of which is `operand`, the other one."""
    left, right = node.inputs
    return right if left == operand.value() else left
