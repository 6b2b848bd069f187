"""Steps that put elements together: batch, padded_batch, window; and unbatch, which takes them apart."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.data.order import Ordered
from graphc.data.pipeline import Rows, Run, Step, tensors_among, unequal_shapes
from graphc.data.structure import (
    DatasetPart,
    Element,
    SparsePart,
    TensorPart,
    array_of,
    batched,
    flatten,
    map_leaves,
    pack,
    stack,
)
from graphc.data.uneven import sparse_rows, stacked_sparse


class Batch(Ordered):
    """size elements, one below the other; the last batch may be smaller unless `drop` says no."""

    def __init__(self, before: Step, size: Any, drop: bool) -> None:
        super().__init__(before, size)
        self.drop = drop
        self.structure = batched(before.structure, size if drop and isinstance(size, int) else None)

    def open(self, run: Run) -> Any:
        size = run.number(self.numbers[0])
        if size < 1:
            raise errors.InvalidArgumentError(f"batch: batch_size must be greater than zero, but is {size}")
        stream = self.opened(run)
        if isinstance(stream, Rows):
            return RowBatches(stream, size, self.drop)
        return Groups(stream, size, self.drop, self.stack())

    def stack(self) -> Callable[[list[Element]], Element]:
        parts = flatten(self.before[0].structure)
        return lambda elements: tuple(stacked(values, part) for values, part in
                                      zip(zip(*elements, strict=True), parts, strict=True))


class RowBatches:
    """Batches of rows, taken from the arrays at once."""

    def __init__(self, rows: Rows, size: int, drop: bool) -> None:
        self.rows, self.size, self.drop = rows, size, drop

    def __iter__(self) -> RowBatches:
        return self

    def __next__(self) -> Element:
        indices = list(itertools.islice(self.rows.indices, self.size))
        if not indices or (self.drop and len(indices) < self.size):
            raise StopIteration
        return self.rows.batch(indices)


class Groups:
    """Lists of size items, as `made` makes of them."""

    def __init__(self, items: Iterator[Any], size: int, drop: bool, made: Callable[[list[Any]], Any]) -> None:
        self.items, self.size, self.drop, self.made = items, size, drop, made

    def __iter__(self) -> Groups:
        return self

    def __next__(self) -> Any:
        group = list(itertools.islice(self.items, self.size))
        if not group or (self.drop and len(group) < self.size):
            raise StopIteration
        return self.made(group)


def stacked(values: Sequence[Any], part: Any) -> Any:
    """The values, one below the other."""
    if isinstance(part, SparsePart):
        return stacked_sparse(values)
    arrays = [array_of(v, part.dtype) for v in values]
    if any(a.shape != arrays[0].shape for a in arrays):
        other = next(a for a in arrays if a.shape != arrays[0].shape)
        raise unequal_shapes(arrays[0].shape, other.shape)
    return stack(arrays)


class PaddedBatch(Batch):
    """Batches of elements filled up to shapes (None: to the longest of the batch) with values."""

    def __init__(self, before: Step, size: Any, shapes: Any, values: Any, drop: bool) -> None:
        super().__init__(before, size, drop)
        parts = flatten(before.structure)
        if not all(isinstance(part, TensorPart) for part in parts):
            raise TypeError("padded_batch: elements must hold dense tensors only; batch puts sparse ones together")
        self.shapes = [_padded_shape(s, part) for s, part in zip(shapes, parts, strict=True)]
        self.values = [_padding(v, part) for v, part in zip(values, parts, strict=True)]
        self.tensors = [*self.tensors, *tensors_among(*self.shapes, *self.values)]
        known = [TensorPart(part.dtype, _static(shape)) for shape, part in zip(self.shapes, parts, strict=True)]
        self.structure = batched(pack(before.structure, known), size if drop and isinstance(size, int) else None)

    def open(self, run: Run) -> Any:
        size = run.number(self.numbers[0])
        shapes = [[None if n is None or n < 0 else int(n) for n in run.value(s)] for s in self.shapes]
        values = [run.value(v) for v in self.values]
        dtypes = [part.dtype for part in flatten(self.structure)]

        def made(elements: list[Element]) -> Element:
            return tuple(padded([array_of(a, dtype) for a in arrays], shape, value, i)
                         for i, (arrays, dtype, shape, value) in
                         enumerate(zip(zip(*elements, strict=True), dtypes, shapes, values, strict=True)))

        return Groups(self.opened(run), size, self.drop, made)


def padded(arrays: Sequence[np.ndarray], shape: Sequence[int | None], value: Any, component: int) -> np.ndarray:
    if any(a.ndim != len(shape) for a in arrays):
        raise errors.InvalidArgumentError(f"All elements in a batch must have the same rank as the padded shape for "
                                          f"component{component}: expected rank {len(shape)} but got element with rank "
                                          f"{next(a.ndim for a in arrays if a.ndim != len(shape))}")
    sizes = []
    for axis, size in enumerate(shape):
        longest = max(a.shape[axis] for a in arrays)
        if size is not None and longest > size:
            raise errors.DataLossError("Attempted to pad to a smaller size than the input element: component "
                                       f"{component}, axis {axis}: {longest} is more than {size}")
        sizes.append(longest if size is None else size)
    filled = np.full((len(arrays), *sizes), value, arrays[0].dtype)
    for i, a in enumerate(arrays):
        filled[(i, *map(slice, a.shape))] = a if a.ndim else a[()]
    return filled


def _padded_shape(given: Any, part: TensorPart) -> Any:
    """A list of sizes (None: the longest), or a tensor of them."""
    if isinstance(given, gc.Tensor) and gc.get_static_value(given) is None:
        return given
    if isinstance(given, gc.Tensor):
        given = gc.get_static_value(given)
    sizes = gc.TensorShape([None if n is None or n == -1 else int(n) for n in given]
                           if isinstance(given, (list, tuple, np.ndarray)) else given)
    if sizes.ndims is None:
        raise ValueError("padded_batch: padded_shapes must have a known rank; give one for each component")
    if part.shape.ndims not in (None, sizes.ndims):
        raise ValueError(f"The padded shape {sizes} is not compatible with the corresponding input component shape "
                         f"{part.shape}.")
    for size, known in zip(sizes.as_list(), part.shape.as_list() if part.shape.ndims else [], strict=False):
        if size is not None and known is not None and known > size:
            raise ValueError(f"The padded shape {sizes} is not compatible with the corresponding input component shape "
                             f"{part.shape}.")
    return sizes.as_list()


def _static(shape: Any) -> Any:
    if isinstance(shape, gc.Tensor):
        rank = shape.shape[0].value
        return gc.TensorShape(None if rank is None else [None] * rank)
    return gc.TensorShape(shape)


def _padding(value: Any, part: TensorPart) -> Any:
    """A number, string or scalar tensor; the usual one for None."""
    if value is None:
        return b"" if part.dtype == gc.string else part.dtype.as_numpy_dtype(0)
    tensor = gc.convert_to_tensor(value)
    if tensor.dtype != part.dtype:
        raise TypeError(f"padded_batch: the padding value {value!r} must be of {part.dtype.name}, as the component, "
                        f"but is of {tensor.dtype.name}")
    if tensor.shape.ndims not in (None, 0):
        raise ValueError(f"padded_batch: the padding value {value!r} must be a scalar")
    known = gc.get_static_value(tensor)
    return tensor if known is None else known[()] if isinstance(known, np.ndarray) else known


class SparseBatch(Ordered):
    """Elements of one rank as a SparseTensor of dense_shape [elements, *row_shape]."""

    def __init__(self, before: Step, size: Any, row_shape: Any) -> None:
        super().__init__(before, size)
        self.part = before.structure
        if not isinstance(self.part, TensorPart):
            raise TypeError("dense_to_sparse_batch: elements must be single dense tensors")
        self.row_shape = gc.TensorShape(row_shape)
        self.structure = SparsePart(self.part.dtype, gc.TensorShape([None]).concatenate(self.row_shape))

    def open(self, run: Run) -> Any:
        sizes = [-1 if n is None else n for n in self.row_shape.as_list()]

        def made(elements: list[Element]) -> Element:
            arrays = [array_of(value, self.part.dtype) for (value,) in elements]
            if any(a.ndim != len(sizes) or any(0 <= n < m for n, m in zip(sizes, a.shape, strict=True))
                   for a in arrays):
                raise errors.InvalidArgumentError(f"dense_to_sparse_batch: elements of the shapes "
                                                  f"{[list(a.shape) for a in arrays]} do not fit into {sizes}")
            row = [max(a.shape[k] for a in arrays) if n < 0 else n for k, n in enumerate(sizes)]
            rows = [gc.SparseTensorValue(np.indices(a.shape).reshape(a.ndim, -1).T, a.reshape(-1), np.array(row))
                    for a in arrays]
            return (stacked(rows, self.structure),)

        return Groups(self.opened(run), run.number(self.numbers[0]), False, made)


class Unbatch(Ordered):
    """The rows of the elements."""

    def __init__(self, before: Step) -> None:
        super().__init__(before)
        self.parts = flatten(before.structure)
        if any(part.shape.ndims == 0 for part in self.parts):
            raise ValueError("unbatch: Cannot unbatch a scalar: every component must have at least one axis")
        self.structure = map_leaves(lambda part: part.row(), before.structure)

    def open(self, run: Run) -> Any:
        return (row for element in self.opened(run) for row in self._rows(element))

    def _rows(self, element: Element) -> Iterator[Element]:
        columns = [sparse_rows(value) if isinstance(part, SparsePart) else array_of(value, part.dtype)
                   for value, part in zip(element, self.parts, strict=True)]
        return zip(*columns, strict=True)


class Window(Ordered):
    """Datasets of size elements each, `shift` apart, of every stride-th element."""

    def __init__(self, before: Step, size: Any, shift: Any, stride: Any, drop: bool) -> None:
        super().__init__(before, size, size if shift is None else shift, stride)
        self.drop = drop
        self.structure = map_leaves(DatasetPart, before.structure)

    def open(self, run: Run) -> Any:
        size, shift, stride = (run.number(n) for n in self.numbers)
        if min(size, shift, stride) < 1:
            raise errors.InvalidArgumentError("window: size, shift and stride must be greater than zero, but are "
                                              f"{size}, {shift}, {stride}")
        return self._windows(self.opened(run), size, shift, stride)

    def _windows(self, items: Iterator[Element], size: int, shift: int, stride: int) -> Iterator[Element]:
        reach = (size - 1) * stride + 1
        buffer: list[Element] = []
        while True:
            buffer += itertools.islice(items, max(0, reach - len(buffer)))
            window = buffer[:reach:stride]
            if not window or (self.drop and len(window) < size):
                return
            yield tuple(opener([(value,) for value in column]) for column in zip(*window, strict=True))
            missing = shift - len(buffer)
            buffer = buffer[shift:]
            if missing > 0 and len(list(itertools.islice(items, missing))) < missing:
                return


def opener(elements: list[Any]) -> Callable[[], Iterator[Any]]:
    return lambda: iter(elements)
