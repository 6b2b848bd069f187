"""Variables cut into parts along one axis: the functions that say how, and PartitionedVariable."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.array.identity import group, identity
from graphc.api.array.join import concat, split
from graphc.api.public import public
from graphc.api.state.variables import SaveSliceInfo, Variable, forward_operators
from graphc.ir.apply import convert_to_tensor, register_conversion
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.operators import Operators
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape

Partitioner = Callable[..., list[int]]


@public("fixed_size_partitioner")
def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """A partitioner of num_shards parts along `axis`, or as many as it is long. As `tf.fixed_size_partitioner`.

    num_shards: an int of 1 or more, else gc.get_variable raises ValueError; axis: an int. The partitioner takes a
    TensorShape and gives a list of ints, one an axis.

    >>> table = gc.get_variable("table", [5, 4], partitioner=gc.fixed_size_partitioner(2))
    >>> [(part.name, part.shape.as_list()) for part in table]
    [('table/part_0:0', [3, 4]), ('table/part_1:0', [2, 4])]
    """
    def partitions(shape: TensorShape, **_: Any) -> list[int]:
        found = [1] * len(shape)
        found[axis] = min(num_shards, int(shape[axis]))
        return found

    return partitions


@public("variable_axis_size_partitioner")
def variable_axis_size_partitioner(max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16,
                                   max_shards: int | None = None) -> Partitioner:
    """A partitioner of as few parts along `axis` as keep each below max_shard_bytes, at most max_shards.

    bytes_per_string_element: what a string counts. As `tf.variable_axis_size_partitioner`. Raises ValueError for
    numbers below 1. The partitioner takes a TensorShape, which must be fully known (ValueError), and a dtype.

    >>> partitioner = gc.variable_axis_size_partitioner(max_shard_bytes=32)
    >>> partitioner(gc.TensorShape([4, 4]), gc.float32)      # a row has 16 bytes
    [2, 1]
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive, but are "
                         f"{max_shard_bytes} and {bytes_per_string_element}")
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitions(shape: TensorShape, dtype: Any) -> list[int]:
        if not isinstance(shape, TensorShape) or not shape.is_fully_defined():
            raise ValueError(f"shape is not a fully defined TensorShape: {shape}")
        length = int(shape[axis])
        slice_bytes = math.prod(shape.as_list()) / length * _bytes(dtype, bytes_per_string_element)
        count = math.ceil(length / max(1, math.floor(max_shard_bytes / slice_bytes)))
        found = [1] * len(shape)
        found[axis] = min(max_shards, count) if max_shards else count
        return found

    return partitions


@public("min_max_variable_partitioner")
def min_max_variable_partitioner(max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10,
                                 bytes_per_string_element: int = 16) -> Partitioner:
    """A partitioner of at most max_partitions parts along `axis`, each of min_slice_size bytes at least.

    As `tf.min_max_variable_partitioner`. The partitioner raises ValueError for a shape without that axis. It takes a
    TensorShape, fully known, and a dtype.

    >>> partitioner = gc.min_max_variable_partitioner(max_partitions=8, min_slice_size=32)
    >>> partitioner(gc.TensorShape([4, 4]), gc.float32)      # 64 bytes in all
    [2, 1]
    """
    def partitions(shape: TensorShape, dtype: Any) -> list[int]:
        if axis >= len(shape):
            raise ValueError(f"Cannot partition variable along axis {axis} when shape is only {shape}")
        total = math.prod(shape.as_list()) * _bytes(dtype, bytes_per_string_element)
        found = [1] * len(shape)
        found[axis] = max(1, min(int(shape[axis]), max_partitions, math.ceil(total / min_slice_size)))
        return found

    return partitions


def _bytes(dtype: Any, of_string: int) -> int:
    kind = as_dtype(dtype)
    return of_string if kind == string else kind.size


