"""fuse: elementwise nodes, reductions and kernels with what follows them become single steps (passes/fused.py).

 1. Grouping, one walk in topological order. An elementwise node joins the group of one of its operands if both have
    one domain; it takes the groups of its other operands along if they have that domain too. Behind a reduction of a
    group, nodes with one value a row join as well. A reduction joins a group that reduces nothing yet, or the same
    axes. A plain op with one result begins a group that elementwise nodes may join: they become its epilogue.
    Anything else stands alone.
 2. Views, changes of unit axes and scalar constants belong to no group: every group that reads one contains it and
    loads through it.
 3. Each group becomes a Fused node. Values that others need are its results, so several may be stored by one step.

Joining must not make a cycle: nothing that the new member needs from outside may depend on the group
(`Grouping._depends`, a search bounded by positions and SEARCH_LIMIT; without an answer within it, nothing is joined).
MEMBER_LIMIT bounds programs.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias, Effect, Elementwise, Op, Reduction, View, normalise_axes
from graphc.ir.spec import Shape
from graphc.ops.source import Const
from graphc.passes.fused import Fused, same_shape, without_units

MEMBER_LIMIT = 160
ARGUMENT_LIMIT = 24
SEARCH_LIMIT = 200
COMPUTED = frozenset({"f32", "f64", "i32", "i64", "bool", "u8", "i8", "u16", "i16", "u32"})


def fuse(flow: Flow) -> Flow:
    return Rebuild(flow, Grouping(list(flow.nodes()))).run()


@dataclass(eq=False)
class Group:
    """domain: of the element members. axes: what its reductions reduce, None before there is one."""

    domain: Shape
    first: int
    last: int
    kernel: Node | None = None
    axes: tuple[int, ...] | None = None
    members: list[Node] = field(default_factory=list)
    rows: set[Node] = field(default_factory=set)
    weight: int = 0
    outside: dict[Value, None] = field(default_factory=dict)   # an upper bound: members' inputs

    def row_shape(self) -> Shape:
        return tuple(s for i, s in enumerate(self.domain) if i not in (self.axes or ()))


class Grouping:
    """group_of: the group of each grouped node."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.position = {node: i for i, node in enumerate(nodes)}
        self.group_of: dict[Node, Group] = {}
        for node in nodes:
            if isinstance(node.op, Elementwise) and _computable(node):
                self._elementwise(node)
            elif isinstance(node.op, Reduction) and _computable(node):
                self._reduction(node)
            elif is_kernel(node):
                self._start(node, node.specs[0].shape or (), kernel=node)

    def _start(self, node: Node, domain: Shape, kernel: Node | None = None) -> Group:
        position = self.position[node]
        group = Group(domain, position, position, kernel)
        self._add(group, node)
        return group

    def _add(self, group: Group, node: Node) -> None:
        group.members.append(node)
        group.weight += max(1, len(node.inputs) - 1)
        group.last = max(group.last, self.position[node])
        group.outside.update(dict.fromkeys(node.inputs))
        self.group_of[node] = group

    def _elementwise(self, node: Node) -> None:
        shape = node.specs[0].shape or ()
        bases = [through_units(v) for v in node.inputs]
        groups = list(dict.fromkeys(self.group_of[v.node] for v in bases if v.node in self.group_of))
        for group in groups:
            if self._joins_rows(node, shape, bases, group):
                self._add(group, node)
                group.rows.add(node)
                return
        joined: Group | None = None
        for group in groups:
            if any(v.node in group.rows for v in bases) or not _same_domain(shape, group):
                continue
            if joined is None:
                if self._joins(node, bases, group):
                    self._add(group, node)
                    joined = group
            elif self._mergeable(joined, group):
                joined = self._merge(joined, group)
        if joined is None:
            self._start(node, shape)

    def _joins_rows(self, node: Node, shape: Shape, bases: Sequence[Value], group: Group) -> bool:
        inside = [v for v in bases if self.group_of.get(v.node) is group]
        return (group.axes is not None and all(v.node in group.rows for v in inside)
                and same_shape(without_units(shape), without_units(group.row_shape()))
                and self._joins(node, bases, group))

    def _joins(self, node: Node, bases: Sequence[Value], group: Group) -> bool:
        """Whether node fits in and nothing that it needs from outside depends on the group."""
        if group.weight + len(node.inputs) > MEMBER_LIMIT or len(group.outside) + len(node.inputs) > \
                ARGUMENT_LIMIT + len(group.members):
            return False
        outside = [v.node for v in bases if self.group_of.get(v.node) is not group]
        return not self._depends([*outside, *node.after, *after_of_units(node.inputs)], group)

    def _reduction(self, node: Node) -> None:
        x = node.inputs[0]
        domain = x.spec.shape or ()
        assert isinstance(node.op, Reduction)
        axes = normalise_axes(node.op.axis, len(domain))
        group = self.group_of.get(x.node)
        if (group is None or group.kernel is not None or x.node in group.rows or not same_shape(domain, group.domain)
                or group.axes not in (None, axes) or not self._joins(node, [x], group)):
            group = self._start(node, domain)
        else:
            self._add(group, node)
        group.axes = axes
        group.rows.add(node)

    def _mergeable(self, a: Group, b: Group) -> bool:
        if b.kernel is not None or (a.kernel is not None and b.axes is not None):
            return False
        if a.kernel is not None and self._depends([v.node for v in a.kernel.inputs], b):
            return False                    # b must be done before the kernel begins
        if a.axes is not None and b.axes is not None and a.axes != b.axes:
            return False
        if a.weight + b.weight > MEMBER_LIMIT or len(a.outside) + len(b.outside) > \
                ARGUMENT_LIMIT + len(a.members) + len(b.members):
            return False
        return not self._depends(self._outside(a, b), b) and not self._depends(self._outside(b, a), a)

    def _outside(self, group: Group, other: Group) -> list[Node]:
        """What members of `group` need from neither of the two."""
        found = []
        for value in group.outside:
            node = through_units(value).node
            if self.group_of.get(node) not in (group, other):
                found.append(node)
        return [*found, *(n for m in group.members for n in (*m.after, *after_of_units(m.inputs)))]

    def _merge(self, a: Group, b: Group) -> Group:
        for node in b.members:
            self.group_of[node] = a
        a.members += b.members
        a.rows |= b.rows
        a.axes = a.axes if a.axes is not None else b.axes
        a.weight += b.weight
        a.first, a.last = min(a.first, b.first), max(a.last, b.last)
        a.outside.update(b.outside)
        return a

    def _depends(self, nodes: Iterable[Node], group: Group) -> bool:
        """Whether any of the nodes needs a member of the group, in the graph whose nodes are the groups."""
        seen: set[object] = set()
        waiting = list(nodes)
        budget = SEARCH_LIMIT
        while waiting:
            node = waiting.pop()
            of = self.group_of.get(node)
            if of is group:
                return True
            unit: object = node if of is None else of
            last = self.position[node] if of is None else of.last
            if unit in seen or last < group.first:
                continue
            seen.add(unit)
            budget -= 1
            if budget < 0:
                return True
            for member in (node,) if of is None else of.members:
                waiting += [v.node for v in member.inputs]
                waiting += member.after
        return False


