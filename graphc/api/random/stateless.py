"""Random numbers that are functions of two seeds, and the seeds of ops."""
from __future__ import annotations

from typing import Any

from graphc.api.math.binary import add
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, index_tensor
from graphc.ir.dtypes import as_dtype, float32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


@public("random.stateless_uniform")
def stateless_uniform(shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32,
                      name: str | None = None) -> Tensor:
    """Numbers evenly distributed in [minval, maxval) that are a function of shape and seed: the same ones at each run.

    seed: two int32 or int64 numbers, also as a tensor: one that counts steps gives new ones at each. minval, maxval and
    dtype as of `gc.random_uniform`. Raises TypeError for other dtypes, also of the seed, ValueError if that has not the
    shape [2], or if integers have no maxval above minval. As `tf.random.stateless_uniform`, with its numbers.

    >>> gc.random.stateless_uniform([3], seed=[1, 2]).eval()
    array([0.8441, 0.192 , 0.9962], dtype=float32)
    >>> gc.random.stateless_uniform([3], seed=[1, 2], maxval=10, dtype=gc.int32).eval()
    array([0, 9, 4], dtype=int32)
    """
    kind = as_dtype(dtype)
    if maxval is None:
        if kind.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {kind.name}")
        maxval = 1
    with get_default_graph().name_scope(name or "stateless_random_uniform") as scope:
        shape = index_tensor(shape, "shape")
        low, high = convert_to_tensor(minval, kind, name="min"), convert_to_tensor(maxval, kind, name="max")
        if kind.is_integer:
            whole: Tensor = apply(OPS["StatelessRandomUniformInt"], shape, _seed(seed), low, high, name=scope)
            return whole
        drawn = apply(OPS["StatelessRandomUniform"], shape, _seed(seed), dtype=kind)
        return add(drawn * (high - low), low, name=scope)


@public("random.stateless_normal")
def stateless_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32,
                     name: str | None = None) -> Tensor:
    """Normally distributed numbers that are a function of shape and seed; seed as of `gc.random.stateless_uniform`.

    mean, stddev: scalars, or of shapes that broadcast. dtype: floating point. Raises TypeError for other dtypes, also
    of the seed, ValueError if that has not the shape [2]. As `tf.random.stateless_normal`, with its numbers.

    >>> gc.random.stateless_normal([3], seed=[1, 2]).eval()
    array([0.5441, 0.2074, 0.0736], dtype=float32)
    """
    return _normal("StatelessRandomNormal", shape, seed, mean, stddev, dtype, name or "stateless_random_normal")


@public("random.stateless_truncated_normal")
def stateless_truncated_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32,
                               name: str | None = None) -> Tensor:
    """Normally distributed numbers within two deviations of the mean, a function of shape and seed.

    Arguments, dtypes and errors as of `gc.random.stateless_normal`. As `tf.random.stateless_truncated_normal`, with its
    numbers.

    >>> gc.random.stateless_truncated_normal([3], seed=[1, 2], stddev=0.1).eval()
    array([0.0544, 0.0207, 0.0074], dtype=float32)
    """
    return _normal("StatelessTruncatedNormal", shape, seed, mean, stddev, dtype, name or "stateless_truncated_normal")


def _normal(op: str, shape: Any, seed: Any, mean: Any, stddev: Any, dtype: Any, name: str) -> Tensor:
    kind = as_dtype(dtype)
    with get_default_graph().name_scope(name) as scope:
        drawn = apply(OPS[op], index_tensor(shape, "shape"), _seed(seed), dtype=kind)
        mean, stddev = convert_to_tensor(mean, kind, name="mean"), convert_to_tensor(stddev, kind, name="stddev")
        return add(drawn * stddev, mean, name=scope)


@public("random.stateless_multinomial")
def stateless_multinomial(logits: Any, num_samples: Any, seed: Any, output_dtype: Any = int64,
                          name: str | None = None) -> Tensor:
    """Classes for each row of logits as of `gc.multinomial`, a function of logits and seed: [batch, num_samples].

    Dtypes of logits and of the result, and their errors, as of `gc.multinomial`; seed and its errors as of
    `gc.random.stateless_uniform`. As `tf.random.stateless_multinomial`.

    >>> gc.random.stateless_multinomial(gc.log([[0.5, 0.5]]), 5, seed=[1, 2]).eval()
    array([[1, 1, 0, 1, 1]])
    """
    return _chosen(logits, num_samples, seed, output_dtype, name or "stateless_multinomial")


@public("random.stateless_categorical")
def stateless_categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any = int64,
                          name: str | None = None) -> Tensor:
    """`gc.random.stateless_multinomial` under its newer name; dtype is that of the result. As
    `tf.random.stateless_categorical`.

    Shapes and errors as of `gc.random.stateless_multinomial`.

    >>> gc.random.stateless_categorical(gc.log([[0.5, 0.5]]), 5, seed=[1, 2], dtype=gc.int32).eval()
    array([[1, 1, 0, 1, 1]], dtype=int32)
    """
    return _chosen(logits, num_samples, seed, dtype, name or "stateless_categorical")


def _chosen(logits: Any, num_samples: Any, seed: Any, dtype: Any, name: str) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    made: Tensor = apply(OPS["StatelessMultinomial"], logits, num_samples, _seed(seed), output_dtype=as_dtype(dtype),
                         name=name)
    return made


def _seed(seed: Any) -> Tensor:
    return convert_to_tensor(seed, name="seed")
