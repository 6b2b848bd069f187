"""What a user's function of an element becomes: a graph of its own, built once, and run for each element."""
from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.data.pipeline import Run, Step
from graphc.data.structure import (
    DatasetPart,
    Element,
    SparsePart,
    TensorPart,
    array_of,
    arrays_of,
    flatten,
    is_nested,
    pack,
)
from graphc.data.uneven import SparseVectors, UnevenArrays

RUNS_ALONE = 128             # in front of the first stacked one, whose plan takes as long to compile
_numbers = itertools.count()


class Given(Step):
    """The dataset that a function was given."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure

    def open(self, run: Run) -> Iterator[Element]:
        return run.datasets[self]()


class Function:
    """func as a graph. structures: of its arguments; if there is one, a tuple gives several arguments. wrap: makes
    the user's dataset of a Step. what: for messages.

    structure: of the result. dataset: the Step of the dataset that it gives, or None; structure is that of its elements
    then. flat: which parts of the arguments its form for many elements takes one after another.
    """

    def __init__(self, func: Callable[..., Any], *structures: Any, wrap: Callable[[Step], Any], what: str) -> None:
        if not callable(func):
            raise TypeError(f"{what}: the function must be callable, but is {func!r}")
        self.parts = [part for structure in structures for part in flatten(structure)]
        name = f"Dataset_{what}_{next(_numbers)}"
        self.graph = gc.python.framework.func_graph.FuncGraph(name)
        with self.graph.as_default():
            self.feeds: list[Any] = []
            self.given: list[Given | None] = []
            arguments = [self._argument(structure, wrap) for structure in structures]
            if len(arguments) == 1 and type(arguments[0]) is tuple:
                arguments = list(arguments[0])
            self._take_result(func(*arguments), what)
        captures = self.graph.captures
        self.captures, self.inner = list(captures), list(captures.values())
        self.runs = 0
        self.flat = [part.shape.ndims is not None and part.shape.ndims > 0 and part.shape[0].value is None
                     for part in self.parts if isinstance(part, TensorPart)]

    def _argument(self, structure: Any, wrap: Callable[[Step], Any]) -> Any:
        return pack(structure, [self._leaf(part, wrap) for part in flatten(structure)])

    def _leaf(self, part: Any, wrap: Callable[[Step], Any]) -> Any:
        if isinstance(part, DatasetPart):
            step = Given(part.structure)
            self.given.append(step)
            return wrap(step)
        self.given.append(None)
        tensors = [gc.placeholder(dtype, shape, name="arg") for dtype, shape in part.tensors()]
        self.feeds += tensors
        return part.packed(tensors)

    def _take_result(self, result: Any, what: str) -> None:
        step = getattr(result, "_step", None)
        self.dataset: Step | None = step
        if step is not None:
            self.structure = step.structure
            self.wanted = step.captures()
            self.fetches = [t if t.graph is self.graph else self.graph.capture(t) for t in self.wanted]
            return
        if isinstance(result, list):
            result = tuple(result)
        if result is None:
            raise TypeError(f"{what}: the function returned None; it must return tensors, or a structure of them")
        values = [_value(leaf) for leaf in flatten(result)]
        self.structure = pack(result, [part for part, _ in values])
        self.fetches = [t if t.graph is self.graph else self.graph.capture(t) for _, ts in values for t in ts]

    def bound(self, run: Run) -> Callable[[Element], Element]:
        """The function for one opening of the pipeline, of an element (of several: one after another)."""
        assert self.dataset is None
        call = run.callable(self.graph, self.fetches, [*self.feeds, *self.inner])
        captured, arrays, packed = [run.values[t] for t in self.captures], self._arrays(), self._packed()
        return lambda element: packed(call(*arrays(element), *captured))

    @functools.cached_property
    def border(self) -> list[Any]:
        """What its first part gives to the rest (FuncGraph.border), if it has a slow one; else []."""
        return [] if self.dataset is not None or any(self.given) else self.graph.border(self.feeds, self.fetches)

    def in_two_parts(self, run: Run) -> tuple[Callable[[Element], Sequence[Any]],
                                              Callable[[Element, Sequence[Any]], Element]]:
        """As bound, for a function with a border: what the first part gives for an element, any time and on any thread,
        and the function's result for the element and that."""
        early = run.callable(self.graph, self.border, [*self.feeds, *self.inner], "first")
        late = run.callable(self.graph, self.fetches, [*self.feeds, *self.inner, *self.border])
        captured, arrays, packed = [run.values[t] for t in self.captures], self._arrays(), self._packed()
        return (lambda element: early(*arrays(element), *captured),
                lambda element, made: packed(late(*arrays(element), *captured, *made)))

    def _packed(self) -> Callable[[Sequence[Any]], Element]:
        """The element that the fetches' values are."""
        parts = flatten(self.structure)
        if all(isinstance(part, TensorPart) for part in parts):
            return tuple
        counts = [len(part.tensors()) for part in parts]

        def packed(values: Sequence[Any]) -> Element:
            made = iter(values)
            return tuple(part.value([next(made) for _ in range(n)]) for part, n in zip(parts, counts, strict=True))

        return packed

    def opener(self, run: Run) -> Callable[[Element], Iterator[Element]]:
        """For a function that gives a dataset: opens the one of an element."""
        dataset = self.dataset
        assert dataset is not None
        call = run.callable(self.graph, self.fetches, [*self.feeds, *self.inner]) if self.fetches else lambda *_: ()
        captured = [run.values[t] for t in self.captures]
        arrays = self._arrays()

        def function(element: Element) -> Iterator[Element]:
            values = call(*arrays(element), *captured)
            datasets = dict(run.datasets)
            datasets.update({given: value for given, value in zip(self.given, element, strict=True) if given})
            return dataset.open(Run(dataset, {**run.values, **dict(zip(self.wanted, values, strict=True))},
                                    run.callable, run.threads, datasets))

        return function

    @property
    def is_pure(self) -> bool:
        """Whether nobody notices if it is called sooner, or once more; the dataset that it gives included."""
        return self.graph.is_pure and (self.dataset is None or self.dataset.calm)

    @functools.cached_property
    def stacked(self) -> Any:
        """Its form for many elements (FuncGraph.stacked), or None."""
        if self.dataset is not None or not self.feeds or any(self.given):
            return None
        if not all(isinstance(part, TensorPart) for part in self.parts):
            return None
        if any(self.flat):
            form = self._stacked(self.flat)
            if form is not None:
                return form
            self.flat = [False] * len(self.parts)
        return self._stacked(self.flat)

    def _stacked(self, flat: list[bool]) -> Any:
        form = self.graph.stacked(self.feeds, self.inner, self.fetches, flat)
        sparse = [isinstance(part, SparsePart) for part in flatten(self.structure) for _ in part.tensors()]
        return form if form is not None and sparse == [kind == "sparse" for kind in form.kinds] else None

    def pays_off(self) -> bool:
        """Whether it has been called so often that the stacked form is worth its compilation. Counts the call."""
        self.runs += 1
        return self.runs >= RUNS_ALONE

    def many(self, run: Run) -> Callable[[Element, int], Element]:
        """The stacked form, of arrays and the number of elements, for one opening of the pipeline."""
        form, captured = self.stacked, [run.values[t] for t in self.captures]
        parts = flatten(self.structure)
        call: Callable[..., Any] | None = None

        def function(columns: Element, count: int) -> Element:
            nonlocal call
            if call is None:
                call = run.callable(form.graph, form.fetches, [*form.feeds, *form.inner])
            fed = [c.values if isinstance(c, UnevenArrays) else c for c in columns]
            lengths = [c.lengths for c in columns if isinstance(c, UnevenArrays)]
            results = call(*fed, *lengths, *captured)
            places = iter(range(len(form.kinds)))
            return tuple([_column(form, results, [next(places) for _ in part.tensors()], count) for part in parts])

        return function

    def _arrays(self) -> Callable[[Element], tuple[Any, ...]]:
        """The arrays to feed for an element; datasets are not fed."""
        if not any(self.given):
            return arrays_of(tuple(self.parts))
        fed = [i for i, given in enumerate(self.given) if given is None]
        inner = arrays_of(tuple(self.parts[i] for i in fed))
        return lambda element: inner(tuple(element[i] for i in fed))


