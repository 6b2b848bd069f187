"""Words of the runtime's tables, for kernels/runtime/ and for its embedders; imports nothing.

A table is a block of 64-bit words; the constants are numbers of words in it. Addresses of other tables are words too.

HOST      made by the embedder: what the runtime cannot do alone. Functions take and return int64 unless said otherwise.
            alloc(bytes, context) -> address or 0; free(address, context)           (malloc and free of C fit)
            call(context, host, record) -> int32, 0: good                           record: ASK_*
            wait(wait_context, address, 128, expected, 0, 0): sleeps while the int32 at address is `expected`; may
            wake early; the fourth argument may be the address of a longest time (C's timespec) instead of 0
            wake(wait_context, address, 129, count, 0, 0)      (C's `syscall` fits both, with SYS_futex as the context)
            poll(poll_context, 0) -> int64, not 0: the run is to end. 0 if the embedder has none. Called every TICK
            (seconds, nanoseconds) by the thread that runs, in runs that take longer
            clock(clock_id, address) -> the time, as seconds and nanoseconds    (C's clock_gettime fits)
            advise(address, bytes, 14): the memory is large and may come in large pages. 0 if the embedder has none
            (Linux' madvise fits)
POOL      made by gc_pool_open
MODEL     made by gc_model_open: a verified image, its constants and states
CONTEXT   one a top frame: what belongs to a run, shared by the frames of its loops and branches
FRAME     one body's sizes, buffers and bound steps
SLOT      an array with its shape: inputs and outputs of a frame, values of loops and branches
ERROR     what went wrong
TRACE     made by the embedder, if it wants to know what a run calls: grows up to its capacity, then events are counted
"""
from __future__ import annotations

# HOST
HOST_CONTEXT, HOST_ALLOC, HOST_FREE, HOST_FUNCTION, HOST_WAIT, HOST_WAKE, HOST_WAIT_CONTEXT = range(7)
HOST_LIMIT = 7            # bytes that may be allocated in all, 0: no limit
HOST_USED = 8             # bytes allocated now
HOST_POLL, HOST_POLL_CONTEXT, HOST_CLOCK, HOST_CLOCK_ID, HOST_TICK = 9, 10, 11, 12, 13    # HOST_TICK: two words
HOST_APART = 15           # 1: each ARENA buffer has a block of its own and ends where that does (apart.py)
HOST_ADVISE = 16
HOST_WORDS = 24

# PYTHON    made by embedders that are Python: three words for an exception, the thread that handles signals, then
# addresses of C functions; pthread_self, the others with PyGILState_, PyErr_, PyTuple_, PyLong_, PyObject_, Py_
(PYTHON_EXCEPTION, PYTHON_MAIN, PYTHON_SELF, PYTHON_ENSURE, PYTHON_RELEASE, PYTHON_CHECK_SIGNALS, PYTHON_FETCH,
 PYTHON_CLEAR, PYTHON_NEW, PYTHON_SET_ITEM, PYTHON_FROM_LONG, PYTHON_AS_LONG, PYTHON_CALL, PYTHON_DECREF,
 PYTHON_WORDS) = 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
# What gc_call_python takes as its context
CALLING_FUNCTION, CALLING_PYTHON = 0, 1

# QUICK     made by embedders that are Python, one a plan: what gc_quick_run works on (quick.py). PYTHON: the table of C
# functions below. RUN: the address of gc_run. COUNTER: an iterator, whose next int is a run's number; LAST: the latest.
# SINGLE: 1 if the result is the first output instead of a list. COUNT: of records in use, RECORDS: their addresses.
# PLACE, three words, and VALUES, one an input, are its own.
(QUICK_PYTHON, QUICK_RUN, QUICK_COUNTER, QUICK_LAST, QUICK_SINGLE, QUICK_INPUTS, QUICK_OUTPUTS, QUICK_COUNT,
 QUICK_PLACE) = range(9)
