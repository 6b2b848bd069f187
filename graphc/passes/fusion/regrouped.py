"""The flow with a Fused node in place of each group of nodes (a part of fuse)."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Elementwise
from graphc.ir.spec import Shape
from graphc.ops.array.source import Const
from graphc.passes.fusion.recompute import compute_again
from graphc.passes.shared.fused import Fused, is_absorbed, same_shape, without_units

if TYPE_CHECKING:
    from graphc.passes.fusion.fuse import Group, Grouping

MEMBER_LIMIT = 160


class Rebuild:
    """The flow with a Fused node for each group of more than one node, and for lone maps."""

    def __init__(self, flow: Flow, grouping: Grouping) -> None:
        self.flow = flow
        # A kernel that nothing joined is no group.
        self.group_of = {n: g for n, g in grouping.group_of.items() if g.kernel is None or len(g.members) > 1}
        self.position = grouping.position
        self.arguments: dict[Group, list[Value]] = {}
        self.absorbed: dict[Group, list[Node]] = {}
        self.after: dict[Group, tuple[Node, ...]] = {}
        self.needed: dict[Group, dict[Value, None]] = {}
        self.again: dict[Group, set[Node]] = {}            # what is a member of another group, too
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
                waiting += [*self.arguments[group], *self.after[group]]

    def _find_arguments(self, group: Group) -> None:
        """Values from outside that the group's members read, seen through what the group absorbs, and what all of
        these come after."""
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
        self.again[group] = compute_again(arguments, absorbed, kernel_inputs, MEMBER_LIMIT - group.weight, [
            v for v in arguments if self._is_cheap(v, group)], self.position)
        self.arguments[group] = list(arguments)
        self.absorbed[group] = list(absorbed)
        self.after[group] = tuple(dict.fromkeys(n for m in (*group.members, *absorbed) for n in m.after
                                                if self.group_of.get(n) is not group))

    def _is_cheap(self, value: Value, group: Group) -> bool:
        """Whether it is a value at every point of the group's domain that another group computes with little work."""
        node = value.node
        of = self.group_of.get(node)
        return (of is not None and of.side == group.side and isinstance(node.op, Elementwise) and node.op.cheap
                and node not in of.rows and same_domain(node.specs[0].shape or (), group))

    def _build(self, root: Node) -> None:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self.built:
                stack.pop()
                continue
            group = self.group_of.get(node)
            inputs = node.inputs if group is None else self.arguments[group]
            after = node.after if group is None else self.after[group]
            waiting = [n for n in (*(v.node for v in inputs), *after) if n not in self.built]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            new_inputs = tuple(self.new[v] for v in inputs)
            new_after = tuple(dict.fromkeys(self.built[n] for n in after))
            if group is None:
                self._renewed(node, new_after)
            elif group.kernel is not None and set(self.needed.get(group, ())) == {group.kernel.value()}:
                self._renewed(group.kernel, new_after)                 # others compute its epilogue again
                self.built.update(dict.fromkeys(group.members, self.built[group.kernel]))
            else:
                self._fused(group, new_inputs, new_after)

    def _renewed(self, node: Node, after: tuple[Node, ...]) -> None:
        inputs = tuple(self.new[v] for v in node.inputs)
        unchanged = inputs == node.inputs and after == node.after
        self._done(node, node if unchanged else dataclasses.replace(node, inputs=inputs, after=after))

    def _fused(self, group: Group, inputs: tuple[Value, ...], after: tuple[Node, ...]) -> None:
        members = sorted([*group.members, *self.absorbed[group]], key=self.position.__getitem__)
        results = sorted(self.needed.get(group, {}), key=lambda v: (self.position[v.node], v.index))
        op = Fused(tuple(members), tuple(self.arguments[group]), tuple(results), group.domain, group.axes or (),
                   group.kernel)
        named = [m for m in members if not isinstance(m.op, Const) and m not in self.again[group]]
        origins = tuple(dict.fromkeys(o for m in named for o in m.origins))
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


def same_domain(shape: Shape, group: Group) -> bool:
    if group.kernel is not None:
        return same_shape(shape, group.domain)
    return same_shape(without_units(shape), without_units(group.domain))
