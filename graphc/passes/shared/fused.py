"""Fused: several nodes computed by one step, and what a member may be.

A Fused node stands for `members`, nodes in topological order that keep their own inputs; `arguments[i]` is the value
that the members call what the Fused node calls input i, and `results` are the members' values that it gives. All of
it is one map over `domain`, of which `axes` are reduced:

  element members   Elementwise nodes whose values are those at every point of the domain
  reduce members    Reductions over exactly `axes` of an element value
  row members       Elementwise nodes after a reduce member: one value a row
  seen members      Views of arguments, and scalar constants: read by any of the others
  and unit-axis Aliases of all of these

or, if `kernel` is set (a member that reads arguments only), the epilogue of a kernel's call: element and seen members
only, after its single result. `check_members` holds this, after the pass. plan/lower_fused.py makes the step.
"""
from __future__ import annotations

from typing import ClassVar

from graphc.errors import InternalError
from graphc.ir.dims import Dim, Size
from graphc.ir.dtypes import COMPUTED
from graphc.ir.node import Node, Value
from graphc.ir.op import Alias, Elementwise, Op, Reduction, View, normalise_axes
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.array.source import Const


@dataclass(frozen=True, eq=False)
class Fused(Op):
    type: ClassVar[str] = "_Fused"
    members: tuple[Node, ...]
    arguments: tuple[Value, ...]
    results_of: tuple[Value, ...]
    domain: Shape
    axes: tuple[int, ...] = ()
    kernel: Node | None = None

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        check_members(self)
        return tuple(v.spec for v in self.results_of)

    def sizes(self) -> tuple[Size, ...]:
        found = [*self.domain]
        for node in self.members:
            found += [*node.op.sizes(), *(s for spec in node.specs for s in spec.shape or ())]
        return tuple(dict.fromkeys(s for s in found if isinstance(s, Dim)))


def check_members(op: Fused) -> None:
    """Raises InternalError for a member that the header does not allow where it stands."""
    place = dict.fromkeys(op.arguments, "seen")
    for node in op.members:
        unknown = [v for v in node.inputs if v not in place]
        if unknown:
            raise InternalError(f"{node} reads {unknown[0].node}, which is neither an argument nor a member before it")
        found = _place(op, node, {place[v] for v in node.inputs})
        if found is None:
            raise InternalError(f"{node} cannot be a member of a fused step over {op.domain}, axes {op.axes}, where "
                                f"its inputs are {[place[v] for v in node.inputs]}")
        for i in range(len(node.specs)):
            place.setdefault(node.value(i), found)
    for value in op.results_of:
        if place.get(value) not in ("element", "row"):
            raise InternalError(f"{value.node} is no result that a fused step can give")


def _place(op: Fused, node: Node, inputs: set[str]) -> str | None:
    """What kind of member the node is, given the kinds of its inputs; None if it can be none."""
    shape = without_units(node.specs[0].shape or ())
    if node is op.kernel:
        return "element" if set(node.inputs) <= set(op.arguments) else None
    if isinstance(node.op, Const):
        return "seen" if node.op.value.size == 1 else None
    if isinstance(node.op, View):
        return "seen" if inputs == {"seen"} else None
    if isinstance(node.op, Alias):
        return inputs.pop() if is_unit_alias(node) else None
    if isinstance(node.op, Reduction):
        given = node.inputs[0].spec.shape
        fits = (op.kernel is None and "row" not in inputs and same_shape(given, op.domain)
                and normalise_axes(node.op.axis, len(op.domain)) == op.axes)
        return "row" if fits else None
    if isinstance(node.op, Elementwise):
        if "row" not in inputs:
            return "element" if same_shape(shape, without_units(op.domain)) else None
        rows = without_units(tuple(s for i, s in enumerate(op.domain) if i not in op.axes))
        return "row" if "element" not in inputs and same_shape(shape, rows) else None
    return None


def is_unit_alias(node: Node) -> bool:
    """An Alias that only adds or drops axes of size 1."""
    if not isinstance(node.op, Alias):
        return False
    a, b = node.inputs[0].spec.shape, node.specs[0].shape
    return a is not None and b is not None and same_shape(without_units(a), without_units(b))


def is_absorbed(node: Node) -> bool:
    """Whether a group may evaluate the node inside itself: no work, only other accesses."""
    if isinstance(node.op, Const):
        return node.op.value.size == 1 and node.op.dtype in COMPUTED
    return (isinstance(node.op, View) or is_unit_alias(node)) and node.specs[0].dtype in COMPUTED


def without_units(shape: Shape) -> Shape:
    """The shape without axes of size 1."""
    return tuple([s for s in shape if s != 1]) if 1 in shape else shape


def same_shape(a: Shape | None, b: Shape | None) -> bool:
    """Provably equal."""
    return a is not None and a == b      # sizes are equal if they are the same one (ir/dims.py)
