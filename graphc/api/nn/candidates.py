"""The public candidate samplers, and which of their candidates are true classes."""
from __future__ import annotations

import csv
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
    """(classes drawn by Zipf's distribution, how often the true ones are expected, how often the drawn ones are). As
    `tf.nn.log_uniform_candidate_sampler`; the numbers of a seed are not TensorFlow's."""
    return _sample(LogUniformCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name)


@public("nn.uniform_candidate_sampler", "random.uniform_candidate_sampler")
def uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """As `log_uniform_candidate_sampler`, of evenly distributed classes. As `tf.nn.uniform_candidate_sampler`."""
    return _sample(UniformCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name)


@public("nn.fixed_unigram_candidate_sampler", "random.fixed_unigram_candidate_sampler")
def fixed_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, vocab_file="",
                                    distortion=1.0, num_reserved_ids=0, num_shards=1, shard=0, unigrams=(), seed=None,
                                    name=None):
    """As `log_uniform_candidate_sampler`, by given counts: unigrams, or the last column of the file vocab_file (CSV).

    A class' probability is its count ^ distortion, in proportion; num_reserved_ids classes come first and are never
    drawn. As `tf.nn.fixed_unigram_candidate_sampler`. Raises ValueError unless there is one count a class.
    """
    if vocab_file and not unigrams:
        with open(vocab_file, newline="") as file:
            unigrams = [float(row[-1]) for row in csv.reader(file) if row]
    return _sample(FixedUnigramCandidateSampler, true_classes, num_true, num_sampled, unique, range_max, seed, name,
                   distortion=float(distortion), num_reserved_ids=int(num_reserved_ids), num_shards=int(num_shards),
                   shard=int(shard), unigrams=tuple(float(u) for u in unigrams))


@public("nn.all_candidate_sampler", "random.all_candidate_sampler")
def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """(every class below num_sampled, ones for the true ones, ones for all). As `tf.nn.all_candidate_sampler`."""
    with get_default_graph().name_scope(name or "AllCandidateSampler"):
        true_classes = convert_to_tensor(true_classes)
        return (range_(cast(num_sampled, int64)), fill(shape(true_classes), 1.0), fill([num_sampled], 1.0))


@public("nn.compute_accidental_hits")
def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """(rows of true_classes, places in sampled_candidates, the lowest float32) for each true class that is a candidate,
    the last of equal ones. As `tf.nn.compute_accidental_hits`."""
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


