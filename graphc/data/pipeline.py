"""Step, a part of a pipeline, and Run, one opening of it.

A step knows its elements' structure, the steps before it and the tensors whose values it takes from the graph. Opened,
it is an iterator over elements. An error of one element ends the run that asked for it, not the iterator.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.data.structure import Element, arrays_of, stack
from graphc.data.uneven import SparseVectors, UnevenArrays, stacked_sparse

Opener = Callable[[], Iterator[Element]]


class Run:
    """One opening of a pipeline that ends with `step`. values: of the tensors that its steps took; callable: runs parts
    of a graph; threads: how many may work; datasets: those that a function was given; kept: what steps keep from one
    repetition to the next; ahead: whether elements may be read ahead, as far as the pipeline as a whole tells."""

    def __init__(self, step: Step, values: Mapping[Any, Any], callable: Callable[..., Any], threads: int,
                 datasets: Mapping[Any, Opener] | None = None) -> None:
        self.values, self.callable, self.threads, self.datasets = values, callable, threads, datasets or {}
        self.kept: dict[Any, Any] = {}
        self.ahead = not step.draws_for_several

    def value(self, given: Any) -> Any:
        """What a parameter is: itself, or the value of the tensor."""
        return self.values[given] if isinstance(given, gc.Tensor) else given

    def number(self, given: Any) -> int:
        return int(self.value(given))


class Step:
    """See the header. before: the steps that it takes elements from; tensors: what it takes from the graph; own_calm:
    whether it may be asked for elements before they are needed, and for more than are needed, as far as it alone tells
    (see `calm`)."""

    structure: Any
    before: tuple[Step, ...] = ()
    tensors: Sequence[Any] = ()
    own_calm: bool = True
    draws: bool = False                # random numbers, others in each repetition

    @property
    def calm(self) -> bool:
        """Whether nobody notices if it gives elements ahead: it reads files and tensors, and calls no Python function
        and nothing that has a state of the session."""
        return self.own_calm and all(step.calm for step in self.before)

    def open(self, run: Run) -> Iterator[Element]:
        raise NotImplementedError

    @functools.cached_property
    def draws_for_several(self) -> bool:
        """Whether a step that draws is used in several places: who reads on first gets other numbers."""
        seen: set[Step] = set()
        waiting: list[Step] = [self]
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                waiting += step.before
            elif step._draws_somewhere:
                return True
        return False

    @functools.cached_property
    def _draws_somewhere(self) -> bool:
        return self.draws or any(step._draws_somewhere for step in self.before)

    def captures(self) -> list[Any]:
        """The tensors of this step and all before it."""
        found: dict[Any, None] = {}
        for step in self.before:
            found.update(dict.fromkeys(step.captures()))
        found.update(dict.fromkeys(self.tensors))
        return list(found)


class Pipeline:
    """What an iterator of the session opens (graphc/api/control/iterators.py)."""

    def __init__(self, step: Step) -> None:
        self.step, self.captures, self.graph = step, step.captures(), gc.get_default_graph()

    def open(self, values: Sequence[Any], callable: Callable[..., Any], threads: int) -> Iterator[tuple[Any, ...]]:
        run = Run(self.step, dict(zip(self.captures, values, strict=True)), callable, threads)
        return map(arrays_of(self.step.structure), self.step.open(run))


class Rows:
    """Elements that are rows of arrays: what changes only their order works on the indices."""

    def __init__(self, arrays: tuple[np.ndarray, ...], indices: Iterable[Any]) -> None:
        self.arrays, self.indices = arrays, iter(indices)

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> Element:
        return self.element(next(self.indices))

    def element(self, index: Any) -> Element:
        return tuple([a[index] for a in self.arrays])

    def batch(self, indices: Sequence[Any]) -> Element:
        """The elements, one below the other."""
        return tuple([self.column(indices, part) for part in range(len(self.arrays))])

    def column(self, indices: Sequence[Any], part: int) -> Any:
        """A part of the elements, one below the other. Raises InvalidArgumentError if their shapes differ."""
        return self.arrays[part].take(indices, axis=0)

    def uneven(self, indices: Sequence[Any], part: int) -> UnevenArrays:
        """The same, one after another."""
        return UnevenArrays.of([self.arrays[part][i] for i in indices])

    def with_indices(self, indices: Iterator[Any]) -> Rows:
        return Rows(self.arrays, indices)


class RowsOfBlocks(Rows):
    """The same, of arrays that come a block at a time: an index is a block and a place in it. A block has an array for
    each part of an element, or what gives a sparse one by its number."""

    def __init__(self, indices: Iterable[Any]) -> None:
        super().__init__((), indices)

    def element(self, index: Any) -> Element:
        block, i = index
        return tuple([a[i] for a in block])

    def batch(self, indices: Sequence[Any]) -> Element:
        return tuple([self.column(indices, part) for part in range(len(indices[0][0]))])

    def column(self, indices: Sequence[Any], part: int) -> Any:
        array, first = indices[0][0][part], indices[0][1]
        if type(array) is np.ndarray and _are_neighbours(indices):
            return array[first:first + len(indices)]
        return _gathered(indices, part)

    def uneven(self, indices: Sequence[Any], part: int) -> UnevenArrays:
        arrays, first = indices[0][0][part], indices[0][1]
        if isinstance(arrays, UnevenArrays) and _are_neighbours(indices):
            return arrays.some(first, first + len(indices))
        return UnevenArrays.of([block[part][i] for block, i in indices])

    def with_indices(self, indices: Iterator[Any]) -> Rows:
        return RowsOfBlocks(indices)


def _are_neighbours(indices: Sequence[Any]) -> bool:
    """Whether the indices are places of one block, side by side."""
    (block, first), (_, last) = indices[0], indices[-1]
    return last - first == len(indices) - 1 and all(b is block and i == at for at, (b, i) in enumerate(indices, first))


def _gathered(indices: Sequence[Any], part: int) -> Any:
    """That part of the elements, one below the other."""
    like = indices[0][0][part]
    if isinstance(like, (SparseVectors, list)):
        return stacked_sparse([block[part][i] for block, i in indices])
    values = [block[part][i] for block, i in indices]
    if isinstance(values[0], np.ndarray):
        shape = values[0].shape
        other = next((v.shape for v in values if v.shape != shape), None)
        if other is not None:
            raise unequal_shapes(shape, other)
        return stack(values)
    made = np.empty(len(values), like.dtype)
    for at, value in enumerate(values):
        made[at] = value
    return made


def unequal_shapes(first: Sequence[int], other: Sequence[int]) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(
        f"Cannot batch tensors with different shapes in a component. First element had shape {list(first)} and another "
        f"one had shape {list(other)}; padded_batch fills them up")


def reordered(stream: Any, change: Callable[[Iterator[Any]], Iterator[Any]]) -> Any:
    """The stream with its elements changed in number and order only."""
    return stream.with_indices(change(stream.indices)) if isinstance(stream, Rows) else change(stream)


def parameter(value: Any, name: str, dtype: Any = None) -> Any:
    """A number, or a tensor whose value is taken when the pipeline is opened. Raises TypeError for anything else."""
    if not isinstance(value, (gc.Tensor, gc.Variable)):
        if isinstance(value, gc.Dimension):
            value = value.value
        if not np.issubdtype(np.asarray(value).dtype, np.integer):
            raise TypeError(f"argument '{name}' must be an integer or an integer tensor, but is {value!r}")
        return int(value)
    tensor = gc.convert_to_tensor(value)
    if not tensor.dtype.is_integer:
        raise TypeError(f"argument '{name}' must be an integer tensor, but has dtype {tensor.dtype.name}")
    known = gc.get_static_value(tensor)
    return tensor if known is None else int(known)


def tensors_among(*values: Any) -> list[Any]:
    return [v for v in values if isinstance(v, gc.Tensor)]
