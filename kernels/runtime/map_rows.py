"""Many short rows at once: rows of one element each, of one row again and again, and few columns of what lies apart.

Rows of neighbours are those of kernels/cpu/short_rows.py. Elements are moved as integers of their size.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..cpu.memory import pointer_to
from ..cpu.short_rows import vector_of, vector_place
from .memory import compact, copy_bytes, function

FEW = 8                   # elements of a row that is moved column by column
WORDS_OF_ONES = {1: 0x0101010101010101, 2: 0x0001000100010001, 4: 0x0000000100000001}
byte_at, half_at, int_at, word_at = (pointer_to(t) for t in ("u8", "u16", "u32", "i64"))


def _ends_filler(width):
    """The function (target, bits, rest): fills `width` bytes with 8 bytes again and again, and those from `rest` on."""
    @intrinsic
    def fill_ends(typing_context, target, bits, rest):
        def generate(context, builder, signature, arguments):
            target, bits, rest = arguments
            kind = vector_of(width)
            if width <= 8:
                filled = builder.trunc(bits, kind) if width < 8 else bits
            else:
                filled = ir.Constant(kind, ir.Undefined)
                for lane in range(width // 8):
                    filled = builder.insert_element(filled, bits, ir.IntType(32)(lane))
            builder.store(filled, vector_place(builder, target, width), align=1)
            builder.store(filled, vector_place(builder, builder.add(target, rest), width), align=1)
            return context.get_dummy_value()
        return types.void(types.int64, types.int64, types.int64), generate
    return fill_ends


def _filler(width):
    fill_ends = _ends_filler(width)

    @function
    def fill(target, target_step, source, source_step, size, rest, rows):
        for i in range(rows):
            fill_ends(target + i * target_step, pattern(source + i * source_step, size), rest)
    return fill


@function
def pattern(address, size):
    """8 bytes, an element again and again."""
    if size == 4:
        return int(int_at(address)[0]) * WORDS_OF_ONES_4
    if size == 8:
        return word_at(address)[0]
    if size == 1:
        return int(byte_at(address)[0]) * WORDS_OF_ONES_1
    return int(half_at(address)[0]) * WORDS_OF_ONES_2


WORDS_OF_ONES_1, WORDS_OF_ONES_2, WORDS_OF_ONES_4 = (WORDS_OF_ONES[size] for size in (1, 2, 4))
_fill_2, _fill_4, _fill_8, _fill_16, _fill_32 = (_filler(width) for width in (2, 4, 8, 16, 32))


@function
def fill_rows(target, source, source_step, size, count, rows):
    """Fills rows of `count` bytes, 2 to SHORT_BYTES, one after another, each with an element of its own."""
    compact()
    if count >= 32:
        _fill_32(target, count, source, source_step, size, count - 32, rows)
    elif count >= 16:
        _fill_16(target, count, source, source_step, size, count - 16, rows)
    elif count >= 8:
        _fill_8(target, count, source, source_step, size, count - 8, rows)
    elif count >= 4:
        _fill_4(target, count, source, source_step, size, count - 4, rows)
    else:
        _fill_2(target, count, source, source_step, size, count - 2, rows)


@function
def repeat_row(target, source, count, rows):
    """Copies a row of `count` bytes to as many rows, one after another."""
    copy_bytes(target, source, count)
    filled, wanted = count, count * rows
    while filled < wanted:
        part = min(filled, wanted - filled)
        copy_bytes(target + filled, target, part)
        filled += part


@function
def move_strided(target, target_step, source, source_step, size, count):
    """The element at target + i * target_step = that at source + i * source_step."""
    compact()
    if size == 4:
        ints, from_ints, to, step = int_at(target), int_at(source), target_step >> 2, source_step >> 2
        for i in range(count):
            ints[i * to] = from_ints[i * step]
    elif size == 8:
        words, from_words, to, step = word_at(target), word_at(source), target_step >> 3, source_step >> 3
        for i in range(count):
            words[i * to] = from_words[i * step]
    elif size == 1:
        octets, from_octets = byte_at(target), byte_at(source)
        for i in range(count):
            octets[i * target_step] = from_octets[i * source_step]
    else:
        halves, from_halves, to, step = half_at(target), half_at(source), target_step >> 1, source_step >> 1
        for i in range(count):
            halves[i * to] = from_halves[i * step]
