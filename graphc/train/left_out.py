"""Update ops that a train op leaves out: batch norm's moving averages stand still unless something runs them.

The user's graph is left alone, so minimize() does not add them; it says so, once a graph.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.wording import warn

_TOLD = ("_graphc/told_of_updates",)
_SOURCES = {"VariableV2", "Variable", "Const", "Placeholder", "PlaceholderWithDefault"}



def warn_of_updates_left_out(train_op: Any, loss: gc.Tensor) -> None:
    """Warns if updates of what the loss is computed from (collection UPDATE_OPS) are not run by the train op."""
    graph = loss.graph
    told = graph.get_collection_ref(_TOLD)
    updates = [_operation(u) for u in graph.get_collection(gc.GraphKeys.UPDATE_OPS)]
    if not updates or told:
        return
    run = _before([_operation(train_op)])
    computed = {op for op in _before([loss.op]) if not _is_source(op)}
    left_out = [u for u in updates if u.graph is graph and u not in run and not computed.isdisjoint(_before([u]))]
    if not left_out:
        return
    told.append(True)
    names = ", ".join(u.name for u in left_out[:3]) + (", ..." if len(left_out) > 3 else "")
    warn(
        f"minimize() leaves out {len(left_out)} ops of the collection UPDATE_OPS that belong to the loss ({names}): "
        "batch norm's moving averages stand still unless you run them. Build the train op inside\n"
        "    with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):\n"
        "or run them beside it")


def _operation(update: Any) -> gc.Operation:
    return update if isinstance(update, gc.Operation) else update.op  # type: ignore[no-any-return]


def _before(operations: Sequence[gc.Operation]) -> set[gc.Operation]:
    """The operations and all that they wait for."""
    seen, waiting = set(operations), list(operations)
    while waiting:
        operation = waiting.pop()
        new = ({t.op for t in operation.inputs} | set(operation.control_inputs)) - seen
        seen |= new
        waiting += new
    return seen


def _is_source(operation: gc.Operation) -> bool:
    """A variable, its read, a constant or a feed: networks that have nothing else in common may share them."""
    while operation.type in ("Identity", "Cast") and operation.inputs:
        operation = operation.inputs[0].op
    return operation.type in _SOURCES
