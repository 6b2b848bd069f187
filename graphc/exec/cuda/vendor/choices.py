"""Which of several ways to compute something is taken: the one that the device is measured to be fastest with, if its
result is the own kernel's, and the same one again next time.

The own kernel and the others are run when a plan first has something of these sizes. A way whose result differs from
the own kernel's where sums are exact (trial.py), or does not repeat to the bit where they are not, or that fails, is
never taken, and told of once.
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
FAILURES = (LibraryError, CudaError)           # of a way that is tried

Made = Callable[[Call, int, int, int], Sequence[Work]]     # at addresses of two factors and a result


class Named(Protocol):
    """name: whose way it is, for the user."""

    @property
    def name(self) -> str: ...


Way = TypeVar("Way", bound=Named)              # a frozen dataclass of numbers and texts: it is kept as they are


@dataclass(frozen=True)
class Question(Generic[Way]):
    """Something to be computed of two factors. said: what it is, with its sizes, for the user; key: all that tells it
    from others; dtype, made: of the factors and the result in memory; factors, result: how many elements; terms: of a
    sum. own: the own kernel; ways: the others, those first that are thought best; work: how one of them does it."""

    said: str
    key: str
    dtype: str
    made: str
    factors: tuple[int, int]
    result: int
    terms: int
    operations: float
    own: Made
    ways: Callable[[], Iterable[Way]]
    work: Callable[[Way], Made]


@dataclass(frozen=True)
class Measured(Generic[Way]):
    """Seconds of the own kernel, and of the other ways that may be taken."""

    own: float
    others: tuple[tuple[Way, float], ...]

    @property
    def best(self) -> Way | None:
        way, seconds = min(self.others, key=lambda one: one[1], default=(None, math.inf))
        return way if seconds < CLEARLY * self.own else None


class Choices(Generic[Way]):
    """Of one device, whose lock the caller has. kind: how the names of entries on disk begin; about: the versions that
    they depend on; way: what is chosen."""

    def __init__(self, device: Device, kind: str, about: Sequence[object], way: type[Way]) -> None:
        self._device, self._kind, self._about, self._way = device, kind, tuple(about), way
        self._chosen: dict[str, Way | None] = {}
        self._told: set[str] = set()

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
        try:
            if known is not None:
                return self._loaded(call, question, self._way(*known))
            found = self.measured(call, question).best
        except errors.ResourceExhaustedError:
            return None
        kept = [] if found is None else [getattr(found, one.name) for one in fields(found)]    # type: ignore[arg-type]
        cache.write_few(entry, json.dumps(kept).encode(), self._kind)
        return found

    def _trial(self, call: Call, question: Question[Way]) -> tuple[Trial, Call]:
        """A trial, and the call whose scratch memory is its own."""
        self._device.wait()
        trial = Trial(self._device, (question.dtype, question.made), question.factors, question.result,
                      question.operations, question.terms)
        return trial, replace(call, scratch=trial.scratch.take, checks=[])

    def _loaded(self, call: Call, question: Question[Way], way: Way) -> Way | None:
        """A way that won before is run once, which loads its code: recording must not do that."""
        trial, there = self._trial(call, question)
        try:
            trial.once(question.work(way)(there, *trial.factors, trial.other))
        except FAILURES as error:
            self._tell(question, way, f"failed: {error}")
            return None
        return way

    def measured(self, call: Call, question: Question[Way]) -> Measured[Way]:
        """All ways, measured now. Raises ResourceExhaustedError."""
        trial, there = self._trial(call, question)
        own, others = trial.seconds(question.own(there, *trial.factors, trial.result)), []
        try:
            for way in question.ways():
                trial.scratch.next_step()
                taken = self._seconds(question, way, trial, there)
                if taken is not None:
                    others.append((way, taken))
        except FAILURES as error:              # which was asked for ways
            self._warn(f"graphc: {error}; asked for {question.said}")
        return Measured(own, tuple(others))

    def _seconds(self, question: Question[Way], way: Way, trial: Trial, call: Call) -> float | None:
        """None: it is not to be taken."""
        try:
            work = question.work(way)(call, *trial.factors, trial.other)
            trial.forget_other()
            trial.once(work)
            differing = trial.differing(call)
            if differing:
                self._tell(question, way, f"differs from graphc's own kernel in {differing} of {question.result} "
                                          "elements")
                return None
            taken = trial.seconds(work)
            if not trial.repeats(call, work):
                self._tell(question, way, "does not repeat its result to the bit")
                return None
            return taken
        except FAILURES as error:
            self._tell(question, way, f"failed: {error}")
            return None

    def _entry(self, question: Question[Way]) -> str:
        from graphc import __version__

        device = self._device
        about = (__version__, *self._about, device.name, device.compute, device.multiprocessors, device.driver_version,
                 question.key)
        return f"{self._kind}{cache.hash_of(*map(str, about))}.json"

    def _tell(self, question: Question[Way], way: Way, what: str) -> None:
        self._warn(f"graphc: {way.name} {what}, for {question.said}. It is not used for that")

    def _warn(self, said: str) -> None:
        if said not in self._told:             # several algorithms may fail alike
            self._told.add(said)
            warnings.warn(said, stacklevel=2)
