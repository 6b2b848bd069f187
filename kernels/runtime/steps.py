"""Where the words of steps, maps and programs stand in an image: nothing else of the runtime counts them.

kernels/layout.py says what the records are. step: address of a step's record. words: of MAP words from `program` on, a
MAP step's or those after a CALL. access: of a load or a store of a map. program: of a scalar program, instr: of one of
its instructions. As in image.py nothing is checked here: verify_layout.py does, and what it has not looked at yet may
be read, but not be trusted.
"""
from __future__ import annotations

from ..layout import INSTR_WORDS
from .image import H_PROGRAM_TABLE, STEP_BIND, STEP_HOST, STEP_IF, STEP_LIST, STEP_POP, STEP_WHILE
from .memory import function, word

STEP_KIND, STEP_WORDS, STEP_FIRST = range(3)                      # what follows begins at STEP_FIRST
MAP_PROGRAM, MAP_RANK, MAP_REDUCED, MAP_LOADS, MAP_STORES, MAP_DOMAIN = range(6)     # of `words`, then accesses
ACCESS_BUFFER, ACCESS_OFFSET, ACCESS_STRIDES = range(3)
CALL_KERNEL, CALL_OPERANDS, CALL_DIMS, CALL_ATTRS, CALL_EPILOGUE, CALL_LISTS = range(2, 8)
BIND_BUFFER, BIND_COUNT, BIND_DIMS = range(2, 5)
TAKE_SLOT, TAKE_BUFFER, TAKE_WORDS = range(2, 5)
HOST_NUMBER, LIST_OPERATION, HOST_LISTS = 2, 2, 6                 # before lists: how long the three are
WHILE_TEST, WHILE_BODY, WHILE_CARRIED = range(2, 5)
IF_FLAG, IF_THEN, IF_ELSE = range(2, 5)
CONTROL_LISTS = 8                                                 # of WHILE and IF
PUSH_SOURCE, PUSH_VALUE, PUSH_RESULT, PUSH_WORDS = range(2, 6)
POP_SOURCE, POP_RESULT, POP_SLOT, POP_BINDS, POP_ROWS = range(2, 7)
LENGTH_SOURCE, LENGTH_BUFFER, LENGTH_WORDS = range(2, 5)
BOUND_SLOT, BOUND_AXIS, BOUND_DIM, BOUND_WORDS = range(4)         # a row of HOST, WHILE, IF and POP: a bound dim
PROGRAM_LOADS, PROGRAM_INSTRS, PROGRAM_STORES, PROGRAM_DTYPES = range(4)
INSTR_CODE, INSTR_DTYPE, INSTR_ARGUMENTS, INSTR_VALUE = 0, 1, 2, 6
MOST_ARGUMENTS = INSTR_VALUE - INSTR_ARGUMENTS


@function
def kind_of(step):
    return word(step, STEP_KIND)


@function
def map_of(step):
    """The words of a MAP."""
    return step + 8 * STEP_FIRST


@function
def map_dim(words, axis):
    """The dim that is the size of an axis of a map's domain."""
    return word(words, MAP_DOMAIN + axis)


@function
def map_domain(words):
    """Address of a map's dims."""
    return words + 8 * MAP_DOMAIN


@function
def map_accesses(words):
    """Number of loads and stores of a map."""
    return word(words, MAP_LOADS) + word(words, MAP_STORES)


@function
def map_access(words, number):
    """A load of a map or, from number MAP_LOADS on, a store."""
    rank = word(words, MAP_RANK)
    return words + 8 * (MAP_DOMAIN + rank + number * (ACCESS_STRIDES + rank))


@function
def map_store(words, number):
    return map_access(words, word(words, MAP_LOADS) + number)


@function
def access_buffer(access):
    return word(access, ACCESS_BUFFER)


@function
def access_offset(access):
    """The dim that is an access's offset."""
    return word(access, ACCESS_OFFSET)


@function
def access_stride(access, axis):
    """The dim that is an access's stride along an axis; -1: a row value's store, along the reduced ones."""
    return word(access, ACCESS_STRIDES + axis)


@function
def call_operand(step, number):
    """The buffer of an operand of a CALL."""
    return word(step, CALL_LISTS + number)


