"""Sorting and searching: the greatest elements, sort, argsort, places in sorted rows, distinct elements."""
from __future__ import annotations

from collections import namedtuple

import numpy as np

from graphc.api.array.shapes import reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.math.bitwise import invert
from graphc.api.math.unary import negative
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ir.values import whole
from graphc.ops.math.counting import LowerBound, UpperBound
from graphc.ops.math.top_k import InTopKV2, TopKV2
from graphc.ops.math.unique import Unique, UniqueWithCounts

_Greatest = namedtuple("TopKV2", ["values", "indices"])
_Distinct = namedtuple("Unique", ["y", "idx"])
_Counted = namedtuple("UniqueWithCounts", ["y", "idx", "count"])


@public("nn.top_k", "math.top_k")
def top_k(input, k=1, sorted=True, name=None):
    """(values, indices): the k greatest elements of each row in the last axis, greatest first, and where they stand
    (int32).

    input: real numbers [..., n]; k: an int or int32 scalar, at most n (ValueError, or InvalidArgumentError when run).
    Of equal elements the one with the lower index comes first. sorted changes nothing: they always are. Raises
    TypeError for other dtypes, ValueError for a scalar. As `tf.nn.top_k`.

    >>> values, indices = gc.nn.top_k([[1., 9., 4., 9.], [3., 2., 1., 0.]], k=2)
    >>> values.eval()
    array([[9., 9.],
           [3., 2.]], dtype=float32)
    >>> indices.eval()
    array([[1, 3],
           [0, 1]], dtype=int32)
    """
    return _Greatest(*apply(TopKV2, input, k, sorted=bool(sorted), name=name))


@public("nn.in_top_k", "math.in_top_k")
def in_top_k(predictions, targets, k, name=None):
    """Whether the target of each row is among its k greatest predictions: bool [batch].

    predictions: float32 [batch, classes]. targets: int32 or int64 [batch]; arrays of other integers become int32.
    Classes that tie with the k-th are in, too. A target that is no class is False, and so is all of a row with a
    prediction that is not finite. Raises TypeError for other dtypes, ValueError for other ranks and a different number
    of rows. As `tf.nn.in_top_k`.

    >>> gc.nn.in_top_k([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]], [2, 2], k=2).eval()
    array([ True, False])
    """
    with get_default_graph().name_scope(name or "in_top_k"):
        targets = convert_to_tensor(targets, preferred_dtype=int32, name="InTopKV2/targets")
        if not is_tensor_like(k):
            k = np.asarray(whole(k), targets.dtype.numpy)
        return apply(InTopKV2, predictions, targets, k)


@public("sort")
def sort(values, axis=-1, direction="ASCENDING", name=None):
    """The elements along `axis` in order.

    values: real numbers. axis: a Python int, the last one by default; another one needs a known rank. direction:
    "ASCENDING" or "DESCENDING" (ValueError for others). The result has the shape and dtype of values. Raises TypeError
    for other dtypes, ValueError for a scalar or an axis that is not there. As `tf.sort`.

    >>> x = gc.constant([[3., 1., 2.], [9., 7., 8.]])
    >>> gc.sort(x).eval()
    array([[1., 2., 3.],
           [7., 8., 9.]], dtype=float32)
    >>> gc.sort(x, axis=0, direction="DESCENDING").eval()
    array([[9., 7., 8.],
           [3., 1., 2.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "sort"):
        values = convert_to_tensor(values, name="values")
        if not _descends(direction):
            turned = _turned(values)
            return _turned(_ordered(turned, axis).values, back=True, axis=axis)
        return _moved(_ordered(values, axis).values, axis)


@public("argsort")
def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The indices (int32) that put the elements along `axis` in order; arguments as of `gc.sort`.

    Of equal elements the first one comes first, whatever `stable` says. The result has the shape of values. Errors as
    of `gc.sort`. As `tf.argsort`.

    >>> x = gc.constant([30., 10., 20.])
    >>> order = gc.argsort(x)
    >>> order.eval()
    array([1, 2, 0], dtype=int32)
    >>> gc.gather(x, order).eval()
    array([10., 20., 30.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "argsort"):
        values = convert_to_tensor(values, name="values")
        if not _descends(direction):
            values = _turned(values)
        return _moved(_ordered(values, axis).indices, axis)


def _descends(direction):
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Direction should be one of ['ASCENDING', 'DESCENDING'], but is {direction!r}")
    return direction == "DESCENDING"


def _turned(values, back=False, axis=-1):
    """Numbers in the opposite order. -x of the least integer is itself, the bits' complement of none."""
    made = invert(values) if values.dtype.is_integer else negative(values)
    return _moved(made, axis) if back else made


