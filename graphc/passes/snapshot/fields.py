"""The snapshot of fields that TF passes as inputs: their values are taken from the Specs of what was given. An element
that is known only while running becomes a symbol, bound by a BindSizes node."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from graphc.errors import UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.apply import field_value
from graphc.ir.constant_values import Made, constant_value
from graphc.ir.dims import Size
from graphc.ir.element_values import DEPTH, from_operands
from graphc.ir.node import Value, make_node
from graphc.ir.op import Op
from graphc.ir.tensor import Operation
from graphc.passes.shared.internal_ops import BindSizes
from graphc.passes.shared.required_sizes import symbols

if TYPE_CHECKING:
    from graphc.passes.snapshot.snapshot import Snapshot, Versions


def with_fields(snapshot: Snapshot, operation: Operation, seen: Versions) -> tuple[Op, list[Value]]:
    """The op with the fields that TF passes as inputs, and the other operands."""
    definition = operation.definition
    fields = definition.field_operands()
    if not fields:
        return definition, [snapshot.read(t, seen) for t in operation.inputs]
    found: dict[str, Any] = {}
    operands: list[Value] = []
    kinds = {f.name: f.metadata["kind"] for f in dataclasses.fields(definition) if f.name in fields}
    for name, given in operation.operand_tensors().items():
        if name not in fields:
            operands += [snapshot.read(t, seen) for t in (given if isinstance(given, tuple) else (given,))]
            continue
        value = snapshot.read(given, seen)
        found[name] = field_value(kinds[name], _sizes(snapshot, value), value.spec.shape)
        if found[name] is None:
            error = UnimplementedError(
                f"{operation.type} '{operation.name}': argument '{name}' has an unknown number of elements, so the "
                f"rank of the result is unknown{built_at(operation)}\n  declare '{given.name}' with the number "
                "of its elements, or call set_shape on it", operation)
            error.is_length_unknown = True      # the session may know it of what is fed
            raise error
    return dataclasses.replace(definition, **found), operands


def _made(value: Value) -> Made:
    return Made(value.node, value.node.op, value.node.inputs, value.node.specs, value.index)


def _sizes(snapshot: Snapshot, value: Value, depth: int = 0) -> tuple[Size, ...] | None:
    """The elements of an int tensor; what is known only while running becomes symbols. depth: of the recursion."""
    spec = value.spec
    if spec.value is not None or spec.shape is None:
        return spec.value
    count = dims.product(spec.shape)
    if not isinstance(count, int):
        return None
    if value not in snapshot.bound and depth < DEPTH and len(value.node.specs) == 1:
        operands = value.node.inputs
        found = from_operands(value.node.op, [v.spec for v in operands],
                              lambda i: _sizes(snapshot, operands[i], depth + 1))
        if found is None:
            found = constant_value(value, _made)
        if found is not None:
            snapshot.bound[value] = found
    if value not in snapshot.bound:
        name = value.node.origins[0].op_name if value.node.origins else "size"
        made = tuple(dims.symbol(f"{name}[{i}]", ("value", name, i)) for i in range(count))   # may be negative
        snapshot.bound[value] = made
        binder = make_node(BindSizes(made), (value,), value.node.origins)
        for size in made:
            for symbol in symbols(size):
                snapshot.known.add(symbol)
                snapshot.binders[symbol] = binder
    return snapshot.bound[value]
