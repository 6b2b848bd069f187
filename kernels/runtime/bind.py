"""Binding a segment: sizes, guards, memory, and for each step a record that can be run as it stands.

Everything that a step will touch is compared with the memory of its operands here, by the registry's formulas
(CALL) or by the smallest and largest offset of every access (MAP). Every function returns 0 or an error code, unless
it says otherwise.
"""
from __future__ import annotations

from ..contracts.calls import Choice
from ..layout import SIZE_LIMIT
from . import image as im
from . import map_words as m
from . import tables as t
from .access import check_map, same_memory
from .addresses import alias_addresses, apply_patches, fixed_addresses, input_addresses
from .apart import place_apart
from .block import cancelled, fail, grow, host_of, round_up
from .frame import CHOICE_WORDS
from .image import BAD, buffer_row, formula, kernel_record, multiply
from .map import largest_tile, map_bind
from .memory import apart, call, function, or_left_out, set_word, word, zero_bytes
from .pack import packed
from .place import move, place
from .pool import MOST_TILES
from .segments import first_of, next_of, segment_row
from .sizes import check_guards, evaluate_dims, reserve_outputs, size_buffers
from .steps import (
    BIND_BUFFER,
    BIND_COUNT,
    CALL_ATTRS,
    CALL_DIMS,
    CALL_KERNEL,
    CALL_OPERANDS,
    MAP_PROGRAM,
    MAP_RANK,
    access_buffer,
    access_offset,
    access_stride,
    call_attr,
    call_dim,
    call_operand,
    call_output,
    epilogue_of,
    map_access,
    map_accesses,
    map_dim,
    map_of,
)
from .together import MOST_MAPS, join_maps, leads

TILES, TILES_1 = int(Choice.TILES), int(Choice.TILES_1)
WORK_BYTES, SCRATCH_BYTES = int(Choice.WORK_BYTES), int(Choice.SCRATCH_BYTES)
TILE_ELEMENTS, FORMAT, PERSISTENT = int(Choice.TILE_ELEMENTS), int(Choice.FORMAT), int(Choice.PERSISTENT)
NO_WINOGRAD = int(Choice.NO_WINOGRAD)
MAY_ROUND = int(Choice.MAY_ROUND)
WAY = int(Choice.WAY)
LARGEST_TILE = 1 << 31    # elements of a map's tile: runs are cancelled between tiles
MAP_TILES, MAP_TILES_1, MAP_SCRATCH, MAP_WORK = m.TILES, m.TILES_1, m.SCRATCH, m.WORK


@function
def need(frame, step, work, scratch):
    """Grows the context's workspace; scratch grows in run_job."""
    if work < 0 or scratch < 0 or work >= SIZE_LIMIT or scratch >= SIZE_LIMIT:
        return fail(frame, t.TILES, step, work, scratch, 0)
    context = word(frame, t.FRAME_CONTEXT)
    if grow(host_of(frame), context, t.RUN_WORK, t.RUN_WORK_BYTES, work) == 0:
        return fail(frame, t.NO_MEMORY, step, work, 0, 0)
    return 0


@function
def set_tiles(frame, row, step, tiles, tiles_1):
    if tiles < 0 or tiles_1 < 0 or tiles > MOST_TILES or tiles_1 > MOST_TILES:
        return fail(frame, t.TILES, step, tiles, tiles_1, 0)
    set_word(row, t.ROW_TILES, tiles)
    set_word(row, t.ROW_TILES_1, tiles_1)
    return 0


@function
def compiled(model, words):
    """Address of what tells the code of a map's program; 0: there is none. Read once a bind: code may come in beside
    it."""
    table = word(model, t.MODEL_COMPILED)
    return word(table, word(words, MAP_PROGRAM)) if table != 0 else 0


@function
def bind_map_words(frame, step, words, out):
    """Checks a map and has the evaluator bind it into `out`."""
    status = check_map(frame, step, words)
    if status != 0:
        return status
    model = word(frame, t.FRAME_MODEL)
    status = map_bind(word(model, t.MODEL_IMAGE), words, word(frame, t.FRAME_DIMS), word(frame, t.FRAME_ADDRESSES),
                      word(model, t.MODEL_REGISTRY), word(model, t.MODEL_FUNCTIONS), out, compiled(model, words))
    return fail(frame, t.MAP_FAILED, step, status, 0, 0) if status != 0 else 0