QUICK_RECORDS, QUICK_FRAMES, QUICK_VALUES = 12, 32, 44     # FRAMES: the most records
# One a frame: whether it is in use, its number, what gc_run takes; then PORT_* an input and an output. ALIGNED: 0, or
# the bytes of a block in which the output begins at a multiple of 64.
RECORD_BUSY, RECORD_NUMBER, RECORD_CALL, RECORD_PORTS = 0, 1, 2, 4
PORT_DTYPE, PORT_RANK, PORT_ALIGNED, PORT_SIZES, PORT_WORDS = 0, 1, 2, 4, 12
# The C functions that it calls, and objects: Py_, PyDict_, PyIter_, PyLong_, PyEval_, PyList_; of NumPy PyArray_
(QUICK_NONE, QUICK_DICT_TYPE, QUICK_ARRAY_TYPE, QUICK_BYTE, QUICK_INCREF, QUICK_DECREF, QUICK_DICT_NEXT, QUICK_NEXT,
 QUICK_AS_LONG, QUICK_FROM_LONG, QUICK_SAVE, QUICK_RESTORE, QUICK_LIST, QUICK_SET_ITEM, QUICK_EMPTY, QUICK_FROM_DTYPE,
 QUICK_SET_BASE, QUICK_RETURN, QUICK_PYTHON_WORDS) = range(19)
# Words of an object, and of an array (PyArrayObject_fields) where an object's head has two words; of rank and flags the
# low half. FITS: C-contiguous and aligned.
OBJECT_TYPE, ARRAY_DATA, ARRAY_RANK, ARRAY_SIZES, ARRAY_DTYPE, ARRAY_FLAGS = 1, 2, 3, 4, 7, 8
ARRAY_FITS, ARRAY_WRITEABLE = 0x101, 0x400

# Record that a host function gets: operands, slots, host table, then an address for each operand's SLOT and for each
# SLOT to fill
ASK_OPERANDS, ASK_SLOTS, ASK_HOST, ASK_FIRST = 0, 1, 2, 3

# SLOT. GIVEN: bytes that the caller of gc_run must give for an output; 0: its size is known only when it has run.
SLOT_ADDRESS, SLOT_CAPACITY, SLOT_OWNED, SLOT_FILLED, SLOT_DTYPE, SLOT_RANK, SLOT_ELEMENTS, SLOT_GIVEN = range(8)
SLOT_SIZES = 8
SLOT_RECORD = 16

# ERROR
ERROR_CODE, ERROR_BODY, ERROR_STEP, ERROR_A, ERROR_B, ERROR_C, ERROR_TILE = range(7)
ERROR_DETAIL, DETAIL_WORDS = 8, 14      # of the status INDEX_TUPLE: the tuple, then the sizes, 7 words
#                                         each; of LEFT_OUT: a sizes and attributes of the kernel
ERROR_WORDS = 24

# Codes: those of kernels (Status in kernel.py) and
BAD_IMAGE = 16            # a: CHECK of verify.py, b: detail
NO_MEMORY = 17            # a: bytes
GUARD = 18                # a, b: values; c: guard
DIM_VALUE = 19            # a, b: operands; c: dim
INPUT_SHAPE = 20          # c: input * 8 + axis; a: given, b: wanted
RELATION = 21             # c: number of the relation
EXTENT = 22               # c: operand; a: wanted elements, b: elements of the buffer
HOST_FAILED = 23          # a: host
CANCELLED = 24
EMPTY_LIST = 25
SLOT_SHAPE = 26           # TAKE; a: found, b: wanted, c: axis
LIST_TYPE = 27            # POP; a: dtype * 16 + rank found, b: wanted
BUFFER_SIZE = 28          # c: buffer; a: elements
ACCESS = 29               # c: number of the access of a map (loads, then stores); a: smallest, b: largest offset
MAP_FAILED = 30           # a: status of the map evaluator
TILES = 31                # too many tiles
EPILOGUE = 32             # the epilogue's domain is not the kernel's output
HOST_SLOT = 33            # a host function did not fill a slot; c: slot
LIST_INDEX = 35           # a: index, b: length, c: 0 read, 1 written
LIST_UNWRITTEN = 36       # a: index; no other element tells its shape
LIST_SHAPES = 37          # a: index, b: size found, c: size wanted
LIST_COUNT = 38           # a: found, b: wanted
TABLES = 34               # a: bytes that the tables of a run would take, b: OPEN_TABLES

