"""numba's type of each element type that machine code touches."""
from __future__ import annotations

from typing import Any

from numba import types

from .contracts.dtypes import DTYPES

# A list handle is a word; bool is numba's boolean.
_NAMES = {"bool": "boolean", "variant": "int64"}
NUMBA_TYPES: dict[str, Any] = {short: getattr(types, _NAMES.get(row.name, row.name))
                               for short, row in DTYPES.items() if row.use in ("computed", "moved")}
