"""What of a loop's body needs what: which carried values, in one iteration and in all together.

Sets of carried values are integers, bit i for carried value i.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphc.ir import dims
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Elementwise
from graphc.ops.array.source import Const
from graphc.ops.control.lists import TensorListPopBack
from graphc.passes.shared.control_flow import Loop
from graphc.passes.shared.internal_ops import SizeValues


class Needs:
    """Of one loop. order: the body's nodes; of: the carried values that a node needs in its iteration; closed: for each
    carried value, all that it needs in any iteration, itself among them."""

    def __init__(self, node: Node) -> None:
        assert isinstance(node.op, Loop)
        loop = node.op
        self.node, self.loop = node, loop
        self.order = tuple(loop.body.nodes())
        self.of = _needs(loop.body, self.order, loop.carried)
        self.closed = _closed([self.of[v.node] for v in loop.body.outputs])
        self.test = self.closure(_mask_of_inputs(loop.cond, loop.carried))
        self.light = self._light()

    def outside(self, size: dims.Size, flow: Flow | None = None) -> dims.Size | None:
        """What a size in the body, or in the flow of the test, is called around the loop; None if it is not known."""
        if isinstance(size, int):
            return size
        for inside, outside in zip((flow or self.loop.body).inputs, self.node.inputs, strict=True):
            for inner, outer in zip(inside.specs[0].shape or (), outside.spec.shape or (), strict=True):
                if not isinstance(inner, int) and dims.same(inner, size):
                    return outer
        return None

    def closure(self, carried: int) -> int:
        """`carried` and all that these need."""
        return union(self.closed[i] for i in members(carried))

    def behind(self, values: Iterable[Value]) -> set[Node]:
        """The nodes of the body that read one of the values, or a result of one that does."""
        wanted, found = set(values), set()
        for node in self.order:
            if any(v in wanted or v.node in found for v in node.inputs) or any(n in found for n in node.after):
                found.add(node)
        return found

    def fed_by(self, values: Iterable[Value]) -> int:
        """The carried values that some iteration computes of one of the values."""
        values = set(values)
        nodes = self.behind(values)
        first = union(1 << i for i, v in enumerate(self.loop.body.outputs) if v in values or v.node in nodes)
        return union(1 << i for i, needed in enumerate(self.closed) if needed & first)

    def _light(self) -> int:
        """The carried values that cost next to nothing to compute again: counters, and what is popped from a list."""
        cheap: dict[Node, bool] = {}
        for node in self.order:
            cheap[node] = _is_cheap(node) and all(cheap[v.node] for v in node.inputs) and not node.after
        once = union(1 << i for i, v in enumerate(self.loop.body.outputs) if cheap[v.node])
        return union(1 << i for i, needed in enumerate(self.closed) if needed & ~once == 0)


def members(carried: int) -> Iterator[int]:
    """The numbers in a set of carried values."""
    return (i for i in range(carried.bit_length()) if carried >> i & 1)


def _needs(body: Flow, order: Sequence[Node], carried: int) -> dict[Node, int]:
    found = {node: 1 << i if i < carried else 0 for i, node in enumerate(body.inputs)}
    for node in order:
        if node not in found:
            found[node] = union(found[n] for n in (*(v.node for v in node.inputs), *node.after))
    return found


def _closed(once: Sequence[int]) -> list[int]:
    closed = [needed | 1 << i for i, needed in enumerate(once)]
    while True:
        more = [needed | union(closed[j] for j in members(needed)) for needed in closed]
        if more == closed:
            return closed
        closed = more


def _mask_of_inputs(flow: Flow, carried: int) -> int:
    used = {v.node for node in flow.nodes() for v in node.inputs} | {v.node for v in flow.outputs}
    return union(1 << i for i, node in enumerate(flow.inputs[:carried]) if node in used)


def union(sets: Iterable[int]) -> int:
    total = 0
    for one in sets:
        total |= one
    return total


def _is_cheap(node: Node) -> bool:
    if isinstance(node.op, (FlowInput, Const, SizeValues, TensorListPopBack)):
        return True
    return isinstance(node.op, Elementwise) and node.specs[0].shape == ()
