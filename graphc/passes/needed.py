"""The ops that a run needs: the ancestors of what is asked for, in an order in which they can be computed.

The order is that of creation wherever dependencies allow it: writes to variables and effects on the host keep the
user's order. Ops made by the API always come after their inputs; an imported graph may list them in any order.
"""
from __future__ import annotations

import heapq
from collections.abc import Sequence

from graphc.errors import InvalidArgumentError, built_at
from graphc.ir.tensor import Operation, Tensor


def needed_operations(fetches: Sequence[Tensor], targets: Sequence[Operation], fed: set[Tensor]) -> list[Operation]:
    """Ancestors of fetches and targets by inputs and control inputs. A fed tensor's op is not an ancestor."""
    found: set[Operation] = set()
    waiting = [t.op for t in fetches if t not in fed] + [op for op in targets if not _all_fed(op, fed)]
    while waiting:
        operation = waiting.pop()
        if operation in found:
            continue
        found.add(operation)
        waiting += _before(operation, fed)
    ordered = sorted(found, key=lambda op: op.number)
    if all(b.number < op.number for op in ordered for b in _before(op, fed)):
        return ordered
    return _topological(ordered, fed)


def _before(operation: Operation, fed: set[Tensor]) -> list[Operation]:
    return [*(t.op for t in operation.inputs if t not in fed),
            *(c for c in operation.control_inputs if not _all_fed(c, fed))]


def _all_fed(operation: Operation, fed: set[Tensor]) -> bool:
    return bool(operation.outputs) and all(t in fed for t in operation.outputs)


def _topological(operations: Sequence[Operation], fed: set[Tensor]) -> list[Operation]:
    missing = {op: len(set(_before(op, fed))) for op in operations}
    users: dict[Operation, list[Operation]] = {op: [] for op in operations}
    for op in operations:
        for before in set(_before(op, fed)):
            users[before].append(op)
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
