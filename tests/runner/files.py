"""The hand-written Plans as files, and what the tests need to run a file in C++."""
from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import graph_hash, save_plan
from graphc.serial.tensors import tensor_to_proto

from five import Case

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"


def case_file(case: Case) -> bytes:
    """A GraphDef that holds the case's constants and its Plan."""
    graph = GraphDef()
    for name, value in case.constants.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = tensor_to_proto(value).dtype
        node.attr["value"].tensor.CopyFrom(tensor_to_proto(value))
    graph.plans.append(save_plan(case.plan, "serving_default", graph_hash(graph)))
    return graph.SerializeToString(deterministic=True)


@functools.cache
def build_runner(folder: str = "runner", *options: str) -> Path:
    """Builds the runner with cmake and ninja (from PATH, or the packages of this environment); returns its folder. One
    process at a time: the others would load what is being written. Each process once: cmake and ninja need 0.2 s to see
    that nothing has changed."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(folder, options)


def _build(folder: str, options: tuple[str, ...]) -> Path:
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    kernels = BUILD / "kernels"
    if not (kernels / "libgraphc_kernels.a").exists():
        _run([sys.executable, "-m", "graphc.kernels", "build", "--isa", "x86-64-v3,x86-64-v4", "--out", str(kernels)],
             environment)
    cmake = shutil.which("cmake", path=environment["PATH"])
    if cmake is None and (BUILD / folder / "libgraphc.so").exists():
        return BUILD / folder              # carried to a machine that has a GPU, and little else
    assert cmake, "cmake is missing: pip install cmake ninja"
    # An option stated twice has its last value.
    _run([cmake, "-S", str(ROOT / "runner"), "-B", str(BUILD / folder), "-G", "Ninja", f"-DGRAPHC_KERNELS={kernels}",
          *options], environment)
    _run([cmake, "--build", str(BUILD / folder)], environment)
    return BUILD / folder


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def save_arrays(folder: Path, arrays: dict[str, np.ndarray]) -> dict[str, Path]:
    paths = {}
    for name, array in arrays.items():
        paths[name] = folder / f"{name.replace('/', '_').replace(':', '_')}.npy"
        np.save(paths[name], array)
    return paths