# POOL (fields that different threads write stand 8 words apart)
POOL_LOCK, POOL_JOBS, POOL_REMAINING, POOL_WAITING, POOL_SLEEPERS = 0, 8, 16, 24, 32     # JOBS: published so far
POOL_RUN = 9              # the context of a run that has published a job and has not ended; 0: there may be none
POOL_WAKE, POOL_QUIT, POOL_ERROR_LOCK = 40, 48, 56
POOL_WORKERS, POOL_HOST, POOL_SPIN, POOL_SHARES, POOL_SCRATCH_BYTES, POOL_NEXT_WORKER = 64, 65, 66, 67, 68, 69
POOL_DONE = 70
POOL_KIND, POOL_ROW, POOL_COUNTER, POOL_PHASE, POOL_TILES, POOL_WORK = 72, 73, 74, 75, 76, 77
POOL_JOB = 78             # the job's number
POOL_FAILED_TILE, POOL_STATUS, POOL_A, POOL_B, POOL_CANCEL = 80, 81, 82, 83, 84
POOL_STOP = 85            # whether the embedder's poll has ended the job
POOL_DETAIL = 96          # DETAIL_WORDS words
POOL_WORDS = 112
# A share, one a thread, the caller's first: tiles of the job that nobody has taken, the latest job of which the thread
# ran a tile, its scratch memory (workers only)
SHARE_LEFT, SHARE_JOB, SHARE_SCRATCH, SHARE_WORDS = 0, 1, 2, 8

# MODEL
(MODEL_IMAGE, MODEL_REGISTRY, MODEL_FUNCTIONS, MODEL_HOST, MODEL_POOL, MODEL_STORE, MODEL_CONSTANTS, MODEL_STATES,
 MODEL_INFOS, MODEL_RUN_BODY, MODEL_PREPARED, MODEL_PREPARED_COUNT, MODEL_PREPARE_FRAME, MODEL_PREPARED_VERSION,
 MODEL_PREPARED_FROM, MODEL_LOCK, MODEL_ZERO, MODEL_WRITES, MODEL_READS, MODEL_COMPILED, MODEL_NO_WINOGRAD,
 MODEL_RUN_OTHER, MODEL_WAYS, MODEL_MAY_ROUND) = range(24)
MODEL_WORDS = 32

# What gc_model_open takes. COMPILED: 0, or for each program the address of CODE_WORDS words that stay as they are
# (map_words.py), 0: it has no code yet. TABLES: the most bytes that the frames of a run may take without what they
# compute, 0: any number; a plan may well describe more than fits into a machine in a few thousand bytes. NO_WINOGRAD: 1
# if convolutions are to be computed by their definition's products alone. RUN_OTHER: the address of gc_run_other, 0:
# the plan has no other steps than maps and calls. WAYS: 0, or a table as below. MAY_ROUND: what of float32
# products may be rounded (contracts/bfloat16.py).
(OPEN_IMAGE, OPEN_REGISTRY, OPEN_FUNCTIONS, OPEN_HOST, OPEN_POOL, OPEN_STORE, OPEN_CONSTANTS, OPEN_STATES, OPEN_INFOS,
 OPEN_RUN_BODY, OPEN_ERROR, OPEN_COMPILED, OPEN_TABLES, OPEN_NO_WINOGRAD, OPEN_RUN_OTHER, OPEN_WAYS,
 OPEN_MAY_ROUND) = range(17)
