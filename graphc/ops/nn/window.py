"""Arithmetic of windows that slide over pictures: what convolutions and poolings share.

Sizes may be symbolic. data_format is "NHWC" or "NCHW"; lowering knows NHWC only: the layout pass (through `swapped`)
turns the others.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.elementwise import check_kind, check_rank
from graphc.ir.op import same_dtypes
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec, require_less_equal
from graphc.ops.array.pad import lower_pad

FORMATS = ("NHWC", "NCHW")

TO_NHWC = (0, 2, 3, 1)

TO_NCHW = (0, 3, 1, 2)


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a window: its input and output sizes, and how much padding stands before and after."""

    size: Size
    window: Size
    stride: int
    dilation: int
    output: Size
    before: Size
    behind: Size


def spatial_axes(data_format: str) -> tuple[int, int]:
    """The positions of height and width."""
    return (1, 2) if data_format == "NHWC" else (2, 3)


def channel_axis(data_format: str) -> int:
    return 3 if data_format == "NHWC" else 1


def check_format(data_format: str) -> None:
    """Raises ValueError for anything but NHWC and NCHW."""
    if data_format not in FORMATS:
        raise ValueError(f"data_format must be one of {', '.join(FORMATS)}, but is {data_format!r}")


def swapped(data_format: str, perm: Sequence[int]) -> str | None:
    """The data format after transposing by perm, or None if it is no change between the two."""
    if data_format == "NCHW" and tuple(perm) == TO_NHWC:
        return "NHWC"
    if data_format == "NHWC" and tuple(perm) == TO_NCHW:
        return "NCHW"
    return None


def swapped_list(values: Sequence[int], perm: Sequence[int]) -> tuple[int, ...]:
    """Four values, one an axis (strides, dilations), or none."""
    return tuple(values[p] for p in perm) if len(values) == 4 else tuple(values)


def swapped_pads(pads: Sequence[int], perm: Sequence[int]) -> tuple[int, ...]:
    """Eight values, two an axis (explicit paddings), or none."""
    return tuple(pads[2 * p + i] for p in perm for i in (0, 1)) if len(pads) == 8 else tuple(pads)


def check_list(name: str, values: Sequence[int], data_format: str, spatial_only: bool = True) -> None:
    """Raises ValueError unless `values` are four positive numbers, 1 for the batch (and, mostly, the channel)."""
    if len(values) != 4 or any(v < 1 for v in values):
        raise ValueError(f"{name} must be 4 positive numbers, but is {list(values)}")
    if values[0] != 1 or (spatial_only and values[channel_axis(data_format)] != 1):
        raise ValueError(f"{name} {list(values)} in the batch and channel axes must be 1")


def axis(size: Size, window: Size, stride: int, dilation: int, padding: str, pads: tuple[int, int] = (0, 0)) -> Axis:
    """One axis under a padding rule. Raises ValueError if the window is known not to fit."""
    reach = (window - 1) * dilation + 1
    if padding == "SAME":
        output = dims.floordiv(size + (stride - 1), stride)
        # With stride 1 the padding does not depend on the size.
        total = dims.maximum(reach - 1, 0) if stride == 1 else dims.maximum((output - 1) * stride + reach - size, 0)
        before = dims.floordiv(total, 2)
        return Axis(size, window, stride, dilation, output, before, total - before)
    if padding == "VALID":
        pads = (0, 0)
    elif padding != "EXPLICIT":
        raise ValueError(f"padding must be SAME, VALID or EXPLICIT, but is {padding!r}")
    room = size + (pads[0] + pads[1]) - reach
    if isinstance(room, int) and room < 0:
        raise ValueError(f"a window of {reach} does not fit into a size of {size + pads[0] + pads[1]}")
    if not isinstance(room, int):
        require_less_equal(reach, size + (pads[0] + pads[1]), "a window must fit into the picture")
    return Axis(size, window, stride, dilation, dims.floordiv(room, stride) + 1, *pads)


