"""The queues, accumulators, barriers, tables, readers and iterators of a session by name: they live as long as it does,
whichever plan makes or uses them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.locks import new_lock
from graphc.ops.control.script import TRIAL
from graphc.session.resources import accumulators, barriers, iterators, queues, readers, streams, tables

KINDS: dict[str, Callable[[Any, Any], Any]] = {**queues.KINDS, **accumulators.KINDS, **barriers.KINDS, **tables.KINDS,
                                               **readers.KINDS, **streams.KINDS, **iterators.KINDS}


class Objects:
    """See the header."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._lock = new_lock()
        self.closed = False
        self.function_sessions: dict[Any, Any] = {}        # of pipelines' functions, by graph and part

    def function(self, call: Any) -> BoundCall:
        """The function that a plan of this session calls for an ObjectCall."""
        return BoundCall(self._object(call), call, [self._object(other) for other in call.others])

    def _object(self, call: Any) -> Any:
        with self._lock:
            found = self._objects.get(call.owner)
            if found is None:
                found = self._objects[call.owner] = KINDS[call.definition.type](self, call)
        if type(found.definition) is not type(call.definition):
            raise errors.InvalidArgumentError(f"'{call.name}' uses '{call.owner}' as a {call.definition.type}, but the "
                                              f"session has a {found.definition.type} of that name; give one of them "
                                              "another shared_name")
        return found

    def named(self, name: str) -> Any:
        """The object of that name; None if the session has none."""
        with self._lock:
            return self._objects.get(name)

    def close(self) -> None:
        """With the session."""
        with self._lock:
            self.closed = True
            objects = list(self._objects.values())
        for found in objects:
            found.wake()


class BoundCall:
    """A method of an object. stays_inside: it never waits, so the run keeps the variables' lock."""

    def __init__(self, found: Any, call: Any, others: Sequence[Any]) -> None:
        self.method, self.options, self.name = getattr(found, call.method), (*call.options, *others), call.name
        self.stays_inside: bool = found.stays_inside
        self.guessed = call.guessed

    @property
    def guesses(self) -> bool:
        """Whether the ranks of its results may be others than the plan has been compiled for."""
        return self.guessed is not None and self.guessed.guesses

    def __call__(self, *arrays: np.ndarray) -> Any:
        trial = TRIAL.results
        if trial is None:
            return self._compared(self.method(*arrays, *self.options))
        # The run may be repeated, for other ranks: what was done once is not done again.
        kept, position = trial.setdefault(self.name, []), TRIAL.used.get(self.name, 0)
        if position == len(kept):
            kept.append(self.method(*arrays, *self.options))
        TRIAL.used[self.name] = position + 1
        return self._compared(kept[position])

    def _compared(self, results: Any) -> Any:
        if self.guessed is not None:
            self.guessed.compare(results)
        return results
