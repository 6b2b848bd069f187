"""Weights kept as bfloat16 in C++: the Session's bits, by the switch alone, for a Plan that says nothing of it."""
from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

from files import build_runner


@pytest.mark.parametrize("isa", ["x86-64-v3", ""])
def test_the_runner_gives_the_same_bits(isa: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        program = build_runner() / "graphc-run"
        if isa:
            monkeypatch.setenv("GRAPHC_ISA", isa)
        generator = np.random.default_rng(0)
        x = gc.placeholder(gc.float32, [None, 70], name="x")
        first, second = (generator.standard_normal(shape).astype(np.float32) for shape in ((70, 130), (33, 130)))
        y = gc.matmul(gc.nn.relu(gc.matmul(x, first)), second, transpose_b=True, name="y")
        (tmp_path / "y.pb").write_bytes(gc.freeze(gc.Session(), [y]).SerializeToString())
        for rows in (1, 9):
            fed, results = generator.standard_normal((rows, 70)).astype(np.float32), []
            np.save(tmp_path / "x.npy", fed)
            for weights in ("bfloat16", ""):
                monkeypatch.setenv("GRAPHC_WEIGHTS", weights)
                subprocess.run([program, "y.pb", "--feed", "x=x.npy", "--out", "y.npy"], cwd=tmp_path, check=True)
                found = np.load(tmp_path / "y.npy")
                np.testing.assert_array_equal(found, gc.Session().run(y, {x: fed}))
                results.append(found)
            assert not np.array_equal(*results)
            np.testing.assert_allclose(*results, rtol=0.02, atol=2.0)
        monkeypatch.setenv("GRAPHC_WEIGHTS", "bf16")
        told = subprocess.run([program, "y.pb", "--feed", "x=x.npy", "--out", "y.npy"], cwd=tmp_path, check=False,
                              capture_output=True, text=True)
        assert told.returncode != 0 and 'must be "float32" or "bfloat16", but is "bf16"' in told.stderr