def axes(shape: Shape, window: Sequence[Size], strides: Sequence[int], dilations: Sequence[int], padding: str,
         pads: Sequence[int], data_format: str) -> tuple[Axis, Axis]:
    """Both spatial axes of a picture of this shape. window: height and width.

    The other lists have one value an axis.
    """
    made = []
    for position, extent in zip(spatial_axes(data_format), window, strict=True):
        explicit = (pads[2 * position], pads[2 * position + 1]) if len(pads) == 8 else (0, 0)
        dilation = dilations[position] if len(dilations) == 4 else 1
        try:
            made.append(axis(shape[position], extent, strides[position], dilation, padding, explicit))
        except ValueError as error:
            raise ValueError(f"axis {position}: {error}") from None
    return made[0], made[1]


def require_nhwc(op: Any) -> None:
    """Raises InternalError if the layout pass left an op in another format: there is no lowering for it."""
    if op.data_format != "NHWC":
        raise InternalError(f"{op.type} in {op.data_format} reached lowering: the layout pass must turn it to NHWC")


def static_padding(height: Axis, width: Axis) -> tuple[int, int] | None:
    """The padding before both axes if it does not depend on symbolic sizes."""
    top, left = height.before, width.before
    return (top, left) if isinstance(top, int) and isinstance(left, int) else None


def padded(b: Any, x: Any, height: Axis, width: Axis, value: float) -> Any:
    """A copy of an NHWC picture with its padding around it."""
    n, h, w, c = x.shape
    made = b.temporary(x.dtype, (n, h + height.before + height.behind, w + width.before + width.behind, c))
    border = b.constant(np.array(value, x.dtype.numpy))
    lower_pad(b, x, border, made, [(0, 0), (height.before, height.behind), (width.before, width.behind), (0, 0)])
    return made


def pad_array(x: np.ndarray, height: Axis, width: Axis, value: float) -> np.ndarray:
    """The reference's form of `padded`, of an NHWC array. The window may end before the padding does."""
    around = ((0, 0), (height.before, height.behind), (width.before, width.behind), (0, 0))
    return np.pad(x, around, constant_values=value)


def window_slice(height: Axis, width: Axis, i: int, j: int) -> tuple[slice, slice, slice]:
    """Where element (i, j) of every window lies in a padded NHWC array."""
    top, left = i * height.dilation, j * width.dilation
    return (slice(None), slice(top, top + (height.output - 1) * height.stride + 1, height.stride),
            slice(left, left + (width.output - 1) * width.stride + 1, width.stride))


def met_slices(height: Axis, width: Axis, i: int, j: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Which pixels of an NHWC picture, without padding, element (i, j) of a window meets, and in which windows."""
    pixels, windows = [slice(None)], [slice(None)]
    for axis, tap in ((height, i), (width, j)):
        start = tap * axis.dilation - axis.before
        first = max(-(start // axis.stride), 0)
        end = max(min((axis.size - 1 - start) // axis.stride + 1, axis.output), first)
        pixels.append(slice(first * axis.stride + start, (end - 1) * axis.stride + start + 1, axis.stride)
                      if end > first else slice(0, 0))
        windows.append(slice(first, end))
    return tuple(pixels), tuple(windows)


def convolution_spec(op: Any, inputs: Sequence[Spec], rank: int) -> Spec:
    """The Spec of a convolution of input and filter. Raises TypeError or ValueError if they do not fit."""
    x, w = inputs
    check_kind(op, inputs, "floating")
    same_dtypes(op, inputs)
    check_rank("input", x, rank)
    check_rank("filter", w, rank)
    if x.shape is None or w.shape is None:
        return Spec(x.dtype, None)
    return Spec(x.dtype, op.result_shape(x.shape, w.shape))


def gradient_spec(op: Any, sizes_name: str, inputs: Sequence[Spec], rank: int) -> Spec:
    """The Spec of a convolution's gradient, whose shape is op's field `sizes_name`: input_sizes or filter_sizes.

    inputs: the other one of input and filter, and out_backprop."""
    of_input = sizes_name == "input_sizes"
    other, dy = inputs
    check_kind(op, inputs, "floating")
    same_dtypes(op, inputs)
    check_rank("filter" if of_input else "input", other, rank)
    check_rank("out_backprop", dy, rank)
    sizes = getattr(op, sizes_name)
    if sizes is None:
        return Spec(other.dtype, None)
    if len(sizes) != rank:
        raise ValueError(f"{sizes_name} must have {rank} elements, but is {sizes}")
    if other.shape is not None:
        x, w = (sizes, other.shape) if of_input else (other.shape, sizes)
        op.check_result(x, w, dy)
    return Spec(other.dtype, sizes)
