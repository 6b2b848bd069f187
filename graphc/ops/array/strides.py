"""What a StridedSlice means for an input of a given shape.

Bit i of a mask speaks of entry i of begin, end, strides:
  begin_mask, end_mask   the entry is ignored: from the first, to the last element
  ellipsis_mask          the entry stands for as many whole axes as are left over (at most one)
  new_axis_mask          a new axis of size 1 of the result; no axis of the input is used up
  shrink_axis_mask       one element, whose axis disappears
Negative begins and ends count from the back and are clamped as in Python. Begins, ends and strides may be sizes that
only running tells; the index of one element must be in range, else the run ends with an error.
"""
from __future__ import annotations

from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size, nonnegative
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, require_less, require_less_equal, text


@dataclass(frozen=True)
class Dense:
    """One begin, size, stride and shrink for each axis of the input; positions of new axes in the result."""

    begin: tuple[Size, ...]
    size: tuple[Size, ...]
    stride: tuple[Size, ...]
    shrink: tuple[bool, ...]
    new_axes: tuple[int, ...]
    result: Shape


def dense(op: Any, shape: Shape) -> Dense:
    """Raises ValueError if there are more entries than axes, an index is out of bounds, or a stride is 0."""
    count = len(op.begin)
    if len(op.end) != count or len(op.strides) != count:
        raise ValueError(
            f"begin, end and strides must be of one length, but have {count}, {len(op.end)}, {len(op.strides)}"
        )
    bit = [1 << i for i in range(count)]
    ellipses = [i for i in range(count) if op.ellipsis_mask & bit[i]]
    if len(ellipses) > 1:
        raise ValueError("only one ellipsis is allowed")
    used = sum(not op.new_axis_mask & bit[i] and i not in ellipses for i in range(count))
    if used > len(shape):
        raise ValueError(f"{used} indices are too many for a tensor of shape {text(shape)}")
    left = len(shape) - used
    rows: list[tuple[Size, Size, Size, bool]] = []
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
            if isinstance(op.strides[i], int) and op.strides[i] <= 0:
                raise ValueError(f"only stride 1 allowed on non-range indexing, but index {i} has {op.strides[i]}")
            rows.append((_position(op.begin[i], shape[len(rows)], len(rows), shape), 1, 1, True))
        else:
            row = _part(op, i, bit[i], op.strides[i], shape[len(rows)])
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
    require_less(index, size, message)
    if not nonnegative(index):
        require_less_equal(size * -1, index, message)
        index = dims.select(dims.less(index, 0), index + size, index)
    return index


def _part(op: Any, i: int, bit: int, stride: Size, size: Size) -> tuple[Size, Size, Size, bool]:
    if isinstance(stride, int) and stride == 0:
        raise ValueError(f"strides[{i}] must not be 0")
    back = 0 if nonnegative(stride) else dims.less(stride, 0)        # 1 if the elements are taken from back to front
    low = dims.select(back, -1, 0)
    high = dims.select(back, size - 1, size)
    first = op.begin[i]
    if op.begin_mask & bit:
        begin = dims.select(back, high, low)
    elif isinstance(back, int) and not back and not isinstance(size, int) and nonnegative(first):
        begin = first    # beyond the end there are no elements, whatever the begin: max(size - begin, 0) stays simple
    else:
        begin = _clamped(first, size, low, high)
    end = dims.select(back, low, high) if op.end_mask & bit else _clamped(op.end[i], size, low, high)
    span = dims.select(back, begin - end, end - begin)
    step = dims.select(back, stride * -1, stride)
    if not isinstance(step, int):
        require_less_equal(1, step, f"strides[{i}] must not be 0")
        step = dims.maximum(step, 1)
    count = span if isinstance(step, int) and step == 1 else dims.floordiv(span + (step - 1), step)
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