def _axis(values, axis):
    if is_tensor_like(axis):
        raise ValueError("axis must be known while the graph is built: give it as a Python number")
    rank = values.spec.rank
    if int(axis) == -1:
        return None
    if rank is None:
        raise ValueError(f"the rank of values is not known, so the axis must be -1, but is {axis}; use set_shape")
    found = normalise_axis(int(axis), rank)
    return None if found == rank - 1 else found


def _ordered(values, axis):
    """The whole row in descending order, along the last axis: `axis` and the last one change places."""
    values = _moved(values, axis)
    return top_k(values, shape(values)[-1])


def _moved(values, axis):
    found = _axis(values, axis)
    if found is None:
        return values
    perm = list(range(values.spec.rank))
    perm[found], perm[-1] = perm[-1], perm[found]
    return transpose(values, perm)


@public("unique")
def unique(x, out_idx=int32, name=None):
    """(y, idx): the distinct elements of a vector in order of their first occurrence, and for each element its place in
    y.

    x: a vector of real numbers, bools or strings; the length of y is known when run only. out_idx: int32 or int64.
    Raises TypeError for complex numbers, ValueError for another rank. As `tf.unique`.

    >>> y, idx = gc.unique([4, 1, 4, 7, 1])
    >>> y.eval()
    array([4, 1, 7], dtype=int32)
    >>> idx.eval()
    array([0, 1, 0, 2, 1], dtype=int32)
    >>> gc.gather(y, idx).eval()
    array([4, 1, 4, 7, 1], dtype=int32)
    """
    return _Distinct(*apply(Unique, x, out_idx=as_dtype(out_idx), name=name))


@public("unique_with_counts")
def unique_with_counts(x, out_idx=int32, name=None):
    """(y, idx, count): `gc.unique`, and how often each element of y occurs. As `tf.unique_with_counts`.

    Dtypes, shapes and errors as of `gc.unique`.

    >>> y, _, count = gc.unique_with_counts(["b", "a", "b"])
    >>> y.eval()
    array([b'b', b'a'], dtype=object)
    >>> count.eval()
    array([2, 1], dtype=int32)
    """
    return _Counted(*apply(UniqueWithCounts, x, out_idx=as_dtype(out_idx), name=name))


@public("searchsorted")
def searchsorted(sorted_sequence, values, side="left", out_type=int32, name=None):
    """Where in its sorted row each value could be put so that the row stays sorted, as out_type.

    sorted_sequence: real numbers [..., n], sorted along the last axis; values: [..., m] of the same dtype and front
    axes. side: before equal elements ("left"), or after them ("right"). out_type: int32 or int64. Raises TypeError for
    other or different dtypes, ValueError for another side, scalars and different front axes. As `tf.searchsorted`.

    >>> gc.searchsorted([1., 3., 3., 5.], [0., 3., 9.]).eval()
    array([0, 1, 4], dtype=int32)
    >>> gc.searchsorted([1., 3., 3., 5.], [0., 3., 9.], side="right").eval()
    array([0, 3, 4], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'.  Saw: {side}.")
    row = convert_to_tensor(sorted_sequence, name="sorted_sequence")
    values = convert_to_tensor(values, dtype=None if is_tensor_like(values) else row.dtype, name="values")
    flat = [reshape(x, [-1, shape(x)[-1]]) for x in (row, values)]
    found = apply(LowerBound if side == "left" else UpperBound, *flat, out_type=as_dtype(out_type), name=name)
    return reshape(found, shape(values))