class Rebuild:
    """The flow with a Fused node for each group of more than one node, and for lone maps."""

    def __init__(self, flow: Flow, grouping: Grouping) -> None:
        self.flow = flow
        # A kernel that nothing joined is no group.
        self.group_of = {n: g for n, g in grouping.group_of.items() if g.kernel is None or len(g.members) > 1}
        self.position = grouping.position
        self.arguments: dict[Group, list[Value]] = {}
        self.absorbed: dict[Group, list[Node]] = {}
        self.needed: dict[Group, dict[Value, None]] = {}
        self.new: dict[Value, Value] = {}
        self.built: dict[Node, Node] = {}

    def run(self) -> Flow:
        roots = [*(v.node for v in self.flow.outputs), *self.flow.effects]
        self._find_results(roots)
        for node in self.flow.inputs:
            self._done(node, node)
        for root in roots:
            self._build(root)
        return dataclasses.replace(self.flow, outputs=tuple(self.new[v] for v in self.flow.outputs),
                                   effects=tuple(self.built[n] for n in self.flow.effects))

    def _find_results(self, roots: Sequence[Node]) -> None:
        """Which values of groups are needed outside of them: what is reached from the roots."""
        waiting: list[Value | Node] = [*self.flow.outputs, *roots]
        seen: set[object] = set()
        while waiting:
            item = waiting.pop()
            node = item.node if isinstance(item, Value) else item
            group = self.group_of.get(node)
            if group is not None and isinstance(item, Value):
                self.needed.setdefault(group, {})[item] = None
            unit = node if group is None else group
            if unit in seen:
                continue
            seen.add(unit)
            if group is None:
                waiting += [*node.inputs, *node.after]
            else:
                self._find_arguments(group)
                waiting += [*self.arguments[group], *self._after(group)]

    def _after(self, group: Group) -> list[Node]:
        """What makes the sizes of the members, and of the views that the group absorbs, known."""
        return [n for member in (*group.members, *self.absorbed[group]) for n in member.after
                if self.group_of.get(n) is not group]

    def _find_arguments(self, group: Group) -> None:
        """Values from outside that the group's members read, seen through what the group absorbs."""
        arguments: dict[Value, None] = {}
        absorbed: dict[Node, None] = {}
        waiting = [v for m in reversed(group.members) for v in reversed(m.inputs)]
        kernel_inputs = set() if group.kernel is None else set(group.kernel.inputs)
        seen: set[Value] = set()
        while waiting:
            value = waiting.pop()
            if value in seen:
                continue
            seen.add(value)
            if self.group_of.get(value.node) is group:
                continue
            if value in kernel_inputs:
                arguments[value] = None
            elif is_absorbed(value.node):
                absorbed[value.node] = None
                waiting += reversed(value.node.inputs)
            else:
                arguments[value] = None
        self.arguments[group] = list(arguments)
        self.absorbed[group] = list(absorbed)

    def _build(self, root: Node) -> None:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self.built:
                stack.pop()
                continue
            group = self.group_of.get(node)
            inputs = node.inputs if group is None else self.arguments[group]
            after = node.after if group is None else tuple(self._after(group))
            waiting = [n for n in (*(v.node for v in inputs), *after) if n not in self.built]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            new_inputs = tuple(self.new[v] for v in inputs)
            new_after = tuple(dict.fromkeys(self.built[n] for n in after))
            if group is None:
                unchanged = new_inputs == node.inputs and new_after == node.after
                self._done(node, node if unchanged else dataclasses.replace(node, inputs=new_inputs, after=new_after))
            else:
                self._fused(group, new_inputs, new_after)

    def _fused(self, group: Group, inputs: tuple[Value, ...], after: tuple[Node, ...]) -> None:
        members = sorted([*group.members, *self.absorbed[group]], key=self.position.__getitem__)
        results = sorted(self.needed.get(group, {}), key=lambda v: (self.position[v.node], v.index))
        op = Fused(tuple(members), tuple(self.arguments[group]), tuple(results), group.domain, group.axes or (),
                   group.kernel)
        origins = tuple(dict.fromkeys(o for m in members for o in m.origins if m.op.type != "Const"))
        requirements = tuple(dict.fromkeys(r for m in members for r in m.requirements))
        node = Node(op, inputs, tuple(v.spec for v in results), after, origins, requirements)
        for i, value in enumerate(results):
            self.new[value] = node.value(i)
        for member in group.members:
            self.built[member] = node

    def _done(self, old: Node, new: Node) -> None:
        for i in range(len(old.specs)):
            self.new[old.value(i)] = new.value(i)
        self.built[old] = new


