"""LevelDB's tables, in which checkpoints keep their index: sorted keys, each with a value (proto/bundle.proto).

What a file says of itself is not believed: every length and position is checked against the bytes there are, and every
block against its checksum. What is wrong is a DataLossError that names the file.
"""
from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphc.errors import DataLossError, UnimplementedError
from graphc.io.crc32c import crc32c, masked
from graphc.io.wire import number_bytes, read_number

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
BLOCK_SIZE = 1 << 18         # a block ends after the entry that brings it here, as TensorFlow's do
RESTART_INTERVAL = 16
_COMPRESSIONS = {1: "snappy", 2: "zlib"}


# Reading


@dataclass(frozen=True)
class Handle:
    """Where a block is; its trailer stands after it."""

    offset: int
    size: int


class Cursor:
    """Reads numbers and bytes from `data`, never past its end. what: how errors call it."""

    def __init__(self, data: bytes, what: str, position: int = 0) -> None:
        self.data, self.what, self.position = data, what, position

    def varint(self) -> int:
        try:
            value, self.position = read_number(self.data, self.position)
        except ValueError:
            where = f"byte {self.position} of {len(self.data)}"
            raise damaged(self.what, f"a number in it does not end ({where})") from None
        return value

    def bytes(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise damaged(self.what, f"it ends inside an entry (byte {self.position} of {len(self.data)})")
        found = self.data[self.position:end]
        self.position = end
        return found

    def at_end(self) -> bool:
        return self.position >= len(self.data)


def damaged(what: str, how: str) -> DataLossError:
    return DataLossError(f"{what} is damaged, truncated, or no checkpoint: {how}")


def read_table(path: str) -> dict[bytes, bytes]:
    """Every key with its value. Raises OSError if the file cannot be read."""
    with open(path, "rb") as file:
        data = file.read()
    return dict(_entries(data, path))


def is_table(path: str) -> bool:
    """Whether the file ends as a table does. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        return file.read() == struct.pack("<Q", MAGIC)


def _entries(data: bytes, path: str) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < FOOTER:
        raise damaged(path, f"it has {len(data)} bytes, a table at least {FOOTER}")
    if struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise damaged(path, "it does not end as a table does")
    footer = Cursor(data[-FOOTER:-8], path)
    footer.varint(), footer.varint()               # the metaindex, which is empty
    index = Handle(footer.varint(), footer.varint())
    before: bytes | None = None
    for _, value in _block_entries(_block(data, index, path), path):
        cursor = Cursor(value, path)
        for key, found in _block_entries(_block(data, Handle(cursor.varint(), cursor.varint()), path), path):
            if before is not None and key <= before:
                raise damaged(path, f"its keys are not in order ({key!r} comes after {before!r})")
            before = key
            yield key, found


def _block(data: bytes, handle: Handle, path: str) -> bytes:
    end = handle.offset + handle.size
    if end + TRAILER > len(data) - FOOTER:
        raise damaged(path, f"a block from byte {handle.offset} to {end} is not inside its {len(data)} bytes")
    kind = data[end]
    if kind:
        raise UnimplementedError(f"{path}: a block is compressed ({_COMPRESSIONS.get(kind, kind)}), which TensorFlow's "
                                 "checkpoints are not; save it with TensorFlow again")
    if masked(crc32c(data[handle.offset:end + 1])) != struct.unpack_from("<I", data, end + 1)[0]:
        raise damaged(path, f"the checksum of the block from byte {handle.offset} to {end} is wrong")
    return data[handle.offset:end]


def _block_entries(block: bytes, path: str) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise damaged(path, f"a block has {len(block)} bytes")
    restarts = 4 * struct.unpack("<I", block[-4:])[0] + 4
    if restarts > len(block):
        raise damaged(path, f"a block of {len(block)} bytes says that {restarts} of them are restarts")
    cursor, key, total = Cursor(block[:-restarts], path), b"", 0
    while not cursor.at_end():
        shared, more, size = cursor.varint(), cursor.varint(), cursor.varint()
        if shared > len(key):
            raise damaged(path, f"a key shares {shared} bytes with one of {len(key)}")
        key = key[:shared] + cursor.bytes(more)
        total += len(key)
        if total > RESTART_INTERVAL * len(block):         # every 16th key stands there in full
            raise damaged(path, f"the keys of a block of {len(block)} bytes have more than {total} bytes")
        yield key, cursor.bytes(size)


# Writing


def table_bytes(entries: Mapping[bytes, bytes]) -> bytes:
    """The table of these entries, byte for byte TensorFlow's."""
    made, index = bytearray(), _Block(1)
    block, last = _Block(RESTART_INTERVAL), b""
    for key in sorted(entries):
        if block.full():
            index.add(_between(last, key), _append(made, block))
            block = _Block(RESTART_INTERVAL)
        block.add(key, entries[key])
        last = key
    if block.entries:
        index.add(_behind(last), _append(made, block))
    metaindex = _append(made, _Block(RESTART_INTERVAL))
    footer = metaindex + _append(made, index)
    return bytes(made + footer.ljust(FOOTER - 8, b"\0") + struct.pack("<Q", MAGIC))


class _Block:
    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.data = bytearray()
        self.restarts = [0]
        self.entries = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self.entries and self.entries % self.interval == 0:
            self.restarts.append(len(self.data))
        elif self.entries:
            shared = _shared(self.last, key)
        for number in (shared, len(key) - shared, len(value)):
            self.data += number_bytes(number)
        self.data += key[shared:] + value
        self.last = key
        self.entries += 1

    def full(self) -> bool:
        return len(self.data) + 4 * len(self.restarts) + 4 >= BLOCK_SIZE

    def whole(self) -> bytes:
        return bytes(self.data) + struct.pack(f"<{len(self.restarts) + 1}I", *self.restarts, len(self.restarts))


def _append(made: bytearray, block: _Block) -> bytes:
    """Puts the block, uncompressed, after what was made; gives its handle."""
    data = block.whole()
    handle = number_bytes(len(made)) + number_bytes(len(data))
    made += data + b"\0" + struct.pack("<I", masked(crc32c(data + b"\0")))
    return handle


def _between(low: bytes, high: bytes) -> bytes:
    """The shortest key, at least `low` and less than `high`, that LevelDB finds."""
    at = _shared(low, high)
    if at < min(len(low), len(high)) and low[at] < 255 and low[at] + 1 < high[at]:
        return low[:at] + bytes([low[at] + 1])
    return low


def _shared(a: bytes, b: bytes) -> int:
    """How many bytes both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _behind(key: bytes) -> bytes:
    """The shortest key, at least `key`, that LevelDB finds."""
    for at, byte in enumerate(key):
        if byte < 255:
            return key[:at] + bytes([byte + 1])
    return key
