"""Steps that begin a pipeline: tensors, generators, ranges."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.data.pipeline import Rows, Run, Step, tensors_among
from graphc.data.structure import Element, SparsePart, TensorPart, array_of, assert_same, flatten, is_nested, pack
from graphc.data.uneven import sparse_rows
from graphc.data.words import random_words


class Source(Step):
    """Tensors in a structure. Each leaf: its part, and its arrays, or the tensors that they will be the values of."""

    def __init__(self, tensors: Any) -> None:
        with gc.name_scope("tensors"):
            leaves = [_leaf(value, i) for i, value in enumerate(flatten(_as_nest(tensors)))]
        self.parts = [part for part, _ in leaves]
        self.given = [values for _, values in leaves]
        self.whole = pack(_as_nest(tensors), self.parts)
        self.tensors = [t for values in self.given for t in tensors_among(*values)]

    def values(self, run: Run) -> list[Any]:
        return [part.value([run.value(v) for v in values])
                for part, values in zip(self.parts, self.given, strict=True)]


class Tensors(Source):
    """The tensors as one element."""

    def __init__(self, tensors: Any) -> None:
        super().__init__(tensors)
        self.structure = self.whole

    def open(self, run: Run) -> Iterator[Element]:
        return iter([tuple(self.values(run))])


class Slices(Source):
    """The tensors' rows."""

    def __init__(self, tensors: Any) -> None:
        super().__init__(tensors)
        if not self.parts:
            raise ValueError("from_tensor_slices: there must be at least one tensor")
        counts = set()
        for part in self.parts:
            if part.shape.ndims == 0:
                raise ValueError("from_tensor_slices: Cannot slice scalars: all tensors must have at least one axis, "
                                 f"but one is a scalar {part.dtype.name}")
            counts |= {part.shape[0].value} if part.shape.ndims is not None else set()
        if len(counts - {None}) > 1:
            raise ValueError("from_tensor_slices: Dimensions of the first axes are not the same: "
                             f"{[str(part.shape) for part in self.parts]}")
        self.structure = pack(self.whole, [part.row() for part in self.parts])

    def open(self, run: Run) -> Any:
        values = self.values(run)
        if all(isinstance(part, TensorPart) for part in self.parts):
            arrays = tuple(array_of(v, p.dtype) for v, p in zip(values, self.parts, strict=True))
            if len({len(a) for a in arrays}) > 1:
                raise errors.InvalidArgumentError("from_tensor_slices: the tensors have different "
                                                     f"numbers of rows: {[len(a) for a in arrays]}")
            return Rows(arrays, range(len(arrays[0])))
        return zip(*[sparse_rows(v) if isinstance(p, SparsePart) else iter(v)
                     for v, p in zip(values, self.parts, strict=True)], strict=True)


class Range(Step):
    """Numbers, of int64 if nothing else is said; for ever if stop is None."""

    def __init__(self, start: Any, stop: Any, step: Any, dtype: Any = gc.int64) -> None:
        self.numbers = (start, stop, step)
        self.tensors = tensors_among(start, stop, step)
        self.structure = TensorPart(dtype, gc.TensorShape([]))

    def open(self, run: Run) -> Iterator[Element]:
        start, stop, step = (None if n is None else run.number(n) for n in self.numbers)
        if step == 0:
            raise errors.InvalidArgumentError("range: step must be a non-zero integer.")
        number = self.structure.dtype.as_numpy_dtype
        numbers = itertools.count(start, step) if stop is None else range(start, stop, step)
        return ((number(i),) for i in numbers)


class Random(Step):
    """Random words of 32 bits, as int64, for ever."""

    def __init__(self, seeds: tuple[Any, Any]) -> None:
        self.seeds, self.tensors = seeds, tensors_among(*seeds)
        self.structure = TensorPart(gc.int64, gc.TensorShape([]))

    def open(self, run: Run) -> Iterator[Element]:
        words = random_words((run.number(self.seeds[0]), run.number(self.seeds[1])))
        return ((np.int64(words.next()),) for _ in itertools.repeat(None))


