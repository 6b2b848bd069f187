"""Static shapes as a user sees them: `TensorShape` of `Dimension`s, under TensorFlow 1's rules.

An unknown size is Dimension(None); comparing one gives None, arithmetic with one gives an unknown size.
"""
from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from graphc.ir.late_imports import load


class Dimension:
    """One size of a TensorShape: `.value` is an int or None, for one that only a run knows.

    Arithmetic and comparisons with an unknown one are unknown: Dimension(None), None. As `tf.Dimension`. Raises
    TypeError for what is no integer, ValueError for a negative one; int() of an unknown one raises TypeError.

    >>> size = gc.Dimension(3)
    >>> size.value, int(size), size * 2, size + None, gc.Dimension(None) == 3
    (3, 3, Dimension(6), Dimension(None), None)
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        if isinstance(value, Dimension):
            value = value.value
        if value is not None:
            if isinstance(value, float) and value.is_integer():
                value = int(value)                  # 4 / 2, as TensorFlow took it up to 1.13
            if isinstance(value, float) or not hasattr(value, "__index__"):
                raise TypeError(f"a dimension is an integer or None, not {value!r} of type {type(value).__name__}")
            value = operator.index(value)
            if value < 0:
                raise ValueError(f"Dimension {value} must be >= 0")
        self._value: int | None = value

    @property
    def value(self) -> int | None:
        """The size, None if it is not known."""
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __int__(self) -> int:
        if self._value is None:
            raise TypeError("this Dimension is unknown while the graph is built, so it has no int value: use the size "
                            "that the run has, gc.shape(x)[axis], or -1 where a function takes it")
        return self._value

    def __index__(self) -> int:
        return int(self)

    def __hash__(self) -> int:
        return hash(self._value)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether the two can be equal: they are, or one is not known."""
        other = as_dimension(other)
        return self._value is None or other.value is None or self._value == other.value

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError if the two cannot be equal."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {as_dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """The better known of the two. Raises ValueError if they differ."""
        other = as_dimension(other)
        self.assert_is_compatible_with(other)
        return other if self._value is None else self

    def _compare(self, other: Any, relation: Callable[[int, int], bool]) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other.value is None:
            return None
        return relation(self._value, other.value)

    def __eq__(self, other: object) -> Any:
        return self._compare(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._compare(other, operator.ne)

    def __lt__(self, other: object) -> Any:
        return self._compare(other, operator.lt)

    def __le__(self, other: object) -> Any:
        return self._compare(other, operator.le)

    def __gt__(self, other: object) -> Any:
        return self._compare(other, operator.gt)

    def __ge__(self, other: object) -> Any:
        return self._compare(other, operator.ge)

    def _combine(self, other: Any, function: Callable[[int, int], int], swap: bool = False) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        a, b = (other.value, self._value) if swap else (self._value, other.value)
        return Dimension(None if a is None or b is None else function(a, b))

    def __add__(self, other: Any) -> Any:
        return self._combine(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._combine(other, operator.add, swap=True)

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub, swap=True)

    def __mul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul, swap=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._combine(other, operator.floordiv)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._combine(other, operator.floordiv, swap=True)

    __div__ = __floordiv__

    def __truediv__(self, other: Any) -> Any:
        raise TypeError(f"a Dimension cannot be divided by {other!r} with '/': use '//', or int(dimension) / number")

    def __rtruediv__(self, other: Any) -> Any:
        raise TypeError(f"{other!r} cannot be divided by a Dimension with '/': use '//', or number / int(dimension)")

    def __mod__(self, other: Any) -> Any:
        return self._combine(other, operator.mod)

    def __rmod__(self, other: Any) -> Any:
        return self._combine(other, operator.mod, swap=True)


def as_dimension(value: Any) -> Dimension:
    return value if isinstance(value, Dimension) else Dimension(value)


class TensorShape:
    """A static shape: of unknown rank, or a list of Dimensions, of which some may be unknown.

    dims: None, an int, a list of ints, Nones and Dimensions, or a TensorShape. As `tf.TensorShape`. Raises TypeError
    for other things, ValueError for a negative size; as_list, len and iteration raise ValueError if the rank is
    unknown.

    >>> shape = gc.placeholder(gc.float32, [None, 3]).shape
    >>> shape.as_list(), shape.ndims, shape[1].value, shape.is_fully_defined()
    ([None, 3], 2, 3, False)
    >>> shape.merge_with([2, None])
    TensorShape([Dimension(2), Dimension(3)])
    >>> gc.placeholder(gc.float32).shape
    TensorShape(None)
    """

    __slots__ = ("_sizes",)

    def __init__(self, dims: Any) -> None:
        self._sizes: tuple[int | None, ...] | None
        if dims is None:
            self._sizes = None
        elif isinstance(dims, TensorShape):
            self._sizes = dims._sizes
        elif isinstance(dims, (Dimension, int, np.integer)):
            self._sizes = (Dimension(dims).value,)
        elif hasattr(dims, "dim") and hasattr(dims, "unknown_rank"):    # a TensorShapeProto
            self._sizes = None if dims.unknown_rank else tuple(None if d.size < 0 else d.size for d in dims.dim)
        else:
            self._sizes = tuple(Dimension(d).value for d in dims)

    @property
    def dims(self) -> list[Dimension] | None:
        """The Dimensions, None for an unknown rank."""
        return None if self._sizes is None else [Dimension(s) for s in self._sizes]

    _dims = dims                                    # what libraries of TensorFlow 1's time read

    @property
    def ndims(self) -> int | None:
        """The rank, None if it is not known."""
        return None if self._sizes is None else len(self._sizes)

    rank = ndims

    @property
    def sizes(self) -> tuple[int | None, ...] | None:
        """The sizes as plain ints and Nones; None for an unknown rank. (graphc's own)"""
        return self._sizes

    def as_list(self) -> list[int | None]:
        """Raises ValueError for an unknown rank."""
        if self._sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._sizes)

    def as_proto(self) -> Any:
        """The TensorShapeProto of this shape, -1 for an unknown size."""
        proto = load("graphc.serial.graph_pb2").TensorShapeProto(unknown_rank=self._sizes is None)
        proto.dim.extend(type(proto).Dim(size=-1 if size is None else size) for size in self._sizes or ())
        return proto

    def is_fully_defined(self) -> bool:
        """Whether rank and all sizes are known."""
        return self._sizes is not None and None not in self._sizes

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless rank and all sizes are known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def num_elements(self) -> int | None:
        """The product of the sizes, None if it is not known."""
        if not self.is_fully_defined():
            return None
        count = 1
        for size in self.as_list():
            count *= size or 0
        return count

    def is_compatible_with(self, other: Any) -> bool:
        """Whether the two can be equal: what is known of both is the same."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return True
        return len(self._sizes) == len(other._sizes) and all(
            a is None or b is None or a == b for a, b in zip(self._sizes, other._sizes, strict=True))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError if the two cannot be equal."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError if both ranks are known and differ."""
        other = as_shape(other)
        if self.ndims is not None and other.ndims is not None and self.ndims != other.ndims:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError if the rank is known and another one."""
        if self.ndims not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """This shape; of unknown rank `rank` unknown sizes. Raises ValueError for another rank."""
        if self._sizes is None:
            return TensorShape([None] * rank)
        self.assert_has_rank(rank)
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape. Raises ValueError if its rank is known and less."""
        if self._sizes is not None and len(self._sizes) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape. Raises ValueError if its rank is known and more."""
        if self._sizes is not None and len(self._sizes) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def merge_with(self, other: Any) -> TensorShape:
        """The better known of the two, axis by axis. Raises ValueError if they cannot be equal."""
        other = as_shape(other)
        self.assert_is_compatible_with(other)
        if self._sizes is None:
            return as_shape(other)
        if other._sizes is None:
            return self
        return TensorShape([b if a is None else a for a, b in zip(self._sizes, other._sizes, strict=True)])

    def concatenate(self, other: Any) -> TensorShape:
        """The axes of this shape and after them those of the other; unknown if a rank is."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return TensorShape(None)
        return TensorShape(self._sizes + other._sizes)

    def __repr__(self) -> str:
        return "TensorShape(None)" if self._sizes is None else f"TensorShape({self.dims})"

    def __str__(self) -> str:
        if self._sizes is None:
            return "<unknown>"
        inside = ", ".join("?" if s is None else str(s) for s in self._sizes)
        return f"({inside},)" if len(self._sizes) == 1 else f"({inside})"

    def __len__(self) -> int:
        if self._sizes is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._sizes)

    def __bool__(self) -> bool:
        return self._sizes is not None

    def __iter__(self) -> Iterator[Dimension]:
        if self._sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(s) for s in self._sizes])

    def __getitem__(self, key: Any) -> Any:
        if self._sizes is not None:
            if isinstance(key, slice):
                return TensorShape(self._sizes[key])
            return Dimension(self._sizes[key])
        if isinstance(key, slice):
            start, stop = key.start or 0, key.stop
            if key.step is not None or stop is None or start < 0 or stop < 0:
                return TensorShape(None)
            return TensorShape([None] * max(0, stop - start))
        return Dimension(None)

    def __eq__(self, other: object) -> bool:
        try:
            return self._sizes == as_shape(other)._sizes
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(self._sizes)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return as_shape(other).concatenate(self)


def as_shape(value: Any) -> TensorShape:
    """A TensorShape as it is, else one of what it takes: None, an integer, a list. As `as_shape` of TensorFlow's
    python.framework.tensor_shape. Raises TypeError and ValueError as TensorShape does.

    >>> gc.compat.v1.python.framework.tensor_shape.as_shape([None, 2])
    TensorShape([Dimension(None), Dimension(2)])
    """
    return value if isinstance(value, TensorShape) else TensorShape(value)


def unknown_shape(ndims: int | None = None) -> TensorShape:
    return TensorShape(None if ndims is None else [None] * ndims)


def scalar_shape() -> TensorShape:
    return TensorShape([])
