"""Winograd's convolutions in C++: the Session's bits, and the switch that forbids them."""
from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.kernels.cpu.convolution.conv_tiles import WINOGRAD

from files import build_runner


@pytest.mark.parametrize("taps", [3, 5])
def test_the_runner_gives_the_same_bits_and_knows_the_switch(taps: int, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    with gc.Graph().as_default():
        generator, program = np.random.default_rng(0), build_runner() / "graphc-run"
        x = gc.placeholder(gc.float32, [None, 19, 33, 36], name="x")
        w = gc.constant(generator.standard_normal((taps, taps, 36, 50)).astype(np.float32))
        y = gc.nn.relu(gc.nn.conv2d(x, w, 1, "SAME"), name="y")
        fed = generator.standard_normal((5, 19, 33, 36)).astype(np.float32)
        (tmp_path / "y.pb").write_bytes(gc.freeze(gc.Session(), [y]).SerializeToString())
        np.save(tmp_path / "x.npy", fed)

        def native(switch: str) -> tuple[np.ndarray, str]:
            monkeypatch.setenv("GRAPHC_WINOGRAD", switch)
            monkeypatch.setenv("GRAPHC_TRACE", "1")
            told = subprocess.run([program, "y.pb", "--feed", "x=x.npy", "--out", "y.npy"], cwd=tmp_path, check=True,
                                  capture_output=True, text=True)
            monkeypatch.delenv("GRAPHC_TRACE")
            return np.load(tmp_path / "y.npy"), told.stderr

        results = []
        for switch in ("1", "0"):
            found, told = native(switch)
            assert (f"variant {WINOGRAD}" in told) == (switch == "1"), told
            np.testing.assert_array_equal(found, gc.Session().run(y, {x: fed}))
            results.append(found)
        assert not np.array_equal(*results)
        np.testing.assert_allclose(*results, rtol=1e-5, atol={3: 1e-3, 5: 6e-3}[taps])
