"""Reductions of a bound map: along rows, or down columns where memory lies that way.

Partial results are combined in an order that depends on sizes only. Where the program computes nothing from what it
reduces, elements are combined where they lie in memory, without chunks (`direct`).
"""
from __future__ import annotations

from . import map_words as m
from .map_chunk import LINE, address_of, ask_for_chunk, call_tile, chunk_at, run_chunk, start_pass
from .map_move import offset_of, splat
from .memory import copy_bytes, function, prefetch, set_word, word

FLUSH = 64                # so many results are added to an accumulator before it goes to a coarser one
DIRECT_ROW = 16384        # elements of a row that are combined at once, at most
DIRECT_CHUNKS = 4         # groups of lines at once
ASKED_BYTES = 2048        # of the next piece of rows: then the processor sees by itself where it goes on


@function
def reduce_at(out, number):
    return out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * number)


@function
def accumulator(out, scratch, number, level):
    return scratch + word(out, m.ACCUMULATORS) + (2 * number + level) * 8 * word(out, m.CHUNK)


@function
def reset(out, scratch, level, count):
    """Every accumulator of a level = identity, count elements of it."""
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        splat(accumulator(out, scratch, j, level), word(reduce, m.R_IDENTITY), word(reduce, m.R_SIZE), count)


@function
def flush(out, scratch, count):
    """Accumulators 1 = accumulators 1 op accumulators 0; accumulators 0 = identity."""
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        coarse, fine = accumulator(out, scratch, j, 1), accumulator(out, scratch, j, 0)
        call_tile(word(reduce, m.R_BINARY), coarse, coarse, fine, coarse, coarse, count)
    reset(out, scratch, 0, count)


@function
def finish(out, counter, scratch, level, pointers, begin, count):
    """Pass 1 for rows [begin, begin + count), whose reductions lie in the accumulators of a level."""
    done = 0
    while done < count:
        part = chunk_at(out, 1, begin + done, begin + count, count)
        for j in range(word(out, m.REDUCES)):
            reduce = reduce_at(out, j)
            where = accumulator(out, scratch, j, level) + done * word(reduce, m.R_SIZE)
            set_word(pointers, word(reduce, m.R_RESULT), where)
        run_chunk(out, 1, counter, scratch, pointers, begin + done, part)
        done += part


@function
def reduce_rows(out, scratch, pointers, first_row, position, count):
    """Combines a chunk of pass 0, which may hold parts of several rows, into the rows' accumulators of level 0."""
    cols = word(out, m.COLS)
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        size, run, source = word(reduce, m.R_SIZE), word(reduce, m.R_FUNCTION), word(pointers, word(reduce, m.R_VALUE))
        row, taken = position // cols, position % cols
        target, remaining = accumulator(out, scratch, j, 0) + (row - first_row) * size, count
        while remaining > 0:
            part = min(cols - taken, remaining)
            rows = remaining // cols if taken == 0 and remaining > cols else 1
            call_tile(run, target, source, 0, rows, 0, part)
            source += part * rows * size
            target += rows * size
            remaining -= part * rows
            taken = 0


@function
def source_of(out, counter, value, position):
    """Where a load of a `direct` map has the element of pass 0 at a position."""
    access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * value)
    if word(access, m.A_CLASS) == m.LINEAR:
        return address_of(access, counter) + position * word(access, m.A_SIZE)
    return address_of(access, counter) + offset_of(out + 8 * word(out, m.PASS_0), access + 8 * m.A_STRIDES, position)


@function
def point_sources(out, counter, pointers, position):
    """The pointers of what a `direct` map reduces = its elements at a position."""
    for j in range(word(out, m.REDUCES)):
        value = word(reduce_at(out, j), m.R_VALUE)
        set_word(pointers, value, source_of(out, counter, value, position))


@function
def ask_for(out, counter, position, end, count):
    """Asks for the elements at positions [position, position + count) of what a `direct` map reduces in pieces that lie
    apart from one another."""
    for j in range(word(out, m.REDUCES)):
        value = word(reduce_at(out, j), m.R_VALUE)
        access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * value)
        if position < end and word(access, m.A_CLASS) == m.DIRECT:
            where = source_of(out, counter, value, position)
            for line in range(0, count * word(access, m.A_SIZE), LINE):
                prefetch(where + line)


@function
def run_row_positions(out, counter, scratch, first_row, rows, begin, end):
    """Level 0 accumulators of `rows` rows = what positions [begin, end) contribute."""
    direct = word(out, m.DIRECT_SOURCES)
    most = DIRECT_ROW if direct != 0 else word(out, m.GROUP)
    reset(out, scratch, 0, rows)
    if end <= begin:
        return
    pointers = start_pass(out, 0, counter, scratch, min(most, end - begin))
    while begin < end:
        count = chunk_at(out, 0, begin, end, most)
        if direct != 0:
            point_sources(out, counter, pointers, begin)
            ask_for(out, counter, begin + 2 * count, end, count)
        else:
            ask_for_chunk(out, counter, begin + count, end, count)
            run_chunk(out, 0, counter, scratch, pointers, begin, count)
        reduce_rows(out, scratch, pointers, first_row, begin, count)
        begin += count


