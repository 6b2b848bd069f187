"""Axes as users give them, negative ones too."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.ir.spec import Shape


def normalise_axis(axis: int, rank: int) -> int:
    """axis counted from the front. Raises ValueError if there is no such axis."""
    if not isinstance(axis, (int, np.integer)):
        raise ValueError(f"the axis must be known while the graph is built, but is {axis}")
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of range for a tensor of rank {rank}")
    return int(axis) % rank


def normalise_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """The axes counted from the front, in ascending order. Raises ValueError for a wrong or repeated one."""
    found = sorted(normalise_axis(a, rank) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"axes {tuple(axes)} name one axis twice")
    return tuple(found)


def permute_shape(shape: Shape, perm: Sequence[int]) -> Shape:
    return tuple(shape[p] for p in perm)
