"""The barriers of a session: what the calls of plans (ops/control/barriers.py) work on.

How the calls that take elements wait, session/resources/waiting.py says.
"""
from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.values import zeros
from graphc.session.resources.waiting import Waiting

FIRST = -2**63             # the index of the elements that came first


class Barrier(Waiting):
    """incomplete: by key, (index, components), None for one that is missing. ready: a heap of (index, number, key,
    components)."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        self.types = call.definition.component_types
        self.shapes = call.definition.shapes or [None] * len(self.types)
        self.incomplete: dict[bytes, tuple[int, list[Any]]] = {}
        self.ready: list[tuple[int, int, bytes, list[Any]]] = []
        self.numbers = itertools.count()
        self.index = FIRST
        self.closed = self.cancelled = False
        self.taking: deque[object] = deque()

    def holds(self) -> str:
        return f"{len(self.ready)} complete elements"

    # Calls

    def insert_many(self, keys: np.ndarray, values: np.ndarray, component: int) -> tuple[()]:
        self._check(keys, values, component)
        with self.changed:
            new = [key for key in keys.tolist() if key not in self.incomplete]
            if new and self.closed:
                raise errors.CancelledError(
                    f"{self.name} is closed, but attempted to insert a brand new key: "
                    f"{new[0].decode(errors='replace')}. "
                    f"Pending inserts cancelled: {self.cancelled}. Number of incomplete keys: {len(self.incomplete)}")
            try:
                for key, value in zip(keys.tolist(), values, strict=True):
                    self._insert(key, np.array(value), component)
            finally:
                self.index += bool(new)
                self.changed.notify_all()
        return ()

    def take_many(self, num_elements: np.ndarray, allow_small_batch: bool) -> tuple[np.ndarray, ...]:
        wanted = int(num_elements)
        if wanted < 0:
            raise errors.InvalidArgumentError(f"{self.name}: {wanted} elements cannot be taken out")
        with self.changed, self._turn(self.taking) as mine:
            while True:
                if mine():
                    count = wanted
                    if self.closed and allow_small_batch:
                        count = max(1, min(wanted, len(self.ready)))
                    if self.closed and max(count, 1) > len(self.ready) + len(self.incomplete):
                        raise errors.OutOfRangeError(f"{self.name} is closed and has insufficient elements (requested "
                                                     f"{wanted}, total size {len(self.ready) + len(self.incomplete)})")
                    if count <= len(self.ready):
                        return self._batch([heapq.heappop(self.ready) for _ in range(count)])
                self._wait("TakeMany")

    def close(self, cancel_pending_enqueues: bool) -> tuple[()]:
        with self.changed:
            if self.closed and (self.cancelled or not cancel_pending_enqueues):
                raise errors.CancelledError(f"{self.name} is already closed.")
            self.closed = True
            self.cancelled = cancel_pending_enqueues
            if cancel_pending_enqueues:
                self.incomplete.clear()
            self.changed.notify_all()
        return ()

    def ready_size(self) -> tuple[np.ndarray]:
        return (np.array(len(self.ready), np.int32),)

    def incomplete_size(self) -> tuple[np.ndarray]:
        return (np.array(len(self.incomplete), np.int32),)

    # What goes in and comes out

    def _check(self, keys: np.ndarray, values: np.ndarray, component: int) -> None:
        if not 0 <= component < len(self.types):
            raise errors.InvalidArgumentError(f"{self.name}: The component ID is out of range: {component} is not "
                                              f"below the number of components, {len(self.types)}")
        if keys.ndim != 1 or values.ndim < 1 or len(keys) != len(values):
            raise errors.InvalidArgumentError(f"{self.name}: keys must be a vector of one key for each row of values, "
                                              f"but have shapes {list(keys.shape)} and {list(values.shape)}")
        if len(keys) and not values.size:
            raise errors.InvalidArgumentError(f"{self.name}: Tensors with no elements are not supported: received "
                                              f"shape {list(values.shape)}")
        shape = self.shapes[component]
        if shape is not None and (len(shape) != values.ndim - 1 or any(
                s not in (None, -1, n) for s, n in zip(shape, values.shape[1:], strict=True))):
            raise errors.InvalidArgumentError(f"{self.name}: Shape mismatch in component {component}. Expected "
                                              f"{[None if s == -1 else s for s in shape]}, got "
                                              f"{list(values.shape[1:])}")

    def _insert(self, key: bytes, value: np.ndarray, component: int) -> None:
        index, components = self.incomplete.setdefault(key, (self.index, [None] * len(self.types)))
        if components[component] is not None:
            raise errors.InvalidArgumentError(f"Key {key.decode(errors='replace')} already has a value for component "
                                              f"{component} in {self.name}")
        components[component] = value
        if all(c is not None for c in components):
            del self.incomplete[key]
            heapq.heappush(self.ready, (index, next(self.numbers), key, components))

    def _batch(self, taken: list[tuple[int, int, bytes, list[Any]]]) -> tuple[np.ndarray, ...]:
        indices, _, keys, rows = zip(*taken, strict=True) if taken else ((), (), (), ())
        named = np.empty(len(keys), object)
        named[:] = keys
        return (np.array(indices, np.int64), named, *(self._joined([r[i] for r in rows], i)
                                                      for i in range(len(self.types))))

    def _joined(self, values: list[np.ndarray], component: int) -> np.ndarray:
        shape = self.shapes[component]
        if not values:
            return zeros((0, *(s if s is not None and s >= 0 else 0 for s in shape or ())),
                         self.types[component].numpy)
        if any(v.shape != values[0].shape for v in values):
            raise errors.InvalidArgumentError(f"{self.name}: the elements of component {component} have different "
                                              f"shapes: {sorted({v.shape for v in values})}")
        return np.stack(values)


KINDS = {"Barrier": Barrier}
