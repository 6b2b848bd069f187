"""stacked: a graph that computes of many elements what another one computes of each.

It holds an operation for each one of the other graph that the results need. What depends on the elements has a new
first axis that goes over them (a row each); everything else is the same for all of them, and is computed as before. An
operation with rows among its operands needs a rule (rules.py), which must give each row the bits that the operation
alone gives. Without one, and for anything that has effects, there is no such graph.
"""
from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.array.source import placeholder
from graphc.api.stacking.flat import add_flat
from graphc.api.stacking.rules import rule_of
from graphc.api.stacking.state import Lengths, NotStackable, Stacking
from graphc.ir.dtypes import int64
from graphc.ir.graph import Graph
from graphc.ir.op import Effect
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies

TABLE = "HashTableV2"                   # filled once: who asks it later gets the same answer
ASKED = ("LookupTableFindV2", "LookupTableSizeV2")
ROWS, SAME, SPARSE, FLAT = "rows", "same", "sparse", "flat"


@dataclass(frozen=True)
class Stacked:
    """graph: that of all these tensors; feeds: the elements' parts, [elements, ...], and after them the lengths of
    those that are flat; inner: what is the same for all; fetches: the results, and after them lengths.

    kinds: of each result ROWS, SAME for all elements, the indices, values or shape of a SPARSE tensor with one more
    axis, or FLAT: tensors of different first sizes, one after another. lengths: which fetches say how long those
    are."""

    graph: Graph
    feeds: list[Tensor]
    inner: list[Tensor]
    fetches: list[Tensor]
    kinds: list[str]
    lengths: list[int | None]


def stacked(graph: Graph, made: Graph, feeds: Sequence[Tensor], inner: Sequence[Tensor], fetches: Sequence[Tensor],
            flat: Sequence[bool]) -> Stacked | None:
    """Adds to `made`, an empty graph, what computes `fetches` of `graph` for many values of `feeds`, and one of each of
    `inner`. flat: which feeds are. None if there is no such thing, or all results are the same for all elements."""
    state = Stacking(made)
    with made.as_default():
        given, lengths = [], []
        for old, is_flat in zip(feeds, flat, strict=True):
            shape = None if old.spec.shape is None else tuple(old.shape.as_list())
            given.append(_placeholder(old, shape if is_flat or shape is None else (None, *shape)))
            if is_flat:
                lengths.append(placeholder(int64, [None]))
                state.flat[old] = given[-1], Lengths(functools.partial(_itself, lengths[-1]))
            else:
                state.rows[old] = given[-1]
        state.counted = lengths[0] if lengths else given[0]
        for old in inner:
            state.same[old] = _placeholder(old, None if old.spec.shape is None else tuple(old.shape.as_list()))
        try:
            for op in _needed(graph, fetches, {*feeds, *inner}):
                _add(state, op)
            found = [_fetched(state, fetches, i) for i in range(len(fetches))]
            more = [None if known is None else known.tensor() for _, _, known in found]
        except (NotStackable, ValueError, TypeError):     # of a rule that leads to shapes that the op does not take
            return None
    kinds = [kind for _, kind, _ in found]
    if set(kinds) == {SAME}:
        return None
    distinct = list(dict.fromkeys(t for t in more if t is not None))
    return Stacked(made, [*given, *lengths], [state.same[t] for t in inner], [*(t for t, _, _ in found), *distinct],
                   kinds, [None if t is None else len(found) + distinct.index(t) for t in more])


def _itself(tensor: Tensor) -> Tensor:
    return tensor


def _fetched(state: Stacking, fetches: Sequence[Tensor], number: int) -> tuple[Tensor, str, Lengths | None]:
    """The new tensor, of what kind it is, and the lengths of what is flat."""
    old = fetches[number]
    if old in state.sparse:
        new, (op, feature, part) = state.sparse[old]
        beside = fetches[number - part:number - part + 3] if number >= part else ()
        if [state.sparse.get(t, (t, None))[1] for t in beside] == [(op, feature, k) for k in range(3)]:
            return new, SPARSE, None
    if old in state.flat:
        return state.flat[old][0], FLAT, state.flat[old][1]
    return (state.rows[old], ROWS, None) if old in state.rows else (state.whole(old), SAME, None)


def is_pure(graph: Graph) -> bool:
    """Whether to run the graph sooner, or once more, changes nothing."""
    return all(stays_the_same(op) for op in graph.get_operations())


def _add(state: Stacking, op: Operation) -> None:
    """The operation in the new graph."""
    if op.control_inputs or op.definition.sizes() or not stays_the_same(op) or bodies(op.definition):
        raise NotStackable(f"{op.type} has an effect, a body, or depends on what only a run knows")
    if any(t in state.flat for t in op.inputs):
        add_flat(state, op)
        return
    if not any(t in state.rows for t in op.inputs):
        made = state.copied(op, [state.whole(t) for t in op.inputs])
        state.same.update(zip(op.outputs, made, strict=True))
        return
    for old, new in zip(op.outputs, rule_of(op.definition)(state, op), strict=True):
        state.take(old, new)


def _placeholder(old: Tensor, shape: Any) -> Tensor:
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


def stays_the_same(op: Operation) -> bool:
    """Whether the operation gives the same whenever it is run."""
    if op.type == TABLE or op.type in ASKED:
        return op.type == TABLE or op.inputs[0].op.type == TABLE
    return op.definition.effect == Effect.PURE
