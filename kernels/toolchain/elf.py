"""Reads ELF objects (64 bits, little-endian): sections, symbols and relocations. Raises ElfError for anything else."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SHF_WRITE, SHF_ALLOC, SHF_CODE, SHF_MERGE, SHF_TLS = 1, 2, 4, 0x10, 0x400
SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_INIT_ARRAY, SHT_FINI_ARRAY = 2, 4, 8, 14, 15
MACHINES = {62: "x86_64", 183: "aarch64"}
ADDRESS_KINDS = {"x86_64": 1, "aarch64": 257}      # of relocations: R_X86_64_64, R_AARCH64_ABS64
UNDEFINED, FIRST_RESERVED = 0, 0xFF00      # section numbers


class ElfError(Exception):
    """Not an object that can be read."""


@dataclass(frozen=True)
class Section:
    """index: number in the object. link, info: of relocations the symbol table, and the section that they are for.
    entry_size: of a section of equal entries, such as constants of one size; else 0."""

    index: int
    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int


@dataclass(frozen=True)
class Symbol:
    """section: number of the one that defines it, UNDEFINED, or reserved. A local one has no use outside."""

    name: str
    is_local: bool
    section: int
    value: int
    size: int


class Object:
    """An object of `data`."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 64 or data[:6] != b"\x7fELF\x02\x01":
            raise ElfError("not a 64-bit little-endian ELF object")
        self.data = data
        self.machine = MACHINES.get(struct.unpack_from("<H", data, 18)[0], "unknown")
        table, = struct.unpack_from("<Q", data, 40)
        _, count, names = struct.unpack_from("<HHH", data, 58)
        if not count:
            raise ElfError("an ELF object without sections")
        rows = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
        start = rows[names][4]
        self.sections = [Section(i, self._text(start + row[0]), row[1], row[2], row[4], row[5], row[6], row[7], row[8],
                                 row[9])
                         for i, row in enumerate(rows)]

    def contents(self, section: Section) -> bytes:
        found = self.data[section.offset:section.offset + section.size]
        if len(found) != section.size:
            raise ElfError("an object cut short")
        return found

    def symbols(self) -> list[Symbol]:
        """In the order of their numbers, from 0 on."""
        return [symbol for section in self.sections if section.type == SHT_SYMTAB for symbol in self._symbols(section)]

    def _symbols(self, table: Section) -> Iterator[Symbol]:
        names = self.sections[table.link].offset
        for name, info, _, section, value, size in struct.iter_unpack("<IBBHQQ", self.contents(table)):
            yield Symbol(self._text(names + name) if name else "", info >> 4 == 0, section, value, size)

    def _text(self, offset: int) -> str:
        return self.data[offset:self.data.index(b"\0", offset)].decode()
