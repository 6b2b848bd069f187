"""The loss of connectionist temporal classification and its gradient, a block a sequence.

The formulas are the CPU's (kernels/cpu/nn/ctc.py), all in float64: results differ in a last bit now and then. A thread
finds the logarithm of the sum of one time's exponentials, then of each time the states' logarithms, forward and back;
going back, a thread adds up a class. What only one thread may do is which labels a sequence has.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, TWO_BLOCKS, Array, KernelBuilder, Value
from graphc.exec.cuda.code.warps import DECLARATIONS, WARPS, joined_among

NONE = float("-inf")       # the logarithm of no probability
KEPT, GIVEN, REFUSED = range(3)            # what is known of the labels, after them
KNOWN = 3


@dataclass(frozen=True)
class Sequence:
    """Of a block: logits and gradient of its sequence, `step` elements from one time to the next, of `classes` classes;
    labels; logarithms of sums, of each time; whether labels that are equal are one on a path."""

    k: KernelBuilder
    x: Array
    gradient: Array
    step: Value
    classes: Value
    labels: Array
    sums: Array
    merge: Value

    def symbol(self, place: Value) -> Value:
        """The class at a place of the labels with blanks around each."""
        odd = (place & 1).equals(1)
        return self.k.choose(odd, self.labels[self.k.choose(odd, place >> 1, 0)], self.classes - 1)

    def jumps(self, place: Value) -> Value:
        """Whether a path may come to `place` from two places before, over a blank."""
        may = (place >= 2) & (place & 1).equals(1)
        here = self.k.choose(may, place >> 1, 1)
        return may & (self.merge.equals(0) | self.labels[here].differs(self.labels[here - 1]))

    def logarithm(self, time: Value, place: Value) -> Value:
        """Of the probability of the class at that place and time."""
        return self.x[time * self.step + self.symbol(place)].to("f64")

    def may_stay(self, place: Value) -> Value:
        return self.merge.differs(0) | (place & 1).equals(0)


def log_add(k: KernelBuilder, a: Value, b: Value) -> Value:
    """log(exp a + exp b)"""
    high, low = k.greatest(a, b), k.least(a, b)
    return k.choose(low.equals(NONE), high, high + k.call("log", k.call("exp", low - high) + 1.0))


def ctc_loss(dtype: str) -> KernelBuilder:
    """gc_ctc_loss(x, indices, values, lengths, loss, gradient, refused, labels, sums, forward, lines, counts, first, t,
    b, c, n, most, collapse, merge, skip): a block a sequence from `first` on. Of each block labels [most + KNOWN],
    sums [t], forward [t, states], lines [2, states] and counts [states], states being 2 most + 1. refused: -1 of a
    sequence whose labels are none."""
    k = KernelBuilder("gc_ctc_loss", before=DECLARATIONS, attributes=TWO_BLOCKS)
    x, indices, values, lengths = (k.array(*what) for what in (("x", dtype), ("indices", "i64"), ("values", "i32"),
                                                               ("lengths", "i32")))
    loss, gradient, refused, labels = (k.array(*what) for what in (
        ("loss", dtype), ("gradient", dtype), ("refused", "i64"), ("labels", "i64")))
    sums, forward, lines, counts = (k.array(name, "f64") for name in ("sums", "forward", "lines", "counts"))
    first, t, b, c, n, most, collapse, merge, skip = k.numbers(
        "first", "t", "b", "c", "n", "most", "collapse", "merge", "skip")
    block, thread, states = k.index("ctaid.x"), k.index("tid.x"), most * 2 + 1
    number = first + block
    s = Sequence(k, x.at(number * c), gradient.at(number * c), b * c, c, labels.at(block * (most + KNOWN)),
                 sums.at(block * t), merge)
    forward, lines, counts = (a.at(block * rows * states) for a, rows in ((forward, t), (lines, 2), (counts, 1)))
    _gather(k, s, indices, values, number, n, most, collapse)
    length = k.greatest(k.least(lengths[number].to("i64"), t), 0)
    given, bad = s.labels[most + GIVEN], s.labels[most + REFUSED].differs(0)
    too_few = (given > length) & ~bad
    with k.when(thread.equals(0)):
        refused[number] = k.choose(bad | (too_few & skip.equals(0)), k.constant(-1, "i64"), 0)
        loss[number] = k.constant(0, dtype)
    length = k.choose(bad | too_few | c.equals(0), 0, length)
    states = s.labels[most + KEPT] * 2 + 1
    with k.loop(length, t) as time, k.loop(thread, c, THREADS) as label:
        s.gradient[time * s.step + label] = k.constant(0, dtype)
    k.go_on_if(length > 0)
    _sum_up(k, s, length)
    _go_forward(k, s, forward, length, states)
    last = forward.at((length - 1) * states)
    before = last[k.greatest(states - 2, 0)]
    probability = k.choose(states > 1, log_add(k, last[states - 1], before), last[states - 1])
    with k.when(thread.equals(0)):
        loss[number] = (-probability).to(dtype)
    _go_back(k, s, forward, lines, counts, length, states, probability)
    return k


def _gather(k: KernelBuilder, s: Sequence, indices: Array, values: Array, number: Value, n: Value, most: Value,
            collapse: Value) -> None:
    """The sequence's labels, and what is known of them. Threads look where they stand; one goes through them."""
    thread = k.index("tid.x")
    begin, end = k.variable(n), k.variable(0)
    with k.loop(thread, most + KNOWN, THREADS) as i:           # all may be read, whether it is a label or not
        s.labels[i] = k.constant(0, "i64")
    with k.loop(thread, n, THREADS) as i, k.when(indices[i * 2].equals(number)):
        begin.set(k.least(begin.get(), i))
        end.set(i + 1)
    places = k.shared("places", "i64", WARPS)
    begin.set(joined_among(k, begin.get(), THREADS, k.least, places))
    end.set(joined_among(k, end.get(), THREADS, k.greatest, places))
    with k.when(thread.equals(0)):
        kept, given, finished, previous, bad = (k.variable(value) for value in (0, 0, 0, -1, 0))
        with k.loop(begin.get(), end.get()) as i, k.when(indices[i * 2].equals(number)):
            label = values[i].to("i64")
            repeated = collapse.differs(0) & (given.get() > 0) & label.equals(previous.get())
            previous.set(label)
            given.set(given.get() + 1)
            is_one, closed = (label >= 0) & (label < s.classes - 1), finished.get().differs(0)
            finished.set(k.choose(repeated | is_one, finished.get(), 1))
            bad.set(k.choose(~repeated & is_one & closed, 1, bad.get()))
            with k.when(~repeated & is_one & ~closed):
                with k.when(kept.get() < most):
                    s.labels[kept.get()] = label
                kept.set(kept.get() + 1)
        for place, value in ((KEPT, k.least(kept.get(), most)), (GIVEN, given.get()), (REFUSED, bad.get())):
            s.labels[most + place] = value
    k.barrier()


