"""Rows combined by segment, and rows of a table picked by index and then combined."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.array.fill import fill, ones
from graphc.api.array.join import concat
from graphc.api.array.shapes import rank, reshape, shape
from graphc.api.math.binary import maximum
from graphc.api.math.unary import sqrt
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ops.math import segments, sparse_segments, unsorted_segments


@public("segment_sum", "math.segment_sum")
def segment_sum(data, segment_ids, name=None):
    """The sums of the rows of each segment: result[s] is the sum of data[i] where segment_ids[i] == s.

    data: real numbers [rows, ...]. segment_ids: int32 or int64 [rows], which ascend from 0 or more; one that is less
    than the one before ends the run with InvalidArgumentError. The result has as many rows as the last id says, those
    of no segment 0. Raises TypeError for other dtypes, ValueError for a scalar, or if segment_ids are known to be no
    vector of as many elements as data has rows. As `tf.segment_sum`.

    >>> rows = gc.constant([[1., 2.], [3., 4.], [5., 6.]])
    >>> gc.segment_sum(rows, [0, 0, 1]).eval()
    array([[4., 6.],
           [5., 6.]], dtype=float32)
    """
    return apply(segments.SegmentSum, data, segment_ids, name=name)


@public("segment_mean", "math.segment_mean")
def segment_mean(data, segment_ids, name=None):
    """The means of the rows of each segment; arguments as of `gc.segment_sum`. As `tf.segment_mean`.

    data: real numbers but uint64. Shapes and errors as of `gc.segment_sum`.

    >>> gc.segment_mean([[1., 2.], [3., 4.], [5., 6.]], [0, 0, 1]).eval()
    array([[2., 3.],
           [5., 6.]], dtype=float32)
    """
    return apply(segments.SegmentMean, data, segment_ids, name=name)


@public("segment_prod", "math.segment_prod")
def segment_prod(data, segment_ids, name=None):
    """The products of the rows of each segment; arguments as of `gc.segment_sum`, rows of no segment are 1. As
    `tf.segment_prod`.

    data: real numbers. Shapes and errors as of `gc.segment_sum`.

    >>> gc.segment_prod([[1., 2.], [3., 4.], [5., 6.]], [0, 0, 2]).eval()
    array([[3., 8.],
           [1., 1.],
           [5., 6.]], dtype=float32)
    """
    return apply(segments.SegmentProd, data, segment_ids, name=name)


@public("segment_min", "math.segment_min")
def segment_min(data, segment_ids, name=None):
    """The least of the rows of each segment, element by element; arguments as of `gc.segment_sum`. As `tf.segment_min`.

    data: real numbers but uint64. Shapes and errors as of `gc.segment_sum`.

    >>> gc.segment_min([[1., 9.], [3., 4.], [5., 6.]], [0, 0, 1]).eval()
    array([[1., 4.],
           [5., 6.]], dtype=float32)
    """
    return apply(segments.SegmentMin, data, segment_ids, name=name)


@public("segment_max", "math.segment_max")
def segment_max(data, segment_ids, name=None):
    """The greatest of the rows of each segment, element by element; arguments as of `gc.segment_sum`. As
    `tf.segment_max`.

    data: real numbers but uint64. Shapes and errors as of `gc.segment_sum`.

    >>> gc.segment_max([[1., 9.], [3., 4.], [5., 6.]], [0, 0, 1]).eval()
    array([[3., 9.],
           [5., 6.]], dtype=float32)
    """
    return apply(segments.SegmentMax, data, segment_ids, name=name)


@public("unsorted_segment_sum", "math.unsorted_segment_sum")
def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """The sums of the rows of each segment, in any order: result[s] is the sum of data[i] where segment_ids[i] == s.

    data: numbers [*ids, ...]. segment_ids: int32 or int64 of the shape of data's first axes; rows with a negative id
    are left out, one from num_segments on ends the run with InvalidArgumentError. The result is [num_segments, ...], 0
    for segments without rows. Raises TypeError for other dtypes, ValueError if the shapes are known not to fit, or
    num_segments to be negative. As `tf.unsorted_segment_sum`.

    >>> gc.unsorted_segment_sum([1., 2., 4., 8.], [2, 0, 2, -1], num_segments=4).eval()
    array([2., 0., 5., 0.], dtype=float32)
    """
    return apply(unsorted_segments.UnsortedSegmentSum, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_prod", "math.unsorted_segment_prod")
def unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    """The products of the rows of each segment, 1 without any; arguments as of `gc.unsorted_segment_sum`.
    As `tf.unsorted_segment_prod`.

    data: real numbers. Shapes and errors as of `gc.unsorted_segment_sum`.

    >>> gc.unsorted_segment_prod([3., 2., 4.], [2, 0, 2], num_segments=3).eval()
    array([ 2.,  1., 12.], dtype=float32)
    """
    return apply(unsorted_segments.UnsortedSegmentProd, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_min", "math.unsorted_segment_min")
def unsorted_segment_min(data, segment_ids, num_segments, name=None):
    """The least of the rows of each segment, the dtype's greatest number without any; arguments as of
    `gc.unsorted_segment_sum`. As `tf.unsorted_segment_min`.

    data: real numbers. Shapes and errors as of `gc.unsorted_segment_sum`.

    >>> gc.unsorted_segment_min([3, 2, 4], [1, 0, 1], num_segments=3).eval()
    array([         2,          3, 2147483647], dtype=int32)
    """
    return apply(unsorted_segments.UnsortedSegmentMin, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_max", "math.unsorted_segment_max")
def unsorted_segment_max(data, segment_ids, num_segments, name=None):
    """The greatest of the rows of each segment, the dtype's least number without any; arguments as of
    `gc.unsorted_segment_sum`. As `tf.unsorted_segment_max`.

    data: real numbers. Shapes and errors as of `gc.unsorted_segment_sum`.

    >>> gc.unsorted_segment_max([3, 2, 4], [1, 0, 1], num_segments=3).eval()
    array([          2,           4, -2147483648], dtype=int32)
    """
    return apply(unsorted_segments.UnsortedSegmentMax, data, segment_ids, num_segments, name=name)


def _counts(data, segment_ids, num_segments):
    """How many rows each segment has, at least 1, with axes of size 1 for those of a row."""
    number = unsorted_segment_sum(ones(shape(segment_ids), data.dtype), segment_ids, num_segments)
    rest = reshape(rank(data) - rank(segment_ids), [1])
    return maximum(reshape(number, concat([shape(number), fill(rest, 1)], 0)), convert_to_tensor(1, dtype=data.dtype))


@public("unsorted_segment_mean", "math.unsorted_segment_mean")
def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    """The means of the rows of each segment, 0 without any; arguments as of `gc.unsorted_segment_sum`.
    As `tf.unsorted_segment_mean`.

    data: real numbers but uint32 and uint64; the mean of integers is floating point. Shapes and errors as of
    `gc.unsorted_segment_sum`.

    >>> gc.unsorted_segment_mean([3., 2., 4.], [2, 0, 2], num_segments=3).eval()
    array([2. , 0. , 3.5], dtype=float32)
    """
    with get_default_graph().name_scope(name or "UnsortedSegmentMean"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / count


@public("unsorted_segment_sqrt_n", "math.unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    """The sums of the rows of each segment over the root of their number, 0 without any; floating point only.

    Arguments and errors as of `gc.unsorted_segment_sum`; TypeError for integers. As `tf.unsorted_segment_sqrt_n`.

    >>> gc.unsorted_segment_sqrt_n([3., 2., 4., 1., 1.], [1, 0, 1, 1, 1], num_segments=3).eval()
    array([2. , 4.5, 0. ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "UnsortedSegmentSqrtN"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / sqrt(count)


def _sparse(plain, given, data, indices, segment_ids, name, num_segments):
    op, more = (plain, ()) if num_segments is None else (given, (num_segments,))
    with get_default_graph().name_scope(name or op.type) as scope:
        data, segment_ids = convert_to_tensor(data, name="data"), convert_to_tensor(segment_ids, name="segment_ids")
        if segment_ids.dtype == int64:                 # of which there are fewer than 2**31
            segment_ids = cast(segment_ids, int32)
        return apply(op, data, indices, segment_ids, *more, name=scope)


@public("sparse_segment_sum", "sparse.segment_sum")
def sparse_segment_sum(data, indices, segment_ids, name=None, num_segments=None):
    """`gc.segment_sum` of gc.gather(data, indices), without that tensor in between: sums of embeddings.

    data: real numbers [rows, ...]; indices and segment_ids: int32 or int64 [n], rows of data and ascending.
    num_segments: the rows of the result, by default the last id + 1; segments without rows are 0. Raises TypeError for
    other dtypes, ValueError if indices and segment_ids are known to be no vectors of one length; ids that descend, and
    indices that are no row, end the run with InvalidArgumentError. As `tf.sparse_segment_sum`.

    >>> table = gc.constant([[1., 2.], [10., 20.], [100., 200.]])
    >>> gc.sparse_segment_sum(table, [0, 2, 1], [0, 0, 1]).eval()
    array([[101., 202.],
           [ 10.,  20.]], dtype=float32)
    >>> gc.sparse_segment_sum(table, [0, 2], [0, 2], num_segments=4).eval()
    array([[  1.,   2.],
           [  0.,   0.],
           [100., 200.],
           [  0.,   0.]], dtype=float32)
    """
    return _sparse(
        sparse_segments.SparseSegmentSum,
        sparse_segments.SparseSegmentSumWithNumSegments,
        data,
        indices,
        segment_ids,
        name,
        num_segments,
    )


@public("sparse_segment_mean", "sparse.segment_mean")
def sparse_segment_mean(data, indices, segment_ids, name=None, num_segments=None):
    """`gc.segment_mean` of gc.gather(data, indices); arguments as of `gc.sparse_segment_sum`. As
    `tf.sparse_segment_mean`.

    data: floating point, else TypeError. Other errors as of `gc.sparse_segment_sum`.

    >>> gc.sparse_segment_mean([[1., 2.], [10., 20.], [3., 4.]], [0, 2, 1], [0, 0, 1]).eval()
    array([[ 2.,  3.],
           [10., 20.]], dtype=float32)
    """
    return _sparse(
        sparse_segments.SparseSegmentMean,
        sparse_segments.SparseSegmentMeanWithNumSegments,
        data,
        indices,
        segment_ids,
        name,
        num_segments,
    )


@public("sparse_segment_sqrt_n", "sparse.segment_sqrt_n")
def sparse_segment_sqrt_n(data, indices, segment_ids, name=None, num_segments=None):
    """`gc.sparse_segment_sum` over the root of the number of rows in each segment; arguments as of that.
    As `tf.sparse_segment_sqrt_n`.

    data: floating point, else TypeError. Other errors as of `gc.sparse_segment_sum`.

    >>> gc.sparse_segment_sqrt_n([[1.], [2.], [3.], [4.]], [0, 1, 2, 3], [0, 0, 0, 0]).eval()
    array([[5.]], dtype=float32)
    """
    return _sparse(
        sparse_segments.SparseSegmentSqrtN,
        sparse_segments.SparseSegmentSqrtNWithNumSegments,
        data,
        indices,
        segment_ids,
        name,
        num_segments,
    )
