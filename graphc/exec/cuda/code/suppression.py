"""Boxes suppressed, a block a choice: the best boxes, none of which overlaps one picked before too much, with the
picks and the bits of kernels/cpu/image/suppression.py.

Each box that waits has a key, the greater for the greater score, of equal ones for the lower box; GONE of others. The
threads of a block own every THREADS-th box, and find the greatest key together: whose box is picked, and each thread
strikes out those of its own boxes that overlap it. With `sigma` above 0 scores fall instead when their turn has come,
by a factor of each box picked since they were looked at; those factors are computed by all threads, and multiplied one
after the other.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.indices import refuse
from graphc.exec.cuda.code.warps import DECLARATIONS, WARPS, joined_among

GONE, NUMBER = -(1 << 63), 0x7FFFFFFF
Similarity = Callable[[Value, Value], Value]


def _least(k: KernelBuilder, a: Value, b: Value) -> Value:
    """The CPU's min: a of NaNs."""
    return k.choose(b < a, b, a)


def _most(k: KernelBuilder, a: Value, b: Value) -> Value:
    return k.choose(b > a, b, a)


def _key(k: KernelBuilder, score: Value, box: Value) -> Value:
    word = k.made(f"bitcast float {score + 0.0} to i32", "i32").to("i64")
    return (k.choose(word < 0, word ^ NUMBER, word) << 32) | (k.constant(NUMBER, "i64") - box)


def _box_of(k: KernelBuilder, key: Value) -> Value:
    return k.constant(NUMBER, "i64") - (key & NUMBER)


def _score_of(k: KernelBuilder, key: Value) -> Value:
    word = k.made(f"ashr i64 {key}, 32", "i64")
    return k.made(f"bitcast i32 {k.choose(word < 0, word ^ NUMBER, word).to('i32')} to float", "f32")


def _edges(k: KernelBuilder, box: Array) -> tuple[Value, Value, Value, Value]:
    a, b, c, d = (box[i] for i in range(4))
    return _least(k, a, c), _most(k, a, c), _least(k, b, d), _most(k, b, d)


def overlap(k: KernelBuilder, a: Array, b: Array) -> Value:
    """The area that two boxes share, by the area that they cover; 0 if one has none."""
    top_a, bottom_a, left_a, right_a = _edges(k, a)
    top_b, bottom_b, left_b, right_b = _edges(k, b)
    area_a, area_b = (bottom_a - top_a) * (right_a - left_a), (bottom_b - top_b) * (right_b - left_b)
    zero = k.constant(0.0, "f32")
    high = _most(k, _least(k, bottom_a, bottom_b) - _most(k, top_a, top_b), zero)
    wide = _most(k, _least(k, right_a, right_b) - _most(k, left_a, left_b), zero)
    shared = high * wide
    return k.choose((area_a <= 0.0) | (area_b <= 0.0), zero, shared / (area_a + area_b - shared))


