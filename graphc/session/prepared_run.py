"""What a Session keeps of one kind of run: the same fetches, fed alike."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from graphc.ir.dtypes import bfloat16, need_bfloat16
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies
from graphc.session.feeds import converter
from graphc.session.fetches import Fetches

LONGEST_SHAPE = 8
RUNS_BEFORE_CODE = 4       # of a kind: then its fused programs are compiled to machine code, beside the runs
Kind = int | tuple[int | None, ...]


class PreparedRun:
    """One kind of run: what is fetched and fed. engines: by the ranks of the feeds; `only`: the one there is if
    those are all known, after the first runs; quick: a function of the feeds' values that does a run of it at once, if
    they need no conversion (Engine.quick_way)."""

    def __init__(self, fetches: Fetches, feeds: Sequence[Tensor]) -> None:
        self.build, self.tensors, self.single = fetches.build, fetches.tensors, fetches.single
        if any(t.dtype == bfloat16 for t in self.tensors):
            need_bfloat16()
        self.operations = fetches.operations
        self.feeds = list(feeds)
        self.converters = [converter(t) for t in feeds]
        self.ranks_known = all(t.spec.shape is not None for t in feeds)
        self.engines: dict[tuple[Kind, ...], Any] = {}
        self.only: Any = None
        self.quick: Callable[..., Any] | None = None
        self.first_runs = 0       # up to RUNS_BEFORE_CODE
        self.used = 0             # number of the last run of this kind, but for quick ones
        self.by_length = False    # engines: by the lengths of short vectors and pairs, too: one is a shape
        self.by_ones = False      # engines: by which sizes are 1, too: an op drops such axes
        self.variables: tuple[Tensor, ...] | None = None     # without a known shape, in what runs; None: not looked yet
        self.given: frozenset[Tensor] = frozenset()          # those among the feeds, and those that have no value
        self.unset: tuple[Tensor, ...] = ()
        self.with_values: dict[tuple[bool, ...], PreparedRun] = {}
        self.proven = False       # a run has gone well: the ranks of Python functions' results are right

    @property
    def last_used(self) -> int:
        """The number of the last run of this kind."""
        return self.used if self.quick is None else max(self.used, self.only.frames.quick.last_number)

    def kind(self, inputs: Sequence[np.ndarray]) -> tuple[Kind, ...]:
        """What a run's engine is made for: the rank of each feed, or the shape of one that may be a shape, or its sizes
        that are 1 (None for others)."""
        if not self.by_length and not self.by_ones:
            return tuple(a.ndim for a in inputs)
        return tuple(a.shape if self.by_length and _may_be_shape(a) else _ones(a) if self.by_ones else a.ndim
                     for a in inputs)


def drops_ones(operations: Iterable[Operation]) -> bool:
    """Whether one of them, or of their bodies, drops axes of size 1 whose size only a run tells."""
    return any(
        (op.definition.drops_ones and not op.inputs[0].shape.is_fully_defined())
        or any(drops_ones(body.get_operations()) for body in bodies(op.definition)) for op in operations)


def _ones(a: np.ndarray) -> tuple[int | None, ...]:
    return tuple(1 if n == 1 else None for n in a.shape)


def _may_be_shape(a: np.ndarray) -> bool:
    """Whether it may be a shape, or the pairs of one (paddings)."""
    return a.dtype.kind == "i" and (a.ndim == 1 or a.shape[1:] == (2,)) and len(a) <= LONGEST_SHAPE
