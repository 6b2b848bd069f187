"""The queues of a session: what the calls of plans (ops/control/session_objects.py) work on.

How calls wait, session/resources/waiting.py says.
"""
from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.values import as_array, zeros
from graphc.session.resources.waiting import Waiting

Element = tuple[np.ndarray, ...]


class Queue(Waiting):
    """First in, first out."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        self.capacity = call.definition.capacity if call.definition.capacity > 0 else None
        self.types = call.definition.all_types()
        self.shapes: Sequence[Any] = self.declared(call.definition)
        self.closed = self.cancelled = False
        self.putting: deque[object] = deque()
        self.taking: deque[object] = deque()
        self.items: Any = deque()

    def declared(self, definition: Any) -> Sequence[Any]:
        return definition.shapes or [None] * len(definition.all_types())

    # The elements, in the order of the kind

    def rows(self, component: np.ndarray) -> list[np.ndarray]:
        """The elements of a batch. As they leave in their order, they may share its memory."""
        return list(component) if component.ndim > 1 else [as_array(value) for value in component]

    def add(self, element: Element) -> None:
        self.items.append(element)

    def take(self) -> Element:
        element: Element = self.items.popleft()
        return element

    def put_back(self, taken: Sequence[Element]) -> None:
        self.items.extendleft(reversed(taken))

    def ready(self) -> int:
        """How many elements may be taken now."""
        return len(self.items)

    # Calls

    def enqueue(self, *components: np.ndarray) -> tuple[()]:
        self._check([c.shape for c in components])
        return self._put([components])

    def enqueue_many(self, *components: np.ndarray) -> tuple[()]:
        counts = {len(c) for c in components}
        if len(counts) > 1:
            raise errors.InvalidArgumentError("All input tensors must have the same size in the 0th dimension, but "
                                              f"have {sorted(counts)}")
        if not counts or counts == {0}:
            return self._put([])
        self._check([c.shape[1:] for c in components])
        return self._put(list(zip(*map(self.rows, components), strict=True)))

    def dequeue(self) -> Element:
        return self._taken(1, False)[0]

    def dequeue_many(self, n: np.ndarray) -> Element:
        return self._batch(int(n), False)

    def dequeue_up_to(self, n: np.ndarray) -> Element:
        return self._batch(int(n), True)

    def close(self, cancel_pending_enqueues: bool) -> tuple[()]:
        with self.changed:
            self.closed = True
            self.cancelled |= cancel_pending_enqueues
            self.changed.notify_all()
        return ()

    def size(self) -> tuple[np.ndarray]:
        return (np.array(len(self.items), np.int32),)

    def is_closed(self) -> tuple[np.ndarray]:
        return (np.array(self.closed),)

    # How they wait

    def holds(self) -> str:
        return f"{len(self.items)} elements"

    def _put(self, elements: Sequence[Element]) -> tuple[()]:
        """Puts in elements, arrays that nobody else has."""
        with self.changed:
            if self.closed:
                raise errors.CancelledError(f"{self.name} is closed.")
            with self._turn(self.putting) as mine:
                for number, element in enumerate(elements):
                    while not mine() or (self.capacity is not None and len(self.items) >= self.capacity):
                        if self.cancelled:
                            raise errors.CancelledError(f"Enqueue operation was cancelled: {self.name} is closed")
                        if number:
                            self.changed.notify_all()
                        self._wait("Enqueue")
                    self.add(element)
        return ()

    def _check(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Raises InvalidArgumentError if elements with components of these shapes are not the queue's."""
        for i, (found, shape) in enumerate(zip(shapes, self.shapes, strict=True)):
            if shape is not None and (len(found) != len(shape) or any(
                    s not in (None, -1, n) for s, n in zip(shape, found, strict=True))):
                wanted = [None if s == -1 else s for s in shape]
                raise errors.InvalidArgumentError(f"Shape mismatch in tuple component {i} of {self.name}. Expected "
                                                  f"{wanted}, got {list(found)}")

    def _taken(self, count: int, fewer: bool) -> list[Element]:
        taken: list[Element] = []
        with self.changed, self._turn(self.taking) as mine:
            try:
                while len(taken) < count:
                    if mine() and self.ready() > 0:
                        taken.append(self.take())
                    elif mine() and self.closed and not self.putting:
                        if fewer and taken:
                            break
                        raise errors.OutOfRangeError(f"{self.name} is closed and has insufficient elements (requested "
                                                     f"{count}, current size {len(taken) + len(self.items)})")
                    else:
                        if taken:
                            self.changed.notify_all()
                        self._wait("Dequeue")
            except BaseException:
                self.put_back(taken)
                raise
        return taken

    def _batch(self, count: int, fewer: bool) -> Element:
        if count < 0:
            raise errors.InvalidArgumentError(f"{self.name}: {count} elements cannot be taken out")
        taken = self._taken(count, fewer)
        return tuple(self._stacked([e[i] for e in taken], i) for i in range(len(self.types)))

    def _stacked(self, values: Sequence[np.ndarray], component: int) -> np.ndarray:
        dtype, shape = self.types[component].numpy, self.shapes[component]
        if not values:
            return zeros((0, *(s if s is not None and s >= 0 else 0 for s in shape or ())), dtype)
        if any(v.shape != values[0].shape for v in values):
            raise errors.InvalidArgumentError(f"{self.name}: elements of component {component} have different shapes: "
                                              f"{sorted({v.shape for v in values})}; use a PaddingFIFOQueue")
        return np.stack(values)


