"""Spec: all that is known of a tensor while compiling."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeVar

from graphc.ir import dims
from graphc.ir.dims import Dim, Size
from graphc.ir.dtypes import INTEGERS, DType
from graphc.ir.records import dataclass

T = TypeVar("T")
Shape = tuple[Size, ...]
OPEN = -1          # a size that the first element of a list will tell
VALUE_LIMIT = 64   # integer tensors of at most this many elements carry their value


@dataclass(frozen=True)
class Spec:
    """dtype; shape, None where even the rank is unknown; value, the elements (row-major) of a small integer tensor.

    elements, of a list (variant): what its elements have in common, then what theirs have if they are lists, and so on;
    () as long as no element is known.

    Sizes and values may be symbolic (ir/dims.py), so that shape -> strided_slice -> pack -> reshape chains are
    evaluated while compiling.
    """

    dtype: DType
    shape: Shape | None
    value: tuple[Size, ...] | None = None
    elements: tuple[Elements, ...] = ()

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def is_static(self) -> bool:
        """Whether every size is known."""
        return self.shape is not None and all(isinstance(s, int) for s in self.shape)

    @property
    def static_shape(self) -> tuple[int | None, ...] | None:
        """The shape as a user sees it: unknown sizes are None."""
        return None if self.shape is None else tuple(s if isinstance(s, int) else None for s in self.shape)

    def with_value(self, value: Sequence[Size] | None) -> Spec:
        """`value` is dropped if it is too long, holds a number that the dtype does not (arithmetic wraps), or is that
        of no elements in a shape with unknown sizes: who has a value may count on its sizes."""
        if value is not None and (len(value) > VALUE_LIMIT or not _fits(self.dtype, value) or not self.is_static):
            value = None
        return replace(self, value=None if value is None else tuple(value))

    def __str__(self) -> str:
        text = "?" if self.shape is None else ", ".join(str(s) for s in self.shape)
        return f"{self.dtype.name}[{text}]"

    def shown(self) -> str:
        """As a user knows it: sizes that are not known yet are "?"."""
        sizes = "?" if self.shape is None else ", ".join(str(s) if isinstance(s, int) else "?" for s in self.shape)
        return f"{self.dtype.name}[{sizes}]"


@dataclass(frozen=True)
class Requirement:
    """A relation between sizes that could not be proved: it becomes a guard of the Plan. relation: equal, less_equal,
    less."""

    relation: str
    a: Size
    b: Size
    message: str


@dataclass(frozen=True)
class Elements:
    """What all elements of a list have in common: the rank, those sizes, and the value if it is the same known one.

    Sizes are those of the graph that the list's Spec stands in; None: they may differ; OPEN: no element is known yet,
    and the first one tells it.
    """

    shape: tuple[Size | None, ...]
    value: tuple[Size, ...] | None = None

    def joined(self, other: Elements) -> Elements:
        """Raises ValueError if the ranks differ."""
        if len(self.shape) != len(other.shape):
            raise ValueError(f"a list would hold tensors of rank {len(self.shape)} and of rank {len(other.shape)}")
        return Elements(tuple(map(_joined_size, self.shape, other.shape)),
                        self.value if self.value == other.value else None)

    def renamed(self, name: Callable[[Size], Size | None]) -> Elements:
        """The same in another graph, where `name` says what a size is called: None if it is not known there."""
        value = None if self.value is None else [name(v) for v in self.value]
        return Elements(tuple(None if size is None else name(size) for size in self.shape),
                        None if value is None or None in value else tuple(value))  # type: ignore[arg-type]


def _joined_size(a: Size | None, b: Size | None) -> Size | None:
    if a == OPEN or b == OPEN:
        return b if a == OPEN else a
    return a if a == b else None


_BOUNDS = {d.number: (d.min, d.max) for d in INTEGERS}


def _fits(dtype: DType, value: Sequence[Size]) -> bool:
    """Whether the dtype holds what is known of the elements."""
    low, high = _BOUNDS.get(dtype.number, (-math.inf, math.inf))
    return all(low <= v <= high for v in value if isinstance(v, int))


def elements_of(pushed: Spec) -> tuple[Elements, ...]:
    """Of a list that holds one tensor; () if its rank is not known."""
    return () if pushed.shape is None else (Elements(pushed.shape, pushed.value), *pushed.elements)


def joined_elements(a: Spec, b: Spec) -> tuple[Elements, ...]:
    """Of a list that may be either."""
    if len(a.elements) < len(b.elements):
        a, b = b, a
    return (*(one.joined(other) for one, other in zip(a.elements, b.elements, strict=False)),
            *a.elements[len(b.elements):])


_requirements: ContextVar[list[Requirement] | None] = ContextVar("requirements", default=None)


def with_requirements(function: Callable[..., T], arguments: Sequence[Any]) -> tuple[T, list[Requirement]]:
    """What the function returns, and what `require_equal` and its kin could not prove meanwhile."""
    found: list[Requirement] = []
    token = _requirements.set(found)
    try:
        return function(*arguments), found
    finally:
        _requirements.reset(token)


def _require(relation: str, a: Size, b: Size, message: str) -> None:
    sink = _requirements.get()
    if sink is not None:
        sink.append(Requirement(relation, a, b, message))


def require_equal(a: Size, b: Size, message: str) -> Size:
    """Says that a == b must hold; returns the better known of the two. Raises ValueError if they are known to
    differ."""
    if dims.same(a, b):
        return a
    if dims.different(a, b):
        raise ValueError(f"{message}: {a} and {b} differ")
    _require("equal", a, b, message)
    return b if isinstance(a, Dim) else a


def require_less_equal(a: Size, b: Size, message: str) -> None:
    """Says that a <= b must hold. Raises ValueError if it is known not to."""
    difference = b - a
    if isinstance(difference, int):
        if difference < 0:
            raise ValueError(f"{message}: {a} is greater than {b}")
    else:
        _require("less_equal", a, b, message)


def require_less(a: Size, b: Size, message: str) -> None:
    """Says that a < b must hold. Raises ValueError if it is known not to."""
    difference = b - a
    if isinstance(difference, int):
        if difference <= 0:
            raise ValueError(f"{message}: {a} is not less than {b}")
    else:
        _require("less", a, b, message)


def broadcast_sizes(a: Size, b: Size) -> Size:
    """One axis of a broadcast. A symbolic size against a known one above 1 is required to be 1 or equal."""
    if a == b:
        return a
    together = dims.broadcast(a, b)
    if isinstance(together, int) or not (isinstance(a, int) or isinstance(b, int)):
        return together
    known = a if isinstance(a, int) else b
    if known == 1:
        return together
    _require("equal", together, known, "sizes broadcast")
    return known


def broadcast_shapes(*shapes: Shape | None) -> Shape | None:
    """The shape of an elementwise op on operands of these shapes, by NumPy's rules. None if a rank is unknown."""
    result: Shape = ()
    for shape in shapes:
        if shape is None:
            return None
        if shape == result:
            continue
        rank = max(len(result), len(shape))
        a = (1,) * (rank - len(result)) + result
        b = (1,) * (rank - len(shape)) + tuple(shape)
        try:
            result = tuple(broadcast_sizes(x, y) for x, y in zip(a, b, strict=True))
        except ValueError:
            raise ValueError(f"Incompatible shapes: {text(a)} and {text(shape)} do not broadcast") from None
    return result


def text(shape: Shape | None) -> str:
    """The shape for a message: sizes that are not known yet are "?", whatever the compiler calls them."""
    if shape is None:
        return "unknown"
    sizes = [str(s) if isinstance(s, int) else "?" for s in shape]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"
