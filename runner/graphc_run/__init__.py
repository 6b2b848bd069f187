"""The command `graphc-run` of an installed graphc: becomes the C++ program, which is a file of the package.

A package of its own, so that nothing of graphc is imported on the way.
"""
from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

PROGRAM = "graphc-run"


def main() -> None:
    program = find_program()
    if program is None:
        sys.exit(f"{PROGRAM}: this installation of graphc has no C++ program. `make runner` in a checkout builds it; "
                 "wheels for Linux bring it")
    os.execv(program, [PROGRAM, *sys.argv[1:]])


def find_program() -> Path | None:
    """The program of the installed package, or the one that a checkout has built."""
    found = importlib.util.find_spec("graphc")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    for path in (package / "_runner" / "bin" / PROGRAM, package.parent / "build" / "runner" / PROGRAM):
        if os.access(path, os.X_OK):
            return path
    return None
