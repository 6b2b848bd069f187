"""Checkpoints for the fuzzers: the indexes of a good one, mutated by their bytes, by what their entries say, or by what
a block says of its keys; in the last two cases the checksums are right, so that the readers behind them are reached."""
from __future__ import annotations

import random
import struct
from functools import cache
from pathlib import Path

import numpy as np

import graphc as gc
from graphc.io.checkpoint.bundle import Bundle
from graphc.io.checkpoint.table import FOOTER, TRAILER, Cursor, table_bytes
from graphc.io.checkpoint.write_bundle import write_bundle
from graphc.io.crc32c import crc32c, masked
from graphc.serial.bundle_pb2 import BundleEntry, BundleHeader

from mutate import mutate_bytes, mutate_message

MODEL, PREFIX = "model.pb", "base"


@cache
def model_file() -> bytes:
    """A model that adds to its variables, one of them partitioned."""
    with gc.Graph().as_default(), gc.Session() as session:
        parts = gc.get_variable("table", [7, 5], partitioner=gc.fixed_size_partitioner(3))
        made = [gc.get_variable("w", [4, 3]), gc.get_variable("flags", initializer=np.array([True, False])), *parts]
        session.run(gc.global_variables_initializer())
        more = gc.assign_add(made[0], gc.ones([4, 3]))
        return gc.export_model(session, {"more": gc.Signature(more)}).SerializeToString()


def write_base(folder: Path) -> None:
    """The model, and a checkpoint that it can restore."""
    (folder / MODEL).write_bytes(model_file())
    parts = [(f"7 5 {start},{rows}:0,5", np.ones((rows, 5), np.float32)) for start, rows in ((0, 3), (3, 2), (5, 2))]
    write_bundle(str(folder / PREFIX), [("w", "", np.ones((4, 3), np.float32)), ("flags", "", np.array([True, False])),
                                        *(("table", text, value) for text, value in parts)])


def next_index(folder: Path, rng: random.Random) -> bytes:
    whole = (folder / f"{PREFIX}.index").read_bytes()
    choice = rng.random()
    if choice < 0.15:
        return mutate_bytes(whole, rng)
    if choice < 0.5:
        return _with_other_block(whole, rng)
    return _with_other_entries(folder, rng)


def _with_other_block(whole: bytes, rng: random.Random) -> bytes:
    """The block of entries is changed, and its checksum put right."""
    footer = Cursor(whole[-FOOTER:], "the footer")
    end = footer.varint() - TRAILER              # the metaindex stands behind the only block
    block = mutate_bytes(whole[:end], rng)
    block = block[:end].ljust(end, b"\0") + b"\0"
    return block + struct.pack("<I", masked(crc32c(block))) + whole[end + TRAILER:]


def _with_other_entries(folder: Path, rng: random.Random) -> bytes:
    bundle = Bundle(str(folder / PREFIX))
    messages: dict[bytes, BundleEntry | BundleHeader] = {**bundle.entries, b"": bundle.header}
    key = rng.choice(list(messages))
    if rng.random() < 0.1:
        del messages[key]
    else:
        mutate_message(messages[key], rng)
    if rng.random() < 0.05:                      # many keys, several blocks
        messages |= {b"x%06d" % i: BundleEntry(size=i) for i in range(20_000)}
    return table_bytes({key: message.SerializeToString() for key, message in messages.items()})
