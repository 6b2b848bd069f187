"""Strings as letters of Base64 and as numbers in memory, by kernels (kernels/strings/letters.py)."""
from __future__ import annotations

import string
import sys
from typing import Any

from graphc.exec.strings.calls import Call, Native, Words, address_of_bytes, count_of
from graphc.ir.dtypes import bool_
from graphc.kernels.strings import tables as t

_LETTERS = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_".encode()
_VALUES = bytes(max(_LETTERS.find(byte), 0) if byte in _LETTERS else len(_LETTERS) for byte in range(256))


def encode_base64(op: Any) -> Native:
    def run(call: Call) -> bool:
        shape, given = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape)
        return call.making("encode_letters", given, count, address_of_bytes(_LETTERS), op.pad, target) == count

    return run


def decode_base64(_: Any) -> Native:
    def run(call: Call) -> bool:
        shape, given = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape)
        return call.making("decode_letters", given, count, address_of_bytes(_VALUES), target) == count

    return run


def decode_raw(op: Any) -> Native | None:
    """Bytes that lie as this machine's numbers do."""
    if op.out_type == bool_ or (op.out_type.size > 1 and op.little_endian != (sys.byteorder == "little")):
        return None

    def run(call: Call) -> bool:
        shape, given = call.place(0)
        count, size = count_of(shape), Words(0)
        if not count or call.kernel("sizes", given, 1, t.BYTES, size.address) != 1:
            return False
        length = Words.int_at(size.address)
        if length % op.out_type.size:
            return False
        target = call.reserve(0, (*shape, length // op.out_type.size), op.out_type)
        return call.kernel("bytes", given, count, length, target) == count

    return run
