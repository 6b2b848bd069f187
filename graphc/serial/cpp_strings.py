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
    "StringJoin": (),
    "StringLength": ("unit='BYTE'",),
    "StringLower": ("encoding=''",),
    "StringSplit": (),
    "StringSplitV2": ("maxsplit=-1",),
    "StringStrip": (),
    "StringToHashBucket": (),
    "StringToHashBucketFast": (),
    "StringToNumber": (),
    "StringUpper": ("encoding=''",),
}
_NAME = re.compile(rf"{STRINGS}[0-9,]*>[0-9,]*:{PREFIX}(\w+)\((.*)\)", re.DOTALL)
_PRECISION = re.compile(r"precision=(-1|[0-9]|1[0-8])(, |$)")


def in_cpp(name: str) -> bool:
    """Whether the C++ library computes the function of this name."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] not in _FIELDS or re.search(r"\\[uU]", name):
        return False
    return all(field in found[2] for field in _FIELDS[found[1]]) and (
        found[1] != "AsString" or _PRECISION.search(found[2]) is not None)
