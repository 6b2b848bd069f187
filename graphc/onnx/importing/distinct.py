"""Unique: distinct elements, or distinct slices along an axis."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op, shape_vector, sizes_of


@onnx_op("Unique")
def unique(node: Node, x: Any) -> Any:
    """(distinct ones, the first place of each, the number of each of x, how often each occurs)."""
    axis = node.attr("axis")
    axis = None if axis is None or node.rank(x) == 1 else node.axis(x, axis)
    source = gc.reshape(x, [-1]) if axis is None else x
    number = _numbers(source) if axis is None else _numbers_of_rows(_rows(source, axis))
    zero = gc.constant([-1], gc.int64)
    distinct = gc.reduce_max(gc.concat([number, zero], 0)) + gc.constant(1, gc.int64)
    first = gc.unsorted_segment_min(gc.range(gc.size(number, out_type=gc.int64)), number, distinct)
    if not node.attr("sorted", 1):
        order = gc.argsort(first)
        first = gc.gather(first, order)
        number = gc.gather(gc.cast(gc.invert_permutation(order), gc.int64), number)
    count = gc.unsorted_segment_sum(gc.ones_like(number), number, distinct)
    return gc.gather(source, first, axis=axis or 0), first, number, count


def _numbers(x: Any) -> Any:
    """The place of each element of a vector among the distinct ones, ascending."""
    values, number = gc.unique(x, gc.int64)
    return gc.gather(gc.cast(gc.invert_permutation(gc.argsort(values)), gc.int64), number)


def _rows(x: Any, axis: int) -> Any:
    """[slices, elements of each]."""
    sizes = sizes_of(x)
    rest: Any = 1
    for i, size in enumerate(sizes):
        rest = rest if i == axis else rest * size
    turned = gc.transpose(x, [axis, *(i for i in range(len(sizes)) if i != axis)])
    return gc.reshape(turned, shape_vector([sizes[axis], rest]))


def _numbers_of_rows(rows: Any) -> Any:
    """The same of rows in lexical order: ordered by one column after the other, equal ones keeping one number."""
    count, width = (gc.cast(size, gc.int64) for size in sizes_of(rows))
    start = gc.zeros(gc.expand_dims(count, 0), gc.int64)

    def by_column(i: Any, number: Any) -> Any:
        return i + gc.constant(1, gc.int64), _numbers(number * count + _numbers(rows[:, i]))

    return gc.while_loop(lambda i, _: gc.less(i, width), by_column, [gc.constant(0, gc.int64), start],
                         shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])[1]
