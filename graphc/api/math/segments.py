"""Rows combined by segment, and rows of a table picked by index and then combined."""
from __future__ import annotations

from graphc.api.array.fill import fill, ones
from graphc.api.array.join import concat
from graphc.api.array.shapes import rank, reshape, shape
from graphc.api.math.binary import maximum
from graphc.api.math.unary import sqrt
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.math import segments, sparse_segments, unsorted_segments


@public("segment_sum", "math.segment_sum")
def segment_sum(data, segment_ids, name=None):
    """The sums of the rows of each segment; segment_ids ascend, one a row. As `tf.segment_sum`."""
    return apply(segments.SegmentSum, data, segment_ids, name=name)


@public("segment_mean", "math.segment_mean")
def segment_mean(data, segment_ids, name=None):
    """The means of the rows of each segment; segment_ids ascend, one a row. As `tf.segment_mean`."""
    return apply(segments.SegmentMean, data, segment_ids, name=name)


@public("segment_prod", "math.segment_prod")
def segment_prod(data, segment_ids, name=None):
    """The products of the rows of each segment; segment_ids ascend, one a row. As `tf.segment_prod`."""
    return apply(segments.SegmentProd, data, segment_ids, name=name)


@public("segment_min", "math.segment_min")
def segment_min(data, segment_ids, name=None):
    """The least of the rows of each segment; segment_ids ascend, one a row. As `tf.segment_min`."""
    return apply(segments.SegmentMin, data, segment_ids, name=name)


@public("segment_max", "math.segment_max")
def segment_max(data, segment_ids, name=None):
    """The greatest of the rows of each segment; segment_ids ascend, one a row. As `tf.segment_max`."""
    return apply(segments.SegmentMax, data, segment_ids, name=name)


@public("unsorted_segment_sum", "math.unsorted_segment_sum")
def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """The sums of the rows of each segment, 0 without any; negative ids leave a row out. As
    `tf.unsorted_segment_sum`."""
    return apply(unsorted_segments.UnsortedSegmentSum, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_prod", "math.unsorted_segment_prod")
def unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    """The products of the rows of each segment, 1 without any. As `tf.unsorted_segment_prod`."""
    return apply(unsorted_segments.UnsortedSegmentProd, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_min", "math.unsorted_segment_min")
def unsorted_segment_min(data, segment_ids, num_segments, name=None):
    """The least of the rows of each segment, the dtype's greatest number without any. As `tf.unsorted_segment_min`."""
    return apply(unsorted_segments.UnsortedSegmentMin, data, segment_ids, num_segments, name=name)


@public("unsorted_segment_max", "math.unsorted_segment_max")
def unsorted_segment_max(data, segment_ids, num_segments, name=None):
    """The greatest of the rows of each segment, the dtype's least number without any. As `tf.unsorted_segment_max`."""
    return apply(unsorted_segments.UnsortedSegmentMax, data, segment_ids, num_segments, name=name)


def _counts(data, segment_ids, num_segments):
    """How many rows each segment has, at least 1, with axes of size 1 for those of a row."""
    number = unsorted_segment_sum(ones(shape(segment_ids), data.dtype), segment_ids, num_segments)
    rest = reshape(rank(data) - rank(segment_ids), [1])
    return maximum(reshape(number, concat([shape(number), fill(rest, 1)], 0)), convert_to_tensor(1, dtype=data.dtype))


@public("unsorted_segment_mean", "math.unsorted_segment_mean")
def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    """The means of the rows of each segment, 0 without any. As `tf.unsorted_segment_mean`."""
    with get_default_graph().name_scope(name or "UnsortedSegmentMean"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / count


@public("unsorted_segment_sqrt_n", "math.unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    """The sums of the rows of each segment over the root of their number. As `tf.unsorted_segment_sqrt_n`."""
    with get_default_graph().name_scope(name or "UnsortedSegmentSqrtN"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        count = _counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / sqrt(count)


def _sparse(plain, given, data, indices, segment_ids, name, num_segments):
    op, more = (plain, ()) if num_segments is None else (given, (num_segments,))
    with get_default_graph().name_scope(name or op.type) as scope:
        data, segment_ids = convert_to_tensor(data, name="data"), convert_to_tensor(segment_ids, name="segment_ids")
        return apply(op, data, indices, segment_ids, *more, name=scope)


@public("sparse_segment_sum", "sparse.segment_sum")
def sparse_segment_sum(data, indices, segment_ids, name=None, num_segments=None):
    """segment_sum of the rows of data that indices names. As `tf.sparse_segment_sum`."""
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
    """segment_mean of the rows of data that indices names. As `tf.sparse_segment_mean`."""
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
    """segment_sum of the rows of data that indices names, over the root of their number. As
    `tf.sparse_segment_sqrt_n`."""
    return _sparse(
        sparse_segments.SparseSegmentSqrtN,
        sparse_segments.SparseSegmentSqrtNWithNumSegments,
        data,
        indices,
        segment_ids,
        name,
        num_segments,
    )
