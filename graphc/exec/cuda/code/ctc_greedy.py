"""The greedy decoder of connectionist temporal classification: a thread a sequence, as kernels/cpu/nn/ctc_decode.py."""
from __future__ import annotations

from graphc.exec.cuda.code.builder import KernelBuilder


def ctc_greedy(dtype: str) -> KernelBuilder:
    """gc_ctc_greedy(x, lengths, best, paths, counts, score, b, t, c, merge): best[time, batch]: the greatest class, the
    first one if NaNs are before it; a length that is out of range counts as 0."""
    k = KernelBuilder("gc_ctc_greedy")
    x, lengths, best = k.array("x", dtype), k.array("lengths", "i32"), k.array("best", "i64")
    paths, counts, score = k.array("paths", "i64"), k.array("counts", "i64"), k.array("score", dtype)
    b, t, c, merge = k.numbers("b", "t", "c", "merge")
    sequence = k.thread(b)
    path, length = paths.at(sequence * t), lengths[sequence].to("i64")
    length = k.choose(length.inside(0, t + 1) & (c > 0), length, 0)
    found, previous, total = k.variable(0), k.variable(-1), k.variable(0, dtype)
    with k.loop(0, length) as i:
        row = x.at((i * b + sequence) * c)
        label = k.choose(row[0].differs(row[0]), 0, best[i * b + sequence])
        total.set(total.get() - row[label])
        repeated = merge.differs(0) & label.equals(previous.get())
        with k.when(label.differs(c - 1) & ~repeated):
            path[found.get()] = label
            found.set(found.get() + 1)
        previous.set(label)
    with k.loop(found.get(), t) as i:
        path[i] = k.constant(0, "i64")
    counts[sequence], score[sequence] = found.get(), total.get()
    return k