def is_absorbed(node: Node) -> bool:
    """Whether a group may evaluate the node inside itself: no work, only other accesses."""
    if isinstance(node.op, Const):
        return node.op.value.size == 1 and node.op.dtype.short in COMPUTED
    return (isinstance(node.op, View) or is_unit_alias(node)) and node.specs[0].dtype.short in COMPUTED


def is_unit_alias(node: Node) -> bool:
    """An Alias that only adds or drops axes of size 1."""
    if not isinstance(node.op, Alias):
        return False
    a, b = node.inputs[0].spec.shape, node.specs[0].shape
    return a is not None and b is not None and same_shape(without_units(a), without_units(b))


def through_units(value: Value) -> Value:
    """The value behind changes of unit axes."""
    while is_unit_alias(value.node):
        value = value.node.inputs[0]
    return value


def after_of_units(values: Iterable[Value]) -> Iterator[Node]:
    """What the changes of unit axes in front of these values come after."""
    for value in values:
        while is_unit_alias(value.node):
            yield from value.node.after
            value = value.node.inputs[0]


def is_kernel(node: Node) -> bool:
    """A plain op with one result, whose call may have an epilogue."""
    plain = not isinstance(node.op, (Elementwise, Reduction, View, Alias, Const, Fused))
    return (plain and node.op.effect == Effect.PURE and len(node.specs) == 1 and _computable(node)
            and type(node.op).lower is not Op.lower)


def _same_domain(shape: Shape, group: Group) -> bool:
    if group.kernel is not None:
        return same_shape(shape, group.domain)
    return same_shape(without_units(shape), without_units(group.domain))


def _computable(node: Node) -> bool:
    return all(s.dtype.short in COMPUTED for s in (*node.specs, *(v.spec for v in node.inputs)))
