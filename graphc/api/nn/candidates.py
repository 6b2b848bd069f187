"""The public candidate samplers, and which of their candidates are true classes."""
from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import fill, range_
from graphc.api.array.gather import boolean_mask, where
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.math.comparison import equal, greater_equal
from graphc.api.math.reduce import reduce_any, reduce_max
from graphc.api.public import public
from graphc.api.random.random import seeds
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32, int64
from graphc.ir.func_graph import full_name
from graphc.ir.graph import get_default_graph
from graphc.ops.nn.candidates import (
    FixedUnigramCandidateSampler,
    LogUniformCandidateSampler,
    UniformCandidateSampler,
)

LOWEST = -float(np.finfo(np.float32).max)


def _sample(op: Any, true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int,
            seed: int | None, name: str | None, **more: Any) -> Any:
    graph = get_default_graph()
    with graph.name_scope(name or op.__name__) as scope:
        first, second = seeds(seed, full_name(graph, scope.rstrip("/")))
        return apply(op, convert_to_tensor(true_classes, dtype=None if hasattr(true_classes, "dtype") else int64),
                     num_true=int(num_true), num_sampled=int(num_sampled), unique=bool(unique),
                     range_max=int(range_max), seed=first, seed2=second, name=scope, **more)


@public("nn.log_uniform_candidate_sampler", "random.log_uniform_candidate_sampler")
def log_uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """(drawn classes, how often the true ones are expected, how often the drawn ones are), by Zipf's distribution.

    Class c of 0 ... range_max - 1 has the probability log((c + 2) / (c + 1)) / log(range_max + 1): classes should be
    sorted by how frequent they are. true_classes: int64[batch, num_true]; the three results are int64[num_sampled],
    float32[batch, num_true] and float32[num_sampled]. unique: no class is drawn twice. As
    `tf.nn.log_uniform_candidate_sampler`, but for the numbers of a seed. Raises ValueError for more unique draws than
    classes and for true_classes of another shape, TypeError for another dtype of them.

    >>> drawn, of_true, of_drawn = gc.nn.log_uniform_candidate_sampler(
    ...     [[0], [5]], num_true=1, num_sampled=8, unique=False, range_max=10, seed=1)
    >>> drawn.shape, of_true.eval()
    (TensorShape([Dimension(8)]), array([[2.3125],
           [0.5143]], dtype=float32))
    """
    return _sample(LogUniformCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name)


@public("nn.uniform_candidate_sampler", "random.uniform_candidate_sampler")
def uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """As `log_uniform_candidate_sampler`, of classes that are all as probable: 1 / range_max each.

    Raises as `log_uniform_candidate_sampler`. As `tf.nn.uniform_candidate_sampler`, but for the numbers of a seed.

    >>> drawn, _, _ = gc.nn.uniform_candidate_sampler([[3]], num_true=1, num_sampled=4, unique=True, range_max=4)
    >>> np.sort(drawn.eval())
    array([0, 1, 2, 3])
    """
    return _sample(UniformCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name)


@public("nn.fixed_unigram_candidate_sampler", "random.fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, vocab_file="",
                                    distortion=1.0, num_reserved_ids=0, num_shards=1, shard=0, unigrams=(), seed=None,
                                    name=None):
    """As `log_uniform_candidate_sampler`, by given counts: unigrams, or the last column of the file vocab_file (CSV).

    A class' probability is its count ^ distortion, in proportion; num_reserved_ids classes come first and are never
    drawn. Of num_shards shards only every num_shards-th class, from `shard` on, is drawn. As
    `tf.nn.fixed_unigram_candidate_sampler`, but for the numbers of a seed. Raises ValueError unless there is one count
    a class.

    >>> drawn, of_true, of_drawn = gc.nn.fixed_unigram_candidate_sampler(
    ...     [[1]], num_true=1, num_sampled=4, unique=False, range_max=3, unigrams=[0., 3., 1.], seed=1)
    >>> of_true.eval()
    array([[3.]], dtype=float32)
    >>> set(drawn.eval()) <= {1, 2}
    True
    """
    if vocab_file and not unigrams:
        with open(os.fspath(vocab_file), newline="") as file:       # a number would be an open file's
            unigrams = [float(row[-1]) for row in csv.reader(file) if row]
    return _sample(FixedUnigramCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name,
                   distortion=float(distortion), num_reserved_ids=int(num_reserved_ids), num_shards=int(num_shards),
                   shard=int(shard), unigrams=tuple(float(u) for u in unigrams))


@public("nn.all_candidate_sampler", "random.all_candidate_sampler")
def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """(every class below num_sampled, ones for the true ones, ones for all): a sampler that leaves none out, for
    testing.

    The results are int64[num_sampled], float32 of true_classes' shape and float32[num_sampled]. As
    `tf.nn.all_candidate_sampler`.

    >>> gc.nn.all_candidate_sampler([[2]], num_true=1, num_sampled=3, unique=True)[0].eval()
    array([0, 1, 2])
    """
    with get_default_graph().name_scope(name or "AllCandidateSampler"):
        true_classes = convert_to_tensor(true_classes)
        return (range_(cast(num_sampled, int64)), fill(shape(true_classes), 1.0), fill([num_sampled], 1.0))


@public("nn.compute_accidental_hits")
def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """(rows, places, weights) of the true classes that are among the drawn ones.

    true_classes: int64[batch, num_true]; sampled_candidates: int64[num_sampled]. Row rows[i] of true_classes holds the
    candidate at places[i] (of equal ones the last); weights are the lowest float32, to be added to the logits of these
    hits. Raises TypeError if their dtypes differ, ValueError for true_classes of another rank. As
    `tf.nn.compute_accidental_hits`.

    >>> rows, places, _ = gc.nn.compute_accidental_hits([[5, 2], [7, 9]], [9, 2, 4], num_true=2)
    >>> rows.eval(), places.eval()
    (array([0, 1], dtype=int32), array([1, 0]))
    """
    with get_default_graph().name_scope(name or "ComputeAccidentalHits"):
        true, sampled = convert_to_tensor(true_classes), convert_to_tensor(sampled_candidates)
        numbers = range_(cast(shape(sampled)[0], int64))
        places = reduce_max(where_v2(equal(expand_dims(true, 2), sampled), numbers, cast(-1, int64)), axis=2)
        hits = greater_equal(places, cast(0, int64))
        rows, ids = cast(where(hits)[:, 0], int32), boolean_mask(places, hits)
        return rows, ids, fill(shape(ids), LOWEST)


def accidental_hits(true_classes: Any, sampled: Any) -> Any:
    """bool[batch, sampled]: whether the candidate is one of the row's true classes."""
    true_classes, sampled = convert_to_tensor(true_classes), convert_to_tensor(sampled)
    return reduce_any(equal(expand_dims(true_classes, 2), sampled), axis=1)


