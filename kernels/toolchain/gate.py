"""The gate: an object enters the library only if it is self-contained.

Checked on the object itself (ELF64, little-endian), for calls to libm or to Python's runtime show only there:
 1. undefined symbols are allowed ones: ALLOWED, and the library's own exports in the table of functions;
 2. global symbols are exactly the declared exports, and parts (backend.py);
 3. no writable data, initialised or not (tables of addresses, read-only after relocation, excepted);
 4. no thread-local data, no initialisers.
Addresses of the compiling machine are refused earlier, in the IR (backend.py).
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .elf import SHF_TLS, SHF_WRITE, SHT_FINI_ARRAY, SHT_INIT_ARRAY, UNDEFINED, ElfError, Object, Section

# What LLVM itself calls for block operations; every C library, also a freestanding one, has them.
ALLOWED = frozenset({"memset", "memcpy", "memmove", "memcmp"})
PART_SYMBOL = "gc_part_"               # begins the symbol of a part (backend.py): then unit, name and ISA
READ_ONLY_AFTER_RELOCATION = (".data.rel.ro",)


class GateError(Exception):
    """An object that must not enter the library; the message lists every reason."""


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
                         ("exports what is not declared",
                          {name for name in found.defined - wanted if not name.startswith(PART_SYMBOL)}),
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
    try:
        found = Object(data)
        symbols = [s for s in found.symbols() if s.name and not s.is_local]
    except ElfError as error:
        raise GateError(str(error)) from None
    return ObjectSymbols(frozenset(s.name for s in symbols if s.section != UNDEFINED),
                         frozenset(s.name for s in symbols if s.section == UNDEFINED), tuple(found.sections))
