"""What a call refuses: what the device leaves about it, and what that means.

A check looks at what the run gave to it when the run is done. Range: the smallest and the largest of some indices.
Refusal: whether something was refused, and with which numbers the error is told. With something refused, a kernel only
promises not to touch memory that is not its own.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.kernels.contracts.calls import Status
from graphc.kernels.runtime.tables import DETAIL_WORDS

RECORD_WORDS = 3 + DETAIL_WORDS


@dataclass(frozen=True)
class Failure:
    """An error as the runtime records it (kernels/runtime/tables.py)."""

    status: Status
    a: int = 0
    b: int = 0
    detail: tuple[int, ...] = ()


@dataclass(frozen=True)
class Range:
    """Indices must lie in [0, size): their smallest and largest one stand at `place`, as int64. status: what is wrong
    if not."""

    place: int
    size: int
    status: Status = Status.INDEX_OUT_OF_RANGE
    words = 2

    def failure(self, found: Sequence[int]) -> Failure | None:
        least, most = found[:2]
        if least >= 0 and most < self.size:
            return None
        return Failure(self.status, least if least < 0 else most, self.size)


@dataclass(frozen=True)
class Refusal:
    """At `place`, int64: not 0 if something is refused, two numbers of the error, its detail."""

    place: int
    status: Status
    words = RECORD_WORDS

    def failure(self, found: Sequence[int]) -> Failure | None:
        return Failure(self.status, found[1], found[2], tuple(found[3:])) if found[0] else None


Check = Range | Refusal
