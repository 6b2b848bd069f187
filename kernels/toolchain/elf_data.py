"""Data of objects: what stands under a symbol, and which symbols its words refer to."""
from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass

from .elf import ADDRESS_KINDS, FIRST_RESERVED, SHT_RELA, UNDEFINED, ElfError, Object, Symbol
from .gate import GateError

DISTANCE_KINDS = {"x86_64": 2, "aarch64": 261}     # of relocations: R_X86_64_PC32, R_AARCH64_PREL32


@dataclass(frozen=True)
class Data:
    """references: offset in `contents` -> the symbol whose address, or distance from there, is to stand there. width:
    bytes of a reference."""

    contents: bytes
    references: dict[int, str]
    width: int


def read_data(data: bytes, wanted: str) -> Data | None:
    """What stands under the symbol `wanted`, None if the object does not define it. Raises GateError for what is no
    object, or has references of other kinds than whole addresses alone, or distances alone."""
    try:
        found = Object(data)
        symbols = found.symbols()
        for symbol in symbols:
            if symbol.name == wanted and UNDEFINED < symbol.section < FIRST_RESERVED:
                section = found.contents(found.sections[symbol.section])
                contents, kinds = section[symbol.value:symbol.value + symbol.size], _references(found, symbols, symbol)
                width = 4 if DISTANCE_KINDS.get(found.machine) in kinds else 8
                return Data(contents, next(iter(kinds.values()), {}), width)
    except (ElfError, struct.error, IndexError, ValueError) as error:
        raise GateError(f"a damaged object: {error}") from None
    return None


def _references(found: Object, symbols: list[Symbol], symbol: Symbol) -> dict[int, dict[int, str]]:
    """Those of the one kind that there is, by that kind."""
    references: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for section in found.sections:
        if section.type == SHT_RELA and section.info == symbol.section:
            for offset, info, addend in struct.iter_unpack("<QQq", found.contents(section)):
                if symbol.value <= offset < symbol.value + symbol.size:
                    kind = info & 0xFFFFFFFF
                    references[kind][offset - symbol.value] = symbols[info >> 32].name
                    known = ADDRESS_KINDS.get(found.machine), DISTANCE_KINDS.get(found.machine)
                    if kind not in known or addend or len(references) > 1:
                        raise GateError(f"a reference of type {kind} in a table of addresses")
    return references
