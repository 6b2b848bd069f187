"""Giving a checkpoint its files at once: whoever ends at any moment leaves the one before or the new one, whole.

What a checkpoint is, is said by its index, and a rename replaces that at once. But the files of data have names, too,
and those of a checkpoint that is overwritten are still needed until then. Their names count them, so the new ones first
get names of another count (PREFIX.data-00000-of-00002 instead of -of-00001) and an index that says so. Then they get
their usual names by a second link, and the index is replaced once more.
"""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress

from graphc.errors import DataLossError, UnimplementedError
from graphc.io.checkpoint.bundle import VERSION, index_name, read_header, shard_name
from graphc.io.checkpoint.leftovers import noted, shards_of
from graphc.io.checkpoint.table import read_table, table_bytes
from graphc.io.whole_files import NewFile, sync_folder, written
from graphc.serial.bundle_pb2 import BundleEntry, BundleHeader


def publish(prefix: str, entries: Mapping[bytes, BundleEntry], shards: Sequence[str]) -> None:
    """Makes the checkpoint: its entries, and its files of data, which are written and synced, and lose their names."""
    count, there = len(shards), _shards_there(prefix)
    first = count if there != count else count + 1
    with noted(prefix) if not there else nullcontext():
        for i, path in enumerate(shards):
            os.replace(path, shard_name(prefix, i, first))
        _write_index(prefix, entries, first)
    if first != count:
        with suppress(OSError):             # a file system without links keeps these names, which are right, too
            for i in range(count):
                _link(shard_name(prefix, i, first), shard_name(prefix, i, count))
            _write_index(prefix, entries, count)
            first = count
    sync_folder(os.path.dirname(prefix))
    kept = {shard_name(prefix, i, first) for i in range(count)}
    for path in set(shards_of(prefix)) - kept:
        os.unlink(path)


def _shards_there(prefix: str) -> int:
    """How many files of data the checkpoint of this name has; 0 if there is none that can be read."""
    index = index_name(prefix)
    try:
        return int(read_header(read_table(index).get(b"", b""), index).num_shards)
    except (FileNotFoundError, DataLossError, UnimplementedError):
        return 0


def _write_index(prefix: str, entries: Mapping[bytes, BundleEntry], shards: int) -> None:
    header = BundleHeader(num_shards=shards)
    header.version.producer = VERSION
    table = {key: entry.SerializeToString(deterministic=True) for key, entry in entries.items()}
    with written(index_name(prefix)) as file:
        file.write(table_bytes({b"": header.SerializeToString(deterministic=True), **table}))


def _link(source: str, target: str) -> None:
    """Makes `target` another name of the file, instead of what had it."""
    with NewFile(target) as made:
        os.unlink(made.path)
        os.link(source, made.path)
        made.rename()
