"""Files that change while they are read, and files that are written: old or new, never a part."""
from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from files import build_runner, case_file
from five import CASES


@pytest.fixture(scope="module")
def folder() -> Path:
    return build_runner()


@pytest.fixture
def command(folder: Path, tmp_path: Path) -> list[str]:
    """graphc-run on a model and a feed in tmp_path."""
    case = CASES["conv_norm_dense"]()
    (tmp_path / "model.pb").write_bytes(case_file(case))
    np.save(tmp_path / "x.npy", case.feeds(np.random.default_rng(0))[2][0])
    return [str(folder / "graphc-run"), str(tmp_path / "model.pb"), "--feed", f"x={tmp_path / 'x.npy'}"]


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=100, check=False, **options)


CUTTER = """
import ctypes, sys, threading, time
library, path, good = ctypes.CDLL(sys.argv[1]), sys.argv[2], open(sys.argv[2], "rb").read()
over = threading.Event()

def change():
    with open(path, "r+b", buffering=0) as file:
        while not over.is_set():
            file.truncate(5000)
            file.seek(0)
            file.write(good)

thread, statuses = threading.Thread(target=change), set()
thread.start()
end, loads = time.monotonic() + 60, 0
while time.monotonic() < end and (loads < 100 or len(statuses) < 2):
    loads += 1
    model = ctypes.c_void_p()
    statuses.add(library.graphc_load_file(path.encode(), None, ctypes.byref(model)))
    library.graphc_model_free(model)
over.set()
thread.join()
assert statuses <= {0, 9, 15}, statuses
assert len(statuses) > 1, "the file was never cut short while it was read"
"""


def test_a_file_that_is_cut_short_while_it_is_read(folder: Path, tmp_path: Path) -> None:
    """In a process of its own: a mapped file would end it with SIGBUS."""
    file = case_file(CASES["conv_norm_dense"]())
    (tmp_path / "model.pb").write_bytes(file + b"\x82\x7d\x80\x80\x80\x02" + bytes(1 << 22))    # an unknown field
    done = run(sys.executable, "-c", textwrap.dedent(CUTTER), folder / "libgraphc.so", tmp_path / "model.pb")
    assert done.returncode == 0, done.stderr


def test_what_is_no_file(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path, "not a regular file"), (tmp_path / "none", "No such file"),
                          (Path("/dev/zero"), "not a regular file")):
        done = run(folder / "graphc-run", path, "--info")
        assert done.returncode == 1 and message in done.stderr


# --- --out


def test_out_replaces_a_file_as_a_whole(command: list[str], tmp_path: Path) -> None:
    out, link = tmp_path / "y.npy", tmp_path / "link.npy"
    out.write_bytes(b"old")
    out.chmod(0o640)
    link.symlink_to("y.npy")
    assert run(*command, "--out", link).returncode == 0
    assert np.load(out).shape[1] == 70 and link.is_symlink()
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    old = os.umask(0o027)
    try:
        assert run(*command, "--out", tmp_path / "new.npy").returncode == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.npy").stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.npy", "model.pb", "new.npy", "x.npy", "y.npy"]


def test_out_on_a_full_disk(command: list[str], tmp_path: Path) -> None:
    """Also of several outputs: none is written if one cannot be."""
    out = tmp_path / "y.npy"
    out.write_bytes(b"old")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    done = run(*command, "--out", out, preexec_fn=small_files, restore_signals=False)
    assert done.returncode == 1 and f"cannot write {out}: File too large" in done.stderr
    done = run(*command, "--fetch", "logits", "--out", out, "--fetch", "logits:0", "--out", tmp_path / "no/z.npy")
    assert done.returncode == 1 and "no/z.npy: No such file" in done.stderr
    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pb", "x.npy", "y.npy"]


def test_out_to_a_device(command: list[str], tmp_path: Path) -> None:
    done = run(*command, "--out", "/dev/full")
    assert done.returncode == 1 and "cannot write /dev/full: No space left on device" in done.stderr
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    assert run(*command, "--out", "/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    shown = subprocess.run([*command, "--out", "/dev/stdout"], capture_output=True, check=True, timeout=100).stdout
    assert shown.startswith(b"\x93NUMPY")


def test_what_cannot_be_printed(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*command, "--info"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100,
                              check=False)
    assert done.returncode == 1 and "cannot print: No space left on device" in done.stderr
