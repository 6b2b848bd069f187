"""Random tensors, and their seeds."""
from __future__ import annotations

from typing import Any

from graphc.api.math.binary import add
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, index_tensor
from graphc.ir.dtypes import as_dtype, float32
from graphc.ir.func_graph import full_name
from graphc.ir.graph import get_default_graph
from graphc.ops.random.random import (
    RandomStandardNormal,
    RandomUniform,
    RandomUniformInt,
    TruncatedNormal,
)
from graphc.ops.random.streams import seed_of

DEFAULT_GRAPH_SEED = 87654321   # TF's, for an op that has a seed in a graph that has none


def seeds(seed: int | None, op_name: str) -> tuple[int, int]:
    """The attributes (seed, seed2) of a random op, by TF's rules for the graph's seed and the op's.

    With a graph seed only, TF takes the number of ops built so far; graphc takes the op's name, so that adding an op
    elsewhere changes nothing.
    """
    of_graph = getattr(get_default_graph(), "seed", None)
    if of_graph is None and seed is None:
        return 0, 0
    if seed is None:
        pair = (of_graph, seed_of(op_name))
    else:
        pair = (DEFAULT_GRAPH_SEED if of_graph is None else of_graph, int(seed))
    return (0, 2**31 - 1) if pair == (0, 0) else pair


def _draw(op: Any, seed: int | None, *values: Any, name: str | None = None, **fields: Any) -> Any:
    """The random op with its seeds. name: of the op's own scope; by default its type's, inside the current one."""
    graph = get_default_graph()
    with graph.name_scope(name or op.__name__) as scope:
        first, second = seeds(seed, full_name(graph, scope.rstrip("/")))
        return apply(op, *values, seed=first, seed2=second, name=scope, **fields)


@public("random_uniform", "random.uniform")
def random_uniform(shape, minval=0, maxval=None, dtype=float32, seed=None, name=None):
    """Numbers evenly distributed in [minval, maxval). As `tf.random_uniform`; integers need a maxval.

    Raises ValueError if an integer dtype comes without maxval.
    """
    dtype = as_dtype(dtype)
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype.name}")
        maxval = 1
    with get_default_graph().name_scope(name or "random_uniform") as scope:
        shape = index_tensor(shape, "shape")
        low = convert_to_tensor(minval, dtype=dtype, name="min")
        high = convert_to_tensor(maxval, dtype=dtype, name="max")
        if dtype.is_integer:
            return _draw(RandomUniformInt, seed, shape, low, high, name=scope)
        return add(_draw(RandomUniform, seed, shape, dtype=dtype) * (high - low), low, name=scope)


@public("random_normal", "random.normal")
def random_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normally distributed numbers. As `tf.random_normal`."""
    return _normal(RandomStandardNormal, shape, mean, stddev, dtype, seed, name or "random_normal")


@public("truncated_normal", "random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normally distributed numbers within two standard deviations of the mean. As `tf.truncated_normal`."""
    return _normal(TruncatedNormal, shape, mean, stddev, dtype, seed, name or "truncated_normal")


def _normal(op: Any, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str) -> Any:
    dtype = as_dtype(dtype)
    with get_default_graph().name_scope(name) as scope:
        shape = index_tensor(shape, "shape")
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        return add(_draw(op, seed, shape, dtype=dtype) * stddev, mean, name=scope)


@public("set_random_seed", "random.set_random_seed")
def set_random_seed(seed):
    """The graph's seed: random ops of the default graph built from now on draw the same numbers in every process.

    As `tf.set_random_seed`.
    """
    get_default_graph().seed = seed


@public("get_seed", "random.get_seed")
def get_seed(op_seed):
    """The attributes (seed, seed2) that a random op with the seed op_seed would have; (None, None) without any seed.

    As `tf.get_seed`. With a graph seed only, the second one depends on the number of ops built so far.
    """
    graph = get_default_graph()
    if op_seed is None and getattr(graph, "seed", None) is None:
        return None, None
    return seeds(op_seed, f"{graph.version}")
