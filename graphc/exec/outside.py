"""What happens around a Python function that a run calls: the run gives up its lock of the states for so long."""
from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from graphc.exec.frame import Frame
from graphc.exec.states import State, StateStore
from graphc.exec.strings.runs import Strings


class Outside:
    """Gives the states' lock back while a Python function of a run runs. Does not keep the engine."""

    def __init__(self, states: StateStore, cells: Sequence[State], strings: Strings | None, writes: bool,
                 running: Mapping[int, Frame]) -> None:
        self._states, self._cells, self._strings, self._writes, self._running = states, cells, strings, writes, running

    def go(self) -> Any:
        """What `come_back` takes."""
        frame = self._running[threading.get_ident()]
        if self._strings:
            self._strings.wrote_variables()
        self._states.give_back(frame, self._writes)
        return frame

    def come_back(self, frame: Any) -> None:
        self._states.lock.acquire(frame, self._writes)
        if self._states.away:
            self._states.bring_home(self._cells)
        if self._strings:
            self._strings.reads_variables()