class PaddingQueue(Queue):
    """Batches of elements of different sizes are filled up with zeros."""

    def _stacked(self, values: Sequence[np.ndarray], component: int) -> np.ndarray:
        if not values:
            return super()._stacked(values, component)
        sizes = np.max([v.shape for v in values], axis=0) if values[0].ndim else ()
        filled = zeros((len(values), *sizes), values[0].dtype)
        for i, value in enumerate(values):
            corner: tuple[Any, ...] = (i, *(slice(n) for n in value.shape))
            filled[corner] = value
        return filled


class _OtherOrder(Queue):
    """Elements leave in another order than they come: each has memory of its own, or one would keep a batch's."""

    def rows(self, component: np.ndarray) -> list[np.ndarray]:
        return [np.array(row) for row in super().rows(component)]


class ShuffleQueue(_OtherOrder):
    """In an order of its own."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        self.items = []
        self.random = np.random.default_rng(call.seed)

    def take(self) -> Element:
        i = int(self.random.integers(len(self.items)))
        self.items[i], self.items[-1] = self.items[-1], self.items[i]
        element: Element = self.items.pop()
        return element

    def put_back(self, taken: Sequence[Element]) -> None:
        self.items.extend(taken)

    def ready(self) -> int:
        return len(self.items) - (0 if self.closed else self.definition.min_after_dequeue)


class PriorityQueue(_OtherOrder):
    """The least priority first; of equal ones that which came first."""

    def __init__(self, owner: Any, call: Any) -> None:
        super().__init__(owner, call)
        self.items = []
        self.numbers = itertools.count()

    def declared(self, definition: Any) -> Sequence[Any]:
        return [(), *(definition.shapes or [None] * len(definition.component_types))]

    def add(self, element: Element) -> None:
        heapq.heappush(self.items, (int(element[0]), next(self.numbers), element))

    def take(self) -> Element:
        element: Element = heapq.heappop(self.items)[2]
        return element

    def put_back(self, taken: Sequence[Element]) -> None:
        for i, element in enumerate(taken):
            heapq.heappush(self.items, (int(element[0]), i - len(taken), element))


KINDS: dict[str, type[Queue]] = {"FIFOQueueV2": Queue, "PaddingFIFOQueueV2": PaddingQueue,
                                 "RandomShuffleQueueV2": ShuffleQueue, "PriorityQueueV2": PriorityQueue}
