"""Kernels that read and make strings. They know them by numbers in a table (tables.py), which the embedder opens with
gc_strings_open; each entry point says in its function what it takes. Machine code of its own: a runner links it only if
a model needs it.
"""
from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Not at import: embedders want tables.py without numba.
    if name == "ENTRY":
        from .entry import ENTRY
        return ENTRY
    raise AttributeError(name)