OPEN_WORDS = 24

# WAYS      made by the embedder: which way kernels go for sizes where that was measured; how many records there are,
# then the records. KERNEL: its number; WAY: Choice.WAY; PERSISTENT: Choice.PERSISTENT; COUNT: of the numbers, which are
# the call's dims and attributes.
WAYS_KERNEL, WAYS_WAY, WAYS_PERSISTENT, WAYS_COUNT, WAYS_NUMBERS = range(5)

# STORE of packed operands
# PLACE, LEFT: where the next packed copy goes, and bytes there; REGION: the block that this is in, whose first word is
# the address of the one before; TAKEN: bytes of all packed copies.
STORE_LOCK, STORE_FIRST, STORE_HOST, STORE_PLACE, STORE_LEFT, STORE_REGION, STORE_TAKEN = range(7)
STORE_WORDS = 8
(PACKED_NEXT, PACKED_SOURCE, PACKED_KERNEL, PACKED_FORMAT, PACKED_BYTES, PACKED_NUMBERS, PACKED_ADDRESS, PACKED_VERSION,
 PACKED_VERSION_AT, PACKED_FUNCTION, PACKED_CHOICE, PACKED_TILES) = range(12)
PACKED_ARGUMENTS = 16     # the kernel's dims and attributes, then the choice

# CONTEXT
(RUN_NUMBER, RUN_CANCEL, RUN_NODES, RUN_NODE_CAPACITY, RUN_NODE_COUNT, RUN_CHUNKS, RUN_CHUNK, RUN_USES,
 RUN_USE_CAPACITY, RUN_USE_COUNT, RUN_ERROR, RUN_SCRATCH, RUN_SCRATCH_BYTES, RUN_FRAMES, RUN_WORK,
 RUN_WORK_BYTES, RUN_TRACE, RUN_CHECKS, RUN_POLLED, RUN_STOP, RUN_TIME) = range(21)      # RUN_TIME: two words
CONTEXT_WORDS = 24
# A node of the stack kind. KIND: 0, or 1 of a node of the tree kind (list_tree.py). ARRAY: the same list as a tree, if
# there is one already. Elements in trees are records of NODE_WORDS, of which ADDRESS to ELEMENTS and SIZES are used.
(NODE_PREVIOUS, NODE_ADDRESS, NODE_DTYPE, NODE_RANK, NODE_ELEMENTS, NODE_LENGTH, NODE_KIND,
 NODE_ARRAY) = range(8)
NODE_SIZES = 8
TREE_ROOT, TREE_HEIGHT, TREE_SAMPLE = 0, 1, 2     # of the tree kind; SAMPLE: an element that was written, or 0
NODE_WORDS = 16
CHUNK_NEXT, CHUNK_BYTES, CHUNK_USED, CHUNK_FIRST = 0, 1, 2, 64     # the last in bytes

# FRAME
(FRAME_MODEL, FRAME_BODY, FRAME_RECORD, FRAME_CONTEXT, FRAME_DIMS, FRAME_ADDRESSES, FRAME_SIZES, FRAME_ELEMENTS,
 FRAME_SLOTS, FRAME_ROWS, FRAME_SEGMENTS, FRAME_SEGMENT_ROWS, FRAME_BOUND, FRAME_INPUTS, FRAME_OUTPUTS,
 FRAME_OWN_OUTPUTS, FRAME_FIRST, FRAME_LAST, FRAME_ROOT, FRAME_DIM_SEGMENT, FRAME_BUFFER_SEGMENT, FRAME_PATCHES,
 FRAME_PATCH_COUNT, FRAME_COUNTER, FRAME_ITERATION, FRAME_NEXT, FRAME_TEMPORARY, FRAME_HANDLES, FRAME_BOUND_SIZES,
 FRAME_STATE_WRITE, FRAME_LOCAL_SEGMENT, FRAME_ALIASES, FRAME_NEXT_DIM, FRAME_NEXT_GUARD, FRAME_NEXT_BUFFER,
 FRAME_NEXT_PLACED, FRAME_NEXT_OUTPUT) = range(37)
