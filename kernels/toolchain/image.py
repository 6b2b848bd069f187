"""An image: one block of machine code that any process maps and uses (load.py), without LLVM and without a linker.

It is code, constants and tables, each from a page of its own on. Within it all is relative, so that its memory does not
depend on where it is mapped, but for the tables: they hold addresses, and what is imported, which code calls through a
stub. link.py makes it.
"""
from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

MAGIC = b"gimage2\n"


@dataclass(frozen=True)
class Image:
    """memory: what is mapped: code, from `constants` on constants, from `tables` on tables. relative: places of words
    to which the image's address is added. imports: places of words that get the address of what is so called. symbols:
    places of what it defines. notes, attachment: what else its maker wants to find there."""

    memory: bytes
    constants: int
    tables: int
    relative: np.ndarray
    imports: Mapping[str, int]
    symbols: Mapping[str, int]
    notes: Mapping[str, object] = field(default_factory=dict)
    attachment: bytes = b""

    def to_bytes(self) -> bytes:
        head = json.dumps([self.constants, self.tables, len(self.relative), len(self.attachment), self.imports,
                           self.symbols, self.notes])
        return b"".join([MAGIC, struct.pack("<Q", len(head)), head.encode(), self.relative.tobytes(), self.attachment,
                         self.memory])

    @classmethod
    def from_bytes(cls, data: bytes) -> Image:
        """Raises ValueError for what to_bytes did not make."""
        start = len(MAGIC) + 8
        if data[:len(MAGIC)] != MAGIC:
            raise ValueError("not an image")
        length, = struct.unpack_from("<Q", data, len(MAGIC))
        constants, tables, count, attached, imports, symbols, notes = json.loads(data[start:start + length])
        start += length
        relative = np.frombuffer(data, "<i8", count, start)
        start += 8 * count
        return cls(data[start + attached:], constants, tables, relative, imports, symbols, notes,
                   data[start:start + attached])
