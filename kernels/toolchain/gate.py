"""The gate: an object enters the library only if it is self-contained.

Checked on the object itself (ELF64, little-endian), for calls to libm or to Python's runtime show only there:
 1. undefined symbols are allowed ones: ALLOWED, and the library's own exports in the table of functions;
 2. global symbols are exactly the declared exports;
 3. no writable data, initialised or not (tables of addresses, read-only after relocation, excepted);
 4. no thread-local data, no initialisers.
Addresses of the compiling machine are refused earlier, in the IR (backend.py).
"""
from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

# What LLVM itself calls for block operations; every C library, also a freestanding one, has them.
ALLOWED = frozenset({"memset", "memcpy", "memmove", "memcmp"})
SHF_WRITE, SHF_ALLOC, SHF_TLS = 1, 2, 0x400
SHT_SYMTAB, SHT_NOBITS, SHT_INIT_ARRAY, SHT_FINI_ARRAY = 2, 8, 14, 15
READ_ONLY_AFTER_RELOCATION = (".data.rel.ro",)


class GateError(Exception):
    """An object that must not enter the library; the message lists every reason."""


@dataclass(frozen=True)
class Section:
    name: str
    type: int
    flags: int
    size: int


@dataclass(frozen=True)
class ObjectSymbols:
    defined: frozenset[str]            # global and weak
    undefined: frozenset[str]
    sections: tuple[Section, ...]


def check_object(data: bytes, exports: Iterable[str], imports: Iterable[str] = ()) -> ObjectSymbols:
    """Raises GateError unless `data` defines exactly `exports` and needs at most `imports` besides ALLOWED."""
    found = read_symbols(data)
    wanted, allowed = frozenset(exports), ALLOWED | frozenset(imports)
    faults = []
    for label, names in (("calls what is not allowed", found.undefined - allowed),
                         ("exports what is not declared", found.defined - wanted),
                         ("does not export what is declared", wanted - found.defined)):
        if names:
            faults.append(f"{label}: {', '.join(sorted(names))}")
    for section in found.sections:
        if section.type in (SHT_INIT_ARRAY, SHT_FINI_ARRAY) or section.flags & SHF_TLS:
            faults.append(f"has an initialiser or thread-local data: {section.name}")
        elif section.flags & SHF_WRITE and section.size and not section.name.startswith(READ_ONLY_AFTER_RELOCATION):
            faults.append(f"has writable data: {section.name}, {section.size} bytes")
    if faults:
        raise GateError("object refused: it " + "; it ".join(faults))
    return found


def read_symbols(data: bytes) -> ObjectSymbols:
    if len(data) < 64 or data[:6] != b"\x7fELF\x02\x01":
        raise GateError("not a 64-bit little-endian ELF object")
    section_offset, = struct.unpack_from("<Q", data, 40)
    entry_size, count, names_index = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, section_offset + i * entry_size) for i in range(count)]
    if count == 0 and rows == []:
        raise GateError("an ELF object without sections")

    def text(table: int, offset: int) -> str:
        start = rows[table][4] + offset
        return data[start:data.index(b"\0", start)].decode()

    sections = tuple(Section(text(names_index, row[0]), row[1], row[2], row[5]) for row in rows)
    defined, undefined = set(), set()
    for row in rows:
        if row[1] != SHT_SYMTAB:
            continue
        for position in range(row[4] + 24, row[4] + row[5], 24):
            name, info, _, section, _, _ = struct.unpack_from("<IBBHQQ", data, position)
            if info >> 4 == 0 or not name:      # local, or nameless
                continue
            (undefined if section == 0 else defined).add(text(row[6], name))
    return ObjectSymbols(frozenset(defined), frozenset(undefined), sections)
