"""with_groups: groups of nodes that were found in a flow are replaced, each by what it makes.

For passes whose patterns ask who reads a value: they look at the flow as it is, before anything is changed, where
the rules of rewriter.py see nodes on inputs that are new already, whose readers nobody has counted.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from graphc.ir.node import Flow, Node, Value
from graphc.passes.shared.rewriter import better, rebuilt

Values = tuple[Value, ...]


@dataclass(eq=False)
class Group:
    """inputs: values of the flow that the group reads; none of them may depend on one of `results`, the values that it
    replaces. build(inputs, made): the new values; inputs as they are now, made: what `behind` was replaced by, all of
    it. The first of the new values stand for `results`."""

    inputs: Values
    results: Values
    build: Callable[[Values, Values], Values]
    behind: Group | None = None
    made: Values = field(default=(), init=False)


def with_groups(flow: Flow, groups: Sequence[Group]) -> Flow:
    """The flow with these in place of the nodes that made their results."""
    return _Replacing(groups).run(flow)


class _Replacing:
    def __init__(self, groups: Sequence[Group]) -> None:
        self.group_of = {value.node: group for group in groups for value in group.results}
        self.values: dict[Value, Value] = {}
        self.nodes: dict[Node, Node] = {}
        self.done: set[Node | Group] = set()

    def run(self, flow: Flow) -> Flow:
        for node in flow.inputs:
            self._keep(node, node)
        for root in (*(v.node for v in flow.outputs), *flow.effects):
            self._reach(root)
        return replace(flow, outputs=tuple(self.values[v] for v in flow.outputs),
                       effects=tuple(self.nodes[n] for n in flow.effects))

    def _reach(self, root: Node) -> None:
        stack: list[Node | Group] = [self._maker(root)]
        while stack:
            top = stack[-1]
            waiting = [m for m in self._needed(top) if m not in self.done] if top not in self.done else []
            if waiting:
                stack += reversed(waiting)
                continue
            stack.pop()
            if top not in self.done:
                self._make(top)

    def _maker(self, node: Node) -> Node | Group:
        return self.group_of.get(node, node)

    def _needed(self, what: Node | Group) -> list[Node | Group]:
        if isinstance(what, Group):
            return [*(self._maker(v.node) for v in what.inputs), *([what.behind] if what.behind else [])]
        return [self._maker(n) for n in (*(v.node for v in what.inputs), *what.after)]

    def _make(self, what: Node | Group) -> None:
        inputs = tuple(self.values[v] for v in what.inputs)
        if isinstance(what, Node):
            self._keep(what, rebuilt(what, inputs, tuple(dict.fromkeys(self.nodes[n] for n in what.after))))
            return
        what.made = what.build(inputs, what.behind.made if what.behind else ())
        for old, new in zip(what.results, what.made, strict=False):
            self.values[old], self.nodes[old.node] = new, new.node
        self.done.add(what)

    def _keep(self, old: Node, new: Node) -> None:
        self.values.update((old.value(i), new.value(i)) for i in range(len(old.specs)))
        self.nodes[old] = new
        self.done.add(old)


def with_specs_of(made: Node, results: Sequence[Value]) -> Node:
    """`made`, whose first results are known by the sizes that the values they replace have."""
    specs = tuple(better(spec, results[i].spec) if i < len(results) else spec for i, spec in enumerate(made.specs))
    return made if specs == made.specs else replace(made, specs=specs)
