"""Kernels that draw the numbers of stateless ops: the CPU's bits, which are TensorFlow's (kernels/cpu/random).

A group is four words of Philox; a thread makes the numbers of one. `mixed` is key and run.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value
from graphc.exec.cuda.code.indices import refuse

SEED_KEY = 0x02461E293EC8F720          # TensorFlow's, with which it mixes seeds
LOW = 0xFFFFFFFF
ATTEMPTS = 1024                        # groups of words for one group of truncated numbers, at most


def philox_words(k: KernelBuilder, key: Value, run: Value, group: Value) -> list[Value]:
    """The four words of a group, Philox 4x32-10 (kernels/scalars/random.py), each in an int64."""
    k0, k1 = key & LOW, key >> 32
    c0, c1, c2, c3 = group & LOW, group >> 32, run & LOW, run >> 32
    for _ in range(10):
        first, second = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (second >> 32) ^ c1 ^ k0, second & LOW, (first >> 32) ^ c3 ^ k1, first & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return [c0, c1, c2, c3]


def mixed_seeds() -> KernelBuilder:
    """gc_mixed_seeds(seed, mixed): two words each of the group seed[0] under seed[1]."""
    k = KernelBuilder("gc_mixed_seeds")
    seed, mixed = k.array("seed", "i64"), k.array("mixed", "i64")
    k.go_on_if(k.index("tid.x").equals(0))
    a, b, c, d = philox_words(k, k.constant(SEED_KEY, "i64"), seed[1], seed[0])
    mixed[0], mixed[1] = a | (b << 32), c | (d << 32)
    return k


def unit(k: KernelBuilder, dtype: str, words: Sequence[Value]) -> list[Value]:
    """TensorFlow's numbers in [0, 1): a float32 of each word, a float64 of two."""
    if dtype == "f32":
        return [((word & 0x7FFFFF).to("f64") * 1.1920928955078125e-07).to("f32") for word in words]
    return [((high & 0xFFFFF).to("f64") * 4294967296.0 + low.to("f64")) * 2.220446049250313e-16
            for high, low in zip(words[::2], words[1::2], strict=True)]


def _normals(k: KernelBuilder, dtype: str, words: Sequence[Value]) -> list[Value]:
    """Two of each two numbers, by Box and Muller."""
    units, found = unit(k, dtype, words), []
    for first, second in zip(units[::2], units[1::2], strict=True):
        angle = second * 6.2831853071795864
        radius = k.call("sqrt", k.call("log", k.greatest(first, 1.0e-7)) * -2.0)
        found += [k.call("sin", angle) * radius, k.call("cos", angle) * radius]
    return found


def _put(k: KernelBuilder, out: Array, at: Value, count: Value, value: Value) -> None:
    with k.when(at < count):
        out[at] = value


def stateless(dtype: str, normal: bool) -> KernelBuilder:
    """gc_stateless(mixed, out, groups, count): uniform in [0, 1), or normal numbers."""
    k = KernelBuilder("gc_stateless")
    mixed, out = k.array("mixed", "i64"), k.array("out", dtype)
    groups, count = k.numbers("groups", "count")
    group = k.thread(groups)
    words = philox_words(k, mixed[0], mixed[1], group)
    made = (_normals if normal else unit)(k, dtype, words)
    for i, value in enumerate(made):
        _put(k, out, group * len(made) + i, count, value)
    return k


def stateless_truncated(dtype: str) -> KernelBuilder:
    """gc_stateless_truncated(mixed, out, groups, count): normal numbers within 2, of as many words as it takes."""
    k = KernelBuilder("gc_stateless_truncated")
    mixed, out = k.array("mixed", "i64"), k.array("out", dtype)
    groups, count = k.numbers("groups", "count")
    group, width = k.thread(groups), 4 if dtype == "f32" else 2
    found, source = k.variable(0), k.variable(0)
    # float32 has 256 groups of words for its 4 numbers, float64 128 for its 2.
    first = group * (64 * width)
    with k.repeat(lambda: (found.get() < width) & (source.get() < ATTEMPTS)):
        words = philox_words(k, mixed[0], mixed[1], first + source.get())
        source.set(source.get() + 1)
        for value in _normals(k, dtype, words):
            small = (value < 2.0) & (value > -2.0) & (found.get() < width)
            with k.when(small):
                _put(k, out, group * width + found.get(), count, value)
                found.set(found.get() + 1)
    return k


def stateless_integers(dtype: str) -> KernelBuilder:
    """gc_stateless_integers(mixed, low, high, out, count): low + a word modulo (high - low), without signs."""
    k = KernelBuilder("gc_stateless_integers")
    mixed, low, high = k.array("mixed", "i64"), k.array("low", dtype), k.array("high", dtype)
    out = k.array("out", dtype)
    i = k.thread(k.number("count"))
    least, most = low[0].to("i64"), high[0].to("i64")
    wide = dtype == "i64"
    words = philox_words(k, mixed[0], mixed[1], i >> (1 if wide else 2))
    if wide:
        odd = (i & 1).differs(0)
        bits = k.choose(odd, words[2], words[0]) | (k.choose(odd, words[3], words[1]) << 32)
    else:
        bits = words[3]
        for word in (2, 1, 0):
            bits = k.choose((i & 3).equals(word), words[word], bits)
    span = (most - least).to("u64")
    span = k.choose(span.equals(0), 1, span)                   # refused elsewhere
    out[i] = (least + (bits.to("u64") % span).to("i64")).to(dtype)
    return k


def refused_bounds(dtype: str) -> KernelBuilder:
    """gc_refused_bounds(low, high, record): a check's record (calls/checks.py) of bounds with nothing between them."""
    k = KernelBuilder("gc_refused_bounds")
    low, high, record = k.array("low", dtype), k.array("high", dtype), k.array("record", "i64")
    k.go_on_if(k.index("tid.x").equals(0))
    refuse(k, record, low[0] >= high[0])
    record[1], record[2] = low[0].to("i64"), high[0].to("i64")
    return k


def search_sums(index: str, narrow: bool) -> KernelBuilder:
    """gc_search_sums(sums, u, out, elements, cols, count): the first of a row's running sums that is greater than u
    times the last one."""
    k = KernelBuilder("gc_search_sums", narrow)
    sums, u, out = k.array("sums", "f64"), k.array("u", "f64"), k.array("out", index)
    elements, cols, count = k.numbers("elements", "cols", "count")
    i = k.thread(elements)
    row, _ = k.parts(i, count)
    row_sums = sums.at(row * cols)
    wanted = u[i] * row_sums[cols - 1]
    low, high = k.variable(0), k.variable(cols - 1)
    with k.repeat(lambda: low.get() < high.get()):
        middle = (low.get() + high.get()) >> 1
        beyond = row_sums[middle] > wanted
        high.set(k.choose(beyond, middle, high.get()))
        low.set(k.choose(beyond, low.get(), middle + 1))
    out[i] = low.get().to(index)
    return k
