"""Functions of a library that are the same machine code: one of them serves for all.

Most come from helpers that several units share, each of which compiles its own (`apart`, parts: cpu/memory.py), and
from kernels that are declared for several dtypes and look at bits only. Linkers could fold them, but those that every
system has do not. What stands in a table is named once there; helpers get names by what they are (elf_names.py).
Invariant: two functions are the same if their code is, and everything that it refers to is the same or has one name;
what begins with PART_SYMBOL is only followed for parts, since a small runner may put something else in its place.
"""
from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from .cache import hash_of
from .elf import FIRST_RESERVED, SHF_CODE, SHF_MERGE, SHT_RELA, UNDEFINED, Object, Symbol
from .elf_names import with_names
from .gate import PART_SYMBOL

Key = tuple[object, ...]
HELPER_SYMBOL = "gc_same_"             # begins the name of a helper that several units have


class _Code:
    """The sections of one object by what they hold and refer to."""

    def __init__(self, data: bytes) -> None:
        self.object = Object(data)
        self.symbols = self.object.symbols()
        self.references: defaultdict[int, list[tuple[int, int, Symbol, int]]] = defaultdict(list)
        for section in self.object.sections:
            if section.type == SHT_RELA:
                for offset, info, addend in struct.iter_unpack("<QQq", self.object.contents(section)):
                    self.references[section.info].append((offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend))

    def functions(self, local: bool) -> Iterator[Symbol]:
        """Those that others may call, or those that are local; each alone in its section."""
        users = defaultdict(list)
        for symbol in self.symbols:
            if symbol.name and UNDEFINED < symbol.section < FIRST_RESERVED:
                users[symbol.section].append(symbol)
        for section, found in users.items():
            if len(found) == 1 and found[0].is_local == local and self.object.sections[section].flags & SHF_CODE:
                yield found[0]

    def key(self, section: int, parts: bool, within: tuple[int, ...] = ()) -> Key:
        """within: the sections that lead here; one of them is told by how far up it is."""
        if section in within:
            return ("up", len(within) - within.index(section))
        found, inner = self.object.sections[section], (*within, section)
        return (self.object.contents(found), found.flags,
                tuple((offset, kind, addend, self._target(symbol, parts, inner))
                      for offset, kind, symbol, addend in sorted(self.references[section], key=lambda row: row[0])))

    def _target(self, symbol: Symbol, parts: bool, within: tuple[int, ...]) -> object:
        if not UNDEFINED < symbol.section < FIRST_RESERVED:
            return symbol.name
        section = self.object.sections[symbol.section]
        if symbol.name and section.flags & SHF_MERGE and section.entry_size:       # one constant of many
            return self.object.contents(section)[symbol.value:symbol.value + section.entry_size]
        if symbol.is_local or (parts and symbol.name.startswith(PART_SYMBOL)):
            return symbol.value, self.key(symbol.section, parts, within)
        return symbol.name


def with_shared_helpers(objects: Sequence[bytes]) -> list[bytes]:
    """The objects of one library. In them each local function that there is several times is a weak symbol, of one name
    wherever it is the same: linkers that leave out what nobody calls keep one."""
    names = []
    for data in objects:
        code = _Code(data)
        names.append({symbol.section: HELPER_SYMBOL + hash_of(repr(code.key(symbol.section, parts=False)))
                      for symbol in code.functions(local=True)})
    times = Counter(name for of_object in names for name in of_object.values())
    return [with_names(data, {section: name for section, name in of_object.items() if times[name] > 1})
            for data, of_object in zip(objects, names, strict=True)]


def same_functions(objects: Iterable[bytes]) -> dict[str, str]:
    """By name, each function that is the same as one met before: the name of that one. Parts are kept apart."""
    firsts: dict[Key, str] = {}
    same = {}
    for data in objects:
        code = _Code(data)
        for symbol in code.functions(local=False):
            if symbol.name.startswith(HELPER_SYMBOL):
                continue
            part = symbol.name.startswith(PART_SYMBOL)
            first = firsts.setdefault((part, code.key(symbol.section, part)), symbol.name)
            if first != symbol.name:
                same[symbol.name] = first
    return same
