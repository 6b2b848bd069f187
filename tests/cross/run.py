"""Runs the hand-written Plans through a runner of another machine: run.py PROGRAM-AND-EMULATOR...

Writes each case's model, states and feeds to a folder, runs `PROGRAM FOLDER` there (tests/cross/cases.cpp), and
compares what it leaves with NumPy. Exit status 0: all are equal.
"""
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

for _folder in ("plan", "runner"):
    sys.path.insert(0, str(Path(__file__).parents[1] / _folder))
from files import case_file
from five import CASES, Case


def check(case: Case, command: list[str], folder: Path) -> int:
    """Number of arrays compared."""
    (folder / "model.pb").write_bytes(case_file(case))
    feeds = case.feeds(np.random.default_rng(0))
    for k, value in enumerate(case.states.values()):
        np.save(folder / f"state_{k}.npy", value)
    for run, inputs in enumerate(feeds):
        for k, value in enumerate(inputs):
            np.save(folder / f"{run}_in_{k}.npy", value)
    subprocess.run([*command, str(folder)], check=True)
    compared, truth = 0, {name: value.copy() for name, value in case.states.items()}
    for run, inputs in enumerate(feeds):
        for k, right in enumerate(case.expected(inputs, case.constants, truth)):
            found = np.load(folder / f"{run}_out_{k}.npy")
            assert found.shape == right.shape and found.dtype == right.dtype
            np.testing.assert_allclose(found, right, rtol=2e-4, atol=2e-5)
            compared += 1
    for k, right in enumerate(truth.values()):
        np.testing.assert_allclose(np.load(folder / f"state_out_{k}.npy"), right, rtol=2e-4, atol=2e-5)
        compared += 1
    return compared


def main() -> None:
    command = sys.argv[1:]
    for name, make in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: {check(make(), command, Path(folder))} arrays equal NumPy's", flush=True)


if __name__ == "__main__":
    main()