class Generated(Step):
    """What a Python generator yields. args: tensors, or values, that it is given as arrays."""

    own_calm = False

    def __init__(self, generator: Callable[..., Any], structure: Any, args: tuple[Any, ...]) -> None:
        self.generator, self.structure = generator, structure
        self.arguments = [_leaf(a, i)[1][0] for i, a in enumerate(args)]
        self.tensors = tensors_among(*self.arguments)

    def open(self, run: Run) -> Iterator[Element]:
        yielded = iter(self.generator(*[run.value(a) for a in self.arguments]))
        parts = flatten(self.structure)
        return (self._element(value, parts) for value in yielded)

    def _element(self, value: Any, parts: list[Any]) -> Element:
        value = _as_nest(value)
        if is_nested(self.structure) and isinstance(value, (list, np.ndarray)):
            value = tuple(value)
        try:
            assert_same(self.structure, value)
        except (TypeError, ValueError):
            if is_nested(self.structure) or not is_nested(value):
                raise TypeError("`generator` yielded an element that did not match the expected structure. The "
                                f"expected structure was {pack(self.structure, [p.dtype.name for p in parts])}, but "
                                f"the yielded element was {value!r}.") from None
            leaves = [value]               # a tuple of numbers is a vector where one tensor is expected
        else:
            leaves = flatten(value)
        return tuple(_yielded(leaf, part) for leaf, part in zip(leaves, parts, strict=True))


def _yielded(value: Any, part: Any) -> np.ndarray:
    dtype = part.dtype
    try:
        array = _bytes(np.asarray(value, object)) if dtype == gc.string else np.asarray(value, dtype.as_numpy_dtype)
    except (TypeError, ValueError) as error:
        raise TypeError("`generator` yielded an element that could not be converted to the expected type. The expected "
                        f"type was {dtype.name}, but the yielded element was {value!r}.") from error
    if not part.shape.is_compatible_with(array.shape):
        raise ValueError(f"`generator` yielded an element of shape {array.shape} where an element of shape {part.shape}"
                         " was expected.")
    return array


def _as_nest(value: Any) -> Any:
    return tuple(value) if type(value).__name__ == "dict_values" else value


def _leaf(value: Any, position: int) -> tuple[Any, list[Any]]:
    """(part, arrays or tensors) of a leaf."""
    if isinstance(value, (gc.SparseTensor, gc.SparseTensorValue)):
        parts = [_leaf(v, position) for v in (value.indices, value.values, value.dense_shape)]
        shape = parts[2][1][0]
        known = gc.TensorShape(shape.tolist()) if isinstance(shape, np.ndarray) else value.get_shape()
        return SparsePart(parts[1][0].dtype, known), [v for _, (v,) in parts]
    if hasattr(value, "__array__") and not isinstance(value, (gc.Tensor, gc.Variable)):
        array = np.array(value)
        if array.dtype.kind in "biufc":
            return TensorPart(gc.as_dtype(array.dtype), gc.TensorShape(array.shape)), [array]
        array = _bytes(array)
        return TensorPart(gc.string, gc.TensorShape(array.shape)), [array]
    tensor = gc.convert_to_tensor(value, name=f"component_{position}")
    known = gc.get_static_value(tensor)
    if known is None:
        return TensorPart(tensor.dtype, tensor.shape), [tensor]
    return TensorPart(tensor.dtype, tensor.shape), [array_of(known, tensor.dtype)]


def _bytes(array: np.ndarray) -> np.ndarray:
    """An array of strings as one of bytes objects."""
    made = np.empty(array.shape, object)
    flat = made.reshape(-1)
    for i, value in enumerate(array.reshape(-1).tolist()):
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"{value!r} of {type(value).__name__} is neither a number nor a string")
        flat[i] = value.encode() if isinstance(value, str) else value
    return made