@function
def bind_map(frame, row, step):
    out, words = word(row, t.ROW_BOUND), map_of(word(row, t.ROW_RECORD))
    status = bind_map_words(frame, step, words, out)
    if status == 0 and largest_tile(out) > LARGEST_TILE:
        status = fail(frame, t.TILES, step, largest_tile(out), LARGEST_TILE, 0)
    if status == 0:
        status = set_tiles(frame, row, step, word(out, MAP_TILES), word(out, MAP_TILES_1))
    if status == 0:
        status = need(frame, step, word(out, MAP_WORK), word(out, MAP_SCRATCH))
    set_word(row, t.ROW_SCRATCH, word(out, MAP_SCRATCH))
    set_word(row, t.ROW_TOGETHER, 1)
    return status


@function
def version_address(frame, buffer):
    """Address of the version of a packable source; 0 if it may change within the run, so that packing it does not
    pay."""
    model = word(frame, t.FRAME_MODEL)
    image = word(model, t.MODEL_IMAGE)
    row = buffer_row(image, word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_ROOT), buffer))
    kind, index = word(row, 0), word(row, 2)
    if kind == im.KIND_CONST:
        return model + 8 * t.MODEL_ZERO
    if kind == im.KIND_PREPARED:
        return model + 8 * t.MODEL_PREPARED_VERSION
    if kind == im.KIND_STATE:
        return word(word(model, t.MODEL_INFOS), index) + 8
    return 0


@function
def unwritten(frame, buffer):
    """Whether no step of the plan writes this buffer. What a plan writes has another version in each of its runs, so a
    copy kept packed would be made again each time, and read once."""
    model, record = word(frame, t.FRAME_MODEL), word(frame, t.FRAME_RECORD)
    image = word(model, t.MODEL_IMAGE)
    row = buffer_row(image, record, word(word(frame, t.FRAME_ROOT), buffer))
    if word(row, 0) != im.KIND_STATE:
        return 1
    index, states = word(row, 2), word(image, im.H_STATES)
    for body in range(word(image, im.H_BODIES)):
        if word(word(model, t.MODEL_WRITES) + 8 * body * states, index) != 0:
            return 0
    return 1


@function
def check_extents(frame, row, step, kernel, arguments):
    registry = word(word(frame, t.FRAME_MODEL), t.MODEL_REGISTRY)
    record, stack = word(row, t.ROW_RECORD), word(frame, t.FRAME_TEMPORARY)
    operands, dims, relations = word(kernel, 0), word(kernel, 1), word(kernel, 3)
    for r in range(relations):
        value = formula(registry, word(kernel, 4 + 4 * operands + r), arguments, dims, stack)
        if value == 0 or value == BAD:
            return fail(frame, t.RELATION, step, value, 0, r)
    for i in range(operands):
        extent = formula(registry, word(kernel, 4 + 4 * i + 3), arguments, dims, stack)
        elements = word(word(frame, t.FRAME_ELEMENTS), call_operand(record, i))
        if extent == BAD or extent < 0 or extent > elements:
            return fail(frame, t.EXTENT, step, extent, elements, i)
    return 0


@function
def bind_call(frame, row, step):
    model, record, bound = word(frame, t.FRAME_MODEL), word(row, t.ROW_RECORD), word(row, t.ROW_BOUND)
    number, operands = word(record, CALL_KERNEL), word(record, CALL_OPERANDS)
    dims, attrs = word(record, CALL_DIMS), word(record, CALL_ATTRS)
    kernel = kernel_record(word(model, t.MODEL_REGISTRY), number)
    arguments = bound + 8 * operands
    choice = arguments + 8 * (dims + attrs)
    for i in range(operands):
        set_word(bound, i, word(word(frame, t.FRAME_ADDRESSES), call_operand(record, i)))
    for i in range(dims):
        set_word(arguments, i, word(word(frame, t.FRAME_DIMS), call_dim(record, i)))
    for i in range(attrs):
        set_word(arguments, dims + i, call_attr(record, i))
    zero_bytes(choice, 8 * CHOICE_WORDS)
    status = check_extents(frame, row, step, kernel, arguments)
    if status != 0:
        return status
    functions = word(model, t.MODEL_FUNCTIONS)
    set_word(row, t.ROW_FUNCTION, word(functions, 3 * number + 1))
    status = choose(frame, step, record, kernel, bound, arguments, choice)
    if status == 0:
        status = set_tiles(frame, row, step, word(choice, TILES), word(choice, TILES_1))
    if status != 0:
        return status
    set_word(row, t.ROW_SCRATCH, word(choice, SCRATCH_BYTES))
    set_word(row, t.ROW_WORK_BYTES, word(choice, WORK_BYTES))
    set_word(row, t.ROW_ELEMENTS, word(word(frame, t.FRAME_ELEMENTS), call_output(record)))
    set_word(row, t.ROW_TILE_ELEMENTS, covering(row, word(choice, TILE_ELEMENTS)))
    if word(row, t.ROW_EPILOGUE) != 0:
        return bind_epilogue(frame, row, step)
    return need(frame, step, word(choice, WORK_BYTES), word(choice, SCRATCH_BYTES))


