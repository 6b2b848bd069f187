"""From a Fused node (or a single Elementwise, Reduction or View node) to one map, or to a kernel call with an epilogue.

A value inside is not stored but evaluated where it is needed: `scalar(Seen(value, steps, row))` gives its scalar at a
point of the domain, or, after the reduction (row), one for each index of the axes that are not reduced. `steps` say
how the value's own axes become those: each is a shape to broadcast to, a View to look through or a change of unit axes.
Only at a leaf do the steps meet an Access, to which they are applied one after the other. Both places know the same
kinds of members; passes/shared/fused.py says and checks which.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.access import Access
from graphc.ir.dims import Size
from graphc.ir.dtypes import bfloat16, float32, from_bfloat16_array
from graphc.ir.node import Node, Value
from graphc.ir.op import Alias, Elementwise, Reduction, View, normalise_axes
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape
from graphc.ops.array.source import Const
from graphc.passes.shared.fused import Fused, same_shape
from graphc.plan.builder import BodyBuilder
from graphc.plan.scalar_program import ScalarProgram


@dataclass(frozen=True)
class _Shape:
    """Broadcast to this shape, or (units) add and drop axes of size 1 until the shape is this one."""

    shape: Shape
    units: bool = False


Steps = tuple[Any, ...]     # of Node (View) and _Shape


class Seen(NamedTuple):
    """A value as it is needed somewhere: see the header."""

    value: Value
    steps: Steps
    row: bool


def single(node: Node) -> Fused:
    """A node of its own as a Fused of one member."""
    arguments = tuple(dict.fromkeys(node.inputs))
    domain = node.specs[0].shape
    axes: tuple[int, ...] = ()
    if isinstance(node.op, Reduction):
        domain = node.inputs[0].spec.shape
        assert domain is not None
        axes = normalise_axes(node.op.axis, len(domain))
    assert domain is not None
    return Fused((node,), arguments, (node.value(),), domain, axes)


def lower_fused(b: BodyBuilder, op: Fused, inputs: Sequence[Access], outputs: Sequence[Access]) -> None:
    """inputs: one for each argument; outputs: whole buffers, one for each result."""
    FusedLowering(b, op, dict(zip(op.arguments, inputs, strict=True))).emit(outputs)


def axis_order(op: Fused) -> list[int]:
    """The order of the domain's axes in the map: the reduced ones last."""
    return [*(i for i in range(len(op.domain)) if i not in op.axes), *op.axes]