@dataclass(frozen=True)
class PartitionInfo:
    """What an initialiser is told of the part that it makes."""

    full_shape: list[int]
    var_offset: list[int]

    def single_slice_dim(self, shape: Sequence[int]) -> int | None:
        """The axis that is cut, given the shape of a part; None if none is. Raises ValueError if several are."""
        cut_axes = [i for i, (part, whole) in enumerate(zip(shape, self.full_shape, strict=True)) if part != whole]
        if len(cut_axes) > 1:
            raise ValueError(f"Cannot use single_slice_dim() with shape={shape} and full_shape={self.full_shape} since "
                             f"slice dim could be either dimension {cut_axes[0]} or {cut_axes[1]}.")
        return cut_axes[0] if cut_axes else None

    def single_offset(self, shape: Sequence[int]) -> int:
        """Where the part begins along the axis that is cut."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self.var_offset[axis]


def parts_of(partitioner: Partitioner, shape: TensorShape, dtype: DType) -> list[int]:
    """How often each axis is cut. Raises ValueError if that is more than one axis, or does not fit."""
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    found = partitioner(shape=shape, dtype=dtype)
    if not isinstance(found, (list, tuple)):
        raise ValueError(f"Partitioner must return a sequence, but returned: {found}")
    if len(found) != len(shape):
        raise ValueError(f"Partitioner returned a partition list that does not match the Variable's rank: {found} vs. "
                         f"{shape}")
    if any(count < 1 for count in found):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {found}")
    if sum(count > 1 for count in found) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: partitions={list(found)}")
    return list(found)


def cut(name: str, shape: list[int], partitions: Sequence[int]) -> Iterator[SaveSliceInfo]:
    """The parts: the first ones are one longer if the axis does not divide."""
    axis = next((i for i, count in enumerate(partitions) if count > 1), 0)
    if not shape or shape[axis] < partitions[axis]:
        raise ValueError(f"Cannot cut '{name}' of shape {shape} into {list(partitions)} parts")
    length, longer = divmod(shape[axis], partitions[axis])
    begin = 0
    for number in range(partitions[axis]):
        own = length + (number < longer)
        offset = [begin if i == axis else 0 for i in range(len(shape))]
        yield SaveSliceInfo(name, list(shape), offset, [own if i == axis else s for i, s in enumerate(shape)])
        begin += own


class PartitionedVariable(Operators):
    """A variable in parts, in the order of their offsets: what get_variable makes with a partitioner.

    It converts to the tensor of all of it wherever one is expected; iterating gives the parts.
    """

    __array_priority__ = 100

    def __init__(self, name: str, shape: Any, dtype: Any, variable_list: Sequence[Variable],
                 partitions: Sequence[int]) -> None:
        self.name = name
        self.shape = TensorShape(shape)
        self.dtype = as_dtype(dtype)
        self.partitions = list(partitions)
        infos = [(v._get_save_slice_info(), v) for v in variable_list]
        if any(info is None for info, _ in infos):
            raise ValueError("All variables must have a save_slice_info available")
        self._parts = [v for info, v in sorted(infos, key=lambda pair: pair[0].var_offset)]

    @property
    def axis(self) -> int:
        """The axis that is cut."""
        return next((i for i, count in enumerate(self.partitions) if count > 1), 0)

    @property
    def graph(self) -> Graph:
        return self._parts[0].graph

    def get_shape(self) -> TensorShape:
        return self.shape

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, key: Any) -> Tensor:
        return self.as_tensor()[key]

    def _get_variable_list(self) -> list[Variable]:
        return list(self._parts)

    def _get_partitions(self) -> list[int]:
        return self.partitions

    def as_tensor(self) -> Tensor:
        """All of it, a new op with each call."""
        graph = get_default_graph()
        with graph.control_dependencies(None):
            if len(self._parts) == 1:
                with graph.name_scope(None):
                    return identity(self._parts[0], name=self.name)
            with graph.name_scope(f"{self.name}/ConcatPartitions/"):
                joined = concat(list(self._parts), self.axis)
            with graph.name_scope(None):
                return identity(joined, name=self.name)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Writes each part of `value` to its variable; the list of results, or with read_value=False one operation."""
        return self._each("assign", value, use_locking, name, read_value)

    def assign_add(self, value: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        """Adds each part of `value` to its variable; results as of `assign`."""
        return self._each("assign_add", value, use_locking, name, read_value)

    def assign_sub(self, value: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        """Subtracts each part of `value` from its variable; results as of `assign`."""
        return self._each("assign_sub", value, use_locking, name, read_value)

    def _each(self, method: str, value: Any, use_locking: bool, name: str | None, read_value: bool) -> Any:
        if isinstance(value, (list, PartitionedVariable)):
            values: Sequence[Any] = list(value)
        else:
            sizes = [int(v.shape[self.axis]) for v in self._parts]
            values = split(convert_to_tensor(value, dtype=self.dtype), sizes, self.axis)
        made = [getattr(v, method)(x, use_locking=use_locking, name=f"{name}_{i}" if name else None,
                                   read_value=read_value)
                for i, (v, x) in enumerate(zip(self._parts, values, strict=True))]
        return made if read_value else group(*made)

    def __repr__(self) -> str:
        return f"<PartitionedVariable '{self.name}' shape={self.shape} dtype={self.dtype.name} {self.partitions}>"


def _whole(variable: PartitionedVariable, dtype: Any, name: str | None) -> Tensor:
    del dtype, name
    return variable.as_tensor()


register_conversion(PartitionedVariable, _whole)


forward_operators(PartitionedVariable, PartitionedVariable.as_tensor)