@function
def covering(row, each):
    """The elements of the output that come with each tile of the last phase, `each`, if tiles hold all of them; else 0:
    a kernel may write a part of a buffer, and its epilogue is of the whole."""
    tiles = word(row, t.ROW_TILES_1) if word(row, t.ROW_TILES_1) > 0 else word(row, t.ROW_TILES)
    return each if each > 0 and (word(row, t.ROW_ELEMENTS) - 1) // each < tiles else 0


@function
def choose(frame, step, record, kernel, bound, arguments, choice):
    """Has the kernel fill `choice`, and puts the packed copy of an operand in place of it if the kernel asks for
    one."""
    functions, number = word(word(frame, t.FRAME_MODEL), t.MODEL_FUNCTIONS), word(record, CALL_KERNEL)
    operand, version_at = -1, 0
    for i in range(word(kernel, 0)):
        if word(kernel, 4 + 4 * i + 2) != 0 and operand < 0:
            operand = i
            version_at = version_address(frame, call_operand(record, i))
            if unwritten(frame, call_operand(record, i)) == 0:
                version_at = 0
    set_word(choice, PERSISTENT, 1 if version_at != 0 and word(functions, 3 * number + 2) != 0 else 0)
    set_word(choice, NO_WINOGRAD, word(word(frame, t.FRAME_MODEL), t.MODEL_NO_WINOGRAD))
    set_word(choice, MAY_ROUND, word(word(frame, t.FRAME_MODEL), t.MODEL_MAY_ROUND))
    set_word(choice, WAY, way_of(word(word(frame, t.FRAME_MODEL), t.MODEL_WAYS), number, arguments,
                                 word(kernel, 1) + word(kernel, 2), word(choice, PERSISTENT)))
    call(word(functions, 3 * number), (arguments, choice))
    if word(choice, FORMAT) == 0:
        return 0
    if operand < 0 or word(choice, PERSISTENT) == 0:
        return fail(frame, t.RELATION, step, word(choice, FORMAT), 0, -1)
    address = packed(frame, step, number, operand, word(bound, operand), version_at, arguments,
                     word(kernel, 1) + word(kernel, 2), choice)
    if address == 0:
        return word(word(word(frame, t.FRAME_CONTEXT), t.RUN_ERROR), t.ERROR_CODE)
    set_word(bound, operand, address)
    return 0


@function
def way_of(ways, number, arguments, count, persistent):
    """Choice.WAY of a kernel for these dims and attributes, as the embedder's table says (tables.py: WAYS)."""
    if ways == 0:
        return 0
    record = ways + 8
    for _ in range(word(ways, 0)):
        if word(record, t.WAYS_KERNEL) == number and word(record, t.WAYS_COUNT) == count and (
                word(record, t.WAYS_PERSISTENT) == persistent):
            same = 1
            for i in range(count):
                if word(record, t.WAYS_NUMBERS + i) != word(arguments, i):
                    same = 0
            if same != 0:
                return word(record, t.WAYS_WAY)
        record += 8 * (t.WAYS_NUMBERS + word(record, t.WAYS_COUNT))
    return 0


@function
def bind_epilogue(frame, row, step):
    """The map after a kernel: its domain must be the elements of the kernel's last operand, in their order."""
    record, out = word(row, t.ROW_RECORD), word(row, t.ROW_EPILOGUE)
    words, output = epilogue_of(record), call_output(record)
    dims, rank, points = word(frame, t.FRAME_DIMS), word(words, MAP_RANK), 1
    for k in range(rank - 1, -1, -1):
        size = word(dims, map_dim(words, k))
        for i in range(map_accesses(words)):
            access = map_access(words, i)
            stride, offset = word(dims, access_stride(access, k)), word(dims, access_offset(access))
            if same_memory(frame, access_buffer(access), output) != 0 and (
                    (size > 1 and stride != points) or offset != 0):
                return fail(frame, t.EPILOGUE, step, stride, points, i)
        points = multiply(points, size)
    if points != word(row, t.ROW_ELEMENTS):
        return fail(frame, t.EPILOGUE, step, points, word(row, t.ROW_ELEMENTS), -1)
    status = bind_map_words(frame, step, words, out)
    if status != 0:
        return status
    set_word(row, t.ROW_EPILOGUE_WORK, round_up(word(row, t.ROW_WORK_BYTES)))
    set_word(row, t.ROW_EPILOGUE_TILES, word(out, MAP_TILES))
    set_word(row, t.ROW_SCRATCH, max(word(row, t.ROW_SCRATCH), word(out, MAP_SCRATCH)))
    return need(frame, step, word(row, t.ROW_EPILOGUE_WORK) + word(out, MAP_WORK), word(row, t.ROW_SCRATCH))


