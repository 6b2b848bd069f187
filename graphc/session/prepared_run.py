"""What a Session keeps of one kind of run: the same fetches, fed alike."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.ir.tensor import Tensor
from graphc.session.feeds import converter
from graphc.session.fetches import Fetches

LONGEST_SHAPE = 8


class PreparedRun:
    """One kind of run: what is fetched and fed. engines: by the ranks of the feeds; `only`: the one there is if
    those are all known, after the first runs."""

    def __init__(self, fetches: Fetches, feeds: Sequence[Tensor]) -> None:
        self.build, self.tensors = fetches.build, fetches.tensors
        self.operations = fetches.operations
        self.feeds = list(feeds)
        self.converters = [converter(t) for t in feeds]
        self.ranks_known = all(t.spec.shape is not None for t in feeds)
        self.engines: dict[tuple[int | tuple[int, ...], ...], Any] = {}
        self.only: Any = None
        self.first_runs = 0       # up to RUNS_BEFORE_CODE
        self.used = 0             # number of the last run of this kind
        self.by_length = False    # engines: by the lengths of short vectors and pairs, too: one is a shape
        self.proven = False       # a run has gone well: the ranks of Python functions' results are right

    def kind(self, inputs: Sequence[np.ndarray]) -> tuple[int | tuple[int, ...], ...]:
        """What a run's engine is made for: the rank of each feed, or the shape of one that may be a shape."""
        if not self.by_length:
            return tuple(a.ndim for a in inputs)
        return tuple(a.shape if _may_be_shape(a) else a.ndim for a in inputs)


def _may_be_shape(a: np.ndarray) -> bool:
    """Whether it may be a shape, or the pairs of one (paddings)."""
    return a.dtype.kind == "i" and (a.ndim == 1 or a.shape[1:] == (2,)) and len(a) <= LONGEST_SHAPE
