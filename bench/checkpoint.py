"""How fast checkpoints are written and read, beside a plain file of as many bytes:

    python bench/checkpoint.py --gigabytes 1

    plain write     one file, 64 MB a call, with fsync at the end: what the disk can do
    save            gc.train.Saver.save: checksums, fsync, index, the meta graph
    plain read      that file into memory that is there, from the disk (its pages are dropped before) and from the cache
    restore         gc.train.Saver.restore into variables that have values, and into those of a new session

Extra memory is what a call adds at its peak to what is resident before it (VmHWM), in a process that does nothing else;
for a new session, less the variables themselves. Rates are of the clock, rounds alternate, the median counts.
"""
from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc

CHUNK = 64 << 20
MEGA = 1e6


@dataclass
class Measured:
    """Of one thing that is timed: seconds and bytes of extra memory, a round each."""

    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--variables", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="on the disk that is measured; default: that of temporary files")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="checkpoint-", dir=options.folder))
    try:
        rows = max(1, int(options.gigabytes * 1e9 / options.variables / 4096))
        report(measure(folder, options.variables, rows, options.rounds), options.variables * rows * 4096)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, count: int, rows: int, rounds: int) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    variables = [gc.get_variable(f"v{i}", [rows, 1024], initializer=gc.random_uniform_initializer(seed=i))
                 for i in range(count)]
    size, prefix, plain = count * rows * 4096, folder / "model", folder / "plain"
    saver = gc.train.Saver()
    session = gc.Session()
    session.run(gc.global_variables_initializer())
    saver.save(session, str(prefix))                    # compiles
    for _ in range(rounds):
        timed(found, "plain write", lambda: write_plain(plain, size))
        timed(found, "save", lambda: saver.save(session, str(prefix)))
    saver.restore(session, str(prefix))
    block = np.ones(min(size, 1 << 29), np.uint8)
    for _ in range(rounds):
        for cold in (True, False):
            where = "disk" if cold else "cache"
            drop(plain, cold)
            timed(found, f"plain read, {where}", partial(read_plain, plain, block))
            drop(folder / "model.data-00000-of-00001", cold)
            timed(found, f"restore, {where}", lambda: saver.restore(session, str(prefix)))
    session.close()
    del block
    for _ in range(rounds):
        with gc.Session() as fresh:
            timed(found, "restore, cache, new session", partial(saver.restore, fresh, str(prefix)))
            found["restore, cache, new session"].memory[-1] -= size
            assert fresh.run(variables[0][0, 0]) >= 0
    return found


def timed(found: dict[str, Measured], name: str, call: Callable[[], Any]) -> None:
    Path("/proc/self/clear_refs").write_text("5")       # the peak begins anew
    before, started = memory("VmRSS"), time.perf_counter()
    call()
    measured = found.setdefault(name, Measured())
    measured.seconds.append(time.perf_counter() - started)
    measured.memory.append(memory("VmHWM") - before)


def memory(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(what))


def write_plain(path: Path, size: int) -> None:
    block = np.random.default_rng(0).integers(0, 256, min(CHUNK, size), np.uint8)
    with open(path, "wb", buffering=0) as file:
        for at in range(0, size, len(block)):
            file.write(block[:size - at].data)
        os.fsync(file.fileno())


def read_plain(path: Path, block: np.ndarray) -> None:
    with open(path, "rb", buffering=0) as file:
        at = 0
        while count := file.readinto(block[at:at + CHUNK].data):
            at = (at + count) % len(block)


def drop(path: Path, really: bool) -> None:
    """Its pages in the machine's cache are given up."""
    with open(path, "rb") as file:
        if really:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def report(found: dict[str, Measured], size: int) -> None:
    print(f"{size / 1e9:.2f} GB of variables\n{'':30}{'MB/s':>8}{'extra MB':>10}{'of plain':>10}")
    for name, measured in found.items():
        rate = size / statistics.median(measured.seconds)
        plain = name.replace("restore", "plain read").replace("save", "plain write").replace(", new session", "")
        share = statistics.median(found[plain].seconds) / statistics.median(measured.seconds)
        print(f"{name:30}{rate / MEGA:8.0f}{max(measured.memory) / MEGA:10.0f}{share:10.2f}")


if __name__ == "__main__":
    main()
