"""stacked: a graph that computes of many elements what another one computes of each.

It holds an operation for each one of the other graph that the results need. What depends on the elements has a new
first axis that goes over them (a row each); everything else is the same for all of them, and is computed as before. An
operation with rows among its operands needs a rule (rules.py), which must give each row the bits that the operation
alone gives. Without one, and for anything that has effects, there is no such graph.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.array.source import placeholder
from graphc.api.stacking.rules import rule_of
from graphc.api.stacking.state import NotStackable, Stacking
from graphc.ir.graph import Graph
from graphc.ir.op import Effect
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies

TABLE = "HashTableV2"                   # filled once: a look at it later finds the same
FIND = "LookupTableFindV2"
ROWS, SAME, SPARSE = "rows", "same", "sparse"


@dataclass(frozen=True)
class Stacked:
    """graph: that of all these tensors; feeds: the elements' parts, [elements, ...]; inner: what is the same for all;
    fetches: the results; kinds: of each ROWS, SAME for all elements, or the indices, values or shape of a SPARSE tensor
    with one more axis."""

    graph: Graph
    feeds: list[Tensor]
    inner: list[Tensor]
    fetches: list[Tensor]
    kinds: list[str]


def stacked(graph: Graph, made: Graph, feeds: Sequence[Tensor], inner: Sequence[Tensor],
            fetches: Sequence[Tensor]) -> Stacked | None:
    """Adds to `made`, an empty graph, what computes `fetches` of `graph` for many values of `feeds`, and one of each of
    `inner`. None if there is no such thing, or all results are the same for all elements."""
    state = Stacking(made)
    with made.as_default():
        for old in feeds:
            shape = None if old.spec.shape is None else (None, *old.shape.as_list())
            state.rows[old] = _placeholder(made, old, shape)
        for old in inner:
            state.same[old] = _placeholder(made, old, None if old.spec.shape is None else tuple(old.shape.as_list()))
        try:
            for op in _needed(graph, fetches, {*feeds, *inner}):
                _add(state, op)
            found = _fetched(state, fetches)
        except (NotStackable, ValueError, TypeError):     # of a rule that leads to shapes that the op does not take
            return None
    kinds = [kind for _, kind in found]
    if set(kinds) == {SAME}:
        return None
    return Stacked(made, [state.rows[t] for t in feeds], [state.same[t] for t in inner], [t for t, _ in found], kinds)


def _fetched(state: Stacking, fetches: Sequence[Tensor]) -> list[tuple[Tensor, str]]:
    """The new tensors, and of what kinds they are."""
    found: list[tuple[Tensor, str]] = []
    for i, old in enumerate(fetches):
        if old in state.sparse:
            new, (op, number, part) = state.sparse[old]
            beside = fetches[i - part:i - part + 3]
            if i < part or [state.sparse.get(t, (t, None))[1] for t in beside] != [(op, number, k) for k in range(3)]:
                raise NotStackable("a part of a sparse tensor alone")
            found.append((new, SPARSE))
        else:
            found.append((state.rows[old], ROWS) if old in state.rows else (state.whole(old), SAME))
    return found


def is_pure(graph: Graph) -> bool:
    """Whether to run the graph sooner, or once more, changes nothing."""
    return all(_stays_the_same(op) for op in graph.get_operations())


def _add(state: Stacking, op: Operation) -> None:
    """The operation in the new graph."""
    if op.control_inputs or op.definition.sizes() or not _stays_the_same(op) or bodies(op.definition):
        raise NotStackable(f"{op.type} has an effect, a body, or depends on what only a run knows")
    if not any(t in state.rows for t in op.inputs):
        made = state.copied(op, [state.whole(t) for t in op.inputs])
        state.same.update(zip(op.outputs, made, strict=True))
        return
    for old, new in zip(op.outputs, rule_of(op.definition)(state, op), strict=True):
        state.take(old, new)


def _placeholder(graph: Graph, old: Tensor, shape: Any) -> Tensor:
    return placeholder(old.dtype, shape, name=old.op.name.rpartition("/")[2])


def _needed(graph: Graph, fetches: Sequence[Tensor], given: set[Tensor]) -> list[Operation]:
    """The operations behind the fetches, operands first; not those that give what is fed."""
    found: set[Operation] = set()
    waiting = [t.op for t in fetches if t not in given]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [t.op for t in op.inputs if t not in given]
    return [op for op in graph.get_operations() if op in found]


def _stays_the_same(op: Operation) -> bool:
    """Whether the operation gives the same whenever it is run."""
    if op.type in (TABLE, FIND):
        return op.type == TABLE or op.inputs[0].op.type == TABLE
    return op.definition.effect == Effect.PURE
