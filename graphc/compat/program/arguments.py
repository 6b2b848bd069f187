"""Arguments under their old names."""
from __future__ import annotations

from typing import Any


def renamed(given: dict[str, Any], new_names: dict[str, str], function: str) -> dict[str, Any]:
    """The keyword arguments with old names replaced; TypeError if one is given under both."""
    for old, new in new_names.items():
        if old in given:
            if new in given:
                raise TypeError(f"{function}: arguments '{old}' and '{new}' are the same; give '{new}' only")
            given[new] = given.pop(old)
    return given
