"""Steps that call a function of each element: map, filter, flat_map, interleave, group_by_window, scan, reduce."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from graphc import errors
from graphc.data.ahead import Ahead
from graphc.data.chunks import Chosen, Chunks, Mapped
from graphc.data.functions import Function
from graphc.data.order import Ordered
from graphc.data.pipeline import RowsOfBlocks, Run, Step, reordered, tensors_among
from graphc.data.sources import Tensors
from graphc.data.structure import Element, assert_same, flatten, map_leaves


class Calling(Step):
    """A step that calls a function of each element."""

    function: Function

    @property
    def own_calm(self) -> bool:  # type: ignore[override]
        return self.function.is_pure

    def takes_chunks(self, run: Run) -> bool:
        """Whether elements may be read ahead, and the function runs on many of them at once."""
        return run.ahead and self.before[0].calm and self.function.stacked is not None


class Map(Calling):
    """parallel: whether the user allows that parts of the function are run ahead, in other threads."""

    def __init__(self, before: Step, function: Function, parallel: bool = False) -> None:
        if function.dataset is not None:
            raise TypeError("map: the function returned a dataset; use flat_map or interleave")
        self.before, self.function, self.structure = (before,), function, function.structure
        self.parallel = parallel
        self.tensors = function.captures

    def open(self, run: Run) -> Iterator[Element]:
        function, stream = self.function, self.before[0].open(run)
        if self.parallel and run.ahead and self.before[0].calm and run.threads > 1 and function.border:
            return Ahead(stream, function, run)
        if self.takes_chunks(run):
            return RowsOfBlocks(Mapped(Chunks(stream, function, run)))
        return map(function.bound(run), stream)


class Filter(Calling):
    def __init__(self, before: Step, predicate: Function) -> None:
        self.before, self.function, self.structure = (before,), predicate, before.structure
        self.tensors = predicate.captures

    def open(self, run: Run) -> Iterator[Element]:
        predicate, stream = self.function, self.before[0].open(run)
        if not self.takes_chunks(run):
            alone = predicate.bound(run)
            return filter(lambda element: bool(alone(element)[0]), stream)
        return reordered(stream, lambda _: Chosen(Chunks(stream, predicate, run)))


class TakeWhile(Filter):
    """The elements before the first one of which predicate is false."""

    def open(self, run: Run) -> Iterator[Element]:
        predicate = self.function.bound(run)
        return itertools.takewhile(lambda element: bool(predicate(element)[0]), self.before[0].open(run))


class Interleave(Calling):
    """The elements of cycle_length datasets in turn, block_length of each."""

    def __init__(self, before: Step, function: Function, cycle_length: Any, block_length: Any, what: str) -> None:
        if function.dataset is None:
            raise TypeError(f"{what}: the function must return a `Dataset` object, but returned "
                            f"{function.structure!r}")
        self.before, self.function, self.structure = (before,), function, function.structure
        self.numbers = (cycle_length, block_length)
        self.tensors = [*function.captures, *tensors_among(*self.numbers)]

    def open(self, run: Run) -> Iterator[Element]:
        cycle, block = (run.number(n) for n in self.numbers)
        if min(cycle, block) < 1:
            raise errors.InvalidArgumentError("interleave: cycle_length and block_length must be greater than zero, "
                                              f"but are {cycle} and {block}")
        return Interleaved(self.before[0].open(run), self.function.opener(run), cycle, block)


class Interleaved:
    """Goes round the places of a cycle; a place whose dataset has ended gets the next one when its turn comes."""

    def __init__(self, items: Iterator[Element], opener: Callable[[Element], Iterator[Element]], cycle: int,
                 block: int) -> None:
        self.items, self.opener, self.block = items, opener, block
        self.places: list[Iterator[Element] | None] = [None] * cycle
        self.place = self.given = 0
        self.ended = False

    def __iter__(self) -> Interleaved:
        return self

    def __next__(self) -> Element:
        while True:
            current = self.places[self.place]
            if current is not None:
                try:
                    element = next(current)
                except StopIteration:
                    self.places[self.place] = None
                    self._turn()
                    continue
                self.given += 1
                if self.given == self.block:
                    self._turn()
                return element
            if self.ended:
                if not any(self.places):
                    raise StopIteration
                self._turn()
                continue
            try:
                item = next(self.items)
            except StopIteration:
                self.ended = True
            else:
                self.places[self.place] = iter(self.opener(item))

    def _turn(self) -> None:
        self.given = 0
        self.place = (self.place + 1) % len(self.places)


class GroupByWindow(Step):
    """Elements with equal keys, window_size of them, become what `reduce` makes of them."""

    own_calm = False

    def __init__(self, before: Step, key: Function, reduce: Function, window_size: Function) -> None:
        if reduce.dataset is None:
            raise TypeError("group_by_window: `reduce_func` must return a `Dataset` object")
        self.before, self.key, self.reduce, self.window_size = (before,), key, reduce, window_size
        self.structure = reduce.structure
        self.tensors = [*key.captures, *reduce.captures, *window_size.captures]

    def open(self, run: Run) -> Iterator[Element]:
        key_of, reduced, size_of = self.key.bound(run), self.reduce.opener(run), self.window_size.bound(run)
        groups: dict[int, list[Element]] = {}
        sizes: dict[int, int] = {}

        def result(key: int) -> Iterator[Element]:
            group = groups.pop(key)
            return reduced((key, lambda: iter(group)))

        for element in self.before[0].open(run):
            key = int(key_of(element)[0])
            if key not in groups:
                groups[key], sizes[key] = [], int(size_of((key,))[0])
                if sizes[key] < 1:
                    raise errors.InvalidArgumentError("group_by_window: Window size must be greater than zero, but got "
                                                      f"{sizes[key]}.")
            groups[key].append(element)
            if len(groups[key]) == sizes[key]:
                yield from result(key)
        for key in sorted(groups):
            yield from result(key)


class Stateful(Ordered):
    """A step with a state: `function` of the state and an element gives the next state, and more."""

    own_calm = False

    def __init__(self, before: Step, initial_state: Any, function: Callable[[Any, Any], Function],
                 state_of: Callable[[Any], Any], what: str) -> None:
        super().__init__(before)
        self.initial = Tensors(initial_state)
        self.before = (before, self.initial)
        structure = self.initial.structure
        while True:
            self.function = function(structure, before.structure)
            if self.function.dataset is not None:
                raise TypeError(f"{what}: the function returned a dataset, but its result must be tensors")
            result = state_of(self.function.structure)
            assert_same(structure, result)
            for old, new in zip(flatten(structure), flatten(result), strict=True):
                if old.dtype != new.dtype:
                    raise TypeError(f"{what}: the state has dtype {old.dtype.name}, but the function returned "
                                    f"{new.dtype.name} for it")
            wider = map_leaves(lambda a, b: a.either(b), structure, result)
            if all(a.shape.as_list() == b.shape.as_list() if a.shape.ndims is not None else b.shape.ndims is None
                   for a, b in zip(flatten(wider), flatten(structure), strict=True)):
                break
            structure = wider
        self.state = structure
        self.tensors = self.function.captures

    def first_state(self, run: Run) -> Element:
        return next(self.initial.open(run))


class Scan(Stateful):
    """What the function gives beside the next state."""

    def __init__(self, before: Step, initial_state: Any, function: Callable[[Any, Any], Function]) -> None:
        super().__init__(before, initial_state, function, _pair, "scan")
        self.structure = self.function.structure[1]

    def open(self, run: Run) -> Iterator[Element]:
        state, call, count = self.first_state(run), self.function.bound(run), len(flatten(self.state))

        def output(element: Element) -> Element:
            nonlocal state
            made = call((*state, *element))
            state = made[:count]
            return made[count:]

        return map(output, self.opened(run))


class Reduce(Stateful):
    """The last state, as the one element."""

    def __init__(self, before: Step, initial_state: Any, function: Callable[[Any, Any], Function]) -> None:
        super().__init__(before, initial_state, function, lambda result: result, "reduce")
        self.structure = self.state

    def open(self, run: Run) -> Iterator[Element]:
        state, call = self.first_state(run), self.function.bound(run)
        for element in self.opened(run):
            state = call((*state, *element))
        return iter([state])


def _pair(result: Any) -> Any:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError("scan: the function must return a pair, the new state and the output")
    return result[0]
