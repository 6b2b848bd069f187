"""A short version of `make fuzz-graphs` (tests/graphs/run.py): the same few random graphs everywhere, on every run."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), *(str(ROOT / "tests" / f) for f in ("ops", "plan", "runner"))]

import limits
from compare import check
from files import build_runner
from finding import found
from generate import generate

CASES = 10      # a parameter


@pytest.fixture(scope="module", autouse=True)
def runner() -> None:
    build_runner()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", [100, 200, 300, 400])
def test_random_graphs(first: int) -> None:
    compared = 0
    for seed in range(first, first + CASES):
        program = generate(seed)
        report = check(program)
        compared += report.compared
        problem = next((p for p in report.problems if limits.open_fault(p.signature) is None), None)
        assert problem is None, found(seed, program, problem, 10.0).script()
    assert compared > 500
