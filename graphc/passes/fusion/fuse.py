"""fuse: elementwise nodes, reductions and kernels with what follows them become single steps (passes/shared/fused.py).

 1. Grouping, one walk in topological order. An elementwise node joins the group of one of its operands if both have
    one domain; it takes the groups of its other operands along if they have that domain too. After a reduction of
    a group, nodes with one value a row join as well. A reduction joins a group that reduces nothing yet, or the
    same axes; so several reductions of one value read it once. A plain op with one result begins a group that
    elementwise nodes may join: they become its epilogue. Anything else stands alone.
 2. Views, changes of unit axes and scalar constants belong to no group: every group that reads one contains it and
    loads through it.
 3. Each group becomes a Fused node. Values that others need are its results, so several may be stored by one step.
    A value that is cheap to compute from others that a group reads anyway is computed in it again, not read: an
    activation written as ten ops keeps for its gradient what is dear, not ten matrices.

Joining must not make a cycle: nothing that the new member needs from outside may need the group. The units (groups
and lone nodes) are kept in an order in which each stands after what it needs (places.py). So only what stands
after the group can need it: `_between` searches there, bounded by SEARCH_LIMIT (without an answer within it, nothing
is joined), and what it finds moves in front of the group when that is joined. What a node needs are its operands and
what it comes after (`after`: among others, what makes its sizes known); a group also needs what the nodes come after
that it contains, so views and changes of unit axes are never skipped.
Of a plan for GPUs, ops that were placed on different sides, the host or one of the GPUs, are not joined.
MEMBER_LIMIT bounds programs. Every test costs at most what the limits allow, so the pass takes time in proportion to
the number of edges.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graphc.ir.dtypes import COMPUTED
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias, Effect, Elementwise, Op, Reduction, View, normalise_axes
from graphc.ir.spec import Shape
from graphc.ops.array.source import Const
from graphc.passes.fusion.places import Place, Places
from graphc.passes.fusion.regrouped import MEMBER_LIMIT, Rebuild, same_domain
from graphc.passes.shared.fused import Fused, is_unit_alias, same_shape, without_units
from graphc.passes.shared.sides import NO_SIDES, Sides, side_of

ARGUMENT_LIMIT = 24
SEARCH_LIMIT = 200       # nodes and groups
EDGE_LIMIT = 4000


def fuse(flow: Flow, sides: Sides = NO_SIDES) -> Flow:
    """sides: of the user's ops; nodes of different sides are not joined."""
    return Rebuild(flow, Grouping(list(flow.nodes()), sides)).run()


@dataclass(eq=False)
class Group:
    """domain: of the element members. axes: what its reductions reduce, None before there is one. side: that of its
    members."""

    domain: Shape
    place: Place
    side: int = 0
    kernel: Node | None = None
    axes: tuple[int, ...] | None = None
    members: list[Node] = field(default_factory=list)
    rows: set[Node] = field(default_factory=set)
    weight: int = 0
    outside: dict[Value, None] = field(default_factory=dict)   # an upper bound: members' inputs

    def row_shape(self) -> Shape:
        return tuple(s for i, s in enumerate(self.domain) if i not in (self.axes or ()))


