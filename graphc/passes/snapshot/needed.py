"""The ops that a run needs: the ancestors of what is asked for, in an order in which they can be computed.

What a loop or branch captures and no body needs for its outputs is not needed, as in TensorFlow 1; of a branch that is
asked for some of its results, only what those need runs, effects too.

The order is that of creation wherever dependencies allow it: writes to variables and effects on the host keep the
user's order. Ops made by the API always come after their inputs; an imported graph may list them in any order.
"""
from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from graphc.errors import InvalidArgumentError, built_at
from graphc.ir.func_graph import FuncGraph
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import BRANCHES, bodies


@dataclass
class Needed:
    """operations: in an order in which they can be computed; read: the tensors that each of them needs of its inputs;
    results: of branches, the numbers of the results that are needed."""

    operations: list[Operation] = field(default_factory=list)
    read: dict[Operation, list[Tensor]] = field(default_factory=dict)
    results: dict[Operation, set[int]] = field(default_factory=dict)

    def reads(self) -> set[Tensor]:
        return {t for tensors in self.read.values() for t in tensors}


def needed_operations(fetches: Sequence[Tensor], targets: Sequence[Operation], fed: set[Tensor]) -> list[Operation]:
    """Ancestors of fetches and targets by inputs and control inputs. A fed tensor's op is not an ancestor."""
    return all_needed(fetches, targets, fed).operations


def all_needed(fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Collection[Tensor]) -> Needed:
    """The same, with what is needed of each. Raises InvalidArgumentError for a cycle.

    What a branch needs follows from which of its results are needed, by a walk through its bodies. It is walked when
    nothing else waits, the branch made last first: then its users are all known, and one walk is enough. (In an
    imported graph, whose ops may be listed in any order, it can take more.)
    """
    needed, found = Needed(), dict[Operation, list[Operation]]()       # and what each comes after
    waiting: list[tuple[Operation, int]] = [(t.op, t.value_index) for t in fetches if t not in fed]
    waiting += [(op, -1) for op in targets if not _all_fed(op, fed)]
    branches, last_made = dict[int, Operation](), list[int]()          # to walk, by number; a heap of these, negative
    while waiting or branches:
        if not waiting:
            operation = branches.pop(-heapq.heappop(last_made))
        else:
            operation, result = waiting.pop()                          # -1: it is to run, with all of its results
            if isinstance(operation.definition, BRANCHES):
                results = needed.results.setdefault(operation, set())
                more = {result} if result >= 0 else set(range(len(operation.outputs)))
                if operation.number not in branches and not (operation in found and more <= results):
                    branches[operation.number] = operation
                    heapq.heappush(last_made, -operation.number)
                results |= more
                continue
            if operation in found:
                continue
        wanted = inputs_needed(operation, results=needed.results.get(operation))
        read = needed.read[operation] = [t for t, is_read in zip(operation.inputs, wanted, strict=True) if is_read]
        before = [(t.op, t.value_index) for t in read if t not in fed]
        before += [(c, -1) for c in operation.control_inputs if not _all_fed(c, fed)]
        found[operation] = [op for op, _ in before]
        waiting += before
    needed.operations = sorted(found, key=lambda op: op.number)
    if any(b.number >= op.number for op, before_it in found.items() for b in before_it):
        needed.operations = _topological(needed.operations, found)
    return needed


def inputs_needed(operation: Operation, graphs: Sequence[FuncGraph] | None = None,
                  results: Collection[int] | None = None) -> list[bool]:
    """Of each input, whether the operation needs it: not a captured one that no body uses for its outputs. graphs:
    those of its bodies that may run; by default all. results: of a branch, the numbers of those that are needed."""
    graphs = bodies(operation.definition) if graphs is None else graphs
    if not graphs:
        return [True] * len(operation.inputs)
    first = int(isinstance(operation.definition, BRANCHES))               # the predicate
    needed = [i < (first or len(graphs[1].outputs)) for i in range(len(operation.inputs))]
    for graph in graphs:
        position = {t: i + first for i, t in enumerate(graph.inputs)}
        outputs = graph.outputs if results is None else [graph.outputs[i] for i in sorted(results)]
        for tensor in (*all_needed(outputs, (), position.keys()).reads(), *outputs):
            if tensor in position:
                needed[position[tensor]] = True
    return needed


def _all_fed(operation: Operation, fed: Collection[Tensor]) -> bool:
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
