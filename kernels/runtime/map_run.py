"""Running a bound map: chunk by chunk, all loads of a chunk, then the program's instructions as tile primitives or as
machine code of their own, then the stores.

Results depend on sizes only: chunks, tiles and segments are those of map_bind, partial results are combined in index
order. Scratch begins with a pointer for each value (pass 0, then pass 1) and, before them, 8 words for `walk`.
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from . import map_words as m
from .map_move import COUNT_ROW, GATHER_ROW, SCATTER_ROW, load_bits, offset_of, splat, walk
from .memory import copy_bytes, function, set_word, word

POINTERS = 64             # bytes of scratch in front of the pointers
FLUSH = 64                # so many results are added to an accumulator before it goes to a coarser one


@intrinsic
def call_tile(typing_context, address, target, a, b, c, d, count):
    """Calls a primitive by its address."""
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 6)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 7), generate


@intrinsic
def call_reduce(typing_context, address, accumulator, source, count):
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 3)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 4), generate


@intrinsic
def call_code(typing_context, address, out, pointers, count, room, position):
    """Calls the code of a pass by its address."""
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 5)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 6), generate


@function
def address_of(access, counter):
    address = word(access, m.A_ADDRESS)
    return address if address != 0 else counter + word(access, m.A_OFFSET)


@function
def start_pass(out, number, counter, scratch, count):
    """Sets the pointers of what lies in registers and fills those that never change, for chunks of up to count
    elements."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    pointers = scratch + POINTERS + 8 * number * word(out, m.VALUES)
    registers, slot_bytes = scratch + word(out, m.REGISTERS), word(out, m.SLOT_BYTES)
    row = out + 8 * word(bound, m.P_SLOT_ROWS)
    for _ in range(word(bound, m.P_SLOT_VALUES)):
        set_word(pointers, word(row, 0), registers + word(row, 1) * slot_bytes)
        row += 8 * m.SLOT_ROW_WORDS
    row = out + 8 * word(bound, m.P_CONST_ROWS)
    for _ in range(word(bound, m.P_CONSTS)):
        splat(word(pointers, word(row, 0)), word(row, 1), word(row, 2), count)
        row += 8 * m.CONST_WORDS
    row = out + 8 * word(bound, m.P_FIXED_ROWS)
    for _ in range(word(bound, m.P_FIXED)):
        access = out + 8 * word(row, 0)
        size = word(access, m.A_SIZE)
        splat(word(pointers, word(access, m.A_VALUE)), load_bits(address_of(access, counter), size), size, count)
        row += 8
    return pointers


@function
def run_chunk(out, number, counter, scratch, pointers, position, count):
    """Evaluates a pass at positions [position, position + count)."""
    bound = out + 8 * word(out, m.PASS_0 + number)
    puts, put_rows = word(bound, m.P_PUTS), out + 8 * word(bound, m.P_PUT_ROWS)
    strides_at = 8 * (m.A_STRIDES + 8 * number)
    for i in range(puts):
        put = put_rows + 8 * m.PUT_WORDS * i
        if word(put, 2) == m.PUT_IN_PLACE:
            access = out + 8 * word(put, 0)
            linear = word(access, m.A_CLASS + number) == m.LINEAR
            offset = position * word(access, m.A_SIZE) if linear else offset_of(bound, access + strides_at, position)
            set_word(pointers, word(put, 1), address_of(access, counter) + offset)
    row = out + 8 * word(bound, m.P_FETCH_ROWS)
    for _ in range(word(bound, m.P_FETCHES)):
        access = out + 8 * word(row, 0)
        row += 8
        kind, value = word(access, m.A_CLASS + number), word(access, m.A_VALUE)
        if kind == m.LINEAR:
            set_word(pointers, value, address_of(access, counter) + position * word(access, m.A_SIZE))
        elif kind == m.DIRECT:
            set_word(pointers, value, address_of(access, counter) + offset_of(bound, access + strides_at, position))
        elif kind == m.GATHER:
            base = address_of(access, counter)
            walk(GATHER_ROW, bound, number, access, base, word(pointers, value), position, count, scratch)
        else:
            walk(COUNT_ROW, bound, number, access, 0, word(pointers, value), position, count, scratch)
    code = word(bound, m.P_CODE)
    if code != 0:
        call_code(code, out, pointers, count, scratch + word(out, m.ROOM), position)
    row = out + 8 * word(bound, m.P_OP_ROWS)
    for _ in range(word(bound, m.P_OPS)):
        call_tile(word(row, 0), word(pointers, word(row, 1)), word(pointers, word(row, 2)),
                  word(pointers, word(row, 3)),
                  word(pointers, word(row, 4)), word(pointers, word(row, 5)), count)
        row += 8 * m.OP_WORDS
    for i in range(puts):
        put = put_rows + 8 * m.PUT_WORDS * i
        if word(put, 2) != m.PUT_IN_PLACE:
            store_chunk(out, number, bound, counter, scratch, put, word(pointers, word(put, 1)), position, count)


