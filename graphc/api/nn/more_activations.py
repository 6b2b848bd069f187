"""Activations and losses made of others: crelu, zero_fraction, log_poisson_loss."""
from __future__ import annotations

import math

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros_like
from graphc.api.array.gather import where
from graphc.api.array.join import concat
from graphc.api.array.shapes import size
from graphc.api.math.binary import multiply
from graphc.api.math.comparison import equal, greater_equal, less_equal, logical_and
from graphc.api.math.division import divide
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import exp, log, negative
from graphc.api.nn.activations import relu
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float32, int64
from graphc.ir.graph import get_default_graph


@public("nn.crelu")
def crelu(features, name=None, axis=-1):
    """relu of the features and relu of their negatives, concatenated along `axis`, which gets twice as long.

    features: any real dtype. Raises TypeError for other dtypes, ValueError for scalars and an axis out of range. As
    `tf.nn.crelu`.

    >>> gc.nn.crelu([[1., -2.]]).eval()
    array([[1., 0., 0., 2.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "CRelu") as scope:
        features = convert_to_tensor(features, name="features")
        both = concat([features, negative(features)], axis, name=scope)
        return relu(both)


@public("nn.zero_fraction", "math.zero_fraction")
def zero_fraction(value, name=None):
    """The share of the elements that are 0, a scalar float32: how sparse the result of a `relu` is.

    value: of any number dtype and shape; without elements the share is NaN. As `tf.nn.zero_fraction`.

    >>> gc.nn.zero_fraction([[0., 1.], [0., 0.]]).eval()
    np.float32(0.75)
    """
    with get_default_graph().name_scope(name or "zero_fraction"):
        value = convert_to_tensor(value, name="value")
        zeros = reduce_sum(cast(equal(value, zeros_like(value)), int64))
        return divide(cast(zeros, float32), cast(size(value, out_type=int64), float32), name="fraction")


@public("nn.log_poisson_loss")
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(log_input) - log_input * targets: the loss of counts under a Poisson distribution whose mean is
    exp(log_input).

    targets, log_input: floats of one shape, which the loss has. compute_full_loss adds Stirling's approximation of
    log(targets!), which does not depend on log_input, where targets are above 1. As `tf.nn.log_poisson_loss`. Raises
    ValueError if the shapes are known to differ, TypeError for integers.

    >>> targets, log_input = [0., 2.], [0., 1.]
    >>> gc.nn.log_poisson_loss(targets, log_input).eval()
    array([1.    , 0.7183], dtype=float32)
    >>> gc.nn.log_poisson_loss(targets, log_input, compute_full_loss=True).eval()
    array([1.    , 1.3701], dtype=float32)
    """
    with get_default_graph().name_scope(name or "log_poisson_loss"):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, dtype=None if is_tensor_like(targets) else log_input.dtype,
                                    name="targets")
        if not targets.shape.is_compatible_with(log_input.shape):
            raise ValueError(f"log_input and targets must have the same shape ({log_input.shape} vs {targets.shape})")
        result = exp(log_input) - log_input * targets
        if not compute_full_loss:
            return result
        stirling = targets * log(targets) - targets + multiply(0.5, log(multiply(2 * math.pi, targets)))
        # Of 0! and 1!, which are 1, the approximation is not defined or bad.
        small = logical_and(greater_equal(targets, 0), less_equal(targets, 1))
        return result + where(small, zeros_like(targets), stirling)
