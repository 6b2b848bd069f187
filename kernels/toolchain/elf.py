"""Data of ELF64 objects: what stands under a symbol, and which symbols its words are the addresses of."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .gate import SHT_SYMTAB, GateError

SHT_RELA = 4
ADDRESS_TYPES = {62: 1, 183: 257}      # by machine: R_X86_64_64, R_AARCH64_ABS64


@dataclass(frozen=True)
class Data:
    """references: offset in `contents` -> the symbol whose address is to stand there."""

    contents: bytes
    references: dict[int, str]


def read_data(data: bytes, wanted: str) -> Data | None:
    """What stands under the symbol `wanted`, None if the object does not define it. Raises GateError for what is no
    object, or has a reference of another kind than a whole address."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise GateError("not a 64-bit little-endian ELF object")
    try:
        sections = _sections(data)
        for name, section, value, size in _symbols(data, sections):
            if name == wanted and section:
                start = sections[section][4] + value
                return Data(data[start:start + size], _references(data, sections, section, value, size))
    except (struct.error, IndexError, ValueError, UnicodeDecodeError) as error:
        raise GateError(f"a damaged object: {error}") from None
    return None


def _sections(data: bytes) -> list[tuple[int, ...]]:
    offset, = struct.unpack_from("<Q", data, 40)
    size, count, _ = struct.unpack_from("<HHH", data, 58)
    return [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]


def _symbols(data: bytes, sections: list[tuple[int, ...]]) -> Iterator[tuple[str, int, int, int]]:
    """Name, section, offset in it and size of all symbols, in order."""
    for row in sections:
        if row[1] == SHT_SYMTAB:
            names = sections[row[6]][4]
            for position in range(row[4], row[4] + row[5], 24):
                name, _, _, section, value, size = struct.unpack_from("<IBBHQQ", data, position)
                yield data[names + name:data.index(b"\0", names + name)].decode(), section, value, size


def _references(data: bytes, sections: list[tuple[int, ...]], section: int, start: int, size: int) -> dict[int, str]:
    machine, = struct.unpack_from("<H", data, 18)
    names = [row[0] for row in _symbols(data, sections)]
    found = {}
    for row in sections:
        if row[1] == SHT_RELA and row[7] == section:
            for position in range(row[4], row[4] + row[5], 24):
                offset, info, addend = struct.unpack_from("<QQq", data, position)
                if start <= offset < start + size:
                    if info & 0xFFFFFFFF != ADDRESS_TYPES.get(machine) or addend:
                        raise GateError(f"a reference of type {info & 0xFFFFFFFF} in a table of addresses")
                    found[offset - start] = names[info >> 32]
    return found
