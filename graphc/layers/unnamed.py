"""Names of layers and cells that are given none."""
from __future__ import annotations

import re

import graphc as gc

_COUNTS = ("__layer_names",)        # the collection with the one dict: how many of a kind have had such a name


def snake_case(name: str) -> str:
    """LSTMCell is lstm_cell. A scope must not start with _: _Own is private_own."""
    words = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    found = re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
    return f"private{found}" if found.startswith("_") else found


def numbered(kind: str) -> str:
    """dense_1, dense_2, ... in one graph."""
    found = gc.get_collection_ref(_COUNTS)
    if not found:
        found.append({})
    count = found[0][kind] = found[0].get(kind, 0) + 1
    return f"{kind}_{count}"


def numbered_as_keras_does(kind: str) -> str:
    """dense, dense_1, dense_2, ... in one graph."""
    number = int(numbered(kind).removeprefix(f"{kind}_")) - 1
    return f"{kind}_{number}" if number else kind