@function
def check_operands(frame, row, step):
    """What the steps of control need of sizes: BIND as many elements as dims."""
    record = word(row, t.ROW_RECORD)
    if word(row, t.ROW_KIND) == im.STEP_BIND:
        elements = word(word(frame, t.FRAME_ELEMENTS), word(record, BIND_BUFFER))
        if elements < word(record, BIND_COUNT):
            return fail(frame, t.EXTENT, step, word(record, BIND_COUNT), elements, 0)
    return 0


@function
def bind_steps(frame, segment):
    for i in range(word(segment, t.SEGMENT_BEGIN), word(segment, t.SEGMENT_END)):
        row, status = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS, cancelled(frame, i)
        if status != 0:
            return status
        kind = word(row, t.ROW_KIND)
        if kind == im.STEP_MAP:
            status = bind_map(frame, row, i)
        elif kind == im.STEP_CALL:
            status = bind_call(frame, row, i)
        else:
            status = check_operands(frame, row, i)
        if status != 0:
            return status
    return 0


@function
def join_steps(frame, segment):
    """Maps of the same rows are run together; a small runner without the part has none that reduces."""
    i, end = word(segment, t.SEGMENT_BEGIN), word(segment, t.SEGMENT_END)
    while i < end - 1:
        row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
        if leads(row):
            or_left_out(join_maps, (row, min(end - i, MOST_MAPS)))
            i += word(row, t.ROW_TOGETHER)
        else:
            i += 1


@function
def size_segment(frame, segment):
    """The part of binding that needs no memory: dims, guards, sizes."""
    if segment == 0:
        fixed_addresses(frame)
    status = evaluate_dims(frame, segment)
    if status == 0:
        status = check_guards(frame, segment)
    if status == 0:
        status = size_buffers(frame, segment)
    return status


@function
def place_together(frame, segment):
    """The segment's arena, and the addresses of what lies in it."""
    row, size = segment_row(frame, segment), place(frame, segment)
    if size < 0:
        return cancelled(frame, -1)
    if grow(host_of(frame), row, t.SEGMENT_ARENA, t.SEGMENT_CAPACITY, size) == 0:
        return fail(frame, t.NO_MEMORY, -1, size, 0, 0)
    move(frame, segment, word(row, t.SEGMENT_ARENA))
    return 0


@function
def bind_segment(frame, segment):
    """All of a segment whose outputs have their addresses. Rare, so no part of what every run goes through."""
    apart()
    row = segment_row(frame, segment)
    status = place_apart(frame, segment) if word(host_of(frame), t.HOST_APART) != 0 else place_together(frame, segment)
    if status != 0:
        return status
    alias_addresses(frame, segment)
    status = bind_steps(frame, row)
    if status == 0:
        join_steps(frame, row)
    return status


@function
def clear_handles(frame, segment):
    """A handle that nothing has been written to is the empty list."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    b = first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        if word(buffer_row(image, record, b), 1) == im.DTYPE_HANDLE:
            zero_bytes(word(word(frame, t.FRAME_ADDRESSES), b), 8 * word(word(frame, t.FRAME_ELEMENTS), b))
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)


@function
def enter_segment(frame, segment):
    """Makes a segment ready to run: binds it, or only puts this run's addresses into it."""
    if segment == 0:
        input_addresses(frame)
    bound = word(frame, t.FRAME_BOUND) > segment
    status = 0 if bound else size_segment(frame, segment)
    if status == 0:
        status = reserve_outputs(frame, segment)
    if status != 0:
        return status
    if bound:
        apply_patches(frame, segment)
    else:
        status = bind_segment(frame, segment)
        if status != 0:
            return status
        set_word(frame, t.FRAME_BOUND, segment + 1)
    if word(frame, t.FRAME_HANDLES) != 0:
        clear_handles(frame, segment)
    return 0


@function
def note_input_sizes(frame):
    """Unbinds the frame if its inputs have other sizes than those it was bound for."""
    inputs, same = word(word(frame, t.FRAME_RECORD), im.B_INPUTS), 1
    for i in range(inputs):
        slot = word(frame, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD
        for axis in range(word(slot, t.SLOT_RANK)):
            if word(word(frame, t.FRAME_BOUND_SIZES), 8 * i + axis) != word(slot, t.SLOT_SIZES + axis):
                set_word(word(frame, t.FRAME_BOUND_SIZES), 8 * i + axis, word(slot, t.SLOT_SIZES + axis))
                same = 0
    if same == 0:
        set_word(frame, t.FRAME_BOUND, 0)
