"""A stacked graph while it is made: which tensor of it stands for which one of the graph of one element."""
from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.gradients.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor

# Ops that do the same to each element of their operand with that number, beside those whose kind says so.
EACH = {**dict.fromkeys(("Identity", "StopGradient", "PreventGradient", "GuaranteeConst", "Snapshot", "AsString",
                         "StaticRegexReplace", "RegexReplace", "RegexFullMatch"), 0), "LookupTableFindV2": 1}


class NotStackable(Exception):
    """There is no stacked form. It stays inside of this folder."""


class Lengths:
    """The first sizes of the elements' tensors, int64 [elements]. make: adds them to the graph when they are needed."""

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self.tensor = functools.cache(make)


class Stacking:
    """The new graph while it is made. rows, same: the new tensors for the old ones, of the two kinds. sparse: those of
    sparse tensors' parts (indices, values or shape) that are one sparse tensor of all elements now, by old tensor, with
    what tells that sparse tensor from others. flat: those of tensors whose first sizes differ from element to element,
    all one after another, with their lengths (flat.py)."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.g = graph, Builder()
        self.rows: dict[Tensor, Tensor] = {}
        self.same: dict[Tensor, Tensor] = {}
        self.sparse: dict[Tensor, tuple[Tensor, Any]] = {}
        self.flat: dict[Tensor, tuple[Tensor, Lengths]] = {}
        self.counted: Tensor | None = None

    def row(self, tensor: Tensor) -> Tensor:
        """The rows of an operand that must have some."""
        if tensor not in self.rows:
            raise NotStackable(f"{tensor.op.type} is the same for all elements")
        return self.rows[tensor]

    def whole(self, tensor: Tensor) -> Tensor:
        """An operand that must be the same for all elements."""
        if tensor not in self.same:
            raise NotStackable(f"{tensor.op.type} differs from element to element")
        return self.same[tensor]

    def spread(self, tensor: Tensor) -> Tensor:
        """An operand as rows, repeated if it is the same for all."""
        if tensor in self.rows:
            return self.rows[tensor]
        made: Tensor = self.g.broadcast_to(self.whole(tensor), [self.count(), *sizes_of(tensor)])
        return made

    def aligned(self, tensor: Tensor, rank: int) -> Tensor:
        """An operand of an op that broadcasts, whose other operands have up to `rank` axes."""
        if tensor in self.same:
            return self.same[tensor]
        made = self.rows[tensor]
        for _ in range(rank - rank_of(tensor)):
            made = self.g.expand_dims(made, 1)
        return made

    def count(self) -> Tensor:
        """The number of elements, a scalar."""
        return self.g.shape(self.counted)[0]  # type: ignore[no-any-return]

    def copied(self, op: Operation, inputs: Sequence[Tensor], **fields: Any) -> list[Tensor]:
        """The outputs of the same operation of other operands, with other fields that are no operands."""
        definition: Any = dataclasses.replace(op.definition, **fields) if fields else op.definition  # type: ignore
        return self.graph.create(definition, inputs, name=op.name.rpartition("/")[2]).outputs

    def take(self, old: Tensor, new: Tensor | None) -> None:
        """The rows of a result."""
        if new is None:                                   # what needs it finds that it is not there
            return
        rank, found = old.spec.rank, new.spec.rank
        if new.dtype != old.dtype or (rank is not None and found is not None and found != rank + 1):
            raise NotStackable(f"{old.op.type} gives {new.spec} where {old.spec} is of one element")
        self.rows[old] = new


Rule = Callable[["Stacking", Operation], Sequence[Tensor | None]]


def rank_of(tensor: Tensor) -> int:
    if tensor.spec.rank is None:
        raise NotStackable(f"{tensor.op.type}: the number of axes is not known")
    return tensor.spec.rank


def sizes_of(tensor: Tensor) -> list[int]:
    """The sizes of one element's tensor, if all are known."""
    sizes = None if tensor.spec.shape is None else tensor.shape.as_list()
    if sizes is None or None in sizes:
        raise NotStackable(f"{tensor.op.type}: a size is not known")
    return sizes  # type: ignore[return-value]
