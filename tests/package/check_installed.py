"""What an installed wheel must do, in an environment of its own away from any checkout: `make package` runs this."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

PREBUILT = Path(gc.__file__).parent / "kernels" / "prebuilt"
FIRST_RESULT = """
import resource, sys
import graphc as gc
x = gc.placeholder(gc.float32, [None])
with gc.Session() as session:
    print(session.run(gc.tanh(x * 2 + 1), {x: [1.0, 2.0]}).tolist())
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
print([name for name in ("numba", "onnx", "scipy", "google.protobuf") if name in sys.modules])
"""
TRAINING = """
import sys
sys.modules["numba"] = None                   # whoever imports it gets an ImportError
import numpy as np, graphc as gc
from graphc.exec import code_queue
x, y = gc.placeholder(gc.float32, [None, 4]), gc.placeholder(gc.float32, [None])
net = gc.layers.dense(gc.layers.dense(x, 16, activation=gc.tanh), 1)[:, 0]
loss = gc.reduce_mean(gc.square(net - y))
train = gc.train.AdamOptimizer(0.05).minimize(loss)
rng = np.random.default_rng(0)
a = rng.normal(size=(64, 4)).astype(np.float32)
with gc.Session() as session:
    session.run(gc.global_variables_initializer())
    first = session.run(loss, {x: a, y: a.sum(1)})
    for _ in range(200):
        session.run(train, {x: a, y: a.sum(1)})
        code_queue.settle()
    assert session.run(loss, {x: a, y: a.sum(1)}) < first / 20
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the code in a process that has nothing of this one's environment."""
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, timeout=300,
                          check=False, env={"PATH": "/usr/bin:/bin", **environment})
    assert done.returncode == 0, done.stderr
    return done


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_it_is_the_wheel_with_its_machine_code() -> None:
    package = Path(gc.__file__).parent
    assert package.is_relative_to(sys.prefix)
    assert list(PREBUILT.glob("*.image"))
    assert (package / "_runner" / "include" / "graphc.h").is_file()


# No directory can be made in /proc, not even by root: a home that cannot be written.
@pytest.mark.parametrize("home", ["/proc", "empty"])
def test_first_result_in_a_second_and_nothing_is_written(home: str, tmp_path: Path) -> None:
    before = files(Path(sys.prefix))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    if home == "empty":
        (tmp_path / "home").mkdir()
        home = str(tmp_path / "home")
    done = python(FIRST_RESULT, HOME=home, TMPDIR=str(temporary))
    values, seconds, imported = done.stdout.splitlines()
    np.testing.assert_allclose(json.loads(values), np.tanh([3.0, 5.0]), rtol=1e-6)
    assert float(seconds) < 1 and imported == "[]"
    assert "compiling" not in done.stderr
    assert {name for name in files(Path(sys.prefix)) - before if "__pycache__" not in name} == set()
    assert files(temporary) == set()
    written = {name for name in files(tmp_path / "home") if not name.startswith(".cache/graphc")}
    assert written <= {".cache"}, "more is written than the cache"


def test_everything_works_without_numba(tmp_path: Path) -> None:
    done = python(TRAINING, HOME=str(tmp_path))
    assert done.stderr == ""
    assert list((tmp_path / ".cache" / "graphc").glob("map-*")), "the JIT has compiled nothing"


@pytest.mark.parametrize("isa", sorted(path.stem for path in PREBUILT.glob("*.image")))
def test_each_instruction_set(isa: str, tmp_path: Path) -> None:
    from graphc.kernels.toolchain.targets import host_targets
    if isa not in [target.name for target in host_targets()]:
        pytest.skip(f"this machine cannot run {isa}")
    python(FIRST_RESULT, HOME="/proc", GRAPHC_ISA=isa)


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A saved model, its input and the Session's output."""
    value = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        y = gc.identity(gc.nn.softmax(gc.layers.dense(x, 5)), name="y")
        session.run(gc.global_variables_initializer())
        gc.train.write_graph(gc.freeze(session, [y]), str(tmp_path), "model.pb", as_text=False)
        return tmp_path / "model.pb", value, session.run(y, {x: value})


def test_the_program_on_the_path(model: tuple[Path, np.ndarray, np.ndarray]) -> None:
    path, value, expected = model
    np.save(path.with_name("x.npy"), value)
    graphc_run = Path(sys.executable).parent / "graphc-run"
    subprocess.run([graphc_run, path, "--feed", f"x={path.with_name('x.npy')}", "--fetch", "y", "--out",
                    path.with_name("y.npy")], check=True)
    assert np.load(path.with_name("y.npy")).tobytes() == expected.tobytes()


MAIN = """#include <cstdio>
#include "graphc.hpp"
int main(int, char** arguments) {
  graphc::Model model(arguments[1]);
  std::printf("%s %d\\n", model.inputs()[0].name, model.inputs()[0].rank);
}
"""


@pytest.mark.parametrize("library", ["libgraphc.a", "libgraphc.so"])
def test_a_program_of_ones_own(model: tuple[Path, np.ndarray, np.ndarray], library: str) -> None:
    """By the headers and libraries of the package; tests/runner/test_install.py has CMake and pkg-config."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    folder, prefix = model[0].parent, Path(gc.__file__).parent / "_runner"
    (folder / "main.cpp").write_text(MAIN)
    subprocess.run([compiler, "-std=c++17", f"-I{prefix / 'include'}", folder / "main.cpp", prefix / "lib" / library,
                    f"-Wl,-rpath,{prefix / 'lib'}", "-pthread", "-o", folder / "main"], check=True)
    said = subprocess.run([folder / "main", model[0]], capture_output=True, text=True, check=True).stdout
    assert said == "x:0 2\n"


def test_a_small_runner_for_one_model(model: tuple[Path, np.ndarray, np.ndarray]) -> None:
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    path, value, expected = model
    folder = path.parent
    np.save(folder / "x.npy", value)
    graphc = Path(sys.executable).parent / "graphc"
    subprocess.run([graphc, "runner", "--only-for", path, "-o", folder, "--isa", "all", "--cxx", "g++"], check=True)
    subprocess.run([folder / "graphc-run", path, "--feed", f"x={folder / 'x.npy'}", "--out", folder / "y.npy"],
                   check=True)
    assert np.load(folder / "y.npy").tobytes() == expected.tobytes()
    assert (folder / "graphc-run").stat().st_size < 1e6


def test_command_line(model: tuple[Path, np.ndarray, np.ndarray]) -> None:
    done = subprocess.run([Path(sys.executable).parent / "graphc", "inspect", model[0]], capture_output=True, text=True,
                          check=False, env={**os.environ, "HOME": "/proc"})
    assert done.returncode == 0 and "x" in done.stdout
