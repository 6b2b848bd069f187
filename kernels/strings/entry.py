"""Entry points of the string kernels, for the toolchain: name -> (function, argument types, result type)."""
from __future__ import annotations

import inspect
from typing import Any

from numba import types

from .objects import numbers_of_objects, objects_of_numbers
from .table import close_table, give_back, hold_numbers, open_table

_FUNCTIONS = {
    "gc_strings_open": open_table,
    "gc_strings_close": close_table,
    "gc_strings_hold": hold_numbers,
    "gc_strings_give_back": give_back,
    "gc_strings_numbers": numbers_of_objects,
    "gc_strings_objects": objects_of_numbers,
}

# All take words, addresses or numbers, and give one.
ENTRY: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
    name: (function, (types.int64,) * len(inspect.signature(function.py_func).parameters), types.int64)
    for name, function in _FUNCTIONS.items()}