def _sum_up(k: KernelBuilder, s: Sequence, length: Value) -> None:
    """The logarithm of the sum of exponentials of each time."""
    with k.loop(k.index("tid.x"), length, THREADS) as time:
        row = s.x.at(time * s.step)
        high, total = k.variable(row[0].to("f64")), k.variable(0, "f64")
        with k.loop(1, s.classes) as label:
            high.set(k.greatest(row[label].to("f64"), high.get()))
        with k.loop(0, s.classes) as label:
            total.set(total.get() + k.call("exp", row[label].to("f64") - high.get()))
        s.sums[time] = high.get() + k.call("log", total.get())
    k.barrier()


def _go_forward(k: KernelBuilder, s: Sequence, forward: Array, length: Value, states: Value) -> None:
    """forward[time, place]: of all paths up to there."""
    thread = k.index("tid.x")
    with k.loop(thread, states, THREADS) as place:
        start = s.logarithm(k.constant(0, "i64"), place) - s.sums[0]
        forward[place] = k.choose(place < 2, start, NONE)
    k.barrier()
    with k.loop(1, length) as time:
        before, now = forward.at((time - 1) * states), forward.at(time * states)
        with k.loop(thread, states, THREADS) as place:
            total = k.choose(s.may_stay(place), before[place], NONE)
            one, two = before[k.greatest(place - 1, 0)], before[k.greatest(place - 2, 0)]
            total = k.choose(place > 0, log_add(k, total, one), total)
            total = k.choose(s.jumps(place), log_add(k, total, two), total)
            now[place] = total + s.logarithm(time, place) - s.sums[time]
        k.barrier()


def _go_back(k: KernelBuilder, s: Sequence, forward: Array, lines: Array, counts: Array, length: Value, states: Value,
             probability: Value) -> None:
    """The gradient: softmax less the expected counts of each class; the two lines take turns: of all paths from there
    on."""
    thread, known = k.index("tid.x"), probability.differs(NONE)
    with k.loop(thread, states, THREADS) as place:
        lines[place] = k.choose(place >= states - 2, k.constant(0, "f64"), NONE)
    with k.loop(0, length) as back:
        time, after = length - 1 - back, lines.at((back & 1) * states)
        now = lines.at(((back & 1) ^ 1) * states)
        with k.loop(thread, states, THREADS) as place:         # its own line's places: no barrier is needed before
            expected = k.call("exp", forward[time * states + place] + after[place] - probability)
            counts[place] = k.choose(known, expected, 0)
        k.barrier()
        with k.loop(thread, s.classes, THREADS) as label:
            total, at = k.variable(0, "f64"), time * s.step + label
            with k.loop(0, states) as place, k.when(s.symbol(place).equals(label)):
                total.set(total.get() + counts[place])
            share = k.call("exp", s.x[at].to("f64") - s.sums[time])
            s.gradient[at] = (share - total.get()).to(s.gradient.dtype)
        with k.loop(thread, k.choose(time > 0, states, 0), THREADS) as place:
            now[place] = _step_back(k, s, after, time, states, place)
        k.barrier()


def _step_back(k: KernelBuilder, s: Sequence, after: Array, time: Value, states: Value, place: Value) -> Value:
    """Of the time before, from what comes after."""
    def further(by: int) -> Value:
        there = k.least(place + by, states - 1)
        return after[there] + s.logarithm(time, there) - s.sums[time]

    total = k.choose(s.may_stay(place), further(0), NONE)
    total = k.choose(place + 1 < states, log_add(k, total, further(1)), total)
    jumps = (place + 2 < states) & s.jumps(k.least(place + 2, states - 1))
    return k.choose(jumps, log_add(k, total, further(2)), total)
