"""The lookup tables of a session: what the calls of plans (ops/lookup/tables.py) work on.

A key is a Python number or bytes, or a tuple of them if keys are vectors; a value is one, too, or an array. Calls of
several threads go one after the other.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.locks import new_lock
from graphc.ops.lookup.text_file import pairs_of_file

Rows = dict[Any, Any]


class Table:
    """What all tables have. stays_inside: no call waits for another run."""

    stays_inside = True

    def __init__(self, owner: Any, call: Any) -> None:
        self.definition = call.definition
        self.name = f"{call.definition.type.removesuffix('V2')} '{call.owner}'"
        self.key_shape: tuple[int, ...] = np.shape(call.constants[0]) if call.constants else ()
        self.value_shape: tuple[int, ...] = call.definition.shape_of_values()
        self.key_dtype = call.constants[0].dtype if call.constants else _numpy(call.definition.key_dtype)
        self.value_dtype = _numpy(call.definition.value_dtype)
        self.rows: Rows = {}
        self.lock = new_lock()

    def wake(self) -> None:
        """The session is closed: nothing waits."""

    # Calls

    def find(self, keys: np.ndarray, default: np.ndarray) -> tuple[np.ndarray]:
        if default.shape != self.value_shape:
            raise errors.InvalidArgumentError(f"{self.name}: Expected shape {list(self.value_shape)} for default "
                                              f"value, got {list(default.shape)}")
        wanted, missing = self.keys_of(keys), default if self.value_shape else default[()]
        with self.lock:
            found = self.known().get
            values = [found(key, missing) for key in wanted]
        return (self.array(values, (*keys.shape[:keys.ndim - len(self.key_shape)], *self.value_shape)),)

    def size(self) -> tuple[np.ndarray]:
        return (np.array(len(self.rows), np.int64),)

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        with self.lock:
            rows = dict(self.known())
        keys = np.empty((len(rows), *self.key_shape), self.key_dtype)
        if rows:
            keys[...] = np.array(list(rows), self.key_dtype).reshape(keys.shape)
        return keys, self.array(list(rows.values()), (len(rows), *self.value_shape))

    def insert(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        raise self._not_done("insert", "a MutableHashTable")

    def remove(self, keys: np.ndarray) -> tuple[()]:
        raise self._not_done("remove", "a MutableHashTable")

    def replace(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        raise self._not_done("import into", "a HashTable or MutableHashTable")

    def initialize(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        raise self._not_done("initialise", "a HashTable")

    def initialize_from_file(self, filename: Any, options: tuple[Any, ...]) -> tuple[()]:
        raise self._not_done("initialise", "a HashTable")

    # What they are made of

    def known(self) -> Rows:
        """The rows, if they may be looked at."""
        return self.rows

    def keys_of(self, keys: np.ndarray) -> Sequence[Any]:
        """The keys in an array."""
        rank = len(self.key_shape)
        if not rank:
            return keys.ravel().tolist()
        if keys.shape[keys.ndim - rank:] != self.key_shape:
            raise errors.InvalidArgumentError(f"{self.name}: Input key shape {list(keys.shape)} must end with the "
                                              f"shape of a key, {list(self.key_shape)}")
        return [tuple(row.ravel().tolist()) for row in keys.reshape(-1, *self.key_shape)]

    def pairs(self, keys: np.ndarray, values: np.ndarray) -> Iterator[tuple[Any, Any]]:
        expected = (*keys.shape[:keys.ndim - len(self.key_shape)], *self.value_shape)
        if values.shape != expected:
            raise errors.InvalidArgumentError(f"{self.name}: Expected shape {list(expected)} for value, got "
                                              f"{list(values.shape)}")
        found = self.keys_of(keys)
        if not self.value_shape:
            return zip(found, values.ravel().tolist(), strict=True)
        return zip(found, values.reshape(len(found), *self.value_shape).copy(), strict=True)

    def array(self, values: list[Any], shape: tuple[int, ...]) -> np.ndarray:
        made = np.empty((len(values), *self.value_shape), self.value_dtype)
        if values:
            made[...] = np.array(values, self.value_dtype).reshape(made.shape)
        return made.reshape(shape)

    def _not_done(self, what: str, instead: str) -> errors.UnimplementedError:
        return errors.UnimplementedError(f"{self.name}: no op may {what} a table of this kind; use {instead}")


class StaticTable(Table):
    """Filled once."""

    initialized = False

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.initialized:
            raise errors.AbortedError(f"{self.name} is not initialized; run gc.tables_initializer() first")
        return super().export()

    def known(self) -> Rows:
        if not self.initialized:
            raise errors.FailedPreconditionError(f"Table not initialized: {self.name}; run gc.tables_initializer() or "
                                                 "the table's `init` first")
        return self.rows

    def initialize(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        if keys.ndim != 1:
            raise errors.InvalidArgumentError(f"{self.name}: Keys must be a vector, but received shape "
                                              f"{list(keys.shape)}")
        return self._fill(self.pairs(keys, values), len(keys))

    def replace(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        return self._fill(self.pairs(keys, values), keys.size)

    def initialize_from_file(self, filename: Any, options: tuple[Any, ...]) -> tuple[()]:
        pairs = list(pairs_of_file(filename, options, self.key_dtype, self.value_dtype))
        return self._fill(iter(pairs), len(pairs))

    def _fill(self, pairs: Iterator[tuple[Any, Any]], count: int) -> tuple[()]:
        with self.lock:
            if self.initialized:
                if count != len(self.rows):
                    raise errors.FailedPreconditionError(f"{self.name}: Table was already initialized with different "
                                                         f"data: {len(self.rows)} keys, now {count}")
                return ()
            rows: Rows = {}
            for key, value in pairs:
                before = rows.setdefault(key, value)
                if before != value:
                    raise errors.FailedPreconditionError(
                        f"{self.name}: HashTable has different value for same key. Key {_shown(key)} has "
                        f"{_shown(before)} and trying to add value {_shown(value)}")
            self.rows, self.initialized = rows, True
        return ()


class MutableTable(Table):
    """Filled, changed and emptied at any time."""

    def insert(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        new = dict(self.pairs(keys, values))
        with self.lock:
            self.rows.update(new)
        return ()

    def remove(self, keys: np.ndarray) -> tuple[()]:
        gone = self.keys_of(keys)
        with self.lock:
            for key in gone:
                self.rows.pop(key, None)
        return ()

    def replace(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        rows = dict(self.pairs(keys, values))
        with self.lock:
            self.rows = rows
        return ()


class DenseTable(MutableTable):
    """Two keys stand for none: they can neither be looked up nor put in."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        names = ("empty_key", "deleted_key")
        if np.shape(call.constants[0]) != np.shape(call.constants[1]):
            raise errors.InvalidArgumentError(f"{self.name}: Empty and deleted keys must have same shape, got shapes: "
                                              f"{np.shape(call.constants[0])} and {np.shape(call.constants[1])}")
        reserved = [super(DenseTable, self).keys_of(np.asarray(value))[0] for value in call.constants]
        self.reserved = dict(zip(reserved, names, strict=True))
        if len(self.reserved) < 2:
            raise errors.InvalidArgumentError(f"{self.name}: Empty and deleted keys cannot be equal, but are both "
                                              f"{_shown(reserved[0])}")
        buckets, load = call.definition.initial_num_buckets, call.definition.max_load_factor
        if buckets < 4 or buckets & (buckets - 1):
            raise errors.InvalidArgumentError(f"{self.name}: number of buckets must be at least 4 and a power of 2, "
                                              f"got: {buckets}")
        if not 0 < load < 1:
            raise errors.InvalidArgumentError(f"{self.name}: max_load_factor must be between 0 and 1, got: {load}")

    def keys_of(self, keys: np.ndarray) -> Sequence[Any]:
        found = super().keys_of(keys)
        for key in found:
            if key in self.reserved:
                raise errors.InvalidArgumentError(f"{self.name}: Using the {self.reserved[key]} {_shown(key)} as a "
                                                  "table key is not allowed")
        return found


def _numpy(dtype: Any) -> np.dtype[Any]:
    return dtype.numpy if dtype.numpy is not None else np.dtype(object)


def _shown(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


KINDS: dict[str, type[Table]] = {f"{name}{version}": kind for version in ("", "V2") for name, kind in (
    ("HashTable", StaticTable), ("MutableHashTable", MutableTable), ("MutableHashTableOfTensors", MutableTable),
    ("MutableDenseHashTable", DenseTable))}
