"""Whether the accesses of a map stay inside the memory of its operands, from the sizes known when it is bound."""
from __future__ import annotations

from . import image as im
from . import tables as t
from .block import fail
from .image import BAD, add, buffer_row, multiply
from .memory import function, word
from .steps import (
    MAP_LOADS,
    MAP_RANK,
    MAP_REDUCED,
    MAP_STORES,
    access_buffer,
    access_offset,
    access_stride,
    map_access,
    map_domain,
)
from .verify_step import moves_along_reduced


@function
def access_fits(dims, domain, axes, access, elements):
    """0 if every offset of an access over the first `axes` axes of the domain lies in [0, elements)."""
    low = word(dims, access_offset(access))
    high = low
    for k in range(axes):
        size = word(dims, word(domain, k))
        if size == 0:
            return 0
        span = multiply(size - 1, word(dims, access_stride(access, k)))
        low = add(low, span if span < 0 else 0)
        high = add(high, span if span > 0 else 0)
    return 0 if low != BAD and high != BAD and low >= 0 and high < elements else 1


@function
def same_place(dims, domain, axes, store, load):
    """Whether a store and a load are at the same offset at every point of the domain.

    A row value's store, which has no stride along the reduced axes, follows the row's loads; these must not move there.
    """
    if word(dims, access_offset(store)) != word(dims, access_offset(load)):
        return 0
    for k in range(axes):
        if word(dims, word(domain, k)) > 1:
            stride = word(dims, access_stride(store, k)) if access_stride(store, k) >= 0 else 0
            if stride != word(dims, access_stride(load, k)):
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
        return outer if access_stride(access, outer) < 0 else rank
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
    dims, rank, reduced = word(frame, t.FRAME_DIMS), word(words, MAP_RANK), word(words, MAP_REDUCED)
    loads, stores, domain, points = word(words, MAP_LOADS), word(words, MAP_STORES), map_domain(words), 1
    for k in range(rank):
        size = word(dims, word(domain, k))
        points = multiply(points, size if size >= 0 else BAD)
    if points == BAD:
        return fail(frame, t.ACCESS, step, -1, -1, -1)
    for i in range(loads + stores):
        access = map_access(words, i)
        axes = accessed_axes(frame, access, 0 if i < loads else 1, rank, reduced)
        elements = word(word(frame, t.FRAME_ELEMENTS), access_buffer(access))
        if access_fits(dims, domain, axes, access, elements) != 0:
            return fail(frame, t.ACCESS, step, word(dims, access_offset(access)), elements, i)
        if i < loads or any_points(dims, domain, axes) == 0:
            continue
        for j in range(loads):
            other = map_access(words, j)
            if (same_memory(frame, access_buffer(access), access_buffer(other)) != 0
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
