"""A short version of `make fuzz` (the long one is tests/fuzz/run.py): no mutation of a Plan crashes Python or C++."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "plan")]

from five import CASES

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", CASES)
def test_python(name: str) -> None:
    done = subprocess.run([sys.executable, str(FOLDER / "child.py"), name, "0", "60"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
