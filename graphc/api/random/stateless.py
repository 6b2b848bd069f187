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
    """Numbers evenly distributed in [minval, maxval), as `tf.random.stateless_uniform`; integers need a maxval."""
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
    """Normally distributed numbers, as `tf.random.stateless_normal`."""
    return _normal("StatelessRandomNormal", shape, seed, mean, stddev, dtype, name or "stateless_random_normal")


@public("random.stateless_truncated_normal")
def stateless_truncated_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32,
                               name: str | None = None) -> Tensor:
    """Normally distributed numbers within two deviations, as `tf.random.stateless_truncated_normal`."""
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
    """Classes for each row of logits, as `tf.random.stateless_multinomial`."""
    return _chosen(logits, num_samples, seed, output_dtype, name or "stateless_multinomial")


@public("random.stateless_categorical")
def stateless_categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any = int64,
                          name: str | None = None) -> Tensor:
    """Classes for each row of logits, as `tf.random.stateless_categorical`."""
    return _chosen(logits, num_samples, seed, dtype, name or "stateless_categorical")


def _chosen(logits: Any, num_samples: Any, seed: Any, dtype: Any, name: str) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    made: Tensor = apply(OPS["StatelessMultinomial"], logits, num_samples, _seed(seed), output_dtype=as_dtype(dtype),
                         name=name)
    return made


def _seed(seed: Any) -> Tensor:
    return convert_to_tensor(seed, name="seed")
