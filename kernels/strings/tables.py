"""Words of the tables that string kernels and whoever calls them share. All are int64; addresses are of bytes.

TABLE: the strings of a process. An embedder fills the words up to TABLE_OWN, and leaves the others to the kernels.
RECORD: one string of a table. A number is a place among the records, and above it how often the place was used before:
no number is given twice. Record 0 is the empty string's, whose number is 0.
HELD: what a run, a plan or a variable keeps in the table: a list of numbers, in memory of the kernels' own.
"""
from __future__ import annotations

# ALLOC, RELEASE: C's malloc and free. MAKE(data, size) gives an object that owns a copy, DROP(object) is told when the
# table has forgotten it, KEEP(object) when the table keeps one that it was given. DATA, SIZE, TYPE: where an object has
# its bytes, their number and its type; BYTES: the type that all have. TEXT: a type of which UTF8(object, size) gives
# address and number of the bytes, or 0 and an exception that CLEAR takes back. EMPTY: the object without bytes.
(TABLE_ALLOC, TABLE_RELEASE, TABLE_MAKE, TABLE_DROP, TABLE_KEEP, TABLE_DATA, TABLE_SIZE, TABLE_TYPE, TABLE_BYTES,
 TABLE_TEXT, TABLE_UTF8, TABLE_CLEAR, TABLE_EMPTY, TABLE_SEED, TABLE_SEED_1, TABLE_OWN) = range(16)
# RECORDS, ROOM: records and how many there is room for. USED: places ever used. UNUSED: the first of the places that
# are free again, 0 for none. COUNT: strings. INDEX, MASK: places by hash, a power of two of them. SCRATCH, and how many
# bytes it has: where a string is put together.
(TABLE_RECORDS, TABLE_ROOM, TABLE_USED, TABLE_UNUSED, TABLE_COUNT, TABLE_INDEX, TABLE_MASK, TABLE_SCRATCH,
 TABLE_SCRATCH_BYTES, TABLE_TEXT_SIZE, TABLE_WORDS) = range(TABLE_OWN, TABLE_OWN + 11)

# COUNT: how often it is held; of a free place the next one. STAMP: of the last that held it.
(RECORD_NUMBER, RECORD_DATA, RECORD_SIZE, RECORD_OBJECT, RECORD_HASH, RECORD_COUNT, RECORD_STAMP, RECORD_SPARE,
 RECORD_WORDS) = range(9)
PLACE_BITS = 32

HELD_ITEMS, HELD_COUNT, HELD_ROOM, HELD_STAMP, HELD_WORDS = range(5)

# What kernels return in place of a count or number.
NO_MEMORY, UNKNOWN_NUMBER, OTHER_TYPE = -1, -2, -3

# Dtypes of numbers, and of a column of text (csv.py).
FLOAT, REAL, INT, LONG, TEXT = range(5)

# hashes.py.
FINGERPRINT, MURMUR, SIP = range(3)

# pieces.py: how a string is cut (at every byte that a separator has, at the separator as a whole, at white space,
# everywhere), and how one is changed.
ANY, WHOLE, SPACES, EVERYWHERE = range(4)
LOWER, UPPER, STRIPPED = range(3)

# parts.py, what places and lengths count.
BYTES, CHARACTERS = range(2)

# csv.py, a COLUMN: its place in a line, its dtype, where its values go, whether a field may be missing, and the word
# that stands for one then.
COLUMN_FIELD, COLUMN_KIND, COLUMN_TARGET, COLUMN_OPTIONAL, COLUMN_DEFAULT, COLUMN_WORDS = range(6)

# example.py. Kinds of features, as a Feature numbers its lists.
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3
# A FEATURE: its name (address, bytes) and kind. The kernel adds how many values all examples have of it, the most and
# the fewest of one, and how many examples lack it.
(FEATURE_NAME, FEATURE_NAME_SIZE, FEATURE_KIND, FEATURE_TOTAL, FEATURE_MOST, FEATURE_FEWEST, FEATURE_MISSING,
 FEATURE_WORDS) = range(8)
# FOUND, for each example and feature: address and bytes of the list, and how many values are in it, -1: not there.
FOUND_DATA, FOUND_SIZE, FOUND_COUNT, FOUND_WORDS = range(4)
# A RESULT: where values go; the address of indices, 0: none, and how many words each has; how many values each example
# has room for, 0: they are written one behind the other; the address of the default, and the bytes from that of one
# value to the next one's, for an example that lacks the feature or is shorter.
(RESULT_TARGET, RESULT_INDICES, RESULT_RANK, RESULT_ROOM, RESULT_DEFAULT, RESULT_STEP, RESULT_WORDS) = range(7)

# crosses.py, a feature that is CROSSED: its elements as 64 bits each, how many; the address of the places of sparse
# ones, 0: it is dense, and how many columns it has then.
CROSSED_VALUES, CROSSED_COUNT, CROSSED_INDICES, CROSSED_COLUMNS, CROSSED_WORDS = range(5)

# histogram.py, LIMITS: of buckets of positive numbers, in ascending order, and how many. KEYS: for the upper bits of a
# number's magnitude (those of FIRST first, LAST places behind them the last) the first limit that may be above it.
LIMITS_VALUES, LIMITS_COUNT, LIMITS_KEYS, LIMITS_FIRST, LIMITS_LAST, LIMITS_WORDS = range(6)

# patterns.py, a PATTERN: addresses of the class of each byte and of the table, the column of the end, the rows of a
# walk that begins where the string does and elsewhere, and the first row that matches. PATHS, NOTES: tables of the ways
# through a match, with the rows that they begin in; FIRST is -1 if nothing asks for groups. PLACES: where groups begin
# and end.
(PATTERN_CLASSES, PATTERN_NEXT, PATTERN_END, PATTERN_FIRST, PATTERN_START, PATTERN_ACCEPTING, PATTERN_PATHS,
 PATTERN_NOTES, PATTERN_PATHS_FIRST, PATTERN_PATHS_START, PATTERN_WORDS) = range(11)
PATTERN_PLACES = 20
