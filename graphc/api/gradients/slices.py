"""IndexedSlices: some rows of a tensor, what the gradient of `gather` is, so that no gradient of a whole table is made.

Where a tensor is wanted it converts to one: zeros, to which its rows are added.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.gather import scatter_sum
from graphc.api.array.join import concat
from graphc.api.public import public
from graphc.api.state.rows import deduplicated, summed
from graphc.ir.apply import convert_to_tensor, register_conversion
from graphc.ir.dtypes import DType, as_dtype, int32
from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape
from graphc.wording import warn

LARGE = 100_000_000       # elements: from here on a conversion warns


@public("IndexedSlicesValue")
class IndexedSlicesValue(NamedTuple):
    """What fetching IndexedSlices gives: arrays. dense_shape is None if it was not known.

    values [rows, ...] of any dtype, indices int [rows], dense_shape int [rank]. As TensorFlow's.

    >>> table = gc.constant([[1.], [2.]])
    >>> slices = gc.gradients(gc.gather(table, [1, 1]), table)[0]
    >>> gc.get_default_session().run(slices)
    IndexedSlicesValue(values=array([[1.],
           [1.]], dtype=float32), indices=array([1, 1], dtype=int32), dense_shape=array([2, 1], dtype=int32))
    """

    values: Any
    indices: Any
    dense_shape: Any


@public("IndexedSlices")
class IndexedSlices:
    """The rows `values[i]` of a tensor at `indices[i]`; rows of one index are to be added.

    What `gc.gradients` gives for a table that is only gathered from; optimizers change those rows only. It converts to
    the whole tensor wherever one is expected. values: [rows, ...] of any dtype; indices: int32 or int64 [rows];
    dense_shape: int [rank], without which it does not convert to a tensor (ValueError). As `tf.IndexedSlices`.

    >>> slices = gc.IndexedSlices(values=[[1., 2.], [10., 20.]], indices=[2, 2], dense_shape=[3, 2])
    >>> gc.convert_to_tensor(slices).eval()
    array([[ 0.,  0.],
           [ 0.,  0.],
           [11., 22.]], dtype=float32)
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values = convert_to_tensor(values, name="values")
        self._indices = convert_to_tensor(indices, name="indices")
        self._dense_shape = None if dense_shape is None else convert_to_tensor(dense_shape, name="dense_shape")

    @property
    def values(self) -> Tensor:
        """The rows: [number of rows, ...]."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """int[number of rows]: where each row belongs."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the tensor that these are rows of, if it is known."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of it while the graph is built."""
        sizes = None if self._dense_shape is None else self._dense_shape.value_sizes()
        return TensorShape(None if sizes is None else [s if isinstance(s, int) else None for s in sizes])

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self._values.name

    @property
    def device(self) -> str:
        """The device of `values`."""
        return self._values.device

    @property
    def op(self) -> Operation:
        """The operation that makes `values`."""
        return self._values.op

    @property
    def dtype(self) -> DType:
        """The dtype of `values`."""
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        """The graph of `values`."""
        return self._values.graph

    def __repr__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{shape})"

    def summed(self) -> IndexedSlices:
        """The same rows, each the sum of all that have its index. (graphc's own)"""
        return IndexedSlices(summed(self._values, self._indices), self._indices, self._dense_shape)

    def deduplicated(self) -> IndexedSlices:
        """Each index once, with the sum of its rows, in the order of first appearance. (graphc's own)"""
        return IndexedSlices(*deduplicated(self._values, self._indices), self._dense_shape)

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def _fetch_parts(self) -> tuple[list[Tensor], Callable[..., IndexedSlicesValue]]:
        parts = [self._values, self._indices, *([] if self._dense_shape is None else [self._dense_shape])]
        return parts, lambda values, indices, dense_shape=None: IndexedSlicesValue(values, indices, dense_shape)


Gradient = Tensor | IndexedSlices


def with_values(slices: IndexedSlices, values: Tensor) -> IndexedSlices:
    """The same rows with other values."""
    return IndexedSlices(values, slices.indices, slices.dense_shape)


def values_of(x: Any) -> Tensor:
    """The values of IndexedSlices; anything else as a tensor."""
    return x.values if isinstance(x, IndexedSlices) else convert_to_tensor(x)


def like(x: Any, values: Tensor) -> Gradient:
    """values, in the form that x has."""
    return with_values(x, values) if isinstance(x, IndexedSlices) else values


def joined(parts: Sequence[IndexedSlices]) -> IndexedSlices:
    """The sum of several: all their rows, one after the other."""
    indices = [p.indices for p in parts]
    if len({i.dtype for i in indices}) > 1:
        indices = [cast(i, max((j.dtype for j in indices), key=lambda d: d.size)) for i in indices]
    return IndexedSlices(concat([p.values for p in parts], 0), concat(indices, 0), parts[0].dense_shape)


def as_dense(gradient: Gradient | None) -> Tensor | None:
    return None if gradient is None else convert_to_tensor(gradient)


def _to_tensor(slices: IndexedSlices, dtype: DType | None, name: str | None) -> Tensor:
    if dtype is not None and slices.dtype != dtype:
        raise ValueError(f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype "
                         f"{slices.dtype.name}")
    if slices.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {slices}\n  give "
                         "gc.IndexedSlices(values, indices, dense_shape) the shape of the whole tensor")
    _warn_if_large(slices.shape)
    shape = slices.dense_shape
    indices = slices.indices if slices.indices.dtype.size >= 4 else cast(slices.indices, int32)
    return scatter_sum(slices.values, indices, shape, name=name)


def _warn_if_large(shape: TensorShape) -> None:
    if not shape.is_fully_defined():
        text = "of unknown shape"
    else:
        count = int(np.prod(shape.as_list(), dtype=np.float64))
        if count < LARGE:
            return
        text = f"with {count} elements"
    warn(f"Converting sparse IndexedSlices to a dense Tensor {text}. This may consume a large amount of memory.")


register_conversion(IndexedSlices, _to_tensor)


@public("convert_to_tensor_or_indexed_slices")
def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Gradient:
    """IndexedSlices (or its Value) as it is, anything else as a tensor. As `tf.convert_to_tensor_or_indexed_slices`.

    Raises ValueError for IndexedSlices or a tensor of another dtype, TypeError for what does not convert.

    >>> slices = gc.IndexedSlices([[1.]], [2])
    >>> gc.convert_to_tensor_or_indexed_slices(slices) is slices
    True
    >>> gc.convert_to_tensor_or_indexed_slices([1, 2]).eval()
    array([1, 2], dtype=int32)
    """
    if isinstance(value, IndexedSlicesValue):
        value = IndexedSlices(*value)
    if not isinstance(value, IndexedSlices):
        return convert_to_tensor(value, dtype, name)
    if dtype is not None and value.dtype != as_dtype(dtype):
        raise ValueError(f"Tensor conversion requested dtype {as_dtype(dtype).name} for IndexedSlices with dtype "
                         f"{value.dtype.name}")
    return value
