"""The ops that a run needs: the ancestors of what is asked for, in an order in which they can be computed.

What a loop or branch captures and no body needs for its outputs is not needed, as in TensorFlow 1.

The order is that of creation wherever dependencies allow it: writes to variables and effects on the host keep the
user's order. Ops made by the API always come after their inputs; an imported graph may list them in any order.
"""
from __future__ import annotations

import heapq
from collections.abc import Sequence

from graphc.errors import InvalidArgumentError, built_at
from graphc.ir.func_graph import FuncGraph
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import BRANCHES, LOOPS, bodies


def needed_operations(fetches: Sequence[Tensor], targets: Sequence[Operation], fed: set[Tensor]) -> list[Operation]:
    """Ancestors of fetches and targets by inputs and control inputs. A fed tensor's op is not an ancestor."""
    found: dict[Operation, list[Operation]] = {}        # and what each comes after
    waiting = [t.op for t in fetches if t not in fed] + [op for op in targets if not _all_fed(op, fed)]
    while waiting:
        operation = waiting.pop()
        if operation in found:
            continue
        found[operation] = _before(operation, fed)
        waiting += found[operation]
    ordered = sorted(found, key=lambda op: op.number)
    if all(b.number < op.number for op, before in found.items() for b in before):
        return ordered
    return _topological(ordered, found)


def inputs_needed(operation: Operation, graphs: Sequence[FuncGraph] | None = None) -> list[bool]:
    """Of each input, whether the operation needs it: not a captured one that no body uses for its outputs. graphs:
    those of its bodies that may run; by default all."""
    graphs = bodies(operation.definition) if graphs is None else graphs
    if not graphs:
        return [True] * len(operation.inputs)
    first = int(isinstance(operation.definition, BRANCHES))               # the predicate
    needed = [i < (first or len(graphs[1].outputs)) for i in range(len(operation.inputs))]
    for graph in graphs:
        position = {t: i + first for i, t in enumerate(graph.inputs)}
        used = {t for op in needed_operations(graph.outputs, (), set(position)) for t in _read_by(op)}
        for tensor in (*used, *graph.outputs):
            if tensor in position:
                needed[position[tensor]] = True
    return needed


def _read_by(operation: Operation) -> Sequence[Tensor]:
    if not isinstance(operation.definition, (*LOOPS, *BRANCHES)):
        return operation.inputs
    return [t for t, needed in zip(operation.inputs, inputs_needed(operation), strict=True) if needed]


def _before(operation: Operation, fed: set[Tensor]) -> list[Operation]:
    return [*(t.op for t in _read_by(operation) if t not in fed),
            *(c for c in operation.control_inputs if not _all_fed(c, fed))]


def _all_fed(operation: Operation, fed: set[Tensor]) -> bool:
    return bool(operation.outputs) and all(t in fed for t in operation.outputs)


def _topological(operations: Sequence[Operation], before: dict[Operation, list[Operation]]) -> list[Operation]:
    missing = {op: len(set(before[op])) for op in operations}
    users: dict[Operation, list[Operation]] = {op: [] for op in operations}
    for op in operations:
        for other in set(before[op]):
            users[other].append(op)
    ready = [(op.number, op) for op in operations if not missing[op]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, op = heapq.heappop(ready)
        order.append(op)
        for user in users[op]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, (user.number, user))
    if len(order) != len(operations):
        op = next(op for op in operations if missing[op])
        raise InvalidArgumentError(f"the graph has a cycle through '{op.name}'{built_at(op)}", op)
    return order