@dataclass(frozen=True)
class _Choice:
    """A block's choice. score(i), similarity(i, j): of boxes; keys: of all boxes, in memory; picked, kept: the boxes
    picked and their scores. joins: shared memory."""

    k: KernelBuilder
    boxes: Value
    most: Value
    limit: Value
    least: Value
    score: Callable[[Value], Value]
    similarity: Similarity
    keys: Array
    picked: Array
    kept: Array
    joins: Array

    def _best_of(self, change: Callable[[Value, Value], Value]) -> Value:
        """The greatest key of all, when each waiting box's has been changed: change(box, key)."""
        k, best = self.k, self.k.variable(GONE)
        with k.loop(k.index("tid.x"), self.boxes, THREADS) as i:
            before = self.keys[i]
            with k.when(before.differs(GONE)):
                key = change(i, before)
                self.keys[i] = key
                best.set(k.greatest(best.get(), key))
        k.barrier()
        return joined_among(k, best.get(), THREADS, k.greatest, self.joins)

    def begin(self) -> Variable:
        """The greatest key at first."""
        k, best = self.k, self.k.variable(GONE)
        with k.loop(k.index("tid.x"), self.boxes, THREADS) as i:
            score = self.score(i)
            key = k.choose(score > self.least, _key(k, score, i), GONE)
            self.keys[i] = key
            best.set(k.greatest(best.get(), key))
        k.barrier()
        return k.variable(joined_among(k, best.get(), THREADS, k.greatest, self.joins))

    def note(self, found: Variable, box: Value, score: Value) -> None:
        with self.k.when(self.k.index("tid.x").equals(0)):
            self.picked[found.get()] = box.to("i32")
            self.kept[found.get()] = score
        found.set(found.get() + 1)

    def by_limit(self) -> Variable:
        """How many are picked, none of which overlaps another by more than the limit."""
        k, best, found = self.k, self.begin(), self.k.variable(0)
        with k.repeat(lambda: (found.get() < self.most) & best.get().differs(GONE)):
            top = best.get()
            box = _box_of(k, top)
            self.note(found, box, _score_of(k, top))
            best.set(self._best_of(lambda i, key: k.choose(
                i.equals(box) | (self.similarity(i, box) > self.limit), GONE, key)))
        return found

    def by_falling(self, found: Variable, sigma: Value, seen: Array, factors: Array) -> None:
        """The same with scores that fall. seen: how many picked boxes each box's score has fallen for; factors: room
        for one of each picked box."""
        k, thread = self.k, self.k.index("tid.x")
        scale = k.constant(-0.5, "f32") / sigma
        with k.loop(thread, self.boxes, THREADS) as i:
            seen[i] = k.constant(0, "i64")
        best = self.begin()
        with k.repeat(lambda: (found.get() < self.most) & best.get().differs(GONE)):
            top = best.get()
            box, score = _box_of(k, top), _score_of(k, top)
            fallen, at, end = k.variable(score), k.variable(seen[box]), found.get()
            with k.loop(at.get() + thread, end, THREADS) as j:
                shared = self.similarity(box, self.picked[j].to("i64"))
                factors[j] = k.call("exp", scale * shared * shared)
            k.barrier()
            going = k.variable(1)
            with k.repeat(lambda: (at.get() < end) & going.get().differs(0)):
                fallen.set(fallen.get() * factors[at.get()])
                at.set(at.get() + 1)
                going.set((fallen.get() > self.least).to("i64"))
            value = fallen.get()
            good = value > self.least
            again = good & value.differs(score)
            k.barrier()                                    # `seen` and `factors` have been read
            with k.when(good & ~again):
                self.note(found, box, score)
            with k.when(again & thread.equals(box % THREADS)):
                seen[box] = end
            best.set(self._best_of(lambda i, key: k.choose(i.equals(box), k.choose(again, _key(k, value, i), GONE),
                                                           key)))


def _refuse_limit(k: KernelBuilder, record: Array, limit: Value) -> None:
    """The record of a limit of overlaps that is not from 0 to 1, by the first thread of all."""
    with k.when(k.index("tid.x").equals(0) & k.index("ctaid.x").equals(0)):
        refuse(k, record, ~((limit >= 0.0) & (limit <= 1.0)))


def suppress(by_table: bool) -> KernelBuilder:
    """gc_suppress(given, score, limit, least, sigma, out, kept, count, keys, seen, factors, record, boxes, most):
    given: boxes, or a table of their overlaps, of which any limit is allowed. One block."""
    k = KernelBuilder("gc_suppress", before=DECLARATIONS)
    given, score, limit, least, sigma = (k.array(name, "f32") for name in (
        "given", "score", "limit", "least", "sigma"))
    out, kept, count = k.array("out", "i32"), k.array("kept", "f32"), k.array("count", "i64")
    keys, seen, factors, record = k.array("keys", "i64"), k.array("seen", "i64"), k.array("factors", "f32"), k.array(
        "record", "i64")
    boxes, most = k.numbers("boxes", "most")

    def similarity(i: Value, j: Value) -> Value:
        return given[i * boxes + j] if by_table else overlap(k, given.at(i * 4), given.at(j * 4))

    if not by_table:
        _refuse_limit(k, record, limit[0])
    choice = _Choice(k, boxes, most, limit[0], least[0], lambda i: score[i], similarity, keys, out, kept,
                     k.shared("joins", "i64", WARPS))
    found, falls = k.variable(0), sigma[0] > 0.0
    with k.when(falls):
        choice.by_falling(found, sigma[0], seen, factors)
    with k.when(~falls):
        found.set(choice.by_limit().get())
    thread = k.index("tid.x")
    with k.loop(found.get() + thread, most, THREADS) as i:
        out[i], kept[i] = k.constant(0, "i32"), k.constant(0.0, "f32")
    with k.when(thread.equals(0)):
        count[0] = found.get()
    return k


