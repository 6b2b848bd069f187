"""The compiler's own graph: immutable nodes, made from the user's graph when a run is compiled (passes/snapshot).

Names do not matter here. A node's fields are known (maybe symbolically); its inputs are only the operands that are no
fields. Invariants are listed and checked in ir/verify.py.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from graphc.ir.computed import computed
from graphc.ir.op import Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Requirement, Spec, with_requirements


@dataclass(frozen=True)
class Origin:
    """The user's op a node came from, and the line of the user's file that built it."""

    op_name: str
    op_type: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, eq=False)
class Node:
    """One application of an op. `after`: nodes whose effects must have happened before (token edges). inferred: the
    specs are known to be what the op infers of the inputs'; what dataclasses.replace makes of a node is not."""

    op: Op
    inputs: tuple[Value, ...]
    specs: tuple[Spec, ...]
    after: tuple[Node, ...] = ()
    origins: tuple[Origin, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    inferred: bool = field(default=False, init=False, repr=False)

    def value(self, index: int = 0) -> Value:
        return Value(self, index)

    def __repr__(self) -> str:
        name = self.origins[0].op_name if self.origins else "?"
        return f"<{self.op.type} {name!r} -> {', '.join(map(str, self.specs))}>"


@dataclass(frozen=True)
class Value:
    """Output `index` of a node."""

    node: Node
    index: int

    def __hash__(self) -> int:
        return hash(self.node) + self.index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.node is other.node and self.index == other.index

    @property
    def spec(self) -> Spec:
        return self.node.specs[self.index]


@dataclass(frozen=True)
class Flow:
    """What a pass gets and returns: the values to compute and the effects to have, in order.

    inputs: the nodes (op type Placeholder or Const fed by the user; FlowInput in a body) that are given from outside.
    states: the Spec of every variable in it, by name. is_body: of a loop or branch. written: variables without a known
    shape whose new values are the last outputs. required: what every op of the user's requires of sizes, with its
    origins: also of those of which only the shape turns out to be needed. prepare: the flow of the prepare body, once
    the pass of that name has made it.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Value, ...]
    effects: tuple[Node, ...] = ()
    states: Mapping[str, Spec] = field(default_factory=dict)
    is_body: bool = False
    written: tuple[str, ...] = ()
    required: tuple[tuple[Requirement, tuple[Origin, ...]], ...] = ()
    prepare: Flow | None = None

    def nodes(self) -> Iterator[Node]:
        """Every node once, operands and token edges first (topological order; the same order every time)."""
        return iter(self._order)

    @computed
    def nested(self) -> tuple[Node, ...]:
        """The nodes that are loops or branches."""
        return tuple(node for node in self._order if hasattr(node.op, "flows"))

    @computed
    def _order(self) -> tuple[Node, ...]:
        seen: set[Node] = set(self.inputs)
        roots = [*(v.node for v in self.outputs), *self.effects]
        return (*self.inputs, *(node for root in roots for node in _walk(root, seen)))


def _walk(root: Node, seen: set[Node]) -> Iterator[Node]:
    stack: list[tuple[Node, Iterator[Node]]] = []
    if root not in seen:
        seen.add(root)
        stack.append((root, iter([*(v.node for v in root.inputs), *root.after])))
    while stack:
        node, waiting = stack[-1]
        for needed in waiting:
            if needed not in seen:
                seen.add(needed)
                stack.append((needed, iter([*(v.node for v in needed.inputs), *needed.after])))
                break
        else:
            stack.pop()
            yield node


def make_node(op: Op, inputs: Sequence[Value], origins: Sequence[Origin] = (), after: Sequence[Node] = ()) -> Node:
    """A node with its output specs inferred; what inference could not prove is kept as its requirements."""
    specs, requirements = with_requirements(op.infer, [v.node.specs[v.index] for v in inputs])
    outputs = specs if isinstance(specs, tuple) else (specs,)
    made = Node(op, tuple(inputs), outputs, tuple(after), tuple(origins), tuple(requirements))
    object.__setattr__(made, "inferred", True)
    return made


def on_equal_inputs(node: Node, inputs: tuple[Value, ...], after: tuple[Node, ...]) -> Node:
    """The node on other inputs, whose specs are equal to those of its own."""
    made = Node(node.op, inputs, node.specs, after, node.origins, node.requirements)
    object.__setattr__(made, "inferred", node.inferred)
    return made