@function
def call_output(step):
    """The buffer of a CALL's last operand, over whose elements its epilogue goes."""
    return call_operand(step, word(step, CALL_OPERANDS) - 1)


@function
def call_dim(step, number):
    return word(step, CALL_LISTS + word(step, CALL_OPERANDS) + number)


@function
def call_attr(step, number):
    return word(step, CALL_LISTS + word(step, CALL_OPERANDS) + word(step, CALL_DIMS) + number)


@function
def epilogue_of(step):
    """The words of the map after a CALL, 0 if there is none."""
    if word(step, CALL_EPILOGUE) == 0:
        return 0
    return step + 8 * (CALL_LISTS + word(step, CALL_OPERANDS) + word(step, CALL_DIMS) + word(step, CALL_ATTRS))


@function
def has_lists(step):
    """Whether a step has operands, slots and dims that it binds: HOST, WHILE, IF, LIST."""
    kind = kind_of(step)
    return kind == STEP_HOST or kind == STEP_WHILE or kind == STEP_IF or kind == STEP_LIST


@function
def list_base(step):
    """Word at which the lists of such a step begin; the three words before are their lengths."""
    return HOST_LISTS if kind_of(step) == STEP_HOST or kind_of(step) == STEP_LIST else CONTROL_LISTS


@function
def list_operands(step):
    """Number of operands of such a step."""
    return word(step, list_base(step) - 3)


@function
def list_slots(step):
    """Number of slots of such a step."""
    return word(step, list_base(step) - 2)


@function
def list_operand(step, number):
    """The buffer of an operand of such a step."""
    return word(step, list_base(step) + number)


@function
def list_slot(step, number):
    """A slot that such a step fills."""
    return word(step, list_base(step) + list_operands(step) + number)


@function
def has_bodies(step):
    return kind_of(step) == STEP_WHILE or kind_of(step) == STEP_IF


@function
def body_of(step, number):
    """The bodies 0 and 1 of a WHILE (test, body) or IF (then, else)."""
    return word(step, (WHILE_TEST if kind_of(step) == STEP_WHILE else IF_THEN) + number)


@function
def bind_count(step):
    """Number of RUNTIME dims that a step binds: it ends a segment if there are any."""
    if kind_of(step) == STEP_BIND:
        return word(step, BIND_COUNT)
    if kind_of(step) == STEP_POP:
        return word(step, POP_BINDS)
    return word(step, list_base(step) - 1) if has_lists(step) else 0


@function
def bind_row(step, number):
    """Address of a row, BOUND_WORDS words, of a step that binds dims from slots."""
    if kind_of(step) == STEP_POP:
        return step + 8 * (POP_ROWS + BOUND_WORDS * number)
    return step + 8 * (list_base(step) + list_operands(step) + list_slots(step) + BOUND_WORDS * number)


@function
def bound_dim(step, number):
    """The `number`-th RUNTIME dim that a step binds."""
    if kind_of(step) == STEP_BIND:
        return word(step, BIND_DIMS + number)
    return word(bind_row(step, number), BOUND_DIM)


@function
def program_row(image, number):
    """A program of the image."""
    return image + 8 * word(image, word(image, H_PROGRAM_TABLE) + number)


@function
def map_program(image, words):
    """The program that a map evaluates."""
    return program_row(image, word(words, MAP_PROGRAM))


@function
def program_values(program):
    """Number of values of a program: loads, then results of instructions."""
    return word(program, PROGRAM_LOADS) + word(program, PROGRAM_INSTRS)


@function
def program_instr(program, number):
    return program + 8 * (PROGRAM_DTYPES + word(program, PROGRAM_LOADS) + INSTR_WORDS * number)


@function
def program_store(program, number):
    """The value that a program stores."""
    return word(program_instr(program, word(program, PROGRAM_INSTRS)), number)


@function
def value_dtype(program, value):
    loads = word(program, PROGRAM_LOADS)
    if value < loads:
        return word(program, PROGRAM_DTYPES + value)
    return word(program_instr(program, value - loads), INSTR_DTYPE)


@function
def instr_argument(instr, number):
    """The value that is an argument of an instruction, -1: none."""
    return word(instr, INSTR_ARGUMENTS + number)
