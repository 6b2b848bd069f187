"""Lengths and sizes of signals: Python numbers where they are known, else scalars. What both are put through."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros
from graphc.api.array.join import concat
from graphc.api.array.pad import pad
from graphc.api.array.shapes import rank, shape
from graphc.api.math.binary import maximum
from graphc.api.math.reduce import reduce_prod
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor

Number = Any   # an int, or a scalar tensor of int32


def length(value: Any, name: str, least: int | None = None) -> Number:
    """A length that the user gave: an int if it is known. Raises ValueError for what is no scalar, no integer, or known
    to be below `least`."""
    tensor = convert_to_tensor(value, name=name)
    if tensor.spec.rank not in (None, 0):
        raise ValueError(f"{name} must be a scalar, but has shape {tensor.shape}")
    if not tensor.dtype.is_integer:
        raise ValueError(f"{name} must be an integer, but has dtype {tensor.dtype.name}")
    known = tensor.value_sizes()
    if known is not None and isinstance(known[0], int):
        if least is not None and known[0] < least:
            raise ValueError(f"{name} must be at least {least}, but is {known[0]}")
        return known[0]
    return cast(tensor, int32)


def size(x: Tensor, axis: int) -> Number:
    """The size of an axis: an int if it is known."""
    sizes = x.spec.static_shape
    known = None if sizes is None else sizes[axis]
    return shape(x)[axis] if known is None else known


def require_rank(x: Tensor, least: int, name: str) -> None:
    """Raises ValueError if the rank is known, and lower."""
    if x.spec.rank is not None and x.spec.rank < least:
        raise ValueError(f"{name} must have rank {least} or more, but its shape is {x.shape}")


def at_least(least: int, value: Number) -> Number:
    return max(least, value) if isinstance(value, int) else maximum(value, least)


def ceil_div(a: Number, b: Number) -> Number:
    return (a + b - 1) // b


def count(x: Tensor, behind: int) -> Number:
    """The product of all sizes but the last `behind` ones."""
    if x.spec.rank is None:
        return reduce_prod(shape(x)[:-behind])
    return math.prod(size(x, axis) for axis in range(x.spec.rank - behind))


def vector(*parts: Any) -> Tensor:
    """One vector of int32 made of several, each a tensor or a list of numbers."""
    tensors = [p if isinstance(p, Tensor) else convert_to_tensor(p or np.zeros((0,), np.int32), int32) for p in parts]
    return tensors[0] if len(tensors) == 1 else concat(tensors, 0)


def padded(x: Tensor, axis: int, *behind: Number, value: Any = 0) -> Tensor:
    """x with so many elements more at the end of the axes from `axis` on."""
    if all(isinstance(b, int) and b == 0 for b in behind):
        return x
    rows = [[0, b] for b in behind]
    if x.spec.rank is not None:
        before = axis % x.spec.rank
        paddings: Any = [[0, 0]] * before + rows + [[0, 0]] * (x.spec.rank - before - len(rows))
    else:
        before = axis if axis >= 0 else rank(x) + axis
        parts = [zeros([before, 2], int32), convert_to_tensor(rows, int32),
                 zeros([rank(x) - before - len(rows), 2], int32)]
        paddings = concat(parts, 0)
    return pad(x, paddings, constant_values=value)
