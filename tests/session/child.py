"""Runs a program in a fresh interpreter: what it does to its process must not touch the tests'."""
from __future__ import annotations

import subprocess
import sys
import textwrap

# A suite that a shell runs in the background ignores SIGINT, and children inherit that.
HEAD = """import os, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
import graphc as gc
"""


def run_child(program: str, seconds: float = 120) -> str:
    """What the program prints. Fails if it does, or writes of an ignored exception; a hang ends after `seconds`."""
    done = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", HEAD + textwrap.dedent(program)],
                          capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Exception ignored" not in done.stderr, done.stderr
    return done.stdout
