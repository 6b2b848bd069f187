"""Tables of 64-bit integers that the runtime works on: the plan image and the registry.

The embedder (graphc/exec/image.py in Python, runner/src/image.cpp in C++) turns a Plan into one array of int64, the
image; from then on kernels/runtime/ verifies, binds and runs it, the same machine code in both. The toolchain writes
these names into the C++ header `graphc_layout.h`, so they stand here only.

Image        offsets are in words from the image's first; names of kernels and primitives are already registry numbers
  header     HEADER_WORDS words: see Header
  constants  rows of SHAPE_WORDS: dtype, rank, 8 sizes          states: the same
  body       BODY_WORDS words: see BodyField; then its tables:
    dims     rows of DIM_WORDS: kind, a, b, c                    (CONST: a is the value; INPUT: a input, b axis)
    buffers  rows of BUFFER_WORDS: kind, dtype, index, rank, 8 dim ids (-1 after the rank)
    slots    rows of SLOT_WORDS: dtype, rank
    guards   rows of GUARD_WORDS: kind, a, b, origin
    steps    a table of offsets, one a step, to records: kind, words (of the whole record), then
      MAP      program, rank, reduced, loads, stores, rank domain dims, then loads and stores: buffer, offset, strides
               (stores of row values: -1 in place of the strides of the reduced axes)
      CALL     kernel, operands, dims, attrs, epilogue, then buffer ids, dim ids, attrs and, if epilogue is 1, the words
               of a MAP record from `program` on
      BIND     buffer, n, n dim ids
      TAKE     slot, buffer
      HOST     host, operands, slots, binds, then buffer ids, slot ids, binds of 3 words: slot, axis, dim
      WHILE    cond, body, carried, operands, slots, binds, then as HOST
      IF       pred, then, else, operands, slots, binds, then as HOST
      PUSH     source, value, result
      POP      source, result, slot, binds, then the binds
      LENGTH   source, buffer
      LIST     operation (ListOperation), operands, slots, binds, then as HOST
    inputs, outputs, writes   tables of ids
  program    loads, instrs, stores, then load dtypes, instrs of INSTR_WORDS: code, dtype, 4 arguments (-1: none), value
             (bits of the constant as stored in memory, low bytes first; or the axis), then store values
             code: number of a primitive; or CODE_CONST, CODE_INDEX, CODE_LINEAR; or CODE_REDUCE - number of a primitive
             "reduce.<op>"

Registry     one table a library, written by the toolchain from the declarations of kernels
  header     magic, kernels, primitives, offset of the kernels' offset table, offset of the primitives' rows
  kernel     operands, dims, attrs, relations, then operands of 4 words: role (0 in, 1 out, 2 inout), dtype, packable,
             and the offset of the extent's formula; then offsets of the relations' formulas, then of the flops' formula
  primitive  rows of PRIMITIVE_WORDS: arguments, result dtype, 4 argument dtypes (-1: none), reduce (1: of rows),
             for reductions 8 * number of the binary primitive that is repeated + place in REDUCE_OPS
  formula    number of instructions, then pairs (opcode, value): postfix over dims and attributes
Functions    one table of addresses a library and ISA: bind, run, pack (0: none) of each kernel, then of each primitive
Names        zero-terminated, in the order of the numbers: kernels ("matmul.f32"), then primitives ("add.f32.f32")

dtypes are TensorFlow's numbers (DType.number); 21, variant, is a list handle.
"""
from __future__ import annotations

from enum import IntEnum

IMAGE_MAGIC = 0x67632D706C616E31      # "gc-plan1"
REGISTRY_MAGIC = 0x67632D7265673031
MAX_RANK = 8
SIZE_LIMIT = 1 << 47                  # no dim, extent or offset may reach it
HEADER_WORDS = 16
SHAPE_WORDS = 10
BODY_WORDS = 20
DIM_WORDS = 4
BUFFER_WORDS = 12
SLOT_WORDS = 2
GUARD_WORDS = 4
INSTR_WORDS = 7
PRIMITIVE_WORDS = 8
REDUCE_OPS = ("add", "mul", "max", "min", "and", "or")
CODE_CONST, CODE_INDEX, CODE_LINEAR, CODE_REDUCE = -1, -2, -3, -16


class Header(IntEnum):
    MAGIC = 0
    WORDS = 1
    BODIES = 2
    BODY_TABLE = 3
    PROGRAMS = 4
    PROGRAM_TABLE = 5
    CONSTANTS = 6
    CONSTANT_ROWS = 7
    STATES = 8
    STATE_ROWS = 9
    HOSTS = 10
    ORIGINS = 11
    PREPARE = 12


class BodyField(IntEnum):
    DIMS = 0
    DIM_ROWS = 1
    BUFFERS = 2
    BUFFER_ROWS = 3
    SLOTS = 4
    SLOT_ROWS = 5
    GUARDS = 6
    GUARD_ROWS = 7
    STEPS = 8
    STEP_TABLE = 9
    INPUTS = 10
    INPUT_IDS = 11
    OUTPUTS = 12
    OUTPUT_IDS = 13
    WRITES = 14
    WRITE_IDS = 15


class StepKind(IntEnum):
    MAP = 1
    CALL = 2
    BIND = 3
    TAKE = 4
    HOST = 5
    WHILE = 6
    IF = 7
    PUSH = 8
    POP = 9
    LENGTH = 10
    LIST = 11


class ListOperation(IntEnum):
    """What a LIST step does: its operands -> its one slot. Scalars and indices are i32, sizes and lengths i64.

    An element that was never written is zeros: its sizes are those in `sizes` (-1: unknown) or else those of another
    element; unless there is one, it is an error. GROWING: an index may lie after the end. OR_ZEROS: it may, too, and
    there are zeros. Elements after the end are what gradients leave out.
    """

    RESERVE = 0             # length -> list of so many that were never written
    RESIZE = 1              # list, length -> list
    SET = 2                 # list, index, value -> list
    SET_GROWING = 3
    GET = 4                 # list, index, sizes -> value
    GET_OR_ZEROS = 5
    STACK = 6               # list, count (-1: all), sizes -> values
    STACK_OR_ZEROS = 7
    GATHER = 8              # list, indices, sizes -> values
    GATHER_OR_ZEROS = 9
    SCATTER = 10            # list, indices, values -> list
    SCATTER_GROWING = 11
    SCATTER_SUM = 12        # growing; adds to what is there
    ERASE = 13              # list, indices -> list in which those were never written
    ADD = 14                # list, list -> list of the sums
    SPLIT = 15              # values, lengths -> list of rows
    CONCAT = 16             # list, sizes -> values
    CONCAT_OR_ZEROS = 17    # list, lengths, sizes -> values
    UNSTACK = 18            # values -> list
    LENGTHS = 19            # list -> sizes of the elements' first axes


class FormulaOp(IntEnum):
    CONST = 0
    DIM = 1
    ATTR = 2
    ADD = 3
    SUB = 4
    MUL = 5
    FLOORDIV = 6
    MAX = 7
    MIN = 8
    EQUAL = 9
    LESS = 10
    LESS_EQUAL = 11
