"""Which ops on strings the C++ library computes (runner/src/strings/string_op.hpp), by the names of their functions."""
from __future__ import annotations

import re

from graphc.ir.host import PREFIX, STRINGS

# What the fields in the name must say. runner/src/strings/string_letters.cpp and string_records.cpp ask for the same.
_FIELDS: dict[str, tuple[str, ...]] = {
    "AsString": ("scientific=False", "shortest=False", "width=-1", "fill=''"),
    "DecodeCSV": (),
    "ParseExample": (),
    "ParseSingleExample": (),
    "ReduceJoin": (),
    "StringJoin": (),
    "StringLength": (),
    "StringLower": ("encoding=''",),
    "StringSplit": (),
    "StringSplitV2": ("maxsplit=-1",),
    "StringStrip": (),
    "StringToHashBucket": (),
    "StringToHashBucketFast": (),
    "StringToHashBucketStrong": (),
    "StringToNumber": (),
    "StringUpper": ("encoding=''",),
    "Substr": (),
}
_NAME = re.compile(rf"{STRINGS}[0-9,]*>[0-9,]*:{PREFIX}(\w+)\((.*)\)", re.DOTALL)
# Of the other fields' values those that are taken.
_VALUES = {"AsString": re.compile(r"precision=(-1|[0-9]|1[0-8])(, |$)"),
           "ReduceJoin": re.compile(r"reduction_indices=\(-?[0-9]+\)")}


def in_cpp(name: str) -> bool:
    """Whether the C++ library computes the function of this name."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] not in _FIELDS or re.search(r"\\[uU]", name):
        return False
    value = _VALUES.get(found[1])
    return all(field in found[2] for field in _FIELDS[found[1]]) and (value is None or bool(value.search(found[2])))