@function
def store_chunk(out, number, bound, counter, scratch, put, source, position, count):
    access = out + 8 * word(put, 0)
    target, size = address_of(access, counter), word(access, m.A_SIZE)
    if word(put, 2) == m.PUT_SCATTER:
        walk(SCATTER_ROW, bound, number, access, target, source, position, count, scratch)
    elif word(access, m.A_CLASS + number) == m.LINEAR:
        copy_bytes(target + position * size, source, count * size)
    else:
        copy_bytes(target + offset_of(bound, access + 8 * (m.A_STRIDES + 8 * number), position), source, count * size)


@function
def chunk_at(out, number, position, end, most):
    """Elements of the chunk that begins at position."""
    count = min(end - position, most)
    inner = word(out + 8 * word(out, m.PASS_0 + number), m.P_INNER)
    if inner > 0:
        count = min(count, inner - position % inner)
    return count


@function
def run_elements(out, counter, scratch, begin, end):
    """Pass 0 over positions [begin, end), without reductions."""
    if end <= begin:
        return
    most = word(out, m.MOST)
    pointers = start_pass(out, 0, counter, scratch, min(most, end - begin))
    while begin < end:
        count = chunk_at(out, 0, begin, end, most)
        run_chunk(out, 0, counter, scratch, pointers, begin, count)
        begin += count


@function
def accumulator(out, scratch, number, level):
    return scratch + word(out, m.ACCUMULATORS) + (2 * number + level) * 8 * word(out, m.CHUNK)


@function
def reset(out, scratch, level, count):
    """Every accumulator of a level = identity, count elements of it."""
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
        splat(accumulator(out, scratch, j, level), word(reduce, m.R_IDENTITY), word(reduce, m.R_SIZE), count)


@function
def flush(out, scratch, count):
    """Accumulators 1 = accumulators 1 op accumulators 0; accumulators 0 = identity."""
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
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
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
            where = accumulator(out, scratch, j, level) + done * word(reduce, m.R_SIZE)
            set_word(pointers, word(reduce, m.R_RESULT), where)
        run_chunk(out, 1, counter, scratch, pointers, begin + done, part)
        done += part


@function
def reduce_rows(out, scratch, pointers, first_row, position, count):
    """Combines a chunk of pass 0, which may hold parts of several rows, into the rows' accumulators of level 0."""
    cols = word(out, m.COLS)
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
        size, run, source = word(reduce, m.R_SIZE), word(reduce, m.R_FUNCTION), word(pointers, word(reduce, m.R_VALUE))
        row = position // cols
        left = (row + 1) * cols - position
        target = accumulator(out, scratch, j, 0) + (row - first_row) * size
        remaining = count
        while remaining > 0:
            part = min(left, remaining)
            call_reduce(run, target, source, part)
            source += part * size
            target += size
            remaining -= part
            left = cols


@function
def run_row_positions(out, counter, scratch, first_row, rows, begin, end):
    """Level 0 accumulators of `rows` rows = what positions [begin, end) contribute."""
    most = word(out, m.GROUP)
    reset(out, scratch, 0, rows)
    if end <= begin:
        return
    pointers = start_pass(out, 0, counter, scratch, min(most, end - begin))
    while begin < end:
        count = chunk_at(out, 0, begin, end, most)
        run_chunk(out, 0, counter, scratch, pointers, begin, count)
        reduce_rows(out, scratch, pointers, first_row, begin, count)
        begin += count


@function
def run_row_tile(out, counter, work, scratch, tile):
    segments, cols = word(out, m.SEGMENTS), word(out, m.COLS)
    if segments > 1:
        row, segment = tile // segments, tile % segments
        begin = row * cols + segment * word(out, m.SEGMENT)
        end = min(begin + word(out, m.SEGMENT), (row + 1) * cols)
        run_row_positions(out, counter, scratch, row, 1, begin, end)
        for j in range(word(out, m.REDUCES)):
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
            size = word(reduce, m.R_SIZE)
            copy_bytes(work + word(reduce, m.R_WORK) + tile * size, accumulator(out, scratch, j, 0), size)
        return
    first = tile * word(out, m.BLOCK)
    rows = min(word(out, m.BLOCK), word(out, m.ROWS) - first)
    run_row_positions(out, counter, scratch, first, rows, first * cols, (first + rows) * cols)
    finish(out, counter, scratch, 0, start_pass(out, 1, counter, scratch, rows), first, rows)


