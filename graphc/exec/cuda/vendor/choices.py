"""Which of several ways to compute something is taken: the one that the device is measured to be fastest with, if its
result is the own kernel's, and the same one again next time.

The own kernel and the others are run on random numbers when a plan first has something of these sizes. A way whose
result differs from the own kernel's by more than rounding explains, or that fails, is never taken, and told of once.
What was found is kept on disk, by problem, GPU, driver, and versions: the next process takes the same way, so results
are the same to the bit. Without that file it is measured anew; then another way may win, whose sums are in another
order.
"""
from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Protocol, TypeVar

from graphc import errors
from graphc.exec.cuda.calls.call import Call
from graphc.exec.cuda.driver import CudaError, Device
from graphc.exec.cuda.vendor.functions import LibraryError
from graphc.exec.cuda.vendor.trial import Trial
from graphc.exec.cuda.work import Work
from graphc.kernels.toolchain import cache

CLEARLY = 0.95                                 # of the own kernel's time another way may take
# How far two sums of products of numbers around 0 may be apart, times the root of how many are added: rounded in
# another order, and of factors that one way rounds to tf32 and the other one cuts.
APART = {"f32": 2.0 ** -12, "f64": 2.0 ** -40}
APART_BY_TF32 = 2.0 ** -7

FAILURES = (LibraryError, CudaError)

Made = Callable[[Call, int, int, int], Sequence[Work]]     # at addresses of two factors and a result


class Named(Protocol):
    """name: whose way it is, for the user."""

    @property
    def name(self) -> str: ...


Way = TypeVar("Way", bound=Named)              # a frozen dataclass of numbers and texts: it is kept as they are


@dataclass(frozen=True)
class Question(Generic[Way]):
    """Something to be computed of two factors. said: what it is, with its sizes, for the user; key: all that tells it
    from others; factors, result: how many elements; terms: of a sum; by_tf32: factors may be rounded. own: the own
    kernel; ways: the others, those first that are thought best; work: how one of them does it. exact: they do
    nothing but add products, which is exact for the numbers of a trial."""

    said: str
    key: str
    dtype: str
    factors: tuple[int, int]
    result: int
    terms: int
    operations: float
    by_tf32: bool
    own: Made
    ways: Callable[[], Iterable[Way]]
    work: Callable[[Way], Made]
    exact: bool = False

    @property
    def apart(self) -> float:
        if self.exact:
            return 0.0
        return (APART_BY_TF32 if self.by_tf32 else APART[self.dtype]) * math.sqrt(max(self.terms, 1))


class Choices(Generic[Way]):
    """Of one device, whose lock the caller has. kind: how the names of entries on disk begin; about: the versions that
    they depend on; way: what is chosen."""

    def __init__(self, device: Device, kind: str, about: Sequence[object], way: type[Way]) -> None:
        self._device, self._kind, self._about, self._way = device, kind, tuple(about), way
        self._chosen: dict[str, Way | None] = {}

    def choose(self, call: Call, question: Question[Way]) -> Way | None:
        """The fastest way, None for the own kernel: also where the device has no memory to try the others."""
        if question.key not in self._chosen:
            self._chosen[question.key] = self._decided(call, question)
        return self._chosen[question.key]

    def _decided(self, call: Call, question: Question[Way]) -> Way | None:
        entry = self._entry(question)
        stored = cache.read_used(entry)
        known: list[Any] | None = None if stored is None else json.loads(stored)
        if known == []:
            return None
        self._device.wait()
        try:
            trial = Trial(self._device, question.dtype, question.factors, question.result, question.operations)
            there = replace(call, scratch=trial.scratch.take, checks=[], libraries=None)
            if known is not None:
                return self._loaded(question, self._way(*known), trial, there)
            found = self._fastest(question, trial, there)
        except errors.ResourceExhaustedError:
            return None
        kept = [] if found is None else [getattr(found, one.name) for one in fields(found)]    # type: ignore[arg-type]
        cache.write_few(entry, json.dumps(kept).encode(), self._kind)
        return found

    def _loaded(self, question: Question[Way], way: Way, trial: Trial, call: Call) -> Way | None:
        """A way that won before is run once, which loads its code: recording must not do that."""
        try:
            trial.once(question.work(way)(call, *trial.factors, trial.other))
        except FAILURES as error:
            _tell(question, way, f"failed: {error}")
            return None
        return way

    def _fastest(self, question: Question[Way], trial: Trial, call: Call) -> Way | None:
        shortest = CLEARLY * trial.seconds(question.own(call, *trial.factors, trial.result))
        found: Way | None = None
        for way in question.ways():
            trial.scratch.next_step()
            taken = self._seconds(question, way, trial, call)
            if taken is not None and taken < shortest:
                shortest, found = taken, way
        return found

    def _seconds(self, question: Question[Way], way: Way, trial: Trial, call: Call) -> float | None:
        """None: it is not to be taken."""
        try:
            work = question.work(way)(call, *trial.factors, trial.other)
            trial.forget_other()
            trial.once(work)
            differing = trial.differing(call, question.apart)
            if differing:
                _tell(question, way, f"differs from graphc's own kernel in {differing} of {question.result} elements "
                                     f"by more than {question.apart:.3g}")
                return None
            return trial.seconds(work)
        except FAILURES as error:
            _tell(question, way, f"failed: {error}")
            return None

    def _entry(self, question: Question[Way]) -> str:
        from graphc import __version__

        device = self._device
        about = (__version__, *self._about, device.name, device.compute, device.multiprocessors, device.driver_version,
                 question.key)
        return f"{self._kind}{cache.hash_of(*map(str, about))}.json"


def _tell(question: Question[Any], way: Named, what: str) -> None:
    warnings.warn(f"graphc: {way.name} {what}, for {question.said}. It is not used for that", stacklevel=2)