class Grouping:
    """group_of: the group of each grouped node; reducing: of a value that is in none, the last that reduces it."""

    def __init__(self, nodes: Sequence[Node], sides: Sides = NO_SIDES) -> None:
        self.position = {node: i for i, node in enumerate(nodes)}
        self.sides = sides
        self.places = Places(len(nodes))
        self.group_of: dict[Node, Group] = {}
        self.reducing: dict[Value, Group] = {}
        for node in nodes:
            if isinstance(node.op, Elementwise) and _computable(node):
                self._elementwise(node)
            elif isinstance(node.op, Reduction) and _computable(node):
                self._reduction(node)
            elif is_kernel(node):
                self._start(node, node.specs[0].shape or (), kernel=node)

    def _start(self, node: Node, domain: Shape, kernel: Node | None = None) -> Group:
        group = Group(domain, self._place(node), self._side(node), kernel)
        self._add(group, node)
        return group

    def _place(self, node: Node) -> Place:
        group = self.group_of.get(node)
        return self.places.all[self.position[node]] if group is None else group.place

    def _side(self, node: Node) -> int:
        return side_of(node.origins, self.sides)

    def _add(self, group: Group, node: Node) -> None:
        group.members.append(node)
        group.weight += max(1, len(node.inputs) - 1)
        group.outside.update(dict.fromkeys(node.inputs))
        self.group_of[node] = group

    def _elementwise(self, node: Node) -> None:
        shape = node.specs[0].shape or ()
        inside: dict[Group, list[Node]] = {}        # the operands in each group
        for value in node.inputs:
            base = through_units(value).node
            if base in self.group_of:
                inside.setdefault(self.group_of[base], []).append(base)
        for group, bases in inside.items():
            if self._joins_rows(node, shape, bases, group):
                self._add(group, node)
                group.rows.add(node)
                return
        joined: Group | None = None
        for group, bases in inside.items():
            if not same_domain(shape, group) or any(base in group.rows for base in bases):
                continue
            if joined is None:
                if self._joins(node, group):
                    self._add(group, node)
                    joined = group
            elif self._mergeable(joined, group):
                joined = self._merge(joined, group)
        if joined is None:
            self._start(node, shape)

    def _joins_rows(self, node: Node, shape: Shape, bases: Sequence[Node], group: Group) -> bool:
        return (group.axes is not None and same_shape(without_units(shape), without_units(group.row_shape()))
                and all(base in group.rows for base in bases) and self._joins(node, group))

    def _joins(self, node: Node, group: Group) -> bool:
        """Whether node fits in and nothing that it needs from outside needs the group, which then stands after it."""
        if group.side != self._side(node):
            return False
        if group.weight + len(node.inputs) > MEMBER_LIMIT or len(group.outside) + len(node.inputs) > \
                ARGUMENT_LIMIT + len(group.members):
            return False
        return self._moved_before([*self._needs(node.inputs, (group,)), *node.after], group)

    def _needs(self, values: Iterable[Value], groups: Sequence[Group]) -> list[Node]:
        """What a reader of the values needs that is in none of the groups."""
        found = []
        for value in values:
            base = through_units(value).node
            if self.group_of.get(base) not in groups:
                found.append(value.node)
            else:
                while value.node is not base:       # the change of unit axes goes into the group with its reader
                    found += value.node.after
                    value = value.node.inputs[0]
        return found

    def _reduction(self, node: Node) -> None:
        x = node.inputs[0]
        domain = x.spec.shape or ()
        assert isinstance(node.op, Reduction)
        axes = normalise_axes(node.op.axis, len(domain))
        group = self.group_of.get(x.node, self.reducing.get(x))
        if (group is None or group.kernel is not None or x.node in group.rows or not same_shape(domain, group.domain)
                or group.axes not in (None, axes) or not self._joins(node, group)):
            group = self.reducing[x] = self._start(node, domain)
        else:
            self._add(group, node)
        group.axes = axes
        group.rows.add(node)

    def _mergeable(self, a: Group, b: Group) -> bool:
        if a.side != b.side or b.kernel is not None or (a.kernel is not None and b.axes is not None):
            return False
        if a.kernel is not None and self._between([v.node for v in a.kernel.inputs], b) is None:
            return False                    # b must be done before the kernel begins
        if a.axes is not None and b.axes is not None and (a.axes != b.axes or not same_shape(a.domain, b.domain)):
            return False
        if not self._kinds_fit(a, b) or not self._kinds_fit(b, a):
            return False
        if a.weight + b.weight > MEMBER_LIMIT or len(a.outside) + len(b.outside) > \
                ARGUMENT_LIMIT + len(a.members) + len(b.members):
            return False
        first, last = sorted((a, b), key=lambda group: group.place.label)
        return self._moved_before(self._outside(last, first), first)     # what `first` needs stands before both

    def _kinds_fit(self, group: Group, other: Group) -> bool:
        """Whether members read of the other group what members of their kind may: rows only as a value of each row."""
        if not other.rows and not group.rows:
            return True
        for node in group.members:
            reads_rows = node in group.rows and not isinstance(node.op, Reduction)
            for value in node.inputs:
                base = through_units(value).node
                if self.group_of.get(base) is other and (base in other.rows) != reads_rows:
                    return False
        return True

    def _outside(self, group: Group, other: Group) -> list[Node]:
        """What members of `group` need from neither of the two."""
        return [*self._needs(group.outside, (group, other)), *(n for m in group.members for n in m.after)]

    def _merge(self, a: Group, b: Group) -> Group:
        for node in b.members:
            self.group_of[node] = a
        a.members += b.members
        a.rows |= b.rows
        if a.axes is None and b.axes is not None:
            a.domain, a.axes = b.domain, b.axes       # domains may differ in unit axes; axes are those of their own
        a.weight += b.weight
        a.place = min(a.place, b.place, key=lambda place: place.label)
        a.outside.update(b.outside)
        return a

    def _moved_before(self, nodes: Iterable[Node], group: Group) -> bool:
        """Whether none of the nodes needs a member of the group; if so, all that they need now stands before it."""
        found = self._between(nodes, group)
        if found is not None:
            self.places.move(found, group.place)
        return found is not None

    def _between(self, nodes: Iterable[Node], group: Group) -> set[Place] | None:
        """Where the units stand that the nodes need, as far as they are after the group; None if one needs the group.
        """
        found: set[Place] = set()
        waiting = list(nodes)
        budget, edges = SEARCH_LIMIT, EDGE_LIMIT
        while waiting:
            node = waiting.pop()
            of = self.group_of.get(node)
            if of is group:
                return None
            place = self._place(node)
            if place in found or place.label < group.place.label:
                continue
            found.add(place)
            members = (node,) if of is None else of.members
            budget -= 1
            edges -= sum(len(m.inputs) + len(m.after) for m in members)
            if budget < 0 or edges < 0:
                return None
            for member in members:
                waiting += [v.node for v in member.inputs]
                waiting += member.after
        return found


def through_units(value: Value) -> Value:
    """The value after changes of unit axes."""
    while is_unit_alias(value.node):
        value = value.node.inputs[0]
    return value


def is_kernel(node: Node) -> bool:
    """A plain op with one result, whose call may have an epilogue."""
    plain = not isinstance(node.op, (Elementwise, Reduction, View, Alias, Const, Fused))
    return (plain and node.op.overwrites is None and node.op.effect == Effect.PURE and len(node.specs) == 1
            and _computable(node) and type(node.op).lower is not Op.lower)


def _computable(node: Node) -> bool:
    return all(s.dtype in COMPUTED for s in (*node.specs, *(v.spec for v in node.inputs)))
