"""Random graphs (tests/graphs) on the device, in parts and wholly: loops, branches, lists, variables, errors."""
from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from on_both import EVERYTHING, ON_GPU
from stand_in import StandIn

FOLDERS = [str(Path(__file__).parents[1] / name) for name in ("graphs", "ops", "plan", "runner")]
SEEDS = (3, 9, 20, 31, 146, 161)
MORE = range(200, 260) if EVERYTHING or ON_GPU else ()


@pytest.mark.parametrize("seed", [*SEEDS, *MORE])
def test_a_random_graph(device: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if seed in MORE and isinstance(device, StandIn):
        pytest.skip("takes minutes in the emulator")
    monkeypatch.setattr(sys, "path", [*FOLDERS, *sys.path])
    from compare import check
    from generate import generate

    report = check(generate(seed, refused=Counter()), wanted={"gpu"})
    assert not report.problems
    assert report.compared or report.skipped
