"""Data of objects: what stands under a symbol, and which symbols its words are the addresses of."""
from __future__ import annotations

import struct
from dataclasses import dataclass

from .elf import ADDRESS_KINDS, SHT_RELA, UNDEFINED, ElfError, Object, Symbol
from .gate import GateError


@dataclass(frozen=True)
class Data:
    """references: offset in `contents` -> the symbol whose address is to stand there."""

    contents: bytes
    references: dict[int, str]


def read_data(data: bytes, wanted: str) -> Data | None:
    """What stands under the symbol `wanted`, None if the object does not define it. Raises GateError for what is no
    object, or has a reference of another kind than a whole address."""
    try:
        found = Object(data)
        for symbol in found.symbols():
            if symbol.name == wanted and symbol.section != UNDEFINED:
                contents = found.contents(found.sections[symbol.section])[symbol.value:symbol.value + symbol.size]
                return Data(contents, _references(found, symbol))
    except (ElfError, struct.error, IndexError, ValueError) as error:
        raise GateError(f"a damaged object: {error}") from None
    return None


def _references(found: Object, place: Symbol) -> dict[int, str]:
    symbols, references = found.symbols(), {}
    for section in found.sections:
        if section.type == SHT_RELA and section.info == place.section:
            for offset, info, addend in struct.iter_unpack("<QQq", found.contents(section)):
                if place.value <= offset < place.value + place.size:
                    if info & 0xFFFFFFFF != ADDRESS_KINDS.get(found.machine) or addend:
                        raise GateError(f"a reference of type {info & 0xFFFFFFFF} in a table of addresses")
                    references[offset - place.value] = symbols[info >> 32].name
    return references