@function
def run_pieces(out, counter, scratch, first_row, rows):
    """Level 0 accumulators of `rows` rows, whose pieces lie side by side."""
    bound = out + 8 * word(out, m.PASS_0)
    columns = word(bound, m.P_SIZES + 2)
    reset(out, scratch, 0, rows)
    for piece in range(word(bound, m.P_SIZES + 1)):
        for j in range(word(out, m.REDUCES)):
            reduce = reduce_at(out, j)
            access = out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * word(reduce, m.R_VALUE))
            step = word(access, m.A_STRIDES + 1)
            source = address_of(access, counter) + first_row * word(access, m.A_STRIDES) + piece * step
            for line in range(0, ASKED_BYTES, LINE):
                prefetch(source + step + line)
            call_tile(word(reduce, m.R_FUNCTION), accumulator(out, scratch, j, 0), source, 0, rows, 0, columns)


@function
def run_row_tile(out, counter, work, scratch, tile):
    segments, cols = word(out, m.SEGMENTS), word(out, m.COLS)
    if segments > 1:
        row, segment = tile // segments, tile % segments
        begin = row * cols + segment * word(out, m.SEGMENT)
        end = min(begin + word(out, m.SEGMENT), (row + 1) * cols)
        run_row_positions(out, counter, scratch, row, 1, begin, end)
        for j in range(word(out, m.REDUCES)):
            reduce = reduce_at(out, j)
            size = word(reduce, m.R_SIZE)
            copy_bytes(work + word(reduce, m.R_WORK) + tile * size, accumulator(out, scratch, j, 0), size)
        return
    first = tile * word(out, m.BLOCK)
    rows = min(word(out, m.BLOCK), word(out, m.ROWS) - first)
    if word(out, m.PIECES) != 0:
        run_pieces(out, counter, scratch, first, rows)
    else:
        run_row_positions(out, counter, scratch, first, rows, first * cols, (first + rows) * cols)
    finish(out, counter, scratch, 0, start_pass(out, 1, counter, scratch, rows), first, rows)


@function
def combine_row_tile(out, counter, work, scratch, tile):
    """Phase 1 of split rows: a block of rows from their segments."""
    segments, first = word(out, m.SEGMENTS), tile * word(out, m.BLOCK)
    rows = min(word(out, m.BLOCK), word(out, m.ROWS) - first)
    reset(out, scratch, 0, rows)
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        size = word(reduce, m.R_SIZE)
        source = work + word(reduce, m.R_WORK) + first * segments * size
        call_tile(word(reduce, m.R_FUNCTION), accumulator(out, scratch, j, 0), source, 0, rows, 0, segments)
    finish(out, counter, scratch, 0, start_pass(out, 1, counter, scratch, rows), first, rows)


