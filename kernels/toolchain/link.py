"""Links objects into an image (image.py), without the system's linker. What only tells debuggers and unwinders is left
out.

The kinds of relocations are the few that LLVM makes for the library's objects (position-independent code without
writable data: gate.py); any other one is refused.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np

from .elf import (
    ADDRESS_KINDS,
    FIRST_RESERVED,
    SHF_ALLOC,
    SHF_CODE,
    SHF_WRITE,
    SHT_NOBITS,
    SHT_RELA,
    UNDEFINED,
    ElfError,
    Object,
    Section,
)
from .image import Image

PAGES = {"x86_64": 1 << 12, "aarch64": 1 << 16}       # the largest that the system may have
# What functions begin at a multiple of: else what stands in front decides how many lines of the cache their loops take.
LINE = 64
_RELOCATION = np.dtype([("offset", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])


class LinkError(Exception):
    """Objects that cannot become an image."""


def link(objects: Sequence[bytes], symbols: Sequence[str]) -> Image:
    """The image of `objects`, which defines `symbols`. What the objects do not define is imported. Raises LinkError."""
    try:
        return _Linker([Object(data) for data in objects]).image(symbols)
    except (ElfError, ValueError, struct.error) as error:
        raise LinkError(str(error)) from error


class _Linker:
    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects
        self.symbols = [o.symbols() for o in objects]
        self.defined: dict[str, int] = {}
        self.stubs: dict[str, int] = {}         # places in the code that jump to what is imported
        self.slots: dict[str, int] = {}         # the words that hold its address
        self.relative: list[np.ndarray] = []

    def image(self, wanted: Sequence[str]) -> Image:
        self._place()
        memory = np.zeros(self.size, np.uint8)
        for number, found in enumerate(self.objects):
            for section in found.sections:
                at = self.places.get((number, section.index))
                if at is not None:
                    memory[at:at + section.size] = np.frombuffer(found.contents(section), np.uint8)
        for name, stub in self.stubs.items():
            code = _STUBS[self.machine](stub, self.slots[name])
            memory[stub:stub + len(code)] = np.frombuffer(code, np.uint8)
        for number, found in enumerate(self.objects):
            self._relocate(number, found, memory)
        missing = [name for name in wanted if name not in self.defined]
        if missing:
            raise LinkError(f"not defined: {', '.join(missing)}")
        relative = np.sort(np.concatenate([np.zeros(0, np.int64), *self.relative]))
        return Image(memory.tobytes(), self.constants, self.tables, relative, self.slots,
                     {name: self.defined[name] for name in wanted})

    # Where everything goes

    def _place(self) -> None:
        machines = {o.machine for o in self.objects}
        if len(machines) != 1 or not machines <= set(_PATCHES):
            raise LinkError(f"objects for {', '.join(sorted(machines)) or 'nothing'} cannot be linked")
        self.machine, = machines
        self.places: dict[tuple[int, int], int] = {}
        at = self._place_sections(lambda flags: flags & SHF_CODE, 0)
        for name in self._imported():
            self.stubs[name], at = _aligned(at, 16), _aligned(at, 16) + 16
        self.constants = _aligned(at, PAGES[self.machine])
        at = self._place_sections(lambda flags: not flags & (SHF_CODE | SHF_WRITE), self.constants)
        self.tables = _aligned(at, PAGES[self.machine])
        at = _aligned(self._place_sections(lambda flags: flags & SHF_WRITE, self.tables), 8)
        for name in self.stubs:
            self.slots[name], at = at, at + 8
        self.size = _aligned(at, PAGES[self.machine])
        for number, symbols in enumerate(self.symbols):
            for symbol in symbols:
                place = self.places.get((number, symbol.section))
                if place is not None and not symbol.is_local:
                    if symbol.name in self.defined:
                        raise LinkError(f"{symbol.name} is defined twice")
                    self.defined[symbol.name] = place + symbol.value

    def _place_sections(self, wanted: Callable[[int], int | bool], at: int) -> int:
        """Places the sections whose flags are so; returns the end."""
        for number, found in enumerate(self.objects):
            for section in found.sections:
                if section.flags & SHF_ALLOC and wanted(section.flags) and section.name != ".eh_frame":
                    if section.type == SHT_NOBITS and section.size:
                        raise LinkError(f"section {section.name} holds data that is written")
                    at = _aligned(at, max(section.align, LINE))
                    self.places[number, section.index] = at
                    at += section.size
        return at

    def _imported(self) -> list[str]:
        defined = {s.name for symbols in self.symbols for s in symbols if not s.is_local and s.section != UNDEFINED}
        needed = {s.name for symbols in self.symbols for s in symbols if not s.is_local and s.section == UNDEFINED}
        return sorted(needed - defined)

    # What refers to what

    def _relocate(self, number: int, found: Object, memory: np.ndarray) -> None:
        targets: np.ndarray | None = None
        for section in found.sections:
            place = self.places.get((number, section.info)) if section.type == SHT_RELA else None
            if place is None:
                continue
            if targets is None:
                targets = self._targets(number)
            rows = np.frombuffer(found.contents(section), _RELOCATION)
            for kind in sorted(set(rows["kind"].tolist())):        # np.unique would import numpy.ma
                some = rows[rows["kind"] == kind]
                values = targets[some["symbol"]]
                if (values < 0).any():
                    name = self.symbols[number][int(some["symbol"][values < 0][0])].name
                    raise LinkError(f"{found.sections[section.info].name} refers to {name or 'a section'}, which is "
                                    "not in the image")
                self._patch(kind, memory, place + some["offset"].astype(np.int64), values + some["addend"],
                            found.sections[section.info])

    def _targets(self, number: int) -> np.ndarray:
        """The place of each symbol of an object; -1: it has none."""
        found = []
        for symbol in self.symbols[number]:
            if 0 < symbol.section < FIRST_RESERVED:
                place = self.places.get((number, symbol.section))
                found.append(-1 if place is None else place + symbol.value)
            else:
                found.append(self.defined.get(symbol.name, self.stubs.get(symbol.name, -1)))
        return np.array(found, np.int64)

    def _patch(self, kind: int, memory: np.ndarray, at: np.ndarray, values: np.ndarray, section: Section) -> None:
        if kind == ADDRESS_KINDS[self.machine]:
            if not section.flags & SHF_WRITE:
                raise LinkError(f"{section.name} holds addresses, and is no table")
            _write(memory, at, values, 8)
            self.relative.append(at)
            return
        patch = _PATCHES[self.machine].get(kind)
        if patch is None:
            raise LinkError(f"{section.name} has a relocation of kind {kind} for {self.machine}, which is not known")
        patch(memory, at, values)


def _aligned(at: int, to: int) -> int:
    return -(-at // to) * to


def _write(memory: np.ndarray, at: np.ndarray, values: np.ndarray, size: int) -> None:
    for i in range(size):
        memory[at + i] = (values >> (8 * i)) & 0xFF


def _read32(memory: np.ndarray, at: np.ndarray) -> np.ndarray:
    return sum(memory[at + i].astype(np.int64) << (8 * i) for i in range(4))  # type: ignore[return-value]


def _distance(memory: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
    """A 32-bit distance from the place itself."""
    found = values - at
    if (abs(found) >= 1 << 31).any():
        raise LinkError("the image is too large")
    _write(memory, at, found, 4)


# aarch64: fields of instructions.

def _branch(memory: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
    found = values - at
    if (abs(found) >= 1 << 27).any() or (found & 3).any():
        raise LinkError("the image is too large")
    _write(memory, at, (_read32(memory, at) & ~0x3FFFFFF) | (found >> 2 & 0x3FFFFFF), 4)


def _page_distance(memory: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
    """adrp: the distance in pages of 4 KB, low two bits apart."""
    pages = (values >> 12) - (at >> 12)
    instruction = _read32(memory, at) & ~0x60FFFFE0
    _write(memory, at, instruction | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5, 4)


def _in_page(shift: int) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """The place within its page of 4 KB, in units of 1 << shift bytes."""
    def patch(memory: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
        inside = values & 0xFFF
        if (inside & ((1 << shift) - 1)).any():
            raise LinkError("a load of memory that is not aligned")
        _write(memory, at, (_read32(memory, at) & ~(0xFFF << 10)) | (inside >> shift) << 10, 4)
    return patch


def _stub_x86_64(stub: int, slot: int) -> bytes:
    return b"\xff\x25" + struct.pack("<i", slot - (stub + 6))           # jmp *slot(%rip)


def _stub_aarch64(stub: int, slot: int) -> bytes:
    pages, inside = (slot >> 12) - (stub >> 12), (slot & 0xFFF) >> 3
    return struct.pack("<III", 0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5,    # adrp x16, slot
                       0xF9400210 | inside << 10, 0xD61F0200)           # ldr x16, [x16, slot]; br x16


Patch = Callable[[np.ndarray, np.ndarray, np.ndarray], None]
_STUBS = {"x86_64": _stub_x86_64, "aarch64": _stub_aarch64}
_PATCHES: dict[str, dict[int, Patch]] = {
    "x86_64": {2: _distance, 4: _distance},    # PC32, PLT32
    "aarch64": {261: _distance,                # PREL32
                275: _page_distance,           # ADR_PREL_PG_HI21
                277: _in_page(0),              # ADD_ABS_LO12_NC
                278: _in_page(0), 284: _in_page(1), 285: _in_page(2), 286: _in_page(3), 299: _in_page(4),   # LDST8..128
                282: _branch, 283: _branch},   # JUMP26, CALL26
}
