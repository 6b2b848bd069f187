"""Signals cut into overlapping frames, and frames added up to signals."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.fill import range_
from graphc.api.array.gather import gather
from graphc.api.array.shapes import expand_dims, reshape, shape, squeeze
from graphc.api.array.slicing import slice_
from graphc.api.array.transpose import transpose
from graphc.api.math.reduce import reduce_sum
from graphc.api.public import public
from graphc.api.signal.numbers import Number, at_least, ceil_div, count, length, padded, require_rank, size, vector
from graphc.errors import UnimplementedError
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ir.tensor import Tensor


@public("signal.frame", "contrib.signal.frame")
def frame(signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1,
          name: str | None = None) -> Tensor:
    """Axis `axis` as two: frames that begin every frame_step samples, and their frame_length samples.

    Args:
        signal: of any dtype; [..., samples] gives [..., frames, frame_length].
        frame_length, frame_step: ints or integer scalars (ValueError otherwise).
        pad_end: frames that reach over the end are filled up with pad_value; else they are left out.
        pad_value: a scalar.
        axis: a Python int (a tensor is an UnimplementedError).

    Raises ValueError for a scalar, an axis that is not there, or a pad_value that is no scalar. As `tf.signal.frame`.

    >>> gc.signal.frame([1, 2, 3, 4, 5], frame_length=3, frame_step=2).eval()
    array([[1, 2, 3],
           [3, 4, 5]], dtype=int32)
    >>> gc.signal.frame([1, 2, 3, 4, 5, 6], 3, 2, pad_end=True).eval()
    array([[1, 2, 3],
           [3, 4, 5],
           [5, 6, 0]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "frame"):
        signal = convert_to_tensor(signal, name="signal")
        require_rank(signal, 1, "signal")
        samples, step = length(frame_length, "frame_length"), length(frame_step, "frame_step", 1)
        axis = _known_axis(axis, signal)
        total = size(signal, axis)
        if pad_end:
            frames = ceil_div(total, step)
            total = total + at_least(0, samples + step * (frames - 1) - total)
            filling = convert_to_tensor(pad_value, signal.dtype, name="pad_value")
            if filling.spec.rank not in (None, 0):
                raise ValueError(f"pad_value must be a scalar, but has shape {filling.shape}")
            plain = not isinstance(pad_value, Tensor) and pad_value == 0
            signal = padded(signal, axis, total - size(signal, axis), value=0 if plain else filling)
        else:
            frames = at_least(0, 1 + (total - samples) // step)
        part = math.gcd(samples, step) if isinstance(samples, int) and isinstance(step, int) else 1
        # After an axis of size 1 the gradient of the gathers is a tensor, wherever `axis` is.
        if part == 1 or signal.spec.rank is None:
            chosen = gather(expand_dims(signal, 0), _starts(frames, step) + _along(samples),
                            axis=axis + 1 if axis >= 0 else axis)
            return squeeze(chosen, [0])
        # Frames are made of whole parts, which are fewer to gather than samples.
        outer, inner, parts = shape(signal)[:axis], shape(signal)[axis + 1:], total // part
        rest = [-1] * signal.spec.rank
        whole = slice_(signal, [0] * signal.spec.rank, [*rest[:axis], parts * part, *rest[axis + 1:]])
        cut = reshape(whole, vector([1], outer, [parts, part], inner))
        chosen = gather(cut, _starts(frames, step // part) + _along(samples // part), axis=axis + 1)
        return reshape(chosen, vector(outer, [frames, samples], inner))


def _known_axis(axis: Any, signal: Tensor) -> int:
    where = length(axis, "axis")
    if not isinstance(where, int):
        raise UnimplementedError(f"signal.frame: argument 'axis' must be known while building, but is {where}; "
                                 "give a Python number")
    return where if signal.spec.rank is None else normalise_axis(where, signal.spec.rank)


def _starts(count: Number, step: Number) -> Tensor:
    return expand_dims(range_(count) * step, 1)


def _along(count: Number) -> Tensor:
    return expand_dims(range_(count), 0)


@public("signal.overlap_and_add", "contrib.signal.overlap_and_add")
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """The frames in the last two axes, each frame_step samples after the one before, added up to one signal.

    signal: numbers [..., frames, frame_length] give [..., (frames - 1) * frame_step + frame_length] of their dtype.
    frame_step: an int or an integer scalar. Raises ValueError for a rank below 2 and a frame_step that is no integer
    scalar. As `tf.signal.overlap_and_add`.

    >>> gc.signal.overlap_and_add([[1., 1., 1.], [10., 10., 10.]], frame_step=2).eval()
    array([ 1.,  1., 11., 10., 10.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "overlap_and_add"):
        signal = convert_to_tensor(signal, name="signal")
        require_rank(signal, 2, "signal")
        step = length(frame_step, "frame_step", 1)
        frames, samples = size(signal, -2), size(signal, -1)
        outer = shape(signal)[:-2]
        total = samples + step * (frames - 1)
        if isinstance(step, int) and step == samples:
            return reshape(signal, vector(outer, [total]))
        # Each frame as segments of frame_step samples. With `segments` frames of zeros after, the s-th segments of
        # all frames, cut into rows of one frame less, stand s places to the right: then rows are summed.
        segments = ceil_div(samples, step)
        rows = padded(signal, -2, segments, segments * step - samples)
        cut = reshape(rows, vector([count(signal, 2), frames + segments, segments, step]))
        sides = transpose(cut, [0, 2, 1, 3])
        flat = reshape(sides, vector([size(sides, 0), (frames + segments) * segments, step]))
        width = frames + segments - 1
        moved = reshape(flat[:, :width * segments], vector([size(sides, 0), segments, width, step]))
        added = reshape(reduce_sum(moved, [1]), vector(outer, [width * step]))
        return added[..., :total]
