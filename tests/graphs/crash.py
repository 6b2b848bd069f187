"""Shrinks a program that ends its process: every candidate runs in one of its own."""
from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), *(str(ROOT / "tests" / f) for f in ("ops", "plan", "runner"))]

from generate import generate
from printing import script
from programs import Program
from shrink import shrink

SECONDS = 60.0


def shrunken(seed: int, python: str, how: str, text: str) -> str:
    """The smallest program of the seed that still crashes, as a script."""
    def crashes(program: Program) -> bool:
        with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
            file.write(pickle.dumps(program))
            file.flush()
            try:
                done = subprocess.run([python, str(ROOT / "tests/graphs/graph_child.py"), "--program", file.name],
                                      capture_output=True, check=False, timeout=30)
            except subprocess.TimeoutExpired:
                return False
        return done.returncode < 0

    return script(shrink(generate(seed), crashes, SECONDS), f"Seed {seed}. {how}\n{text[-1500:]}")