class FusedLowering:
    """See the header. `leaves` are the accesses of the arguments (and of the kernel's result)."""

    def __init__(self, b: BodyBuilder, op: Fused, leaves: dict[Value, Access]) -> None:
        self.b, self.op, self.leaves = b, op, leaves
        self.order = axis_order(op)
        self.domain = tuple(op.domain[i] for i in self.order)
        self.rows = self.domain[:len(self.domain) - len(op.axes)]
        self.program = ScalarProgram()
        self.loads: list[Access] = []
        self._loaded: dict[Access, Any] = {}
        self._scalars: dict[Seen, Any] = {}
        self._kept: set[Any] = set(op.members)
        self._behind = _behind_reduction(op)

    def emit(self, outputs: Sequence[Access]) -> None:
        values, stores = self.evaluate(outputs)
        self.b.emit_map(self.program, self.domain, len(self.op.axes), self.loads, values, stores)

    def evaluate(self, outputs: Sequence[Access]) -> tuple[list[Any], list[Access]]:
        """The scalars of the results, and where in the domain's order they are stored."""
        values, stores = [], []
        for value, target in zip(self.op.results_of, outputs, strict=True):
            row = value.node in self._behind
            steps = self._fit(value, _without(self.op.domain, self.op.axes) if row else self.op.domain)
            scalar = self.scalar(Seen(value, steps, row))
            values.append(self._as_row(scalar) if row and self.op.axes and not scalar.row else scalar)
            store = self._applied(target, steps)
            stores.append(store if row else store.transpose(self.order))
        return values, stores

    def _as_row(self, scalar: Any) -> Any:
        """The same as a value of each row, though no reduction is in it: its node reads one and ignores it (ones_like).
        """
        member = next(node for node in self.op.members if isinstance(node.op, Reduction)).value()
        row = self.scalar(Seen(member, self._fit(member, _without(self.op.domain, self.op.axes)), True))
        return self.program("select", row if row.dtype.is_bool else self.program("equal", row, row), scalar, scalar)

    def _fit(self, value: Value, shape: Shape) -> Steps:
        """Steps from a result's own shape to the domain (or rows) it is a value of: the same but for unit axes."""
        own = value.spec.shape
        assert own is not None
        return () if same_shape(own, shape) else (_Shape(shape, units=True),)

    def scalar(self, seen: Seen) -> Any:
        """The value's scalar where it is needed."""
        # Chains are long: what is needed first is evaluated first, without recursion.
        waiting = [seen]
        while waiting:
            item = waiting[-1]
            if item in self._scalars:
                waiting.pop()
                continue
            operands = self._operands(item)
            needed = [i for i in operands if i not in self._scalars]
            if needed:
                waiting += reversed(needed)
                continue
            waiting.pop()
            self._scalars[item] = self._evaluated(item, [self._scalars[i] for i in operands])
        return self._scalars[seen]

    def _operands(self, seen: Seen) -> list[Seen]:
        """What the value is made of, and how each part is seen."""
        node, steps = seen.value.node, seen.steps
        if seen.value in self.leaves or node not in self._kept:
            return []
        shape = node.specs[0].shape
        assert shape is not None
        if isinstance(node.op, Elementwise):
            return [Seen(v, steps if same_shape(v.spec.shape, shape) else (_Shape(shape), *steps), seen.row)
                    for v in node.inputs]
        if isinstance(node.op, Reduction):
            x = node.inputs[0]
            return [Seen(x, self._fit(x, self.op.domain), row=False)]
        if isinstance(node.op, View):
            return [Seen(node.inputs[0], (node, *steps), seen.row)]
        if isinstance(node.op, Alias):
            return [Seen(node.inputs[0], (_Shape(shape, units=True), *steps), seen.row)]
        return []

    def _evaluated(self, seen: Seen, operands: Sequence[Any]) -> Any:
        node = seen.value.node
        if seen.value in self.leaves:
            access = self._applied(self.leaves[seen.value], seen.steps)
            return self._load(access.broadcast_trailing(self.domain[len(self.rows):]) if seen.row
                              else access.transpose(self.order))
        if isinstance(node.op, Elementwise):
            return self._applied_scalar(node, operands, seen.steps)
        if isinstance(node.op, Reduction) and (seen.row or not self.op.axes):
            return self._reduced(node, operands[0])
        if isinstance(node.op, (View, Alias)):
            return operands[0]
        if isinstance(node.op, Const):
            value = from_bfloat16_array(node.op.value) if node.op.dtype == bfloat16 else node.op.value
            return self.program.constant(value.item(), node.op.dtype)
        raise InternalError(f"{node} cannot be evaluated inside a map")

    def _applied_scalar(self, node: Node, operands: Sequence[Any], steps: Steps) -> Any:
        used = self.program.uses_index or self.program.uses_linear
        # The whole of an op on 16-bit floats is computed in float32, and its result rounded once.
        wide = [self.program.cast(x, float32) if x.dtype.is_half else x for x in operands]
        result: Any = node.op.scalar(self.program, *wide)  # type: ignore[attr-defined]
        if node.specs[0].dtype.is_half:
            result = self.program.cast(result, node.specs[0].dtype)
        if not used and (self.program.uses_index or self.program.uses_linear) and (steps or self.op.axes):
            raise InternalError(f"{node} depends on its index, so it cannot be seen through another shape")
        return result

    def _reduced(self, node: Node, x: Any) -> Any:
        op = node.op
        assert isinstance(op, Reduction)
        value = op.map_element(self.program, self.program.cast(x, float32) if x.dtype.is_half else x)
        total = self.program.reduce(op.combine, value) if self.op.axes else value
        if type(op).finish is Reduction.finish:
            return self.program.cast(total, node.specs[0].dtype)
        size = dims.product(self.op.domain[i] for i in self.op.axes)
        count, extra = self.b.count(self.program, size, self.domain)
        self.loads += extra
        return self.program.cast(op.finish(self.program, total, count), node.specs[0].dtype)

    def _load(self, access: Access) -> Any:
        known = self._loaded.get(access)
        if known is None:
            known = self.program.load(access.dtype)
            self.loads.append(access)
            self._loaded[access] = known
        return known

    def _applied(self, access: Access, steps: Steps) -> Access:
        for step in steps:
            if isinstance(step, Node):
                assert isinstance(step.op, View)
                access = step.op.view(self.b, access)
            elif step.units:
                access = with_units(access, step.shape)
            else:
                access = access.broadcast(step.shape)
        return access


def with_units(access: Access, shape: Shape) -> Access:
    """The access under a shape that differs in axes of size 1 only."""
    kept = [(s, stride) for s, stride in zip(access.shape, access.strides, strict=True) if not dims.same(s, 1)]
    strides: list[Size] = []
    position = 0
    for size in shape:
        if dims.same(size, 1):
            strides.append(0)
        else:
            if position == len(kept) or not dims.same(kept[position][0], size):
                raise InternalError(f"shapes {access.shape} and {shape} differ in more than axes of size 1")
            strides.append(kept[position][1])
            position += 1
    if position != len(kept):
        raise InternalError(f"shapes {access.shape} and {shape} differ in more than axes of size 1")
    return replace(access, shape=tuple(shape), strides=tuple(strides))


def _without(shape: Shape, axes: Sequence[int]) -> Shape:
    return tuple(s for i, s in enumerate(shape) if i not in axes)


def _behind_reduction(op: Fused) -> set[Node]:
    """The reduce members and those that depend on one."""
    found: set[Node] = set()
    for node in op.members:
        if isinstance(node.op, Reduction) or any(v.node in found for v in node.inputs):
            found.add(node)
    return found
