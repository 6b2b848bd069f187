"""Strings have numbers: in the memory of a Plan an element of a string tensor is an int64 (docs/adr/0022).

One table a process, in native memory (kernels/strings/table.py; docs/adr/0080): equal strings have one number, the
empty string has 0. A number is never given twice. A string stays in the table as long as a `Held` counts it: a run
holds what it was fed, what functions gave it and what the variables held that it read; an engine holds its constants, a
variable its value. A string is an object of Python's from the beginning, so that to fetch it costs a reference.
"""
from __future__ import annotations

import ctypes
import itertools
import os
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import InternalError
from graphc.ir.dtypes import string
from graphc.ir.locks import new_lock
from graphc.ir.values import to_array
from graphc.kernels.strings import tables as t

Array = np.ndarray[Any, Any]
_Word = ctypes.c_int64
_Words = _Word * t.HELD_WORDS
_OBJECT = object.__basicsize__             # bytes before what an object's own type has: first an array's data pointer
_stamps = itertools.count(1)
# What the table calls, and which object has what where, in CPython.
_PYTHON = {t.TABLE_MAKE: "PyBytes_FromStringAndSize", t.TABLE_DROP: "Py_DecRef", t.TABLE_KEEP: "Py_IncRef",
           t.TABLE_UTF8: "PyUnicode_AsUTF8AndSize", t.TABLE_CLEAR: "PyErr_Clear"}
_PLACES = {t.TABLE_DATA: bytes.__basicsize__ - 1, t.TABLE_SIZE: _OBJECT, t.TABLE_TYPE: _OBJECT - 8,
           t.TABLE_BYTES: id(bytes), t.TABLE_TEXT: id(str), t.TABLE_EMPTY: id(b"")}


def address_of(array: Array) -> int:
    """Where an array's data is."""
    return _Word.from_address(id(array) + _OBJECT).value


class Held:
    """Strings that stay in the table while this lives, and other Helds. words: kernels/strings/tables.py, HELD."""

    __slots__ = ("address", "others", "table", "words")
    _count = t.HELD_COUNT                  # when the interpreter ends, modules are empty before all objects are gone

    def __init__(self, table: Table) -> None:
        self.table = table
        self.words = _Words(0, 0, 0, next(_stamps))
        self.address = ctypes.addressof(self.words)
        self.others: list[Held] = []

    def give_back(self) -> None:
        """Holds nothing any more."""
        words, self.words, self.others = self.words, _Words(0, 0, 0, next(_stamps)), []
        self.address = ctypes.addressof(self.words)
        if words[t.HELD_COUNT]:
            self.table.given_back.append(words)

    def __del__(self) -> None:
        # Maybe in the middle of what the table does, in this thread: it is told, no more.
        if self.words[self._count]:
            self.table.given_back.append(self.words)


class Table:
    """See the header. A kernel is called under `lock`, and with the interpreter's lock as well: what it does is done
    before a signal's handler runs."""

    def __init__(self) -> None:
        self._words = np.zeros(t.TABLE_WORDS, np.int64)
        self.address = address_of(self._words)
        self._native: Mapping[str, Callable[..., int]] = {}
        self.lock = new_lock()
        self.given_back: deque[Any] = deque()

    def __len__(self) -> int:
        return int(self._words[t.TABLE_COUNT]) if self._native else 1

    @property
    def native(self) -> Mapping[str, Callable[..., int]]:
        """The kernels, by name without "gc_strings_", for whoever has `lock`. Opens the table."""
        return self._native or self._open()

    def numbers(self, strings: Array, held: Held) -> Array:
        """The numbers of an array of bytes, which `held` holds from now on."""
        made = np.empty(strings.shape, np.int64)
        self.write_numbers(strings, held, address_of(made))
        return made

    def write_numbers(self, strings: Array, held: Held, target: int) -> None:
        """`numbers`, written to memory for as many."""
        count = strings.size
        found = self._numbers(strings, held, target)
        if found <= t.OTHER_TYPE:              # an object of another type than bytes
            found = self._numbers(to_array(strings, string), held, target)
        if found != count:
            raise MemoryError(f"no memory for {count} strings")

    def _numbers(self, strings: Array, held: Held, target: int) -> int:
        strings = strings if strings.flags.c_contiguous else strings.copy()
        with self.lock:
            self.forget()
            return self.native["numbers"](self.address, held.address, address_of(strings), strings.size, target)

    def encoded(self, array: Array) -> Array | None:
        """An array of bytes and str as one of bytes; None if some element is neither, or has no UTF-8."""
        array, made = array if array.flags.c_contiguous else array.copy(), np.empty(array.shape, object)
        with self.lock:
            self.forget()
            found = self.native["encode"](self.address, address_of(array), array.size, address_of(made))
        return made if found == array.size else None

    def strings(self, numbers: Array) -> Array:
        """The strings with these numbers, an array of bytes."""
        numbers = numbers if numbers.flags.c_contiguous else numbers.copy()
        return self.strings_at(numbers.shape, address_of(numbers))

    def strings_at(self, shape: tuple[int, ...], source: int) -> Array:
        """`strings` of an array of this shape at an address."""
        made = np.empty(shape, object)
        with self.lock:
            found = self.native["objects"](self.address, source, made.size, address_of(made))
        if found != made.size:
            raise InternalError(f"no string has the number {_Word.from_address(source + 8 * found).value}")
        return made

    def hold(self, numbers: Array) -> Held:
        """Holds the strings with these numbers, which something holds now."""
        held = Held(self)
        numbers = numbers if numbers.flags.c_contiguous else numbers.copy()
        with self.lock:
            if self.native["hold"](self.address, held.address, address_of(numbers), numbers.size):
                raise MemoryError(f"no memory to hold {numbers.size} strings")
        return held

    def collect(self) -> None:
        """Forgets strings that nothing holds, unless another thread is at it."""
        if self.given_back and self.lock.acquire(blocking=False):
            try:
                self.forget()
            finally:
                self.lock.release()

    def forget(self) -> None:
        """Forgets strings that nothing holds, under the lock."""
        while self.given_back:
            words = self.given_back.popleft()
            self.native["give_back"](self.address, ctypes.addressof(words))

    def _open(self) -> Mapping[str, Callable[..., int]]:
        from graphc.exec.library import load_library
        library = load_library()
        process = ctypes.CDLL(None)
        for word, function in ((t.TABLE_ALLOC, process.malloc), (t.TABLE_RELEASE, process.free),
                               *((word, getattr(ctypes.pythonapi, name)) for word, name in _PYTHON.items())):
            self._words[word] = ctypes.cast(function, ctypes.c_void_p).value or 0
        for word, value in _PLACES.items():
            self._words[word] = value
        self._words[t.TABLE_SEED:t.TABLE_OWN] = np.frombuffer(os.urandom(16), np.int64)
        native = string_kernels(library.entry, library.signatures)
        if native["open"](self.address):
            raise MemoryError("no memory for the table of strings")
        self._native = native
        weakref.finalize(self, _close, native, self._words).atexit = False
        return native


def string_kernels(entry: Mapping[str, int], signatures: Mapping[str, list[str]]) -> dict[str, Callable[..., int]]:
    """The string kernels of a library, called with the interpreter's lock, by name without "gc_strings_"."""
    begins = "gc_strings_"
    return {name.removeprefix(begins): ctypes.PYFUNCTYPE(*[_Word] * len(types))(entry[name])
            for name, types in signatures.items() if name.startswith(begins)}


def _close(native: Mapping[str, Callable[..., int]], words: Array) -> None:
    native["close"](address_of(words))


TABLE = Table()