@function
def combine_row_tile(out, counter, work, scratch, tile):
    """Phase 1 of split rows: a block of rows from their segments."""
    segments, first = word(out, m.SEGMENTS), tile * word(out, m.BLOCK)
    rows = min(word(out, m.BLOCK), word(out, m.ROWS) - first)
    reset(out, scratch, 0, rows)
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
        size = word(reduce, m.R_SIZE)
        for i in range(rows):
            source = work + word(reduce, m.R_WORK) + (first + i) * segments * size
            call_reduce(word(reduce, m.R_FUNCTION), accumulator(out, scratch, j, 0) + i * size, source, segments)
    finish(out, counter, scratch, 0, start_pass(out, 1, counter, scratch, rows), first, rows)


@function
def fold_columns(out, scratch, pointers, width, lines, start):
    """Accumulators 0 at [start, ...) = themselves op each of the `lines` lines of width elements that pass 0 computed.

    Lines are combined by halves, lower with upper, until one is left.
    """
    for j in range(word(out, m.REDUCES)):
        reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
        size, run = word(reduce, m.R_SIZE), word(reduce, m.R_BINARY)
        source, fold = word(pointers, word(reduce, m.R_VALUE)), scratch + word(out, m.FOLDS)
        left = lines
        while left > 1:
            half = left // 2
            upper = source + half * width * size
            last = source + (left - 1) * width * size
            call_tile(run, fold, source, upper, fold, fold, half * width)
            if left > 2 * half:
                call_tile(run, fold, fold, last, fold, fold, width)
            source, left = fold, half
        target = accumulator(out, scratch, j, 0) + start * size
        call_tile(run, target, target, source, target, target, width)


@function
def run_column_lines(out, counter, scratch, batch, first_line, end_line, column, width):
    """Accumulators of level 1 = what lines [first_line, end_line) of a batch contribute to columns [column, column
    + width)."""
    whole, lines = word(out, m.WIDTH), word(out, m.COLS)
    group = word(out, m.GROUP)
    reset(out, scratch, 0, width)
    reset(out, scratch, 1, width)
    if end_line <= first_line:
        return
    pointers = start_pass(out, 0, counter, scratch, min(word(out, m.CHUNK), group * width))
    line, pending = first_line, 0
    while line < end_line:
        base = (batch * lines + line) * whole + column
        if group > 1:
            together = chunk_at(out, 0, base, base + min(group, end_line - line) * whole, group * whole) // whole
            run_chunk(out, 0, counter, scratch, pointers, base, together * whole)
            fold_columns(out, scratch, pointers, whole, together, 0)
            line += together
        else:
            done = 0
            while done < width:
                count = chunk_at(out, 0, base + done, base + width, width)
                run_chunk(out, 0, counter, scratch, pointers, base + done, count)
                fold_columns(out, scratch, pointers, count, 1, done)
                done += count
            line += 1
        pending += 1
        if pending == FLUSH:
            flush(out, scratch, width)
            pending = 0
    flush(out, scratch, width)


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
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
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
            reduce = out + 8 * (word(out, m.REDUCE_ROWS) + m.REDUCE_WORDS * j)
            line = (batch * segments + segment) * whole + column
            source = work + word(reduce, m.R_WORK) + line * word(reduce, m.R_SIZE)
            target = accumulator(out, scratch, j, 0)
            call_tile(word(reduce, m.R_BINARY), target, target, source, target, target, width)
        if segment % FLUSH == FLUSH - 1:
            flush(out, scratch, width)
    flush(out, scratch, width)
    finish(out, counter, scratch, 1, start_pass(out, 1, counter, scratch, width), batch * whole + column, width)


@function
def map_run(out, counter, work, scratch, phase, tile):
    """Runs a tile of a phase. counter: address of the COUNTER buffer. Returns a Status."""
    mode = word(out, m.MODE)
    if mode == m.MODE_ELEMENTS:
        begin = tile * word(out, m.TILE_ELEMENTS)
        run_elements(out, counter, scratch, begin, min(begin + word(out, m.TILE_ELEMENTS), word(out, m.TOTAL)))
    elif mode == m.MODE_ROWS:
        if phase == 0:
            run_row_tile(out, counter, work, scratch, tile)
        else:
            combine_row_tile(out, counter, work, scratch, tile)
    elif phase == 0:
        run_column_tile(out, counter, work, scratch, tile)
    else:
        combine_column_tile(out, counter, work, scratch, tile)
    return 0


@function
def map_run_range(out, counter, work, scratch, begin, end):
    """Runs elements [begin, end), in row-major order, of a map without reductions."""
    run_elements(out, counter, scratch, begin, end)
    return 0
