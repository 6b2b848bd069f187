"""Gives functions of an object names that other objects have, too: whoever links keeps one function of each name.

The functions are local ones, each alone in its section. Such a name is a weak, hidden symbol, behind those that the
object has. Code that called the function by its section or its local name calls it by the new one. Nothing else
changes.
"""
from __future__ import annotations

import struct
from collections.abc import Mapping

from .elf import SHF_CODE, SHT_NOBITS, SHT_RELA, SHT_SYMTAB, Object

_SYMBOL, _RELOCATION, _SECTION = struct.Struct("<IBBHQQ"), struct.Struct("<QQq"), struct.Struct("<IIQQQQIIQQ")
_WEAK_FUNCTION, _HIDDEN = 2 << 4 | 2, 2
_HEADER, _SECTIONS_AT = 64, 40         # bytes of an object's header; where in it stands where the table of sections is


def with_names(data: bytes, names: Mapping[int, str]) -> bytes:
    """The object `data` with these names for the functions of these sections. Sections may share a name: the function
    of the first one serves for all of them."""
    if not names:
        return data
    found = Object(data)
    table = next(section for section in found.sections if section.type == SHT_SYMTAB)
    texts = bytearray(found.contents(found.sections[table.link]))
    rows = bytearray(found.contents(table))
    numbers: dict[str, int] = {}
    for section, name in names.items():
        if name not in numbers:
            numbers[name] = len(rows) // _SYMBOL.size
            rows += _SYMBOL.pack(len(texts), _WEAK_FUNCTION, _HIDDEN, section, 0, found.sections[section].size)
            texts += name.encode() + b"\0"
    moved = {number: numbers[names[symbol.section]] for number, symbol in enumerate(found.symbols())
             if symbol.section in names}
    changed = {table.index: bytes(rows), table.link: bytes(texts)}
    for relocations in found.sections:
        if relocations.type == SHT_RELA and found.sections[relocations.info].flags & SHF_CODE:
            changed[relocations.index] = _redirected(found.contents(relocations), moved)
    return _with_contents(found, changed)


def _redirected(relocations: bytes, moved: Mapping[int, int]) -> bytes:
    """The relocations with other symbols for some, by their numbers."""
    return b"".join(_RELOCATION.pack(offset, moved.get(info >> 32, info >> 32) << 32 | info & 0xFFFFFFFF, addend)
                    for offset, info, addend in _RELOCATION.iter_unpack(relocations))


def _with_contents(found: Object, changed: Mapping[int, bytes]) -> bytes:
    """The object with other contents of some sections."""
    start, = struct.unpack_from("<Q", found.data, _SECTIONS_AT)
    made, headers = bytearray(found.data[:_HEADER]), b""
    for section in found.sections:
        header = list(_SECTION.unpack_from(found.data, start + section.index * _SECTION.size))
        if section.type != SHT_NOBITS:
            contents = changed.get(section.index, found.contents(section))
            made += bytes(-len(made) % max(section.align, 1))
            header[4:6] = len(made), len(contents)
            made += contents
        headers += _SECTION.pack(*header)
    made += bytes(-len(made) % 8)
    struct.pack_into("<Q", made, _SECTIONS_AT, len(made))
    return bytes(made + headers)
