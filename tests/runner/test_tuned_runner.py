"""The file of `graphc tune` in C++: its ways are gone, and what is no such file is refused."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np

import graphc as gc
from graphc.exec.ways import Sizes, to_text
from graphc.kernels.contracts.all import KERNELS

from files import build_runner

SIZES = Sizes("conv2d.f32", True, (2, 12, 12, 20, 3, 3, 24, 12, 12, 1, 1, 1, 1, 1, 1))


def test_the_runner_reads_the_file(tmp_path: Path) -> None:
    generator, program, ways = np.random.default_rng(0), build_runner() / "graphc-run", tmp_path / "ways"
    with gc.Graph().as_default(), gc.Session() as session:      # in a graph of other tests x would get another name
        x = gc.placeholder(gc.float32, [None, 12, 12, 20], name="x")
        w = gc.constant(generator.standard_normal((3, 3, 20, 24)).astype(np.float32))
        y = gc.nn.relu(gc.nn.conv2d(x, w, 1, "SAME"), name="y")
        (tmp_path / "y.pb").write_bytes(gc.freeze(session, [y]).SerializeToString())
    np.save(tmp_path / "x.npy", generator.standard_normal((2, 12, 12, 20)).astype(np.float32))

    def run(tuned: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, "y.pb", "--feed", "x=x.npy", "--out", "y.npy"], cwd=tmp_path, text=True,
                              env={**os.environ, "GRAPHC_TUNED": tuned, "GRAPHC_TRACE": "1"}, capture_output=True)

    assert run("0").returncode == 0
    wanted = np.load(tmp_path / "y.npy")
    for name in ("taps", "lines", "winograd"):
        way = KERNELS["conv2d"].ways.index(name)
        ways.write_text(to_text({SIZES: way, Sizes("none", False, (1,)): 1}))
        done = run("ways")
        assert done.returncode == 0 and f"variant {way}," in done.stderr, done.stderr
        np.testing.assert_allclose(np.load(tmp_path / "y.npy"), wanted, rtol=1e-4, atol=1e-4)
    for text in ("", "graphc ways 2\n", "graphc ways 1\nconv2d.f32 1\n", "graphc ways 1\nconv2d.f32 1 x 3\n",
                 "graphc ways 1\nconv2d.f32 1 -3 3\n"):
        ways.write_text(text)
        done = run("ways")
        assert done.returncode != 0 and "not a file of `graphc tune`" in done.stderr
    assert run("missing").returncode != 0
