"""Arithmetic of windows that slide over volumes: what three-dimensional convolutions and poolings share.

data_format is "NDHWC" or "NCDHW"; the layout pass (through `swapped`) turns the latter into the former.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import InternalError
from graphc.ir.spec import Shape
from graphc.ops.nn.window import Axis, axis

FORMATS = ("NDHWC", "NCDHW")
TO_LAST = (0, 2, 3, 4, 1)
TO_FIRST = (0, 4, 1, 2, 3)


def spatial_axes(data_format: str) -> tuple[int, int, int]:
    """The positions of depth, height and width."""
    return (1, 2, 3) if data_format == "NDHWC" else (2, 3, 4)


def channel_axis(data_format: str) -> int:
    return 4 if data_format == "NDHWC" else 1


def swapped(data_format: str, perm: Sequence[int]) -> str | None:
    """The data format after transposing by perm, or None if it is no change between the two."""
    if data_format == "NCDHW" and tuple(perm) == TO_LAST:
        return "NDHWC"
    if data_format == "NDHWC" and tuple(perm) == TO_FIRST:
        return "NCDHW"
    return None


def swapped_list(values: Sequence[Any], perm: Sequence[int]) -> tuple[Any, ...]:
    return tuple(values[p] for p in perm) if len(values) == 5 else tuple(values)


def check_format(data_format: str) -> None:
    """Raises ValueError for anything but NDHWC and NCDHW."""
    if data_format not in FORMATS:
        raise ValueError(f"data_format must be one of {', '.join(FORMATS)}, but is {data_format!r}")


def check_list(name: str, values: Sequence[int], data_format: str) -> None:
    """Raises ValueError unless `values` are five positive numbers, 1 for batch and channel."""
    if len(values) != 5 or any(v < 1 for v in values):
        raise ValueError(f"{name} must be 5 positive numbers, but is {list(values)}")
    if values[0] != 1 or values[channel_axis(data_format)] != 1:
        raise ValueError(f"{name} {list(values)} in the batch and channel axes must be 1")


def axes(shape: Shape, window: Sequence[Any], strides: Sequence[int], dilations: Sequence[int], padding: str,
         data_format: str) -> tuple[Axis, Axis, Axis]:
    """The spatial axes of a volume of this shape. window: depth, height, width; the other lists: one value an axis."""
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"padding must be SAME or VALID, but is {padding!r}")
    made = []
    for position, extent in zip(spatial_axes(data_format), window, strict=True):
        dilation = dilations[position] if len(dilations) == 5 else 1
        try:
            made.append(axis(shape[position], extent, strides[position], dilation, padding))
        except ValueError as error:
            raise ValueError(f"axis {position}: {error}") from None
    return made[0], made[1], made[2]


def result_shape(volume: Shape, spatial: Sequence[Axis], channels: Any, data_format: str) -> Shape:
    outputs = tuple(a.output for a in spatial)
    return (volume[0], *outputs, channels) if data_format == "NDHWC" else (volume[0], channels, *outputs)


def require_last(op: Any) -> None:
    """Raises InternalError if the layout pass left an op in another format: there is no expansion for it."""
    if op.data_format != "NDHWC":
        raise InternalError(f"{op.type} in {op.data_format} reached expansion: the layout pass must turn it to NDHWC")


def channels_last(op: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    """The reference's arrays in NDHWC."""
    return [a.transpose(TO_LAST) if op.data_format == "NCDHW" else a for a in arrays]


def back(op: Any, array: np.ndarray) -> np.ndarray:
    """An array in NDHWC in the op's format."""
    return np.ascontiguousarray(array.transpose(TO_FIRST)) if op.data_format == "NCDHW" else array


def pad_array(x: np.ndarray, spatial: Sequence[Axis], value: float) -> np.ndarray:
    """An NDHWC array with its padding around it. The window may end before the padding does."""
    return np.pad(x, ((0, 0), *((a.before, a.behind) for a in spatial), (0, 0)), constant_values=value)


def inside(x: np.ndarray, spatial: Sequence[Axis]) -> np.ndarray:
    """A padded NDHWC array without its padding."""
    return x[(slice(None), *(slice(a.before, a.before + a.size) for a in spatial))]


def window_slice(spatial: Sequence[Axis], place: Sequence[int]) -> tuple[slice, ...]:
    """Where the element at `place` of every window lies in a padded NDHWC array."""
    starts = [p * a.dilation for p, a in zip(place, spatial, strict=True)]
    return (slice(None), *(slice(s, s + (a.output - 1) * a.stride + 1, a.stride)
                           for s, a in zip(starts, spatial, strict=True)))
