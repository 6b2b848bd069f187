"""`make tsan`: tests/runner/stress.cpp under ThreadSanitizer, on the hand-written Plans and on outputs of open sizes.

    python tests/runner/stress.py [--seconds 20]

Runner, worker pool, runtime and kernels all tell ThreadSanitizer what they read and write (kernels/toolchain/tsan.py),
in a build that is not vectorised. Ends with status 1 if it reports anything.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/plan"), str(ROOT / "tests/runner")]

import graphc as gc

from files import build_runner, case_file
from five import CASES

KERNELS = ROOT / "build" / "tsan-kernels"


def write_models(folder: Path) -> list[Path]:
    """The hand-written Plans, and a graph of which one output has a size of its own in each run."""
    files = {name: case_file(make()) for name, make in CASES.items()}
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        x = gc.placeholder(gc.float32, [None, 40])
        hidden = gc.tanh(gc.matmul(x, gc.Variable(gc.ones([40, 70]))))
        session.run(gc.global_variables_initializer())
        outputs = [hidden, gc.boolean_mask(x, gc.reduce_sum(x, 1) > 0), gc.reduce_sum(hidden, 0)]
        files["masked"] = gc.freeze(session, outputs).SerializeToString()
    paths = []
    for name, file in files.items():
        paths.append(folder / f"{name}.pb")
        paths[-1].write_bytes(file)
    return paths


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    seconds = parser.parse_args().seconds
    program = build_runner("runner-tsan", "-DGRAPHC_SANITIZE=thread", "-DGRAPHC_TESTS=ON",
                           f"-DGRAPHC_KERNELS={KERNELS}") / "graphc-stress"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), str(seconds), *map(str, write_models(Path(folder)))]
        # Address randomisation with more bits than ThreadSanitizer expects makes it end at once on some kernels.
        done = subprocess.run(["setarch", "-R", *command], check=False,
                              env=dict(os.environ, TSAN_OPTIONS="halt_on_error=0:exitcode=66:second_deadlock_stack=1"))
    print("ThreadSanitizer found nothing" if done.returncode == 0 else f"ended with status {done.returncode}")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
