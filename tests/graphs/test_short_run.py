"""A short version of `make fuzz-graphs`: the same few random graphs everywhere, on every run."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), *(str(ROOT / "tests" / f) for f in ("ops", "plan", "runner"))]

from files import build_runner
from graph_run import Fuzzing

CASES = 8      # a parameter


@pytest.mark.parametrize("first", [100, 200, 300, 400])
def test_random_graphs(first: int, tmp_path: Path) -> None:
    build_runner()
    fuzzing = Fuzzing(300.0, 0, tmp_path, sys.executable)
    fuzzing.cases(first, CASES)
    totals = fuzzing.totals
    scripts = "\n".join(p.read_text() for p in sorted(tmp_path.glob("seed_*")) if "crash" not in p.name)
    assert not totals.found, f"found, with the first seed: {totals.first}\n{scripts}"
    assert totals.cases == CASES and totals.compared > 20 * CASES, totals
