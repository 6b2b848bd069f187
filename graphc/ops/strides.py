"""What a StridedSlice means for an input of a given shape.

Bit i of a mask speaks of entry i of begin, end, strides:
  begin_mask, end_mask   the entry is ignored: from the first, to the last element
  ellipsis_mask          the entry stands for as many whole axes as are left over (at most one)
  new_axis_mask          a new axis of size 1 of the result; no axis of the input is used up
  shrink_axis_mask       one element, whose axis disappears
Negative begins and ends count from the back and are clamped as in Python.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.spec import Shape, require_less_equal, text
from graphc.ops.known import known_ints, nonnegative


@dataclass(frozen=True)
class Dense:
    """One begin, size, stride and shrink for each axis of the input; positions of new axes in the result."""

    begin: tuple[Size, ...]
    size: tuple[Size, ...]
    stride: tuple[int, ...]
    shrink: tuple[bool, ...]
    new_axes: tuple[int, ...]
    result: Shape


def dense(op: Any, shape: Shape) -> Dense:
    """Raises ValueError if there are more entries than axes, an index is out of bounds, or a stride is 0 or unknown."""
    count = len(op.begin)
    if len(op.end) != count or len(op.strides) != count:
        raise ValueError(
            f"begin, end and strides must be of one length, but have {count}, {len(op.end)}, {len(op.strides)}"
        )
    strides = known_ints(op.strides, "strides")
    bit = [1 << i for i in range(count)]
    ellipses = [i for i in range(count) if op.ellipsis_mask & bit[i]]
    if len(ellipses) > 1:
        raise ValueError("only one ellipsis is allowed")
    used = sum(not op.new_axis_mask & bit[i] and i not in ellipses for i in range(count))
    if used > len(shape):
        raise ValueError(f"{used} indices are too many for a tensor of shape {text(shape)}")
    left = len(shape) - used
    rows: list[tuple[Size, Size, int, bool]] = []
    new_axes: list[int] = []
    result: list[Size] = []

    def whole(number: int) -> None:
        for _ in range(number):
            rows.append((0, shape[len(rows)], 1, False))
            result.append(rows[-1][1])

    for i in range(count):
        if i in ellipses:
            whole(left)
        elif op.new_axis_mask & bit[i]:
            new_axes.append(len(result))
            result.append(1)
        elif op.shrink_axis_mask & bit[i]:
            rows.append((_position(op.begin[i], shape[len(rows)], len(rows), shape), 1, 1, True))
        else:
            row = _part(op, i, bit[i], strides[i], shape[len(rows)])
            rows.append(row)
            result.append(row[1])
    if not ellipses:
        whole(left)
    begin, size, stride, shrink = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Dense(begin, size, stride, shrink, tuple(new_axes), tuple(result))


def _position(index: Size, size: Size, axis: int, shape: Shape) -> Size:
    message = f"index {index} is out of bounds for axis {axis} of a tensor of shape {text(shape)}"
    if isinstance(index, int) and index < 0:
        require_less_equal(-index, size, message)
        return size + index
    if not isinstance(index, int) and not nonnegative(index):
        index = dims.select(dims.less(index, 0), index + size, index)
        require_less_equal(0, index, message)
    require_less_equal(index + 1, size, message)
    return index


def _part(op: Any, i: int, bit: int, stride: int, size: Size) -> tuple[Size, Size, int, bool]:
    if stride == 0:
        raise ValueError(f"strides[{i}] must not be 0")
    low: Size = 0 if stride > 0 else -1
    high = size if stride > 0 else size - 1
    first = op.begin[i]
    if op.begin_mask & bit:
        begin = low if stride > 0 else high
    elif stride > 0 and not isinstance(size, int) and nonnegative(first):
        begin = first    # beyond the end there are no elements, whatever the begin: max(size - begin, 0) stays simple
    else:
        begin = _clamped(first, size, low, high)
    end = (high if stride > 0 else low) if op.end_mask & bit else _clamped(op.end[i], size, low, high)
    span = end - begin if stride > 0 else begin - end
    step = abs(stride)
    count = span if step == 1 else dims.floordiv(span + (step - 1), step)
    if not nonnegative(count):
        count = dims.maximum(count, 0)
    return begin, count, stride, False


def _clamped(index: Size, size: Size, low: Size, high: Size) -> Size:
    if isinstance(index, int):
        if index < 0:
            return dims.maximum(index + size, low)
        return dims.minimum(index, high)
    if not nonnegative(index):
        index = dims.maximum(dims.select(dims.less(index, 0), index + size, index), low)
    return index if dims.same(index, high) else dims.minimum(index, high)
