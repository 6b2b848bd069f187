"""The disk cache: what is in it has an end, whoever writes to it and however they end."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from graphc.kernels.toolchain import cache

WRITER = """
import itertools
from graphc.kernels.toolchain import cache
for i in itertools.count():
    cache.write_few(f"map-{i % 37:02}.image", bytes([i % 37]) * 5000, "map-")
    for k in range(37):
        found = cache.read_used(f"map-{k:02}.image")
        assert found is None or found == bytes([k]) * 5000, (k, found[:9])
    if i == 20:
        print("begun", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "_sizes", {})
    return tmp_path


def bytes_in(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.glob("map-*"))


def test_what_was_used_longest_ago_is_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE_SIZE", "20K")
    (folder / "library.a").write_bytes(bytes(50_000))
    for i in range(41):
        assert cache.write_few(f"map-{i:02}.image", bytes([i]) * 1000, "map-")
        assert bytes_in(folder) <= 20 << 10
        assert cache.read_used("map-00.image") == bytes(1000)        # used again and again: never deleted
    left = sorted(p.name for p in folder.glob("map-*"))
    assert len(left) > 15 and "map-40.image" in left and "map-05.image" not in left
    assert (folder / "library.a").stat().st_size == 50_000


def test_one_that_is_larger_than_all_may_be_is_kept_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE_SIZE", "1000")
    for name in ("map-1", "map-2"):
        assert cache.write_few(name, bytes(5000), "map-")
        assert [p.name for p in folder.glob("map-*")] == [name] and cache.read(name) == bytes(5000)


def test_what_other_processes_wrote_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE_SIZE", "100K")
    assert cache.write_few("map-own", bytes(1000), "map-")
    for i in range(200):
        cache.write_file(folder / f"map-{i:03}", bytes(1000))
    for _ in range(cache.LOOK_EVERY):
        assert cache.write_few("map-own", bytes(1000), "map-")
    assert bytes_in(folder) <= 100 << 10 and cache.read("map-own") == bytes(1000)


@pytest.mark.parametrize("text, size", [("", 256 << 20), ("123", 123), ("64M", 64 << 20), ("2g", 2 << 30),
                                        ("3 KB", 3 << 10), ("0", 0)])
def test_sizes(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE_SIZE", text)
    assert cache.size_limit() == size


def test_a_size_that_is_none_is_warned_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE_SIZE", "much")
    monkeypatch.setattr(cache, "_warned", set())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert cache.size_limit() == cache.size_limit() == cache.USUAL_SIZE
    assert [str(w.message) for w in caught] == [
        "graphc: GRAPHC_CACHE_SIZE=much is no size; write bytes, or as 64M or 2G. 256M is used"]


def test_temporary_files_that_were_left_are_swept(folder: Path) -> None:
    old, new = folder / ".new-old", folder / ".new-new"
    for path in (old, new):
        path.write_bytes(b"half")
    past = time.time() - cache.LEFT_BEHIND - 60
    os.utime(old, (past, past))
    assert cache.write_few("map-1", b"code", "map-")
    assert not old.exists() and new.exists()               # somebody may be writing the other one


def test_processes_that_write_trim_and_are_killed(folder: Path) -> None:
    """Nobody reads half an entry or fails for one that another process has deleted."""
    environment = {**os.environ, "GRAPHC_CACHE_SIZE": "60K"}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == b"begun\n"
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == -signal.SIGKILL and said == b"", said.decode()
    for path in folder.glob("map-*"):
        assert cache.read(path.name) == bytes([int(path.name[4:6])]) * 5000
    for path in folder.glob(".new-*"):
        os.utime(path, (0, 0))
    cache.sweep(folder)
    assert not list(folder.glob(".new-*")) and bytes_in(folder) <= 2 * (60 << 10)
