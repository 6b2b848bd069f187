"""The kernel that drops attention's weights, or gradients by them: the factors are drawn anew wherever they are needed,
never stored (kernels/cpu/attention/dropping.py says what they are, and has the same bits)."""
from __future__ import annotations

from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.code.draws import philox_words, unit

ITERATION = -7046029254386353131       # what an iteration's number is multiplied by before it is added to the key
PER_GROUP = {"f32": 4, "f64": 2}       # numbers of a group of words


def dropped(dtype: str) -> KernelBuilder:
    """gc_dropped(x, draw, drop, groups, first, count): x[i] times the factor of place first + i, for all i < count. A
    thread has a group of random words: there are `groups`, one more than count numbers may take."""
    k = KernelBuilder("gc_dropped")
    x, draw, drop = k.array("x", dtype), k.array("draw", "i64"), k.array("drop", dtype)
    groups, first, count = k.numbers("groups", "first", "count")
    number, each = k.thread(groups), PER_GROUP[dtype]
    begin = first + draw[3] // (4 // each)             # the number of the stream that x[0] has
    group = begin // each + number
    words = philox_words(k, draw[0] + draw[2] * ITERATION, draw[1], group)
    if dtype == "f64":
        words = [words[1], words[0], words[3], words[2]]
    shift, least, factor = drop[0], drop[1], drop[2]
    for i, drawn in enumerate(unit(k, dtype, words)):
        at = group * each + i - begin
        with k.when(at.inside(0, count)):
            is_kept = drawn + shift >= least
            x[at] = x[at] * (k.choose(is_kept, k.constant(1.0, dtype), k.constant(0.0, dtype)) * factor)
    return k
