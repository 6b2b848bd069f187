"""Ops on strings that kernels compute (kernels/strings): for each the call of its kernel.

An op that is not here, or whose fields ask for more than its kernel has, is Python's alone.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.exec.strings.calls import KINDS, Call, Native, Words, address_of_bytes, count_of, signed, table_of
from graphc.exec.strings.crosses import sparse_cross
from graphc.exec.strings.letters import decode_base64, decode_raw, encode_base64
from graphc.exec.strings.patterns import regex_full_match, regex_replace
from graphc.exec.strings.records import decode_csv, parse_example, parse_single_example
from graphc.exec.strings.summaries import histogram_summary
from graphc.exec.strings.table import TABLE
from graphc.ir.dtypes import int32, int64, uint8
from graphc.ir.host import Host
from graphc.kernels.strings import tables as t

MOST_PRECISION, USUAL_PRECISION = 18, 6
_UNITS = {"BYTE": t.BYTES, "UTF8_CHAR": t.CHARACTERS}


def native_of(op: Any) -> Native | None:
    """The kernel's call for an op; None if there is none."""
    make = NATIVE.get(op.type) if isinstance(op, Host) and not op.sizes() else None
    return None if make is None else make(op)


def _string_to_number(op: Any) -> Native:
    kind = KINDS[op.out_type]

    def run(call: Call) -> bool:
        shape, numbers = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape, op.out_type)
        return call.kernel("read_numbers", numbers, count, kind, target) == count

    return run


def _as_string(op: Any) -> Native | None:
    if op.width > -1 or op.fill or op.scientific or op.shortest or op.precision > MOST_PRECISION:
        return None
    precision = op.precision if op.precision > -1 else USUAL_PRECISION

    def run(call: Call) -> bool:
        dtype = call.dtype(0)
        if dtype is None:
            return False
        shape, source = call.place(0, dtype)
        count, target = count_of(shape), call.reserve(0, shape)
        return call.making("write_numbers", source, count, KINDS[dtype], precision, target) == count

    return run


def _hash_bucket(kind: int) -> Callable[[Any], Native]:
    def make(op: Any) -> Native:
        key = [signed(number) for number in getattr(op, "key", (0, 0))]

        def run(call: Call) -> bool:
            shape, numbers = call.place(0)
            count, target = count_of(shape), call.reserve(0, shape, int64)
            return call.kernel("buckets", numbers, count, kind, *key, op.num_buckets, target) == count

        return run

    return make


def _fingerprint(_: Any) -> Native:
    def run(call: Call) -> bool:
        if 0 not in call.strings:
            return False
        (shape, numbers), method = call.place(0), call.scalar(1)
        if len(shape) != 1 or TABLE.strings_at((), method).item() != b"farmhash64":
            return False
        target = call.reserve(0, (*shape, 8), uint8)
        return call.kernel("buckets", numbers, *shape, t.FINGERPRINT, 0, 0, 0, target) == shape[0]

    return run


def _string_length(op: Any) -> Native:
    unit = _UNITS[op.unit]

    def run(call: Call) -> bool:
        shape, numbers = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape, int32)
        return call.kernel("sizes", numbers, count, unit, target) == count

    return run


def _substr(op: Any) -> Native:
    """One part for all strings, one of each, or several of one."""
    unit = _UNITS[op.unit]

    def run(call: Call) -> bool:
        dtype = call.dtype(1)
        if dtype not in (int32, int64):
            return False
        (shape, given), (part, places), (sizes_shape, sizes) = call.place(0), call.place(1, dtype), call.place(2, dtype)
        if sizes_shape != part or (shape and part and shape != part):
            return False
        made = shape or part
        count, target = count_of(made), call.reserve(0, made)
        return call.making("parts", given, 1 if shape else 0, places, sizes, 1 if part else 0, dtype.size, count, unit,
                           target) == count

    return run


def _changed(kind: int) -> Callable[[Any], Native | None]:
    def make(op: Any) -> Native | None:
        if getattr(op, "encoding", ""):
            return None

        def run(call: Call) -> bool:
            shape, numbers = call.place(0)
            count, target = count_of(shape), call.reserve(0, shape)
            return call.making("changed", numbers, count, kind, target) == count

        return run

    return make


