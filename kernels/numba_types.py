"""numba's type of each element type that machine code touches."""
from __future__ import annotations

from typing import Any

from numba import types

from .contracts.dtypes import DTYPES

# A list handle is a word; bool is numba's boolean; 16-bit floats are their bits.
_NAMES = {"bool": "boolean", "variant": "int64", "float16": "uint16", "bfloat16": "uint16"}
NUMBA_TYPES: dict[str, Any] = {short: getattr(types, _NAMES.get(row.name, row.name))
                               for short, row in DTYPES.items() if row.use in ("computed", "converted", "moved")}
