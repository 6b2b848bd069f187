"""Strings have numbers: in the memory of a Plan an element of a string tensor is an int64 (docs/adr/0022).

One table a process: equal strings have one number, the empty string has 0. A number is never given twice. A string
stays in the table as long as a `Held` counts it: a run holds what it was fed, what Python functions gave it and what
the variables held that it read; an engine holds its constants, a variable its value.
"""
from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from graphc.errors import InternalError
from graphc.ir.locks import new_lock

Array = np.ndarray[Any, Any]


class Held:
    """Strings that stay in the table while this lives: by number, each as often as it was counted; and other Helds."""

    __slots__ = ("numbers", "others", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.numbers: list[int] = []
        self.others: list[Held] = []

    def __del__(self) -> None:
        # Maybe in the middle of what the table does, in this thread: it is told, no more.
        if self.numbers:
            self.table.given_back.append(self.numbers)


class Table:
    """See the header."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {b"": 0}
        self._strings: dict[int, bytes] = {0: b""}
        self._counts: dict[int, int] = {}
        self._next = 1
        self._lock = new_lock()
        self.given_back: deque[list[int]] = deque()

    def __len__(self) -> int:
        return len(self._strings)

    def numbers(self, strings: Array, held: Held) -> Array:
        """The numbers of an array of bytes, which `held` holds from now on."""
        return np.array(self.numbers_of(strings.ravel().tolist(), held), np.int64).reshape(strings.shape)

    def numbers_of(self, strings: list[bytes], held: Held) -> list[int]:
        """`numbers` of a list."""
        with self._lock:
            self._forget()
            numbers, counts = self._numbers, self._counts
            for string in {string for string in strings if string not in numbers}:
                number = self._next
                self._next = number + 1
                # In this order: whatever a signal leaves undone is a string too many, and no number without one.
                self._strings[number] = string
                counts[number] = 0
                numbers[string] = number
            found = [numbers[string] for string in strings]
            counted = set(found) - {0}
            for number in counted:
                counts[number] += 1
            held.numbers += counted
        return found

    def strings(self, numbers: Array) -> Array:
        """The strings with these numbers, an array of bytes."""
        return self.strings_of(numbers.shape, numbers.ravel().tolist())

    def strings_of(self, shape: tuple[int, ...], numbers: list[int]) -> Array:
        """`strings` of a list, as an array of this shape."""
        known, made = self._strings, np.empty(len(numbers), object)
        try:
            made[:] = [known[number] for number in numbers]
        except KeyError as error:
            raise InternalError(f"no string has the number {error}") from None
        return made.reshape(shape)

    def hold(self, numbers: Array) -> Held:
        """Holds the strings with these numbers, which something holds now."""
        held = Held(self)
        with self._lock:
            for number in np.unique(numbers).tolist():
                if number in self._counts:
                    self._counts[number] += 1
                    held.numbers.append(number)
        return held

    def collect(self) -> None:
        """Forgets strings that nothing holds, unless another thread is at it."""
        if self.given_back and self._lock.acquire(blocking=False):
            try:
                self._forget()
            finally:
                self._lock.release()

    def _forget(self) -> None:
        counts = self._counts
        while self.given_back:
            for number in self.given_back.popleft():
                left = counts[number] - 1
                counts[number] = left
                if not left:
                    del self._numbers[self._strings[number]]
                    del self._strings[number], counts[number]


TABLE = Table()