FRAME_WORDS = 40
(ROW_KIND, ROW_RECORD, ROW_BOUND, ROW_FUNCTION, ROW_TILES, ROW_TILES_1, ROW_SCRATCH, ROW_WORK_BYTES, ROW_EPILOGUE,
 ROW_EPILOGUE_WORK, ROW_EPILOGUE_TILES, ROW_TILE_ELEMENTS, ROW_ELEMENTS, ROW_CHILD, ROW_CHILD_1, ROW_STORAGE,
 ROW_SEGMENT, ROW_TOGETHER) = range(18)
ROW_WORDS = 24            # TOGETHER: of a MAP, how many maps it runs, itself the first; 0: the one before runs it
# BEGIN, END: steps; ARENA, CAPACITY: its memory; PATCH, PATCH_END: patches; then the heads of lists (segments.py):
# dims, guards and buffers that are known from this segment on, ARENA buffers that lie in its arena, ALIASes and outputs
# that have their address from here on
(SEGMENT_BEGIN, SEGMENT_END, SEGMENT_ARENA, SEGMENT_CAPACITY, SEGMENT_PATCH, SEGMENT_PATCH_END, SEGMENT_DIMS,
 SEGMENT_GUARDS, SEGMENT_BUFFERS, SEGMENT_PLACED, SEGMENT_ALIASES, SEGMENT_OUTPUTS) = range(12)
SEGMENT_WORDS = 12
PATCH_STEP, PATCH_TARGET, PATCH_BUFFER, PATCH_KIND = range(4)
PATCH_WORDS = 4
PATCH_WORD, PATCH_MAP = 0, 1

# Words of the record that gc_run takes; then a word an input and a word an output
CALL_FRAME, CALL_INDIRECT, CALL_ERROR, CALL_RUN, CALL_CANCEL, CALL_TRACE, CALL_WORDS = range(7)

# TRACE: capacity in words, words used, events that found no room, address of the last event (0: it found no room), a
# clock as HOST's and its number, two words for its time, then the events. The embedder sets the first one, the clock
# (0: times are not wanted), and 0 into the others.
(TRACE_CAPACITY, TRACE_USED, TRACE_DROPPED, TRACE_LAST, TRACE_CLOCK, TRACE_CLOCK_ID, TRACE_TIME) = range(7)
TRACE_FIRST = 8
# An event: its length, a kind, where (step -1: before the first), how many threads ran tiles of it (at most, of its
# phases), when it was noted in nanoseconds (0 without a clock), and what depends on the kind; then numbers. Kinds are
# those of steps (StepKind) and the three below.
#   MAP        a: 1 compiled, 0 interpreted; b: 1 if one before runs it, too; d, e: tiles; numbers: sizes of the domain
#   CALL       a: kernel, b: variant, c: format, d, e: tiles, f: EPILOGUE_*; numbers: dims and attributes
#   HOST       a: host
#   WHILE      when it begins       IF  a: the body taken
#   ITERATION  a: number, before the loop's body runs       LOOP_END  a: iterations
#   PACK       a: kernel, c: format, d: tiles; numbers: bytes
(EVENT_WORDS, EVENT_KIND, EVENT_BODY, EVENT_STEP, EVENT_THREADS, EVENT_TIME, EVENT_A, EVENT_B, EVENT_C, EVENT_D,
 EVENT_E, EVENT_F, EVENT_NUMBERS) = range(13)
EVENT_ITERATION, EVENT_LOOP_END, EVENT_PACK = 16, 17, 18
EPILOGUE_NONE, EPILOGUE_TILES, EPILOGUE_TILES_COMPILED, EPILOGUE_BEHIND = range(4)