def suppress_class() -> KernelBuilder:
    """gc_suppress_class(box, score, limit, least, picked, kept, counts, keys, first, boxes, kinds, classes, each): a
    block a picture and class, from number `first` on; at most `each` boxes of one."""
    k = KernelBuilder("gc_suppress_class", before=DECLARATIONS)
    box, score, limit, least = (k.array(name, "f32") for name in ("box", "score", "limit", "least"))
    picked, kept, counts = k.array("picked", "i32"), k.array("kept", "f32"), k.array("counts", "i64")
    keys = k.array("keys", "i64")
    first, boxes, kinds, classes, each = k.numbers("first", "boxes", "kinds", "classes", "each")
    block = k.index("ctaid.x")
    number = first + block
    picture, kind = number // classes, number % classes
    corners = box.at((picture * boxes * kinds + k.choose(kinds > 1, kind, 0)) * 4)
    scores = score.at(picture * boxes * classes + kind)
    choice = _Choice(k, boxes, each, limit[0], least[0], lambda i: scores[i * classes], lambda i, j: overlap(
        k, corners.at(i * kinds * 4), corners.at(j * kinds * 4)), keys.at(block * boxes), picked.at(number * each),
        kept.at(number * each), k.shared("joins", "i64", WARPS))
    found = choice.by_limit()
    with k.when(k.index("tid.x").equals(0)):
        counts[number] = found.get()
    return k


def best_of_classes(clip: bool) -> KernelBuilder:
    """gc_best_of_classes(box, limit, picked, kept, counts, used, record, out_box, out_score, out_class, count, boxes,
    kinds, classes, each, most): a block a picture: the best of what its classes have picked, of equal ones the lower
    class."""
    k = KernelBuilder("gc_best_of_classes", before=DECLARATIONS)
    box, limit = k.array("box", "f32"), k.array("limit", "f32")
    picked, kept = k.array("picked", "i32"), k.array("kept", "f32")
    counts, used, record = (k.array(name, "i64") for name in ("counts", "used", "record"))
    out_box, out_score, out_class = (k.array(name, "f32") for name in ("out_box", "out_score", "out_class"))
    count = k.array("count", "i32")
    boxes, kinds, classes, each, most = k.numbers("boxes", "kinds", "classes", "each", "most")
    picture, thread, joins = k.index("ctaid.x"), k.index("tid.x"), k.shared("joins", "i64", WARPS)
    _refuse_limit(k, record, limit[0])
    counts, used = counts.at(picture * classes), used.at(picture * classes)
    picked, kept = picked.at(picture * classes * each), kept.at(picture * classes * each)
    out_box, out_score, out_class = out_box.at(picture * most * 4), out_score.at(picture * most), out_class.at(
        picture * most)
    with k.loop(thread, classes, THREADS) as kind:
        used[kind] = k.constant(0, "i64")
    found, going = k.variable(0), k.variable(1)
    with k.repeat(lambda: (found.get() < most) & going.get().differs(0)):
        best = k.variable(GONE)
        with k.loop(thread, classes, THREADS) as kind:
            with k.when(used[kind] < counts[kind]):
                best.set(k.greatest(best.get(), _key(k, kept[kind * each + used[kind]], kind)))
        k.barrier()
        top = joined_among(k, best.get(), THREADS, k.greatest, joins)
        going.set(top.differs(GONE).to("i64"))
        kind = _box_of(k, top)
        with k.when(going.get().differs(0) & thread.equals(kind % THREADS)):
            number = picked[kind * each + used[kind]].to("i64")
            used[kind] = used[kind] + 1
            corners = box.at(((picture * boxes + number) * kinds + k.choose(kinds > 1, kind, 0)) * 4)
            for side in range(4):
                edge = corners[side]
                if clip:
                    edge = _most(k, _least(k, edge, k.constant(1.0, "f32")), k.constant(0.0, "f32"))
                out_box[found.get() * 4 + side] = edge
            out_score[found.get()], out_class[found.get()] = _score_of(k, top), kind.to("f32")
        found.set(found.get() + going.get())
    with k.when(thread.equals(0)):
        count[picture] = found.get().to("i32")
    with k.loop(found.get() + thread, most, THREADS) as i:
        for side in range(4):
            out_box[i * 4 + side] = k.constant(0.0, "f32")
        out_score[i], out_class[i] = k.constant(0.0, "f32"), k.constant(0.0, "f32")
    return k
