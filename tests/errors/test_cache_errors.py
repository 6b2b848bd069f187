"""A cache of machine code that cannot be written: everything works, and one warning says so."""
from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue
from graphc.exec.library import load_library
from graphc.kernels.toolchain import cache
from graphc.session.prepared_run import RUNS_BEFORE_CODE


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_library()
    (tmp_path / "file").write_text("no directory")
    folder = tmp_path / "file" / "cache"
    monkeypatch.setenv("GRAPHC_CACHE", str(folder))
    x = gc.placeholder(gc.float32, [None], name="x")
    first, second = gc.tanh(x) * 1.2345 + 6.0, gc.exp(x) * 5.4321 - 6.0
    session = gc.Session()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for y in (first, second):
            before = session.run(y, {x: [1.0, 2.0]})
            for _ in range(RUNS_BEFORE_CODE + 1):
                np.testing.assert_array_equal(session.run(y, {x: [1.0, 2.0]}), before)
        code_queue.settle()
    assert [str(w.message) for w in caught] == [
        f"graphc: the cache of compiled kernels at {folder} cannot be written ([Errno 17] File exists: "
        f"'{folder.parent}'); each process compiles them again. Set GRAPHC_CACHE to a directory of yours."]


def test_killed_writer_leaves_no_half_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    assert cache.write("entry", b"machine code")
    monkeypatch.setattr(cache.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        cache.write("entry", b"other code")
    assert cache.read("entry") == b"machine code" and [p.name for p in tmp_path.iterdir()] == ["entry"]
