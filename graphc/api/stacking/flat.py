"""Tensors whose first size differs from element to element, in a stacked graph: all of them one after another.

What is done to each number or string of such a tensor is done to all at once; what asks for its size gets the lengths.
Two of them fit together only if they have their lengths from the same place.
"""
from __future__ import annotations

from typing import Any

from graphc.api.stacking.state import EACH, Lengths, NotStackable, Stacking, rank_of
from graphc.ir.op import Elementwise
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.strings.base import EachString

_SIZES = ("Size", "Shape")


def add_flat(s: Stacking, op: Operation) -> None:
    """The operation, of which some operands are flat."""
    lengths = {s.flat[t][1] for t in op.inputs if t in s.flat}
    if len(lengths) > 1:
        raise NotStackable(f"{op.type}: lengths of different elements")
    (known,) = lengths
    if op.type in _SIZES:
        _add_size(s, op, known)
        return
    if not _does_the_same_to_each(s, op):
        raise NotStackable(f"{op.type} has no rule for tensors of different lengths")
    made = s.copied(op, [s.flat[t][0] if t in s.flat else s.whole(t) for t in op.inputs])
    s.flat.update({old: (new, known) for old, new in zip(op.outputs, made, strict=True)})


def _does_the_same_to_each(s: Stacking, op: Operation) -> bool:
    definition: Any = op.definition
    flat = [i for i, t in enumerate(op.inputs) if t in s.flat]
    if op.type in EACH:
        return flat == [EACH[op.type]]
    if op.type == "GatherV2":                    # rows of a table that is the same for all
        return flat == [1] and definition.axis == 0 and not definition.batch_dims
    if isinstance(definition, EachString):
        return True
    if not isinstance(definition, Elementwise) or type(definition).permuted is not Elementwise.permuted:
        return False
    ranks = {rank_of(op.inputs[i]) for i in flat}
    return len(ranks) == 1 and all(rank_of(t) < max(ranks) for i, t in enumerate(op.inputs) if i not in flat)


def _add_size(s: Stacking, op: Operation, lengths: Lengths) -> None:
    definition: Any = op.definition
    if rank_of(op.inputs[0]) != 1:
        raise NotStackable(f"{op.type} of more than a vector of unknown length")
    size = s.g.cast(lengths.tensor(), definition.out_type)
    s.rows[op.outputs[0]] = s.g.expand_dims(size, 1) if op.type == "Shape" else size


def counted(s: Stacking, rows: Tensor) -> Lengths:
    """The lengths of what is flat, of whose numbers the element is told, [numbers] in ascending order."""
    return Lengths(lambda: s.g.unsorted_segment_sum(s.g.ones_like(rows), rows, s.count()))