def _string_join(op: Any) -> Native:
    between = op.separator.encode()

    def run(call: Call) -> bool:
        places = [call.place(i) for i in range(len(call))]
        shape = next((shape for shape, _ in places if shape), ())
        if not places or any(own not in ((), shape) for own, _ in places):
            return False
        operands = table_of([(address, 1 if own else 0) for own, address in places])
        count, target = count_of(shape), call.reserve(0, shape)
        return call.making("join", operands.address, len(places), count, address_of_bytes(between), len(between),
                           target) == count

    return run


def _reduce_join(op: Any) -> Native:
    """Along one axis, the first or the last: the operands of a join stand one after another."""
    between = op.separator.encode()

    def run(call: Call) -> bool:
        shape, given = call.place(0)
        if len(op.reduction_indices) != 1 or not shape:
            return False
        axis = op.reduction_indices[0] % len(shape)
        width, outer, inner = shape[axis], count_of(shape[:axis]), count_of(shape[axis + 1:])
        if not width or (outer > 1 and inner > 1):
            return False
        operands = table_of([(given + 8 * inner * k, 1 if outer == 1 else width) for k in range(width)])
        kept = (1,) if op.keep_dims else ()
        count, target = outer * inner, call.reserve(0, (*shape[:axis], *kept, *shape[axis + 1:]))
        return call.making("join", operands.address, width, count, address_of_bytes(between), len(between),
                           target) == count

    return run


def _split(call: Call, kind: int, skips: bool) -> bool:
    """The parts as those of a sparse matrix. Counted first, then written."""
    shape, given = call.place(0)
    if len(shape) != 1:
        return False
    count, separator = shape[0], Words.from_address(call.scalar(1))
    sizes = Words(0, 0)
    if call.making("split", given, count, kind, separator, skips, sizes.address, 0, 0):
        return False
    total, longest = sizes.words
    indices, numbers = call.reserve(0, (total, 2), int64), call.reserve(1, (total,))
    if call.making("split", given, count, kind, separator, skips, sizes.address, indices, numbers):
        return False
    Words.write(call.reserve(2, (2,), int64), count, longest)
    return True


def _string_split(op: Any) -> Native:
    def run(call: Call) -> bool:
        return _split(call, t.ANY if Words.from_address(call.scalar(1)) else t.EVERYWHERE, op.skip_empty)

    return run


def _string_split_v2(op: Any) -> Native | None:
    if op.maxsplit != -1:
        return None
    return lambda call: _split(call, t.WHOLE if Words.from_address(call.scalar(1)) else t.SPACES, False)


NATIVE: Mapping[str, Callable[[Any], Native | None]] = {
    "StringToNumber": _string_to_number,
    "AsString": _as_string,
    "StringToHashBucketFast": _hash_bucket(t.FINGERPRINT),
    "StringToHashBucket": _hash_bucket(t.MURMUR),
    "StringToHashBucketStrong": _hash_bucket(t.SIP),
    "Fingerprint": _fingerprint,
    "StringLength": _string_length,
    "StringLower": _changed(t.LOWER),
    "StringUpper": _changed(t.UPPER),
    "StringStrip": _changed(t.STRIPPED),
    "Substr": _substr,
    "StringJoin": _string_join,
    "ReduceJoin": _reduce_join,
    "StringSplit": _string_split,
    "StringSplitV2": _string_split_v2,
    "RegexReplace": regex_replace,
    "StaticRegexReplace": regex_replace,
    "RegexFullMatch": regex_full_match,
    "StaticRegexFullMatch": regex_full_match,
    "EncodeBase64": encode_base64,
    "DecodeBase64": decode_base64,
    "DecodeRaw": decode_raw,
    "HistogramSummary": histogram_summary,
    "SparseCross": sparse_cross,
    "DecodeCSV": decode_csv,
    "ParseExample": parse_example,
    "ParseSingleExample": parse_single_example,
}
