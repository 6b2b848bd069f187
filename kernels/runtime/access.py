"""Whether the accesses of a map stay inside the memory of its operands, from the sizes known when it is bound."""
from __future__ import annotations

from . import image as im
from . import tables as t
from .block import fail
from .image import BAD, add, buffer_row, multiply
from .memory import function, word
from .verify_step import moves_along_reduced


@function
def access_fits(dims, domain, axes, access, elements):
    """0 if every offset of an access over the first `axes` axes of the domain lies in [0, elements)."""
    low = word(dims, word(access, 1))
    high = low
    for k in range(axes):
        size = word(dims, word(domain, k))
        if size == 0:
            return 0
        span = multiply(size - 1, word(dims, word(access, 2 + k)))
        low = add(low, span if span < 0 else 0)
        high = add(high, span if span > 0 else 0)
    return 0 if low != BAD and high != BAD and low >= 0 and high < elements else 1


@function
def same_place(dims, domain, axes, store, load):
    """Whether a store and a load are at the same offset at every point of the domain.

    A row value's store, which has no stride along the reduced axes, follows the row's loads; these must not move there.
    """
    if word(dims, word(store, 1)) != word(dims, word(load, 1)):
        return 0
    for k in range(axes):
        if word(dims, word(domain, k)) > 1:
            stride = word(dims, word(store, 2 + k)) if word(store, 2 + k) >= 0 else 0
            if stride != word(dims, word(load, 2 + k)):
                return 0
    return 1


@function
def accessed_axes(frame, access, is_store, rank, reduced):
    """Over how many axes an access goes. One that stays where it is along the reduced axes is made for every row, also
    for a row of no elements: a row value's store has no strides there, and what rows may load has the constant 0."""
    if reduced == 0:
        return rank
    outer = rank - reduced
    if is_store != 0:
        return outer if word(access, 2 + outer) < 0 else rank
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    return rank if moves_along_reduced(image, record, access, rank, reduced) != 0 else outer


@function
def any_points(dims, domain, axes):
    for k in range(axes):
        if word(dims, word(domain, k)) == 0:
            return 0
    return 1


@function
def check_map(frame, step, words):
    """Domain and accesses of a map. words: MAP words from `program` on."""
    dims, rank, reduced = word(frame, t.FRAME_DIMS), word(words, 1), word(words, 2)
    loads, stores, domain, points = word(words, 3), word(words, 4), words + 40, 1
    for k in range(rank):
        size = word(dims, word(domain, k))
        points = multiply(points, size if size >= 0 else BAD)
    if points == BAD:
        return fail(frame, t.ACCESS, step, -1, -1, -1)
    first = domain + 8 * rank
    for i in range(loads + stores):
        access = first + 8 * i * (2 + rank)
        axes = accessed_axes(frame, access, 0 if i < loads else 1, rank, reduced)
        elements = word(word(frame, t.FRAME_ELEMENTS), word(access, 0))
        if access_fits(dims, domain, axes, access, elements) != 0:
            return fail(frame, t.ACCESS, step, word(dims, word(access, 1)), elements, i)
        if i < loads or any_points(dims, domain, axes) == 0:
            continue
        for j in range(loads):
            other = first + 8 * j * (2 + rank)
            if (same_memory(frame, word(access, 0), word(other, 0)) != 0
                    and any_points(dims, domain, accessed_axes(frame, other, 0, rank, reduced)) != 0
                    and same_place(dims, domain, rank, access, other) == 0):
                return fail(frame, t.ACCESS, step, j, -2, i)
    return 0


@function
def same_memory(frame, a, b):
    """Whether two buffers are the same memory (two arena buffers that live at once never are)."""
    base, other = word(word(frame, t.FRAME_ROOT), a), word(word(frame, t.FRAME_ROOT), b)
    if base == other:
        return 1
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    row, row_b = buffer_row(image, record, base), buffer_row(image, record, other)
    return (
        1 if word(row, 0) == im.KIND_STATE and word(row_b, 0) == im.KIND_STATE and word(row, 2) == word(row_b, 2) else 0
    )
