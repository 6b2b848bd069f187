"""Variables' values: blocks of memory that plans read and write in place, shared by all plans of a session.

A run holds the store's lock: shared if its plan writes no state, exclusive if it does. The lock is given back while a
host step runs, or queue runners and their consumers would wait for each other.
"""
from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.shared_lock import SharedLock
from graphc.exec.strings.table import TABLE, Held
from graphc.ir import dtypes
from graphc.ir.dtypes import DType
from graphc.ir.locks import new_lock

ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An uninitialised array that begins at a multiple of 64 bytes."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    block = np.empty(size + ALIGNMENT, np.uint8)
    begin = -block.ctypes.data % ALIGNMENT
    made: np.ndarray = block[begin:begin + size].view(dtype).reshape(shape)
    return made


class State:
    """value: the array that plans work on; info: int64[2] = (initialised, version). Of strings the value is their
    numbers, and `held` keeps them."""

    def __init__(self, value: np.ndarray, of_strings: bool = False) -> None:
        self.value = value
        self.info = np.zeros(2, np.int64)
        self.of_strings = of_strings
        self.held: Held | None = None
        self.copies: dict[Any, Any] = {}       # in GPUs' memory, by the GPU (cuda/memory.py)
        self.newest: Any = None                # the one of them that was written last

    def hold(self) -> None:
        """After a value of strings was written, before anything else may write."""
        self.held = TABLE.hold(self.value)


class StateStore:
    """States by name. Mapping from names to arrays makes a store of initialised states."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._states: dict[str, State] = {}
        self.unshaped: dict[str, np.ndarray] = {}      # of variables without a known shape: arrays that never change
        self._making = new_lock()
        self.lock = SharedLock()
        self.away: set[State] = set()          # of these the newest value is in a GPU's memory alone
        for name, value in (values or {}).items():
            self.assign(name, value)

    def state(self, name: str, dtype: str, shape: tuple[int, ...], zeros: bool = True) -> State:
        """The state of that name, made uninitialised if there is none: of zeros, or of what is in memory. Raises
        InternalError if another shape has it."""
        of_strings, wanted = dtype == "str", dtypes.as_dtype(dtype).stored.numpy
        with self._making:
            found = self._states.get(name)
            if found is None:
                value = aligned_empty(tuple(shape), wanted)
                if zeros:
                    value[...] = 0
                found = self._states[name] = State(value, of_strings)
        if found.value.shape != tuple(shape) or found.value.dtype != wanted or found.of_strings != of_strings:
            raise errors.InternalError(
                f"variable {name} is {found.value.dtype}{found.value.shape}, a plan wants {wanted}{shape}"
            )
        return found

    def assign(self, name: str, value: Any) -> None:
        """Sets a value from outside a run."""
        array = np.asarray(value)
        state = self.state(name, dtypes.as_dtype(array.dtype).short, array.shape)
        with self.holding(exclusive=True):
            if state.of_strings:
                state.held = Held(TABLE)
                array = TABLE.numbers(array, state.held)
            self.away.discard(state)
            state.value[...] = array
            state.info += (1 - state.info[0], 1)

    def fill(self, wanted: Mapping[str, tuple[DType, tuple[int, ...]]], fill: Callable[[str, np.ndarray], None]
             ) -> None:
        """Sets values of numbers from outside a run, where they are: `fill` is called with each name and its array. If
        it raises, none of them is initialised any more."""
        found = {name: self.state(name, dtype.short, shape, zeros=False) for name, (dtype, shape) in wanted.items()}
        with self.holding(exclusive=True):
            for state in found.values():
                state.info += (-state.info[0], 1)
            self.away.difference_update(found.values())
            for name, state in found.items():
                fill(name, state.value)
            for state in found.values():
                state.info += (1, 1)

    def read(self, name: str) -> np.ndarray:
        """A copy of a value. Raises FailedPreconditionError if the state is not initialised."""
        if name in self.unshaped:
            return self.unshaped[name].copy()
        state = self._states.get(name)
        if state is None or not state.info[0]:
            raise errors.FailedPreconditionError(f"variable {name} is not initialised; run its initializer first")
        with self.holding(exclusive=False):
            self.bring_home([state])
            return TABLE.strings(state.value) if state.of_strings else state.value.copy()

    def bring_home(self, states: Iterable[State]) -> None:
        """Before the host reads or writes them, under the lock."""
        for state in self.away.intersection(states):
            state.newest.bring_home(state)
            self.away.discard(state)

    def initialised(self, name: str) -> bool:
        return name in self.unshaped or (name in self._states and bool(self._states[name].info[0]))

    def names(self) -> list[str]:
        return [*self._states, *self.unshaped]

    def holding(self, exclusive: bool) -> AbstractContextManager[None]:
        return self.lock.holding(exclusive)

    def give_back(self, holder: Hashable, exclusive: bool) -> None:
        """Before what a run does outside the native code; `lock.acquire` comes after it."""
        (self.lock.writers if exclusive else self.lock.readers).discard(holder)
        self.lock.wake()
