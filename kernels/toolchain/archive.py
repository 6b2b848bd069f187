"""`ar` archives, as linkers read them, written to the byte alike every time: no dates, no owners."""
from __future__ import annotations

import struct
from collections.abc import Sequence

from .gate import read_symbols

MAGIC = b"!<arch>\n"
# Members of a library's archive that are no objects: the C signatures of the entry points, and the scalars' LLVM text.
ENTRIES, SCALARS = "entries.json", "scalars.json"


def write_archive(members: Sequence[tuple[str, bytes]], index: bool = False) -> bytes:
    """An archive of (name, contents). index: with the symbol table that linkers want (ELF members only)."""
    names, long_names = [], b""
    for name, _ in members:
        if len(name) < 16:
            names.append(f"{name}/")
        else:
            names.append(f"/{len(long_names)}")
            long_names += name.encode() + b"/\n"
    body, offsets = b"", []
    symbols = [sorted(read_symbols(data).defined) if index else [] for _, data in members]
    table_size = 4 + sum(4 + len(s) + 1 for group in symbols for s in group)
    start = len(MAGIC)
    if index:
        start += 60 + _even(table_size)
    if long_names:
        start += 60 + _even(len(long_names))
    chunks = []
    for name, (_, data) in zip(names, members, strict=True):
        offsets.append(start)
        chunk = _header(name, len(data)) + data + b"\n" * (len(data) % 2)
        chunks.append(chunk)
        start += len(chunk)
    body = b"".join(chunks)
    head = MAGIC
    if index:
        where = [offset for offset, group in zip(offsets, symbols, strict=True) for _ in group]
        table = struct.pack(f">{1 + len(where)}I", len(where), *where)
        table += b"".join(s.encode() + b"\0" for group in symbols for s in group)
        head += _header("/", len(table)) + table + b"\n" * (len(table) % 2)
    if long_names:
        head += _header("//", len(long_names)) + long_names + b"\n" * (len(long_names) % 2)
    return head + body


def read_archive(data: bytes) -> list[tuple[str, bytes]]:
    """(name, contents) of every member. Raises ValueError if `data` is no archive or is cut short."""
    if data[:8] != MAGIC:
        raise ValueError("not an archive")
    members, long_names, position = [], b"", 8
    while position < len(data):
        header = data[position:position + 60]
        if len(header) < 60 or header[58:] != b"`\n":
            raise ValueError("a damaged archive")
        name, size = header[:16].decode().rstrip(), int(header[48:58])
        contents = data[position + 60:position + 60 + size]
        if len(contents) != size:
            raise ValueError("an archive cut short")
        position += 60 + _even(size)
        if name == "//":
            long_names = contents
        elif name != "/":
            if name.startswith("/"):
                start = int(name[1:])
                name = long_names[start:long_names.index(b"/\n", start)].decode() + "/"
            members.append((name[:-1], contents))
    return members


def _even(size: int) -> int:
    return size + size % 2


def _header(name: str, size: int) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{'644':<8}{size:<10}`\n".encode()
