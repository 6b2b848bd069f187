"""A short run of stress.cpp without sanitizers (`make tsan` is the long one with them)."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from files import ROOT, build_runner
from stress import write_models


def test_threads_share_models(tmp_path: Path) -> None:
    library, compiler = build_runner(), shutil.which("c++") or shutil.which("g++")
    assert compiler
    sources = [ROOT / "tests/runner/stress.cpp", library / "libgraphc.so"]
    subprocess.run([compiler, "-std=c++17", f"-I{ROOT}/runner/include", *sources, f"-Wl,-rpath,{library}", "-pthread",
                    "-o", tmp_path / "stress"], check=True)
    done = subprocess.run([tmp_path / "stress", "4", *write_models(tmp_path)], capture_output=True, text=True,
                          timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    runs, cancelled = int(done.stdout.split()[0]), int(done.stdout.split()[2])
    assert runs > 100 and 0 < cancelled < runs, done.stdout
