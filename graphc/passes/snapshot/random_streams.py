"""Random ops of a session that wants TensorFlow's numbers (ops/random/streams.py): the nodes in their place.

An op becomes a call of its stream in the session, an effect on the host: it happens once an execution, in order.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.ir.func_graph import full_name
from graphc.ir.node import Node, Value, make_node
from graphc.ir.op import Op
from graphc.ir.tensor import Operation
from graphc.ops.control.session_objects import ObjectCall
from graphc.ops.random.streams import POSITION, RandomStream, map_of
from graphc.passes.shared.internal_ops import HostCall

if TYPE_CHECKING:
    from graphc.passes.snapshot.snapshot import Snapshot, Versions

# op type -> the method of session/resources/streams.py. Operands are TF's inputs.
METHODS = {"RandomUniformInt": "uniform_int", "TruncatedNormal": "truncated_normal", "RandomShuffle": "shuffle",
           "Multinomial": "multinomial", "RandomGamma": "gamma", "RandomPoissonV2": "poisson"}


def drawn(snapshot: Snapshot, operation: Operation, definition: Op, operands: list[Value], seen: Versions) -> Node:
    """The node whose result the op's is. `definition` has its fields."""
    result = snapshot.node(operation, definition, operands, checked_only=True).specs[0]
    given = [snapshot.read(t, seen) for t in operation.inputs]
    made = map_of(definition, result.dtype)
    if made is not None:
        call = HostCall(_call(operation, "position", ()), (POSITION,))
        position = snapshot.finish_node(operation, make_node(call, given[:1], (operation.origin,)))
        return snapshot.node(operation, made, [position.value(), *operands])
    options = () if definition.type == "RandomShuffle" else (result.dtype,)
    return snapshot.node(operation, HostCall(_call(operation, METHODS[definition.type], options), (result,)), given)


def _call(operation: Operation, method: str, options: tuple[Any, ...]) -> ObjectCall:
    name, made = full_name(operation.graph, operation.name), operation.definition
    stream = RandomStream(made.seed, made.seed2)  # type: ignore[attr-defined]
    return ObjectCall(f"{name}/stream", stream, None, method, options, operation.name)
