"""suppress_boxes and its kin: the best boxes, none of which overlaps another too much.

Job: suppress_boxes picks boxes by their scores in descending order, equal scores in ascending order of boxes, and
leaves out those that overlap one picked before by more than `most_overlap`; with `sigma` above 0 their scores fall
instead, by a factor exp(-overlap^2 / (2 sigma)), when their turn has come. It writes how many it picked, their scores,
and zeros after them. suppress_overlaps does so by a table of overlaps, suppress_classes class by class, and gathers
the best of all classes; equal scores in ascending order of classes.
Boxes wait in a heap, and the best one is compared with those picked alone: most never have their turn. Picked boxes
stand in blocks of LANES: their tops, bottoms, lefts, rights and areas, so that one vector compares a block.
Invariants: a block's lanes after the last box are boxes without an area, which overlap nothing; numbers of boxes are
below 2^31.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32
from ...scalars.machine import bits, from_bits
from ..memory import ceil_div, helper, int64_at, offset, pointer_to
from ..words import INVALID_VALUE, OK, TILES, WORK_BYTES

ZERO, ONE = np.float32(0.0), np.float32(1.0)
LOWEST = np.float32(-np.inf)
LANES, FIELDS = 16, 5                 # of a block of picked boxes
NUMBER = 0x7FFFFFFF                   # the bits of a box's number in its key, and a float's beside its sign
floats_at, ints_at = pointer_to("f32"), pointer_to("i32")


@helper
def key_of(score, box):
    """Greater for the greater score, of equal ones for the lower box."""
    word = np.int64(bits(score + ZERO))               # 0 for -0
    return ((word ^ ((word >> 63) & NUMBER)) << 32) | (NUMBER - box)


@helper
def score_of(key):
    word = key >> 32
    return from_bits(np.int32(word ^ ((word >> 63) & NUMBER)))


@helper
def sink(heap, position, size):
    """Moves the key at `position` down until no child of it is greater."""
    moved = heap[position]
    child = 2 * position + 1
    while child < size:
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= moved:
            break
        heap[position] = heap[child]
        position, child = child, 2 * child + 1
    heap[position] = moved


@helper
def line_up(heap, seen, score, step, boxes, least):
    """Makes the heap of those that count; how many they are. None has been compared with any picked one."""
    size = 0
    for i in range(boxes):
        seen[i] = 0
        if score[i * step] > least:
            heap[size] = key_of(score[i * step], i)
            size += 1
    for i in range(size // 2):
        sink(heap, size // 2 - 1 - i, size)
    return size


@helper
def edges(box):
    return min(box[0], box[2]), max(box[0], box[2]), min(box[1], box[3]), max(box[1], box[3])


@helper
def overlap(a, b):
    """The area that two boxes share, by the area that they cover; 0 if one has none."""
    top_a, bottom_a, left_a, right_a = edges(a)
    top_b, bottom_b, left_b, right_b = edges(b)
    area_a, area_b = (bottom_a - top_a) * (right_a - left_a), (bottom_b - top_b) * (right_b - left_b)
    if area_a <= ZERO or area_b <= ZERO:
        return ZERO
    high = max(min(bottom_a, bottom_b) - max(top_a, top_b), ZERO)
    wide = max(min(right_a, right_b) - max(left_a, left_b), ZERO)
    shared = high * wide
    return shared / (area_a + area_b - shared)


@helper
def overlaps_any(box, blocks, found, limit):
    """Whether a box overlaps one of those picked by more than limit."""
    top, bottom, left, right = edges(box)
    area = (bottom - top) * (right - left)
    if area <= ZERO:
        return False
    for number in range(ceil_div(found, LANES)):
        block, over = offset(blocks, number * FIELDS * LANES), 0
        for j in range(LANES):
            high = max(min(bottom, block[LANES + j]) - max(top, block[j]), ZERO)
            wide = max(min(right, block[3 * LANES + j]) - max(left, block[2 * LANES + j]), ZERO)
            shared, other = high * wide, block[4 * LANES + j]
            over |= (other > ZERO) & (shared / (area + other - shared) > limit)
        if over:
            return True
    return False


@helper
def keep_box(box, blocks, found):
    """Puts the box after those picked."""
    block, lane = offset(blocks, found // LANES * FIELDS * LANES), found % LANES
    if lane == 0:
        for j in range(FIELDS * LANES):
            block[j] = ZERO
    top, bottom, left, right = edges(box)
    block[lane], block[LANES + lane], block[2 * LANES + lane], block[3 * LANES + lane] = top, bottom, left, right
    block[4 * LANES + lane] = (bottom - top) * (right - left)


@helper
def work_bytes(boxes, most):
    """What a choice among so many boxes needs."""
    return boxes * 12 + ceil_div(min(most, boxes), LANES) * FIELDS * LANES * 4 + 64


def choice_by(similarity, suppressed, keep):
    """The helper that picks at most `most` boxes, and says how many; sigma 0 for a limit of overlaps.

    similarity(given, step, i, j) of two boxes; suppressed(given, step, i, picked, blocks, found, limit): whether one of
    the picked ones overlaps box i by more; keep(given, step, i, blocks, found) notes a picked one in the blocks.
    """
    similarity, suppressed, keep = helper(similarity), helper(suppressed), helper(keep)

    @helper
    def choose(given, step, score, score_step, boxes, most, limit, least, sigma, work, picked, kept):
        heap, seen = int64_at(work), ints_at(work + boxes * 8)
        blocks = floats_at(work + boxes * 12)
        waiting = line_up(heap, seen, score, score_step, boxes, least)
        scale = np.float32(-0.5) / sigma if sigma > ZERO else ZERO
        found = 0
        while found < most and waiting > 0:
            i, score_now = NUMBER - (heap[0] & NUMBER), score_of(heap[0])
            if sigma > ZERO:
                fallen = score_now
                for j in range(seen[i], found):
                    shared = similarity(given, step, i, picked[j])
                    fallen *= exp_f32(scale * shared * shared)
                    if not fallen > least:
                        break
                good = fallen > least
                if good and fallen != score_now:
                    seen[i] = found
                    heap[0] = key_of(fallen, i)
                    sink(heap, 0, waiting)
                    continue
            else:
                good = not suppressed(given, step, i, picked, blocks, found, limit)
            waiting -= 1
            heap[0] = heap[waiting]
            sink(heap, 0, waiting)
            if good:
                picked[found], kept[found] = i, score_now
                keep(given, step, i, blocks, found)
                found += 1
        return found
    return choose


def choice_of_boxes():
    def similarity(box, step, i, j):
        return overlap(offset(box, i * step), offset(box, j * step))

    def suppressed(box, step, i, picked, blocks, found, limit):
        return overlaps_any(offset(box, i * step), blocks, found, limit)

    def keep(box, step, i, blocks, found):
        keep_box(offset(box, i * step), blocks, found)
    return choice_by(similarity, suppressed, keep)


def choice_by_table():
    def similarity(table, step, i, j):
        return table[i * step + j]

    def suppressed(table, step, i, picked, blocks, found, limit):
        for j in range(found):
            if table[i * step + picked[j]] > limit:
                return True
        return False

    def keep(table, step, i, blocks, found):
        pass
    return choice_by(similarity, suppressed, keep)


def make_boxes(types):
    return suppress(choice_of_boxes(), 4, True)


def make_overlaps(types):
    return suppress(choice_by_table(), 0, False)


def suppress(choose, step, limited):
    """step: of a box in what is given, 0 for a row of as many numbers as there are boxes. limited: whether most_overlap
    must be from 0 to 1."""
    def bind(boxes, most, choice):
        choice[TILES] = 1
        choice[WORK_BYTES] = work_bytes(boxes, most)

    def run(given, score, most_overlap, least_score, sigma, out, kept, count, boxes, most, choice, work, scratch, phase,
            tile):
        if limited and not ZERO <= most_overlap[0] <= ONE:
            return INVALID_VALUE
        found = choose(given, step if step else boxes, score, 1, boxes, most, most_overlap[0], least_score[0], sigma[0],
                       work, out, kept)
        for i in range(found, most):
            out[i], kept[i] = 0, ZERO
        count[0] = found
        return OK
    return Functions(bind, run)


def make_classes(types):
    choose = choice_of_boxes()

    @helper
    def part_bytes(boxes, classes, each):
        """A tile's: of a choice, and its results: numbers and scores by class, how many, and how many of them were
        taken."""
        return work_bytes(boxes, each) // 8 * 8 + classes * (min(each, boxes) + 1) * 8

    def bind(batch, boxes, kinds, classes, each, most, clip, choice):
        choice[TILES] = batch
        choice[WORK_BYTES] = batch * part_bytes(boxes, classes, each)

    def run(box, score, most_overlap, least_score, out_box, out_score, out_class, count, batch, boxes, kinds, classes,
            each, most, clip, choice, work, scratch, phase, tile):
        if not ZERO <= most_overlap[0] <= ONE:
            return INVALID_VALUE
        per_class = min(each, boxes)
        start = work + tile * part_bytes(boxes, classes, each)
        picked = ints_at(start + work_bytes(boxes, each) // 8 * 8)
        scores = floats_at(start + work_bytes(boxes, each) // 8 * 8 + classes * per_class * 4)
        counts = offset(picked, 2 * classes * per_class)
        used = offset(counts, classes)
        for c in range(classes):
            corners = offset(box, (tile * boxes * kinds + (c if kinds > 1 else 0)) * 4)
            counts[c] = choose(corners, kinds * 4, offset(score, tile * boxes * classes + c), classes, boxes, per_class,
                               most_overlap[0], least_score[0], ZERO, start, offset(picked, c * per_class),
                               offset(scores, c * per_class))
            used[c] = 0
        found = 0
        while found < most:
            best, greatest = -1, LOWEST
            for c in range(classes):
                if used[c] < counts[c]:
                    value = scores[c * per_class + used[c]]
                    if best < 0 or value > greatest:
                        best, greatest = c, value
            if best < 0:
                break
            number = picked[best * per_class + used[best]]
            used[best] += 1
            source = offset(box, ((tile * boxes + number) * kinds + (best if kinds > 1 else 0)) * 4)
            for k in range(4):
                edge = source[k]
                if clip != 0:
                    edge = max(min(edge, ONE), ZERO)
                out_box[(tile * most + found) * 4 + k] = edge
            out_score[tile * most + found] = greatest
            out_class[tile * most + found] = np.float32(best)
            found += 1
        count[tile] = found
        for i in range(found, most):
            for k in range(4):
                out_box[(tile * most + i) * 4 + k] = ZERO
            out_score[tile * most + i] = ZERO
            out_class[tile * most + i] = ZERO
        return OK
    return Functions(bind, run)
