"""Moving elements between strided memory and contiguous tiles.

Elements are moved as integers of their size. `walk` follows a position through a pass's axes like an odometer and
moves rows of the innermost axis, as many at once as the axis above has (map_rows.py); rows with stride of one element
are copied, rows with stride 0 are filled.
"""
from __future__ import annotations

from ..cpu.memory import pointer_to
from ..cpu.short_rows import SHORT_BYTES, copy_rows
from .map_rows import FEW, fill_rows, move_strided, repeat_row
from .map_turn import part_vectors, reverse_vectors, side_of
from .map_words import A_SIZE, A_STRIDES, P_RANK, P_SIZES
from .memory import copy_bytes, function, set_word, word

byte_at, half_at, int_at, word_at = (pointer_to(t) for t in ("u8", "u16", "u32", "i64"))
GATHER_ROW, SCATTER_ROW, COUNT_ROW = 0, 1, 2


@function
def load_bits(address, size):
    """An element's bits in the low bytes of an int64."""
    if size == 4:
        return int(int_at(address)[0])
    if size == 8:
        return word_at(address)[0]
    if size == 1:
        return int(byte_at(address)[0])
    return int(half_at(address)[0])


@function
def splat(target, bits, size, count):
    """Fills count elements with the low bytes of bits."""
    if size == 4:
        ints = int_at(target)
        for i in range(count):
            ints[i] = bits
    elif size == 8:
        words = word_at(target)
        for i in range(count):
            words[i] = bits
    elif size == 1:
        octets = byte_at(target)
        for i in range(count):
            octets[i] = bits
    else:
        halves = half_at(target)
        for i in range(count):
            halves[i] = bits


@function
def gather_row(target, source, stride, size, count):
    """target[i] = the element at source + i * stride."""
    if stride == -size:
        vectors = count // side_of(size)
        reverse_vectors(target, source, size, vectors)
        done = vectors * side_of(size)
        target, source, count = target + done * size, source - done * size, count - done
    elif stride == 8 and size == 4 and count > 16:
        vectors = (count - 1) // 16                    # what lies after the last element may be nobody's
        part_vectors(target, source, vectors)
        target, source, count = target + vectors * 64, source + vectors * 128, count - vectors * 16
    if stride == size:
        copy_bytes(target, source, count * size)
    elif stride == 0:
        splat(target, load_bits(source, size), size, count)
    elif size == 4:
        ints, from_ints, step = int_at(target), int_at(source), stride >> 2
        for i in range(count):
            ints[i] = from_ints[i * step]
    elif size == 8:
        words, from_words, step = word_at(target), word_at(source), stride >> 3
        for i in range(count):
            words[i] = from_words[i * step]
    elif size == 1:
        octets, from_octets = byte_at(target), byte_at(source)
        for i in range(count):
            octets[i] = from_octets[i * stride]
    else:
        halves, from_halves, step = half_at(target), half_at(source), stride >> 1
        for i in range(count):
            halves[i] = from_halves[i * step]


@function
def scatter_row(target, stride, source, size, count):
    """The element at target + i * stride = source[i]."""
    if stride == size:
        copy_bytes(target, source, count * size)
    elif size == 4:
        ints, from_ints, step = int_at(target), int_at(source), stride >> 2
        for i in range(count):
            ints[i * step] = from_ints[i]
    elif size == 8:
        words, from_words, step = word_at(target), word_at(source), stride >> 3
        for i in range(count):
            words[i * step] = from_words[i]
    elif size == 1:
        octets, from_octets = byte_at(target), byte_at(source)
        for i in range(count):
            octets[i * stride] = from_octets[i]
    else:
        halves, from_halves, step = half_at(target), half_at(source), stride >> 1
        for i in range(count):
            halves[i * step] = from_halves[i]


@function
def count_row(target, start, step, size, count):
    """target[i] = start + i * step, as int64 or int32."""
    if size == 8:
        words = word_at(target)
        for i in range(count):
            words[i] = start + i * step
    else:
        ints = int_at(target)
        for i in range(count):
            ints[i] = start + i * step


@function
def move_row(kind, tile, where, stride, size, count):
    if kind == GATHER_ROW:
        gather_row(tile, where, stride, size, count)
    elif kind == SCATTER_ROW:
        scatter_row(where, stride, tile, size, count)
    else:
        count_row(tile, where, stride, size, count)


@function
def move_rows(kind, tile, where, down, along, size, count, rows):
    """Moves rows of `count` elements between the tile, where they lie one after another, and memory. down, along:
    strides there of rows and of their elements."""
    line = count * size
    if kind == COUNT_ROW or rows == 1:
        for i in range(rows):
            move_row(kind, tile + i * line, where + i * down, along, size, count)
    elif along == size and kind == GATHER_ROW:
        if down == 0:
            repeat_row(tile, where, line, rows)
        else:
            copy_rows(tile, line, where, down, line, rows)
    elif along == size:
        copy_rows(where, down, tile, line, line, rows)
    elif along == 0 and kind == GATHER_ROW and line <= SHORT_BYTES:
        fill_rows(tile, where, down, size, line, rows)
    elif count <= FEW and rows > count:
        for k in range(count):
            if kind == GATHER_ROW:
                move_strided(tile + k * size, line, where + k * along, down, size, rows)
            else:
                move_strided(where + k * along, down, tile + k * size, line, size, rows)
    else:
        for i in range(rows):
            move_row(kind, tile + i * line, where + i * down, along, size, count)


@function
def offset_of(bound_pass, strides, position):
    """Sum of index * stride over the axes, for the element at a position."""
    offset = 0
    axis = word(bound_pass, P_RANK) - 1
    while axis > 0:
        size = word(bound_pass, P_SIZES + axis)
        rest = position // size
        offset += (position - rest * size) * word(strides, axis)
        position = rest
        axis -= 1
    return offset + position * word(strides, 0)


@function
def walk(kind, bound_pass, number, access, base, tile, position, count, odometer):
    """Moves the elements at positions [position, position + count) between the tile and base + offsets.

    number: of the pass. odometer: address of 8 words to work in. For COUNT_ROW the offsets themselves are stored.
    """
    rank = word(bound_pass, P_RANK)
    size, strides = word(access, A_SIZE), access + 8 * (A_STRIDES + 8 * number)
    where = base
    rest = position
    for i in range(rank):
        axis = rank - 1 - i
        extent = word(bound_pass, P_SIZES + axis)
        index = rest % extent
        rest = rest // extent
        set_word(odometer, axis, index)
        where += index * word(strides, axis)
    last = rank - 1
    inner, stride = word(bound_pass, P_SIZES + last), word(strides, last)
    above, down = max(last - 1, 0), word(strides, max(last - 1, 0))
    first = word(odometer, last)
    while count > 0:
        run, rows = min(inner - first, count), 1
        if first == 0 and last > 0 and count > inner:
            rows = min(word(bound_pass, P_SIZES + above) - word(odometer, above), count // inner)
        move_rows(kind, tile, where, down, stride, size, run, rows)
        count -= run * rows
        tile += run * rows * size
        where -= first * stride
        first = 0
        axis = above if last > 0 else -1
        while axis >= 0 and count > 0:
            index = word(odometer, axis) + rows
            where += rows * word(strides, axis)
            if index < word(bound_pass, P_SIZES + axis):
                set_word(odometer, axis, index)
                break
            where -= index * word(strides, axis)
            set_word(odometer, axis, 0)
            axis, rows = axis - 1, 1
