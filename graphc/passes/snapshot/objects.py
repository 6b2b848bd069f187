"""The snapshot of what is done with objects of the session (queues, tables): each becomes a call."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from graphc.errors import InvalidArgumentError, UnimplementedError, built_at
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.source import Const
from graphc.ops.control.session_objects import ObjectCall, ObjectUse, SessionObject
from graphc.passes.shared.internal_ops import HostCall
from graphc.passes.snapshot.random_keys import random_key

if TYPE_CHECKING:
    from graphc.passes.snapshot.snapshot import Snapshot, Versions


def object_call(snapshot: Snapshot, operation: Operation, definition: ObjectUse, seen: Versions) -> None:
    """What is done with a queue or table becomes a call of the session's."""
    call = _call_of(snapshot, operation, operation.inputs[0], definition.uses, definition)
    others = [t for t in operation.inputs[1:] if t in snapshot.objects]
    if others:
        call = dataclasses.replace(call, others=tuple(_call_of(snapshot, operation, t, definition.hands)
                                                      for t in others))
    operands = [snapshot.read(t, seen) for t in operation.inputs[1:] if t not in snapshot.objects]
    specs = definition.results_of(snapshot.objects[operation.inputs[0]], [v.spec for v in operands])
    snapshot.results(operation, snapshot.node(operation, HostCall(call, specs), operands))


def _call_of(snapshot: Snapshot, operation: Operation, handle: Tensor, kind: type[SessionObject],
             use: ObjectUse | None = None) -> ObjectCall:
    """What the operation calls of the object; use: None if the object is one that it hands to another one."""
    maker = snapshot.objects.get(handle)
    if maker is None or not isinstance(maker.definition, kind):
        raise InvalidArgumentError(f"{operation.type} '{operation.name}' needs the handle of a {kind.kind}, but "
                                   f"'{handle.name}' is none{built_at(operation)}", operation)
    made: Any = maker.definition
    first, second = getattr(made, "seed", 0), getattr(made, "seed2", 0)
    return ObjectCall(made.shared_name or maker.name, made,
                      random_key(first, second, maker.name) % 2**63 if first or second else None,
                      use.call if use is not None else "", use.call_options() if use is not None else (),
                      operation.name, tuple(_constant(maker, t) for t in maker.inputs),
                      guessed=use.guessed if use is not None else None)


def _constant(maker: Operation, tensor: Tensor) -> Any:
    """The value of what an object of the session is made with."""
    definition = tensor.op.definition
    if not isinstance(definition, Const):
        raise UnimplementedError(f"{maker.type} '{maker.name}': '{tensor.name}' must be a constant, but is the result "
                                 f"of {tensor.op.type}{built_at(maker)}", maker)
    return definition.value
