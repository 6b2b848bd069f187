"""Words of the tables that string kernels and whoever calls them share. All are int64; addresses are of bytes.

TABLE: the strings of a process. An embedder fills the words up to TABLE_OWN, and leaves the others to the kernels.
RECORD: one string of a table. A number is a place among the records, and above it how often the place was used before:
no number is given twice. Record 0 is the empty string's, whose number is 0.
HELD: what a run, a plan or a variable keeps in the table: a list of numbers, in memory of the kernels' own.
"""
from __future__ import annotations

# ALLOC, RELEASE: C's malloc and free. MAKE(data, size) gives an object that owns a copy, DROP(object) is told when the
# table has forgotten it, KEEP(object) when the table keeps one that it was given. DATA, SIZE, TYPE: where an object has
# its bytes, their number and its type; BYTES: the type that all have. EMPTY: the object without bytes.
(TABLE_ALLOC, TABLE_RELEASE, TABLE_MAKE, TABLE_DROP, TABLE_KEEP, TABLE_DATA, TABLE_SIZE, TABLE_TYPE, TABLE_BYTES,
 TABLE_EMPTY, TABLE_SEED, TABLE_SEED_1, TABLE_OWN) = range(13)
# RECORDS, ROOM: records and how many there is room for. USED: places ever used. UNUSED: the first of the places that
# are free again, 0 for none. COUNT: strings. INDEX, MASK: places by hash, a power of two of them. SCRATCH, and how many
# bytes it has: where a string is put together.
(TABLE_RECORDS, TABLE_ROOM, TABLE_USED, TABLE_UNUSED, TABLE_COUNT, TABLE_INDEX, TABLE_MASK, TABLE_SCRATCH,
 TABLE_SCRATCH_BYTES, TABLE_WORDS) = range(TABLE_OWN, TABLE_OWN + 10)

# COUNT: how often it is held; of a free place the next one. STAMP: of the last that held it.
(RECORD_NUMBER, RECORD_DATA, RECORD_SIZE, RECORD_OBJECT, RECORD_HASH, RECORD_COUNT, RECORD_STAMP, RECORD_SPARE,
 RECORD_WORDS) = range(9)
PLACE_BITS = 32

HELD_ITEMS, HELD_COUNT, HELD_ROOM, HELD_STAMP, HELD_WORDS = range(5)

# What kernels return in place of a count or number.
NO_MEMORY, UNKNOWN_NUMBER, OTHER_TYPE = -1, -2, -3
