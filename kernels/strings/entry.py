"""Entry points of the string kernels, for the toolchain: name -> (function, argument types, result type)."""
from __future__ import annotations

import inspect
from typing import Any

from numba import types

from .crosses import cross, row_starts
from .csv import read_lines
from .decimal import numbers_of_strings
from .example import find_features, put_features
from .hashes import buckets_of_strings
from .histogram import histogram
from .letters import bytes_of_strings, decode_letters, encode_letters
from .objects import encode_objects, numbers_of_objects, objects_of_numbers
from .parts import parts_of_strings, sizes_of_strings
from .patterns import matched, replaced
from .pieces import changed, join, split
from .table import close_table, give_back, hold_numbers, number_of, open_table, record_of
from .written import strings_of_numbers

_FUNCTIONS = {
    "gc_strings_open": open_table,
    "gc_strings_close": close_table,
    "gc_strings_hold": hold_numbers,
    "gc_strings_give_back": give_back,
    "gc_strings_numbers": numbers_of_objects,
    "gc_strings_number_of": number_of,
    "gc_strings_record": record_of,
    "gc_strings_objects": objects_of_numbers,
    "gc_strings_encode": encode_objects,
    "gc_strings_read_numbers": numbers_of_strings,
    "gc_strings_write_numbers": strings_of_numbers,
    "gc_strings_buckets": buckets_of_strings,
    "gc_strings_row_starts": row_starts,
    "gc_strings_cross": cross,
    "gc_strings_histogram": histogram,
    "gc_strings_split": split,
    "gc_strings_join": join,
    "gc_strings_sizes": sizes_of_strings,
    "gc_strings_parts": parts_of_strings,
    "gc_strings_changed": changed,
    "gc_strings_matched": matched,
    "gc_strings_replaced": replaced,
    "gc_strings_encode_letters": encode_letters,
    "gc_strings_decode_letters": decode_letters,
    "gc_strings_bytes": bytes_of_strings,
    "gc_strings_read_lines": read_lines,
    "gc_strings_find_features": find_features,
    "gc_strings_put_features": put_features,
}

# All take words, addresses or numbers, and give one.
ENTRY: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
    name: (function, (types.int64,) * len(inspect.signature(function.py_func).parameters), types.int64)
    for name, function in _FUNCTIONS.items()}
