"""A short version of `make fuzz` (the long one is tests/fuzz/run.py): no mutation of a Plan crashes Python or C++, none
of a graph its import."""
from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphc.kernels.contracts.all import KERNELS
from graphc.plan.plan import Step

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), *(str(FOLDER.parent / f) for f in ("plan", "runner", "kernels"))]

from graph_plans import fuzzed_cases, names, step_kinds

from files import build_runner, case_file
from gpu_files import write_gpu_files
from kernel_plans import case_of, kernel_case
from run import next_file, write_checkpoints
from side_graphs import write_side_graphs


def test_every_kind_of_step_is_fuzzed() -> None:
    found = set().union(*(step_kinds(case.plan) for case in fuzzed_cases().values()))
    assert found == {kind.__name__ for kind in Step.__subclasses__()}


@pytest.mark.parametrize("name", names())
def test_python(name: str) -> None:
    done = subprocess.run([sys.executable, str(FOLDER / "child.py"), name, "0", "60"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[1])
    assert seen["outcomes"]["answer"] and seen["outcomes"]["refused by the runtime"], seen
    assert len(seen["checks"]) > 5, seen


@pytest.mark.parametrize("name", ["halving_functions", "recurrent", "model_loop"])
def test_graphs(name: str) -> None:
    done = subprocess.run([sys.executable, str(FOLDER / "file_child.py"), name, "0", "6"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert " taken" in done.stdout


def run_files(folder: Path, files: list[bytes]) -> None:
    """Without sanitizers, since a build with them takes a minute."""
    paths = [folder / f"{i}.pb" for i in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file)
    done = subprocess.run([build_runner() / "graphc-fuzz", *paths], capture_output=True, text=True, check=False,
                          timeout=300, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count(".pb\n") == len(files)


def test_runner(tmp_path: Path) -> None:
    rng, originals = random.Random(0), [case_file(case) for case in fuzzed_cases().values()]
    run_files(tmp_path, [next_file(originals, rng) for _ in range(150)])


def test_checkpoints(tmp_path: Path) -> None:
    paths = write_checkpoints(tmp_path, 300, random.Random(0))
    done = subprocess.run([build_runner() / "graphc-fuzz", *paths], capture_output=True, text=True, check=False,
                          timeout=300, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    statuses = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  restore:")]
    assert len(statuses) == 300 and {"0", "15", "5", "3"} <= set(statuses) <= {"0", "3", "5", "8", "12", "15"}


def test_side_files(tmp_path: Path) -> None:
    paths = write_side_graphs(tmp_path, 100, random.Random(0))
    done = subprocess.run([build_runner() / "graphc-fuzz", *paths], capture_output=True, text=True, check=False,
                          timeout=300, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert 20 < done.stdout.count("  load: 15") and done.stdout.count("  run 3: 0") >= 1


def test_code_for_a_gpu(tmp_path: Path) -> None:
    """Without a GPU, what is as it should be ends with status 5; a kernel that the runner lacks, with 12."""
    paths = write_gpu_files(tmp_path, 400, random.Random(0))
    environment = {**os.environ, "GRAPHC_LIBCUDA": "/nowhere"}
    done = subprocess.run([build_runner() / "graphc-fuzz", *paths], capture_output=True, text=True, check=False,
                          timeout=300, errors="replace", env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    statuses = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  code:")]
    assert len(statuses) == 401 and {"5", "15"} <= set(statuses) <= {"5", "8", "9", "12", "15"}
    assert statuses[0] == "5"
    assert statuses.count("15") > 150 and len(set(re.findall("is damaged: (.*)", done.stdout))) > 15


def test_kernels(tmp_path: Path) -> None:
    rng = random.Random(0)
    cases = [case for case in (kernel_case(rng) for _ in range(150)) if case is not None]
    run_files(tmp_path, [case_file(case) for case in cases])


@pytest.mark.parametrize("kernel", ["avg_pool", "max_pool", "max_pool_grad_grad"])
def test_endless_rows_of_nothing(kernel: str, tmp_path: Path) -> None:
    """No channels, so that the declared extents are 0, and 2 ** 26 columns to go through in each of many rows."""
    names = {"n": 200, "h": 200, "w": 9, "c": 0, "kh": 2, "kw": 31, "oh": 1000, "ow": 1 << 26}
    names |= {"stride_h": 1, "stride_w": 1, "pad_top": 1, "pad_left": 0}
    case = case_of(KERNELS[kernel], {"T": "f32"}, names, random.Random(0))
    run_files(tmp_path, [case_file(case)])
