"""Random programs in TensorFlow 1's control flow, run by TensorFlow and, imported, here. FLOW_PROGRAMS: how many,
FLOW_SEED: the first. In a process of its own: TensorFlow's first control flow is a switch of the whole process."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")


def test_random_programs() -> None:
    child = Path(__file__).with_name("flow_child.py")
    count, seed = os.environ.get("FLOW_PROGRAMS", "25"), os.environ.get("FLOW_SEED", "1000")
    done = subprocess.run([sys.executable, str(child), seed, count], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.count(" the same") > int(count) // 2
