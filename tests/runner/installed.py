"""The runner as `cmake --install` leaves it, in another place than it was installed to: such a tree may be moved."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from files import build_runner


def install_runner(folder: Path) -> Path:
    """Builds and installs; returns the prefix, below `folder`."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    cmake = shutil.which("cmake", path=tools)
    assert cmake, "cmake is missing: pip install cmake ninja"
    run(cmake, "--install", build_runner(), "--prefix", folder / "first")
    return (folder / "first").rename(folder / "graphc tree")


def run(*command: object, **environment: str) -> str:
    """stdout and stderr of a command that must succeed."""
    done = subprocess.run([*map(str, command)], env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=200, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout + done.stderr
