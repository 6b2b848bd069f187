"""Words of a bound map, the table that map_bind makes and map_run reads; code of passes reads it too. Imports nothing.

A bound map is read-only while it runs, so that all workers share it; what changes lives in each worker's scratch.

Two passes over positions of a domain: pass 0 over all elements (in an order that suits memory: batch, reduced, width
for column reductions), pass 1 (reductions only) over the rows. Each has its own coalesced axes, classes of accesses
and list of work. Strides are in bytes; those of index values, which have no memory, are in units of the index.

Scratch   a pointer for each value and pass, then registers and accumulators
Work      partial results: for each reduce, [segment][row] (columns) or [row][segment] (rows)
"""
from __future__ import annotations

# Results that the runtime reads
TILES, TILES_1, SCRATCH, WORK, TILE_ELEMENTS = 0, 1, 2, 3, 4

MAX_AXES = 8
NO_END = 1 << 62

# Header
MODE, CHUNK, TOTAL, ROWS, COLS, BATCH, WIDTH = 8, 9, 10, 11, 12, 13, 14
SEGMENTS, SEGMENT, BLOCK, BLOCKS, GROUP = 15, 16, 17, 18, 19
ACCESSES, ACCESS_ROWS, PASS_0, PASS_1 = 20, 21, 22, 23
REDUCES, REDUCE_ROWS, VALUES, VALUE_ROWS = 24, 25, 26, 27
SLOT_BYTES, REGISTERS, ACCUMULATORS = 28, 29, 30
LOADS, STORES, INSTRS, PROGRAM, SLOTS = 32, 33, 34, 35, 36
ROOM = 37                 # bytes: where scratch has a register for each load and store
DIRECT_SOURCES = 38       # 1: all that is reduced lies in memory, in lines without gaps
TURNED = 39               # 1 + the axis along which a map turns what it moves (map_blocks.py), 0: it does not
TURNED_ROWS, TURNED_COLUMNS, TURNED_BLOCKS, TILE_BLOCKS = 40, 41, 42, 43
MOST = 44                 # elements of a chunk of a map without reductions, at most
CODE_ROOM = 45            # bytes: where scratch has registers for the code of passes alone
STREAMS = 46              # 1: a map that only moves writes past the caches (map_run.py)
FAR = 47                  # 1: what is loaded comes from memory, not from a cache
PIECES = 48               # 1: rows are in pieces, each beside its neighbours' (map_cut.py)
HEADER = 49
MODE_ELEMENTS, MODE_ROWS, MODE_COLUMNS = 0, 1, 2

# Access: loads, then stores, then index values. address: of element 0 of the domain; 0: the counter.
A_BUFFER, A_ADDRESS, A_OFFSET, A_SIZE, A_VALUE, A_ROW, A_CLASS, A_STRIDES, A_PERIOD = 0, 1, 2, 3, 4, 5, 6, 8, 24
ACCESS_WORDS = 25         # A_CLASS and A_STRIDES (8 words) once a pass
UNUSED, LINEAR, DIRECT, FIXED, GATHER, IOTA, REPEATED = 0, 1, 2, 3, 4, 5, 6

# Pass; its lists follow one another. inner: chunks do not cross multiples of it, 0: they may. period: the longest of a
# REPEATED load, whose A_PERIOD elements fill a register again and again; span: so many are there, in whole periods;
# repeated: the axes to which the strides of REPEATED loads belong, rank and sizes where a pass has its own
P_RANK, P_INNER, P_CONSTS, P_CONST_ROWS, P_FIXED, P_FIXED_ROWS, P_FETCHES, P_FETCH_ROWS = 0, 1, 2, 3, 4, 5, 6, 7
P_SIZES, P_OPS, P_OP_ROWS, P_PUTS, P_PUT_ROWS, P_SLOT_VALUES, P_SLOT_ROWS = 8, 16, 17, 18, 19, 20, 21
P_PERIOD, P_SPAN = 22, 23
P_CODE = 24               # address of machine code that does what the list of primitives would, 0: there is none
# Innermost axes of at least so many elements are not crossed by a chunk: what a load has in one element for each of
# them is read where it lies then. A reduction's call and divisions a chunk cost more than to fill a register.
LONG_ROW, LONG_REDUCED_ROW = 512, 1024
AXES_WORDS = 16           # a pass up to the end of its sizes
P_REPEATED = 25
PASS_WORDS = P_REPEATED + AXES_WORDS
CONST_WORDS, OP_WORDS, PUT_WORDS, SLOT_ROW_WORDS = 3, 6, 3, 2
PUT_IN_PLACE, PUT_COPY, PUT_SCATTER = 0, 1, 2

# What there is of a program's code: passes, bits of the loads that it expects to stay at one element as long as a chunk
# lasts, registers of room (graphc/exec/jit.py)
CODE_PASS_0, CODE_PASS_1, CODE_STILL, CODE_REGISTERS = range(4)
CODE_WORDS = 4

# Value: size in bytes; then, once a pass: needed, last use (number of the instruction), register slot (-1: none)
V_SIZE, V_NEEDED, V_LAST, V_SLOT = 0, 1, 3, 5
VALUE_WORDS = 8

# Reduce
R_VALUE, R_RESULT, R_FUNCTION, R_BINARY, R_IDENTITY, R_SIZE, R_WORK = 0, 1, 2, 3, 4, 5, 6
REDUCE_WORDS = 8
