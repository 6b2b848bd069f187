"""Histograms of integers and of numbers, and the confusion matrix."""
from __future__ import annotations

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like
from graphc.api.array.gather import scatter_sum
from graphc.api.array.select import select
from graphc.api.array.shapes import reshape, shape, squeeze
from graphc.api.math.binary import add, maximum, minimum, multiply
from graphc.api.math.comparison import greater, greater_equal, less, logical_and
from graphc.api.math.division import truediv
from graphc.api.math.reduce import reduce_max, reduce_prod
from graphc.api.math.segments import unsorted_segment_sum
from graphc.api.math.unary import floor
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, float32, float64, int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ops.math.counting import Bincount, HistogramFixedWidth
from graphc.ops.math.nth_element import Bucketize


@public("bincount", "math.bincount")
def bincount(arr, weights=None, minlength=None, maxlength=None, dtype=int32, name=None):
    """How often each integer from 0 on occurs in arr; with weights the sum of the weights of its occurrences.

    arr: int32 of any shape. weights: of arr's shape; the result has their dtype, else `dtype`. The result is a vector
    of max(arr) + 1 elements, but at least minlength and at most maxlength; what is beyond maxlength is not counted.
    Raises ValueError if arr is a tensor of another dtype, or weights have another shape, TypeError for a dtype other
    than int32, int64, float32 and float64; a negative number ends the run with InvalidArgumentError, with weights it is
    left out. As `tf.math.bincount`.

    >>> gc.math.bincount([1, 1, 2, 5]).eval()
    array([0, 2, 1, 0, 0, 1], dtype=int32)
    >>> gc.math.bincount([0, 1, 1], weights=[0.5, 1., 2.], minlength=4).eval()
    array([0.5, 3. , 0. , 0. ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "bincount"):
        arr = convert_to_tensor(arr, dtype=int32, name="arr")
        size = multiply(cast(greater(reduce_prod(shape(arr)), 0), int32), add(reduce_max(arr), 1))
        if minlength is not None:
            size = maximum(convert_to_tensor(minlength, dtype=int32, name="minlength"), size)
        if maxlength is not None:
            size = minimum(convert_to_tensor(maxlength, dtype=int32, name="maxlength"), size)
        if weights is not None:
            return unsorted_segment_sum(convert_to_tensor(weights, name="weights"), arr, size)
        counted = as_dtype(dtype)
        if counted not in (int32, int64, float32, float64):
            raise TypeError(f"bincount: argument 'dtype' must be int32, int64, float32 or float64, "
                            f"but is {counted.name}")
        return apply(Bincount, arr, size, np.zeros(0, counted.numpy))


@public("histogram_fixed_width")
def histogram_fixed_width(values, value_range, nbins=100, dtype=int32, name=None):
    """How many of values fall into each of nbins equal parts of value_range.

    values: floating point, int32 or int64 of any shape. value_range: [low, high] of that dtype. What is below or above
    is counted in the first or the last part. The result is a vector of nbins int32 (or `dtype`). Raises TypeError for
    other or different dtypes, ValueError if value_range has not two elements, or nbins is not positive; a value_range
    that does not ascend ends the run with InvalidArgumentError. As `tf.histogram_fixed_width`.

    >>> gc.histogram_fixed_width([-1., 0., 1.5, 2., 5., 15.], [0., 5.], nbins=5).eval()
    array([2, 1, 1, 0, 2], dtype=int32)
    """
    return apply(
        HistogramFixedWidth, values, value_range, nbins, dtype=as_dtype(dtype), name=name or "histogram_fixed_width"
    )


@public("histogram_fixed_width_bins")
def histogram_fixed_width_bins(values, value_range, nbins=100, dtype=int32, name=None):
    """The number of the part of value_range, of nbins equal ones, into which each value falls: int32 of the shape of
    values.

    values: real numbers but uint32 and uint64, of any shape; value_range: [low, high] of their dtype. What is below or
    above belongs to the first or the last part. Raises TypeError for other or different dtypes, ValueError if
    value_range has less than two elements. As `tf.histogram_fixed_width_bins`.

    >>> gc.histogram_fixed_width_bins([-1., 0., 1.5, 2., 5., 15.], [0., 5.], nbins=5).eval()
    array([0, 0, 1, 2, 4, 4], dtype=int32)
    """
    with get_default_graph().name_scope(name or "histogram_fixed_width_bins") as scope:
        values = convert_to_tensor(values, name="values")
        bounds = convert_to_tensor(
            value_range, dtype=None if is_tensor_like(value_range) else values.dtype, name="value_range"
        )
        nbins = convert_to_tensor(nbins, dtype=int32, name="nbins")
        scaled = truediv(values - bounds[0], bounds[1] - bounds[0], name="scaled_values")
        count = cast(nbins, scaled.dtype)
        indices = floor(count * scaled, name="indices")
        return cast(minimum(maximum(indices, convert_to_tensor(0, dtype=scaled.dtype)), count - 1), dtype, name=scope)


@public("confusion_matrix", "math.confusion_matrix")
def confusion_matrix(labels, predictions, num_classes=None, dtype=int32, name=None, weights=None):
    """The matrix [num_classes, num_classes] of how often each label (row) was predicted as each class (column).

    labels, predictions: whole numbers [batch], one of them also [batch, 1]. num_classes: by default the greatest label
    or prediction + 1. weights: [batch], summed in place of counting. A number below 0, or from num_classes on, ends the
    run with InvalidArgumentError. Raises ValueError if their shapes are known to differ, TypeError for strings. As
    `tf.confusion_matrix`.

    >>> gc.confusion_matrix(labels=[0, 1, 1, 2], predictions=[0, 1, 2, 2]).eval()
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]], dtype=int32)
    >>> gc.confusion_matrix([1, 1], [0, 1], num_classes=2, weights=[0.5, 2.], dtype=gc.float32).eval()
    array([[0. , 0. ],
           [0.5, 2. ]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "confusion_matrix") as scope:
        predictions = convert_to_tensor(predictions, name="predictions")
        labels = convert_to_tensor(labels, name="labels")
        ranks = labels.spec.rank, predictions.spec.rank
        if None not in ranks:
            labels = squeeze(labels, [-1]) if ranks[0] == ranks[1] + 1 else labels
            predictions = squeeze(predictions, [-1]) if ranks[1] == ranks[0] + 1 else predictions
        labels, predictions = cast(labels, int64), cast(predictions, int64)
        if num_classes is None:
            classes = maximum(reduce_max(predictions), reduce_max(labels)) + 1
        else:
            classes = cast(convert_to_tensor(num_classes, name="num_classes"), int64)
        inside = [
            logical_and(greater_equal(x, convert_to_tensor(0, dtype=int64)), less(x, classes))
            for x in (labels, predictions)
        ]
        cells = classes * classes
        place = select(logical_and(*inside), labels * classes + predictions, ones_like(labels) * -1)
        counted = ones_like(predictions, as_dtype(dtype)) if weights is None else cast(weights, dtype)
        if counted.spec.rank == 0:
            counted = counted * ones_like(predictions, as_dtype(dtype))
        summed = scatter_sum(counted, place, reshape(cells, [1]))
        return reshape(summed, [cast(classes, int32), cast(classes, int32)], name=scope)


@public("raw_ops.Bucketize")
def bucketize(input, boundaries, name=None):
    """How many of the boundaries are not above each element: the number of its bucket, as int32.

    input: int32, int64, float32 or float64 of any shape. boundaries: a list of ascending Python numbers. Raises
    TypeError for other dtypes, ValueError for boundaries that do not ascend. As `tf.raw_ops.Bucketize`.

    >>> gc.raw_ops.Bucketize(input=[-5., 10., 25., 150.], boundaries=[0., 10., 100.]).eval()
    array([0, 2, 2, 3], dtype=int32)
    """
    return apply(Bucketize, input, boundaries=tuple(float(b) for b in boundaries), name=name)
