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


def draw(op: Any, seed: int | None, *values: Any, name: str | None = None, **fields: Any) -> Any:
    """The random op with its seeds. name: of the op's own scope; by default its type's, inside the current one."""
    graph = get_default_graph()
    with graph.name_scope(name or op.__name__) as scope:
        first, second = seeds(seed, full_name(graph, scope.rstrip("/")))
        return apply(op, *values, seed=first, seed2=second, name=scope, **fields)


@public("random_uniform", "random.uniform")
def random_uniform(shape, minval=0, maxval=None, dtype=float32, seed=None, name=None):
    """Numbers evenly distributed in [minval, maxval), new ones at each run.

    Args:
        shape: a list or an int32 or int64 vector, also of sizes that only a run knows.
        minval, maxval: scalars, or of shapes that broadcast to shape; 0 and 1 by default. Integers need a maxval above
            minval (ValueError).
        dtype: floating point, int32 or int64.
        seed: with it, or with the graph's (gc.set_random_seed), the same numbers come in every process; without any
            seed others each time.

    Adding ops elsewhere does not change them. Raises TypeError for other dtypes and a list that is not of ints as
    shape, ValueError for a negative size, bounds of another dtype and shapes that do not broadcast. As
    `tf.random_uniform`; for TensorFlow's own numbers see `gc.set_random_mode`.

    >>> x = gc.random_uniform([1000], -1., 1., seed=7)
    >>> low, high = gc.get_default_session().run([gc.reduce_min(x), gc.reduce_max(x)])
    >>> bool(-1. <= low < -0.9), bool(0.9 < high < 1.)
    (True, True)
    >>> gc.random_uniform([4], maxval=10, dtype=gc.int32, seed=7).shape
    TensorShape([Dimension(4)])
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
            return draw(RandomUniformInt, seed, shape, low, high, name=scope)
        return add(draw(RandomUniform, seed, shape, dtype=dtype) * (high - low), low, name=scope)


@public("random_normal", "random.normal")
def random_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normally distributed numbers, new ones at each run.

    mean, stddev: scalars, or of shapes that broadcast to shape. dtype: floating point. shape, seed and errors as of
    `gc.random_uniform`. As `tf.random_normal`.

    >>> x = gc.random_normal([10000], mean=5., stddev=2., seed=1)
    >>> mean, deviation = gc.get_default_session().run([gc.reduce_mean(x), gc.math.reduce_std(x)])
    >>> bool(abs(mean - 5.) < 0.1), bool(abs(deviation - 2.) < 0.1)
    (True, True)
    """
    return _normal(RandomStandardNormal, shape, mean, stddev, dtype, seed, name or "random_normal")


@public("truncated_normal", "random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=float32, seed=None, name=None):
    """Normally distributed numbers within two standard deviations of the mean, what lies beyond drawn again.

    What layers begin with. Arguments, dtypes, shapes and errors as of `gc.random_normal`. As `tf.truncated_normal`.

    >>> x = gc.truncated_normal([10000], stddev=0.1, seed=1)
    >>> bool(gc.reduce_max(gc.abs(x)).eval() < 0.2)
    True
    """
    return _normal(TruncatedNormal, shape, mean, stddev, dtype, seed, name or "truncated_normal")


def _normal(op: Any, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str) -> Any:
    dtype = as_dtype(dtype)
    with get_default_graph().name_scope(name) as scope:
        shape = index_tensor(shape, "shape")
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        return add(draw(op, seed, shape, dtype=dtype) * stddev, mean, name=scope)


@public("set_random_seed", "random.set_random_seed")
def set_random_seed(seed):
    """The default graph's seed: random ops built from now on draw the same numbers in every process.

    seed: an int; None: no seed. Each op has a stream of its own, by its name; an op's own seed comes in addition. As
    `tf.set_random_seed`.

    >>> def draw():
    ...     with gc.Graph().as_default(), gc.Session() as session:
    ...         gc.set_random_seed(42)
    ...         return session.run(gc.random_uniform([3]))
    >>> bool((draw() == draw()).all())
    True
    """
    get_default_graph().seed = seed


@public("get_seed", "random.get_seed")
def get_seed(op_seed):
    """The attributes (seed, seed2) that a random op with the seed op_seed would have; (None, None) without any seed.

    op_seed: an int or None; both results are ints. As `tf.get_seed`. With a graph seed only, the second one depends on
    the number of ops built so far.

    >>> gc.get_seed(7)                                      # the graph's seed here is 1
    (1, 7)
    """
    graph = get_default_graph()
    if op_seed is None and getattr(graph, "seed", None) is None:
        return None, None
    return seeds(op_seed, f"{graph.version}")
