"""Reading the image and the registry, and arithmetic that cannot overflow.

Nothing here checks an index: verify.py does, once, and everything else relies on it. Sizes are kept under SIZE_LIMIT;
an operation that would leave that range gives BAD, which every later operation passes on.
"""
from __future__ import annotations

from ..contracts.dtypes import DTYPES, NUMBERS_BY_SIZE
from ..layout import (
    BODY_WORDS,
    BUFFER_WORDS,
    DIM_WORDS,
    PRIMITIVE_WORDS,
    SIZE_LIMIT,
    SLOT_WORDS,
    BodyField,
    FormulaOp,
    Header,
    StepKind,
)
from .memory import function, set_word, word

BAD = -(1 << 62)
(STEP_MAP, STEP_CALL, STEP_BIND, STEP_TAKE, STEP_HOST, STEP_WHILE, STEP_IF, STEP_PUSH, STEP_POP,
 STEP_LENGTH, STEP_LIST) = (int(k) for k in StepKind)
(KIND_INPUT, KIND_OUTPUT, KIND_CONST, KIND_STATE, KIND_STATE_INFO, KIND_PREPARED, KIND_ARENA, KIND_ALIAS,
 KIND_COUNTER, KIND_CARRIED) = range(10)
(DIM_CONST, DIM_INPUT, DIM_RUNTIME, DIM_ADD, DIM_SUB, DIM_MUL, DIM_FLOORDIV, DIM_MOD, DIM_MIN, DIM_MAX, DIM_EQUAL,
 DIM_LESS, DIM_SELECT, DIM_BROADCAST) = range(14)
DTYPE_I32, DTYPE_STRING, DTYPE_I64, DTYPE_BOOL, DTYPE_RESOURCE, DTYPE_HANDLE = (
    DTYPES[short].number for short in ("i32", "str", "i64", "bool", "resource", "handle"))
SIZED_1, SIZED_2, SIZED_4, SIZED_8, SIZED_16 = (NUMBERS_BY_SIZE[size] for size in (1, 2, 4, 8, 16))
B_DIMS, B_DIM_ROWS, B_BUFFERS, B_BUFFER_ROWS, B_SLOTS, B_SLOT_ROWS = (int(BodyField(i)) for i in range(6))
B_GUARDS, B_GUARD_ROWS, B_STEPS, B_STEP_TABLE, B_INPUTS, B_INPUT_IDS = (int(BodyField(i)) for i in range(6, 12))
B_OUTPUTS, B_OUTPUT_IDS, B_WRITES, B_WRITE_IDS = (int(BodyField(i)) for i in range(12, 16))
H_BODIES, H_BODY_TABLE, H_PROGRAMS, H_PROGRAM_TABLE = (int(Header(i)) for i in range(2, 6))
H_CONSTANTS, H_CONSTANT_ROWS, H_STATES, H_STATE_ROWS = (int(Header(i)) for i in range(6, 10))
H_HOSTS, H_ORIGINS, H_PREPARE = (int(Header(i)) for i in range(10, 13))
(F_CONST, F_DIM, F_ATTR, F_ADD, F_SUB, F_MUL, F_FLOORDIV, F_MAX, F_MIN, F_EQUAL, F_LESS,
 F_LESS_EQUAL) = (int(f) for f in FormulaOp)
assert BODY_WORDS >= 16


@function
def dtype_size(dtype):
    """Bytes of an element; 0 if no such dtype is known."""
    if dtype in SIZED_1:
        return 1
    if dtype in SIZED_2:
        return 2
    if dtype in SIZED_4:
        return 4
    if dtype in SIZED_8:
        return 8
    return 16 if dtype in SIZED_16 else 0


@function
def plain(dtype):
    """Whether elements of a dtype are numbers."""
    if dtype == DTYPE_HANDLE or dtype == DTYPE_STRING or dtype == DTYPE_RESOURCE:
        return 0
    return 1 if dtype_size(dtype) > 0 else 0


@function
def limited(value):
    return value if -SIZE_LIMIT < value < SIZE_LIMIT else BAD


@function
def add(a, b):
    return BAD if a == BAD or b == BAD else limited(a + b)


@function
def subtract(a, b):
    return BAD if a == BAD or b == BAD else limited(a - b)


@function
def multiply(a, b):
    if a == BAD or b == BAD:
        return BAD
    if a == 0 or b == 0:
        return 0
    if abs(a) > (SIZE_LIMIT - 1) // abs(b):
        return BAD
    return a * b


@function
def floordiv(a, b):
    if a == BAD or b == BAD or b == 0:
        return BAD
    return a // b


@function
def body_record(image, body):
    return image + 8 * word(image, word(image, H_BODY_TABLE) + body)


@function
def step_record(image, record, step):
    return image + 8 * word(image, word(record, B_STEP_TABLE) + step)


@function
def buffer_row(image, record, buffer):
    return image + 8 * (word(record, B_BUFFER_ROWS) + buffer * BUFFER_WORDS)


@function
def dim_row(image, record, dim):
    return image + 8 * (word(record, B_DIM_ROWS) + dim * DIM_WORDS)


@function
def slot_row(image, record, slot):
    return image + 8 * (word(record, B_SLOT_ROWS) + slot * SLOT_WORDS)


@function
def kept_input(image, record, i):
    """Which input of a body output i lies in the memory of; -1: none."""
    row = buffer_row(image, record, word(image, word(record, B_OUTPUT_IDS) + i))
    return word(row, 2) if word(row, 0) == KIND_CARRIED else -1


@function
def root(image, record, buffer):
    """The buffer whose memory `buffer` is: itself, but for an ALIAS."""
    row = buffer_row(image, record, buffer)
    return word(row, 2) if word(row, 0) == KIND_ALIAS else buffer


@function
def kernel_record(registry, kernel):
    return registry + 8 * word(registry, word(registry, 3) + kernel)


@function
def primitive_row(registry, primitive):
    return registry + 8 * (word(registry, 4) + primitive * PRIMITIVE_WORDS)


@function
def formula_step(op, a, b):
    if op == F_ADD:
        return add(a, b)
    if op == F_SUB:
        return subtract(a, b)
    if op == F_MUL:
        return multiply(a, b)
    if op == F_FLOORDIV:
        return floordiv(a, b)
    if a == BAD or b == BAD:
        return BAD
    if op == F_MAX:
        return max(a, b)
    if op == F_MIN:
        return min(a, b)
    if op == F_EQUAL:
        return 1 if a == b else 0
    if op == F_LESS:
        return 1 if a < b else 0
    if op == F_LESS_EQUAL:
        return 1 if a <= b else 0
    return BAD


@function
def formula(registry, offset, arguments, dims, stack):
    """Value of a formula of the registry. arguments: address of dims, then attributes; stack: room for values."""
    count, depth = word(registry, offset), 0
    for i in range(count):
        op, value = word(registry, offset + 1 + 2 * i), word(registry, offset + 2 + 2 * i)
        if op == F_CONST:
            set_word(stack, depth, value)
            depth += 1
        elif op == F_DIM or op == F_ATTR:
            set_word(stack, depth, word(arguments, value if op == F_DIM else dims + value))
            depth += 1
        else:
            depth -= 1
            set_word(stack, depth - 1, formula_step(op, word(stack, depth - 1), word(stack, depth)))
    return word(stack, 0)


@function
def formula_uses_dim(registry, offset, dim):
    for i in range(word(registry, offset)):
        if word(registry, offset + 1 + 2 * i) == F_DIM and word(registry, offset + 2 + 2 * i) == dim:
            return 1
    return 0
