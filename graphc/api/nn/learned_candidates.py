"""Candidates drawn by what has been seen: learned_unigram_candidate_sampler."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, ones_like
from graphc.api.array.identity import identity
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import reshape
from graphc.api.control.cond import cond
from graphc.api.math.comparison import greater_equal, less, logical_and
from graphc.api.math.segments import unsorted_segment_sum
from graphc.api.public import public
from graphc.api.random.random import seeds
from graphc.api.state.state import assign, is_variable_initialized
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float64, int64
from graphc.ir.func_graph import full_name
from graphc.ir.graph import get_default_graph
from graphc.ops.nn.candidates import _WeightedCandidateSampler
from graphc.ops.state.state import VariableV2


@public("nn.learned_unigram_candidate_sampler", "random.learned_unigram_candidate_sampler")
def learned_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """As `log_uniform_candidate_sampler`, by how often each class was a true one in the session's runs before.

    Arguments, results and other errors are those of that. Every class counts once from the start. The counts are a
    state of the session, in no collection: nothing initialises or saves it. As
    `tf.nn.learned_unigram_candidate_sampler`. Raises UnimplementedError inside of loops and branches.

    >>> _, of_true, _ = gc.nn.learned_unigram_candidate_sampler([[0], [0]], num_true=1, num_sampled=4, unique=False,
    ...                                                         range_max=2)
    >>> of_true.eval()                           # of 4 draws 2 are expected
    array([[2.],
           [2.]], dtype=float32)
    >>> of_true.eval()                           # 0 has counted twice since: 3 of 4
    array([[3.],
           [3.]], dtype=float32)
    """
    graph = get_default_graph()
    if graph.building_function:
        raise UnimplementedError("learned_unigram_candidate_sampler inside of a loop or branch is not supported: its "
                                 "counts are made by the first run; draw in front of it, or use "
                                 "fixed_unigram_candidate_sampler")
    with graph.name_scope(name or "LearnedUnigramCandidateSampler") as scope:
        first, second = seeds(seed, full_name(graph, scope.rstrip("/")))
        true = convert_to_tensor(true_classes, dtype=None if hasattr(true_classes, "dtype") else int64)
        classes = int(range_max)
        with graph.control_dependencies(None):
            counts = apply(VariableV2, shape=(classes,), dtype=float64, name="counts")
        known = is_variable_initialized(counts)
        weights = cond(known, lambda: identity(counts), lambda: ones([classes], float64))
        drawn = apply(_WeightedCandidateSampler, true, weights, num_true=int(num_true), num_sampled=int(num_sampled),
                      unique=bool(unique), range_max=classes, seed=first, seed2=second)
        with graph.control_dependencies(list(drawn)):
            update = assign(counts, weights + _numbers_of(true, classes))
        with graph.control_dependencies([update]):
            return tuple(identity(t) for t in drawn)


def _numbers_of(true: Any, classes: int) -> Any:
    """float64[classes]: how often each class is among them; others do not count."""
    flat = reshape(true, [-1])
    inside = logical_and(greater_equal(flat, cast(0, int64)), less(flat, cast(classes, int64)))
    kept = where_v2(inside, flat, cast(-1, int64))
    return unsorted_segment_sum(cast(ones_like(flat), float64), kept, classes)