def _column(form: Any, results: Sequence[Any], places: list[int], count: int) -> Any:
    """A part of so many elements, of what a stacked form gave. places: those of its tensors."""
    place = places[0]
    kind, value = form.kinds[place], results[place]
    if kind == "sparse":
        return SparseVectors(value, results[places[1]], count)
    if kind == "flat":
        return UnevenArrays(value, results[form.lengths[place]])
    return value if kind == "rows" else np.broadcast_to(array_of(value, form.fetches[place].dtype),
                                                        (count, *np.shape(value)))


def scalar(function: Function, dtype: Any, what: str) -> Function:
    """The function, if its result is one number of this dtype. Raises TypeError if not."""
    part = function.structure
    if function.dataset is not None or is_nested(part) or part.dtype != dtype or not part.shape.is_compatible_with([]):
        raise TypeError(f"{what}: the function must return a scalar {dtype.name} tensor, but returns {part!r}")
    return function


def _value(leaf: Any) -> tuple[Any, list[Any]]:
    """(part, tensors) of something that a function returned."""
    if isinstance(leaf, gc.SparseTensorValue):
        leaf = gc.SparseTensor.from_value(leaf)
    if isinstance(leaf, gc.SparseTensor):
        return SparsePart(leaf.values.dtype, leaf.get_shape()), [leaf.indices, leaf.values, leaf.dense_shape]
    tensor = gc.convert_to_tensor(leaf)
    return TensorPart(tensor.dtype, tensor.shape), [tensor]
