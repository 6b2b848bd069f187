"""Random orders, crops and choices; gamma and Poisson numbers."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros_like
from graphc.api.array.shapes import shape as shape_of
from graphc.api.array.slicing import slice_
from graphc.api.control.script import Assert
from graphc.api.math.binary import maximum
from graphc.api.math.comparison import greater_equal
from graphc.api.math.reduce import reduce_all
from graphc.api.public import public
from graphc.api.random.random import draw, random_uniform
from graphc.ir.apply import convert_to_tensor, index_tensor
from graphc.ir.dtypes import as_dtype, float32, int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


@public("random_shuffle", "random.shuffle")
def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows of value in another order at each run; what stands in a row stays together.

    value: of any dtype and shape, which the result has; a scalar stays as it is. seed as of `gc.random_uniform`. To
    shuffle two tensors alike, shuffle indices. As `tf.random_shuffle`.

    >>> order = gc.random_shuffle(gc.range(5), seed=1)
    >>> x, y = gc.gather([10, 11, 12, 13, 14], order), gc.gather([0, 1, 2, 3, 4], order)
    >>> (x - y).eval()
    array([10, 10, 10, 10, 10], dtype=int32)
    """
    with get_default_graph().name_scope(name or "RandomShuffle") as scope:
        made: Tensor = draw(OPS["RandomShuffle"], seed, convert_to_tensor(value, name="value"), name=scope)
    return made


@public("random_crop", "image.random_crop")
def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A part of value of this size, anywhere in it, another one at each run.

    value: of any dtype, which the result has. size: a list or vector of a number an axis: [24, 24, 3] of a picture.
    Raises ValueError if it is known to be larger than value, InvalidArgumentError when run. seed as of
    `gc.random_uniform`. As `tf.random_crop`.

    >>> image = gc.ones([32, 32, 3])
    >>> gc.random_crop(image, [24, 24, 3], seed=1).shape.as_list()
    [24, 24, 3]
    """
    with get_default_graph().name_scope(name or "random_crop") as scope:
        value = convert_to_tensor(value, name="value")
        size = cast(index_tensor(size, "size"), int32)
        whole = shape_of(value)
        known, wanted = value.spec.static_shape, size.spec.value
        fits = known is not None and wanted is not None and all(
            isinstance(w, int) and k is not None for w, k in zip(wanted, known, strict=True))
        if fits and any(k < w for k, w in zip(known, wanted, strict=True)):  # type: ignore[arg-type]
            raise ValueError(f"Need value.shape >= size, got {list(known)} and {list(wanted)}")  # type: ignore[arg-type]
        checks = [] if fits else [Assert(reduce_all(greater_equal(whole, size)),
                                         ["Need value.shape >= size, got ", whole, size])]
        with get_default_graph().control_dependencies(checks):
            limit = whole - size + 1
            if not fits:
                limit = maximum(limit, 1)        # or the division could be what a crop that is too large fails with
            drawn = random_uniform(shape_of(whole), dtype=int32, maxval=2**31 - 1, seed=seed)
            offset = drawn % limit
        return slice_(value, offset, size, name=scope)


@public("multinomial", "random.multinomial")
def multinomial(logits: Any, num_samples: Any, seed: int | None = None, name: str | None = None,
                output_dtype: Any = None) -> Tensor:
    """Classes for each row of logits, chosen with the probabilities softmax(logits): [batch, num_samples].

    logits: float32, float64, int32 or int64 [batch, classes], logarithms of probabilities that need not add up to 1.
    num_samples: an int or a scalar. output_dtype: int64 (the default) or int32. seed as of `gc.random_uniform`. Raises
    TypeError for other dtypes, ValueError if logits are no matrix, or num_samples is negative. As `tf.multinomial`;
    `gc.random.categorical` is the newer name.

    >>> gc.multinomial(gc.log([[0., 1., 0.], [1., 0., 0.]]), 4, seed=1).eval()
    array([[1, 1, 1, 1],
           [0, 0, 0, 0]])
    """
    return _chosen(logits, num_samples, output_dtype, seed, name or "multinomial")


@public("random.categorical")
def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None,
                name: str | None = None) -> Tensor:
    """Classes for each row of logits, chosen with the probabilities softmax(logits): [batch, num_samples].

    Arguments and errors as of `gc.multinomial`; dtype is that of the result, int64 by default, or int32. As
    `tf.random.categorical`.

    >>> gc.random.categorical(gc.log([[0., 1., 0.], [1., 0., 0.]]), 4, dtype=gc.int32, seed=1).eval()
    array([[1, 1, 1, 1],
           [0, 0, 0, 0]], dtype=int32)
    """
    return _chosen(logits, num_samples, dtype, seed, name or "categorical")


def _chosen(logits: Any, num_samples: Any, dtype: Any, seed: int | None, name: str) -> Tensor:
    with get_default_graph().name_scope(name):
        made: Tensor = draw(OPS["Multinomial"], seed, convert_to_tensor(logits, name="logits"), num_samples,
                             output_dtype=int64 if dtype is None else as_dtype(dtype))
    return made


@public("random_gamma", "random.gamma")
def random_gamma(shape: Any, alpha: Any, beta: Any = None, dtype: Any = float32, seed: int | None = None,
                 name: str | None = None) -> Tensor:
    """Gamma distributed numbers of the shape `shape` + that of alpha and beta together.

    alpha: the shape parameter, beta: the rate (1 by default; the mean is alpha / beta), which broadcast. dtype:
    float16, float32 or float64. The gradient by alpha is that of implicit reparameterisation. seed as of
    `gc.random_uniform`. Raises TypeError for other dtypes and a list that is not of ints as shape, ValueError for alpha
    and beta that do not broadcast or are tensors of another dtype. As `tf.random_gamma`.

    >>> x = gc.random_gamma([5000], alpha=[2., 6.], beta=2., seed=1)
    >>> means = gc.reduce_mean(x, axis=0).eval()
    >>> bool((abs(means - [1., 3.]) < 0.1).all())
    True
    """
    with get_default_graph().name_scope(name or "random_gamma"):
        kind = as_dtype(dtype)
        alpha = convert_to_tensor(alpha, kind, name="alpha")
        beta = convert_to_tensor(1 if beta is None else beta, kind, name="beta")
        drawn = draw(OPS["RandomGamma"], seed, index_tensor(shape, "shape"), alpha + zeros_like(beta))
        made: Tensor = maximum(np.finfo(kind.as_numpy_dtype).tiny, drawn / beta)
    return made


@public("random_poisson", "random.poisson")
def random_poisson(lam: Any, shape: Any, dtype: Any = float32, seed: int | None = None,
                   name: str | None = None) -> Tensor:
    """Poisson distributed numbers of the shape `shape` + that of lam, their mean.

    lam: float32, float64, int32 or int64, at least 0. dtype: that of the result: float32, float64, int32 or int64. seed
    as of `gc.random_uniform`. Raises TypeError for other dtypes and a list that is not of ints as shape. As
    `tf.random_poisson`; lam comes first.

    >>> x = gc.random_poisson([2., 8.], [5000], seed=1)
    >>> means = gc.reduce_mean(x, axis=0).eval()
    >>> bool((abs(means - [2., 8.]) < 0.2).all())
    True
    """
    with get_default_graph().name_scope(name or "random_poisson"):
        made: Tensor = draw(OPS["RandomPoissonV2"], seed, index_tensor(shape, "shape"),
                             convert_to_tensor(lam, name="rate"), dtype=as_dtype(dtype))
    return made
