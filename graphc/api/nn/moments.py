"""Moments of tensors: plain, weighted, and from sufficient statistics."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like
from graphc.api.array.gather import gather
from graphc.api.array.identity import stop_gradient
from graphc.api.array.shapes import shape, squeeze
from graphc.api.array.source import constant
from graphc.api.math.binary import add, multiply, squared_difference, subtract
from graphc.api.math.reduce import deprecated, reduce_mean, reduce_prod, reduce_sum
from graphc.api.math.unary import reciprocal, square
from graphc.api.public import public
from graphc.ir import dims
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis


def _axes(axes: Any) -> list[int]:
    return [axes] if isinstance(axes, int) else list(axes)


@public("nn.moments")
def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """(mean, variance) of x along `axes`; the variance is the biased one, the mean of squared deviations.

    axes: an int or a list. The results lack the axes, with keepdims they keep them with size 1. 16-bit floats are
    computed in float32. shift changes no result. x: numbers of any shape, whose dtype the results have. Raises
    TypeError for strings and bools, ValueError for an axis out of range. As `tf.nn.moments`.

    >>> mean, variance = gc.nn.moments(gc.constant([[1., 2.], [3., 6.]]), axes=[0])
    >>> mean.eval(), variance.eval()
    (array([2., 4.], dtype=float32), array([1., 4.], dtype=float32))
    """
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "moments"):
        x = convert_to_tensor(x, name="x")
        given = x.dtype
        x = cast(x, float32) if given.is_half else x       # squared deviations need more than 16 bits
        mean = reduce_mean(x, axes, keepdims=True, name="mean")
        variance = reduce_mean(squared_difference(x, stop_gradient(mean)), axes, keepdims=True, name="variance")
        if not keepdims:
            mean, variance = squeeze(mean, _axes(axes)), squeeze(variance, _axes(axes))
        return cast(mean, given), cast(variance, given)


@public("nn.sufficient_statistics")
def sufficient_statistics(x, axes, shift=None, keep_dims=None, name=None, keepdims=None):
    """(count, sum, sum of squares, shift) of x along `axes`, after `shift` is subtracted: what several batches can add
    up.

    A shift near the mean keeps the sums small. `normalize_moments` makes mean and variance of them. x: floats. Raises
    ValueError for an axis out of range or a shift of another dtype. As `tf.nn.sufficient_statistics`.

    >>> count, total, squares, _ = gc.nn.sufficient_statistics(gc.constant([[1., 2.], [3., 6.]]), axes=[0])
    >>> count.eval(), total.eval(), squares.eval()
    (np.float32(2.0), array([4., 8.], dtype=float32), array([10., 40.], dtype=float32))
    """
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    axes = sorted(set(_axes(axes)))
    with get_default_graph().name_scope(name or "sufficient_statistics"):
        x = convert_to_tensor(x, name="x")
        sizes = x.spec.shape
        along = None if sizes is None else [sizes[normalise_axis(a, len(sizes))] for a in axes]
        if along is not None and all(isinstance(s, int) for s in along):
            counts = constant(float(dims.product(along)), dtype=x.dtype, name="count")  # type: ignore[arg-type]
        else:
            counts = reduce_prod(cast(gather(shape(x), axes), x.dtype), name="count")
        if shift is not None:
            shift = convert_to_tensor(shift, dtype=x.dtype, name="shift")
            moved, squares = subtract(x, shift), squared_difference(x, shift)
        else:
            moved, squares = x, square(x)
        return (counts, reduce_sum(moved, axes, keepdims=keepdims, name="mean_ss"),
                reduce_sum(squares, axes, keepdims=keepdims, name="var_ss"), shift)


@public("nn.normalize_moments")
def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """(mean, variance) from `sufficient_statistics`: count, sum, sum of squares and shift (or None).

    All are floats of one dtype. Raises TypeError for integers, ValueError if shapes do not broadcast. As
    `tf.nn.normalize_moments`.

    >>> mean, variance = gc.nn.normalize_moments(2., gc.constant([4., 8.]), gc.constant([10., 40.]), shift=None)
    >>> mean.eval(), variance.eval()
    (array([2., 4.], dtype=float32), array([1., 4.], dtype=float32))
    """
    with get_default_graph().name_scope(name or "normalize"):
        divisor = reciprocal(counts, name="divisor")
        if shift is not None:
            shifted = multiply(mean_ss, divisor, name="shifted_mean")
            mean = add(shifted, shift, name="mean")
        else:
            shifted = mean = multiply(mean_ss, divisor, name="mean")
        variance = subtract(multiply(variance_ss, divisor), square(shifted), name="variance")
        return mean, variance


@public("nn.weighted_moments")
def weighted_moments(x, axes, frequency_weights, name=None, keep_dims=None, keepdims=None):
    """(mean, variance) of x along `axes`, each element counted as often as its weight says.

    frequency_weights: broadcast against x. x: floats. Raises TypeError for integers and strings, ValueError for an axis
    out of range or weights that do not broadcast. As `tf.nn.weighted_moments`.

    >>> mean, variance = gc.nn.weighted_moments(gc.constant([1., 2., 5.]), axes=[0], frequency_weights=[2., 1., 1.])
    >>> mean.eval(), variance.eval()
    (np.float32(2.25), np.float32(2.6875))
    """
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "weighted_moments"):
        x, weights = convert_to_tensor(x, name="x"), convert_to_tensor(frequency_weights, name="frequency_weights")
        given = x.dtype
        x = cast(x, float32) if given.is_half else x
        if weights.dtype != x.dtype:
            weights = cast(weights, x.dtype)
        broadcast = multiply(weights, ones_like(x))
        total = reduce_sum(broadcast, axes, name="sum_of_weights", keepdims=True)
        divisor = reciprocal(total, name="inv_weight_sum")
        mean = multiply(reduce_sum(multiply(weights, x), axes, name="weighted_input_sum", keepdims=True), divisor)
        squares = reduce_sum(multiply(weights, squared_difference(x, mean)), axes, name="weighted_distsq",
                             keepdims=True)
        variance = multiply(squares, divisor)
        if not keepdims:
            mean, variance = squeeze(mean, _axes(axes)), squeeze(variance, _axes(axes))
        return cast(mean, given), cast(variance, given)
