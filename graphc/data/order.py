"""Steps that change the number and order of elements, and nothing else."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.data.pipeline import Rows, Run, Step, reordered, tensors_among
from graphc.data.structure import TensorPart, map_leaves
from graphc.data.words import Words, random_words


class Ordered(Step):
    """A step whose elements are some of those of the step before. numbers: its parameters."""

    def __init__(self, before: Step, *numbers: Any) -> None:
        self.before, self.structure = (before,), before.structure
        self.numbers = numbers
        self.tensors = tensors_among(*numbers)

    def opened(self, run: Run) -> Any:
        return self.before[0].open(run)


class Take(Ordered):
    def open(self, run: Run) -> Any:
        count = run.number(self.numbers[0])
        return reordered(self.opened(run), lambda items: itertools.islice(items, count if count >= 0 else None))


class Skip(Ordered):
    """A negative count skips all."""

    def open(self, run: Run) -> Any:
        count = run.number(self.numbers[0])
        if count < 0:
            return iter(())
        return reordered(self.opened(run), lambda items: itertools.islice(items, count, None))


class Shard(Ordered):
    """Every num_shards-th element, from the index-th on."""

    def open(self, run: Run) -> Any:
        shards, index = (run.number(n) for n in self.numbers)
        if shards < 1 or not 0 <= index < shards:
            raise errors.InvalidArgumentError(f"shard: index must be between 0 and {shards - 1} (num_shards is "
                                              f"{shards}), but is {index}")
        return reordered(self.opened(run), lambda items: itertools.islice(items, index, None, shards))


class Repeat(Ordered):
    """count times the same; -1: for ever, unless there is no element at all."""

    def open(self, run: Run) -> Any:
        count = run.number(self.numbers[0])
        if count == 0:
            return iter(())
        first = self.opened(run)
        rows = isinstance(first, Rows)
        again = (lambda: self.opened(run).indices) if rows else (lambda: self.opened(run))
        items = Repeated(first.indices if rows else first, again, count)
        return first.with_indices(items) if rows else items


class Repeated:
    """The items, and those that `again` gives, count times in all."""

    def __init__(self, first: Iterator[Any], again: Callable[[], Iterator[Any]], count: int) -> None:
        self.items, self.again, self.left, self.some = first, again, count, False

    def __iter__(self) -> Repeated:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                item = next(self.items)
            except StopIteration:
                self.left -= 1
                if self.left == 0 or (self.left < 0 and not self.some):
                    self.left = 1
                    raise
                self.some = False
                self.items = self.again()
            else:
                self.some = True
                return item


class Shuffle(Ordered):
    """Each element is drawn from a buffer of buffer_size; with seeds, in TensorFlow's order."""

    draws = True

    def __init__(self, before: Step, buffer_size: Any, seeds: tuple[Any, Any], reshuffle: bool) -> None:
        super().__init__(before, buffer_size, *seeds)
        self.reshuffle = reshuffle

    def open(self, run: Run) -> Any:
        size, *numbers = (run.number(n) for n in self.numbers)
        if size < 1:
            raise errors.InvalidArgumentError(f"shuffle: buffer_size must be greater than zero, but is {size}")
        if self not in run.kept:
            seeds = (numbers[0], numbers[1])
            if seeds == (0, 0):
                drawn = random_words(seeds)
                seeds = (drawn.next(), drawn.next())
            run.kept[self] = (Words(*seeds), seeds)
        parents, seeds = run.kept[self]
        words = Words(parents.next(), parents.next()) if self.reshuffle else Words(*seeds)
        return reordered(self.opened(run), lambda items: Shuffled(items, size, words))


class Shuffled:
    """The items in the order of TensorFlow's ShuffleDataset: the buffer is a ring, what is drawn changes places with
    its first one."""

    def __init__(self, items: Iterator[Any], size: int, words: Words) -> None:
        self.items, self.size, self.words = items, size, words
        self.buffer: list[Any] = []
        self.start = self.count = 0
        self.ended = False

    def __iter__(self) -> Shuffled:
        return self

    def __next__(self) -> Any:
        buffer, size = self.buffer, self.size
        while not self.ended and self.count < size:
            try:
                item = next(self.items)
            except StopIteration:
                self.ended = True
                break
            if len(buffer) < size:
                buffer.append(item)
            else:
                buffer[(self.start + self.count) % size] = item
            self.count += 1
        if not self.count:
            raise StopIteration
        first, place = self.start % size, (self.start + self.words.next() % self.count) % size
        item, buffer[place] = buffer[place], buffer[first]
        self.start += 1
        self.count -= 1
        return item


class Prefetch(Ordered):
    """The same elements; nothing is computed ahead."""

    def open(self, run: Run) -> Any:
        size = run.number(self.numbers[0])
        if size < -1:
            raise errors.InvalidArgumentError(f"prefetch: buffer_size must be >= 0 or -1, but is {size}")
        return self.opened(run)


class Concatenate(Step):
    def __init__(self, first: Step, second: Step) -> None:
        self.before = (first, second)
        self.structure = map_leaves(lambda a, b: a.either(b), first.structure, second.structure)

    def open(self, run: Run) -> Any:
        first, second = self.before
        return Chained(first.open(run), lambda: second.open(run))


class Chained:
    """The first items, and after them those that `more` gives."""

    def __init__(self, first: Iterator[Any], more: Callable[[], Iterator[Any]]) -> None:
        self.items, self.more = first, more
        self.waiting = True

    def __iter__(self) -> Chained:
        return self

    def __next__(self) -> Any:
        try:
            return next(self.items)
        except StopIteration:
            if not self.waiting:
                raise
            self.waiting = False
            self.items = self.more()
            return next(self.items)


class Zip(Step):
    """The elements of all, side by side, as long as each has one."""

    def __init__(self, steps: tuple[Step, ...], structure: Any) -> None:
        self.before, self.structure = steps, structure

    def open(self, run: Run) -> Any:
        streams = [step.open(run) for step in self.before]
        return map(lambda *elements: sum(elements, ()), *streams)


class Enumerate(Ordered):
    """(number from start on, element)."""

    def __init__(self, before: Step, start: Any) -> None:
        super().__init__(before, start)
        self.structure = (TensorPart(gc.int64, gc.TensorShape([])), before.structure)

    def open(self, run: Run) -> Any:
        numbers = itertools.count(run.number(self.numbers[0]))
        return ((number, *element) for number, element in zip(map(np.int64, numbers), self.opened(run), strict=False))


class IgnoreErrors(Ordered):
    """The elements that are no errors."""

    def open(self, run: Run) -> Any:
        return WithoutErrors(self.opened(run))


class WithoutErrors:
    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items

    def __iter__(self) -> WithoutErrors:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                return next(self.items)
            except (StopIteration, errors.OutOfRangeError):
                raise
            except errors.OpError:
                continue


class Unique(Ordered):
    """Elements that have not been there before."""

    def open(self, run: Run) -> Any:
        seen: set[Any] = set()

        def is_new(element: Any) -> bool:
            value = element[0].item() if isinstance(element[0], np.ndarray) else element[0]
            new = value not in seen
            seen.add(value)
            return new

        return filter(is_new, self.opened(run))


class Single(Ordered):
    """The one element that there is."""

    def open(self, run: Run) -> Any:
        elements = list(itertools.islice(self.opened(run), 2))
        if len(elements) != 1:
            raise errors.InvalidArgumentError("Dataset was empty." if not elements else
                                              "Dataset had more than one element.")
        return iter(elements)