@function
def add_lines(out, scratch, pointers, width, lines, start):
    """Accumulators 0 at [start, ...) = themselves op what pass 0 computed: `lines` lines of `width` elements.

    Lines lie side by side in accumulators of GROUP // 4 lines, so that few columns, too, fill vectors."""
    together = max(word(out, m.GROUP) // 4, 1)
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        line, source = width * word(reduce, m.R_SIZE), word(pointers, word(reduce, m.R_VALUE))
        target, left = accumulator(out, scratch, j, 0) + start * word(reduce, m.R_SIZE), lines
        step = together * line
        while left >= 4 * together:
            call_tile(word(reduce, m.R_FUNCTION), target, source, source + step, source + 2 * step, source + 3 * step,
                      together * width)
            source, left = source + 4 * step, left - 4 * together
        while left > 0:
            part = min(left, together)
            call_tile(word(reduce, m.R_BINARY), target, target, source, target, target, part * width)
            source, left = source + part * line, left - part


@function
def join_lines(out, scratch, width):
    """Accumulators 1 of one line = those of GROUP // 4 lines: lower half op upper half, until one is left."""
    for j in range(word(out, m.REDUCES)):
        reduce, left = reduce_at(out, j), max(word(out, m.GROUP) // 4, 1)
        target, line = accumulator(out, scratch, j, 1), width * word(reduce, m.R_SIZE)
        while left > 1:
            half = left // 2
            upper = target + (left - half) * line
            call_tile(word(reduce, m.R_BINARY), target, target, upper, target, target, half * width)
            left -= half


@function
def add_direct_lines(out, counter, scratch, base, column_lines, width):
    """Accumulators 0 = themselves op `column_lines` lines, at most 4, of a `direct` map, whose first begins at
    position `base`."""
    whole = word(out, m.WIDTH)
    for j in range(word(out, m.REDUCES)):
        reduce = reduce_at(out, j)
        value, target = word(reduce, m.R_VALUE), accumulator(out, scratch, j, 0)
        if column_lines == 4:
            call_tile(word(reduce, m.R_FUNCTION), target, source_of(out, counter, value, base),
                      source_of(out, counter, value, base + whole), source_of(out, counter, value, base + 2 * whole),
                      source_of(out, counter, value, base + 3 * whole), width)
        else:
            for i in range(column_lines):
                source = source_of(out, counter, value, base + i * whole)
                call_tile(word(reduce, m.R_BINARY), target, target, source, target, target, width)


@function
def add_chunks(out, counter, scratch, pointers, base, width):
    """Accumulators 0 = themselves op the line of pass 0 at positions [base, base + width)."""
    done = 0
    while done < width:
        count = chunk_at(out, 0, base + done, base + width, width)
        run_chunk(out, 0, counter, scratch, pointers, base + done, count)
        add_lines(out, scratch, pointers, count, 1, done)
        done += count


@function
def run_column_lines(out, counter, scratch, batch, first_line, end_line, column, width):
    """Accumulators of level 1 = what lines [first_line, end_line) of a batch contribute to columns [column, column
    + width)."""
    whole, lines = word(out, m.WIDTH), word(out, m.COLS)
    group, direct = word(out, m.GROUP), word(out, m.DIRECT_SOURCES)
    wide = max(group // 4, 1) * width
    reset(out, scratch, 0, wide)
    reset(out, scratch, 1, wide)
    if end_line <= first_line:
        return
    pointers = start_pass(out, 0, counter, scratch, min(word(out, m.CHUNK), group * width))
    line, pending, end = first_line, 0, (batch * lines + end_line) * whole
    while line < end_line:
        base, together = (batch * lines + line) * whole + column, 1
        if group > 1:
            most = group * DIRECT_CHUNKS if direct != 0 else group
            together = chunk_at(out, 0, base, base + min(most, end_line - line) * whole, most * whole) // whole
            if direct != 0:
                point_sources(out, counter, pointers, base)
            else:
                ask_for_chunk(out, counter, base + together * whole, end, together * whole)
                run_chunk(out, 0, counter, scratch, pointers, base, together * whole)
            add_lines(out, scratch, pointers, whole, together, 0)
        elif direct != 0:
            together = min(4, end_line - line)
            add_direct_lines(out, counter, scratch, base, together, width)
        else:
            ask_for_chunk(out, counter, base + whole, end, width)
            add_chunks(out, counter, scratch, pointers, base, width)
        line += together
        pending += 1
        if pending == FLUSH:
            flush(out, scratch, wide)
            pending = 0
    flush(out, scratch, wide)
    join_lines(out, scratch, width)


@function
def run_column_tile(out, counter, work, scratch, tile):
    segments, blocks, whole = word(out, m.SEGMENTS), word(out, m.BLOCKS), word(out, m.WIDTH)
    column = tile % blocks * word(out, m.BLOCK)
    width = min(word(out, m.BLOCK), whole - column)
    rest = tile // blocks
    if segments > 1:
        batch, segment = rest // segments, rest % segments
        first = segment * word(out, m.SEGMENT)
        end = min(first + word(out, m.SEGMENT), word(out, m.COLS))
        run_column_lines(out, counter, scratch, batch, first, end, column, width)
        for j in range(word(out, m.REDUCES)):
            reduce = reduce_at(out, j)
            size = word(reduce, m.R_SIZE)
            partial = work + word(reduce, m.R_WORK) + (rest * whole + column) * size
            copy_bytes(partial, accumulator(out, scratch, j, 1), width * size)
        return
    together = word(out, m.SEGMENT)
    for batch in range(rest * together, min((rest + 1) * together, word(out, m.BATCH))):
        run_column_lines(out, counter, scratch, batch, 0, word(out, m.COLS), column, width)
        finish(out, counter, scratch, 1, start_pass(out, 1, counter, scratch, width), batch * whole + column, width)


@function
def combine_column_tile(out, counter, work, scratch, tile):
    """Phase 1 of split columns: a block of columns from its segments."""
    segments, blocks, whole = word(out, m.SEGMENTS), word(out, m.BLOCKS), word(out, m.WIDTH)
    batch, column = tile // blocks, tile % blocks * word(out, m.BLOCK)
    width = min(word(out, m.BLOCK), whole - column)
    reset(out, scratch, 0, width)
    reset(out, scratch, 1, width)
    for segment in range(segments):
        for j in range(word(out, m.REDUCES)):
            reduce = reduce_at(out, j)
            line = (batch * segments + segment) * whole + column
            source = work + word(reduce, m.R_WORK) + line * word(reduce, m.R_SIZE)
            target = accumulator(out, scratch, j, 0)
            call_tile(word(reduce, m.R_BINARY), target, target, source, target, target, width)
        if segment % FLUSH == FLUSH - 1:
            flush(out, scratch, width)
    flush(out, scratch, width)
    finish(out, counter, scratch, 1, start_pass(out, 1, counter, scratch, width), batch * whole + column, width)
