"""The build backend's own decisions: settings, platform tags, what the table of sizes replaces; graphc-run's way."""
from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from files import ROOT, build_runner

machine_code: Any
sizes: Any


@pytest.fixture(scope="module", autouse=True)
def tools() -> Any:
    global machine_code, sizes
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools" / "wheels"))
        machine_code, sizes = importlib.import_module("machine_code"), importlib.import_module("sizes")
        yield


def test_the_tag_is_what_the_machine_code_needs(tmp_path: Path) -> None:
    binaries = machine_code.binaries(build_runner())
    assert {"graphc-run", "libgraphc.so.1"} <= {path.name for path in binaries}
    needed = machine_code.manylinux_tag("x86_64", binaries)
    glibc = tuple(map(int, needed.split("_")[1:3]))
    assert (2, 17) <= glibc and needed == f"manylinux_{glibc[0]}_{glibc[1]}_x86_64"
    assert machine_code.manylinux_tag("aarch64", []) == "manylinux_2_17_aarch64"
    (tmp_path / "main.c").write_text("#include <stdio.h>\nint main(void) { return puts(\"\"); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "a.so", tmp_path / "main.c", "-lc"],
                   check=True)
    assert machine_code.manylinux_tag("x86_64", machine_code.binaries(tmp_path)) == "manylinux_2_17_x86_64"


def test_a_compiler_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(machine_code.BuildError, match=r"needed .* -C machine-code=no"):
        machine_code.build_runner("x86_64")


SETTINGS = """
import backend
needs = backend.get_requires_for_build_wheel
assert backend._target({"target": "aarch64"}) == "aarch64" and backend._target({"machine-code": "no"}) == ""
assert any(line.startswith("numba") for line in needs({})) and "ninja" in needs({})
assert not any(line.startswith("numba") for line in needs({"machine-code": "no"}))
edited = backend.get_requires_for_build_editable
assert any(line.startswith("numba") for line in edited()) and "ninja" not in edited()
assert not any(line.startswith("numba") for line in edited({"machine-code": "no"}))
for wrong in ({"target": "z80"}, {"speed": "high"}, {"machine-code": "some"}):
    try:
        backend._target(wrong)
    except ValueError as error:
        assert "target=(x86_64|aarch64)" in str(error), error
    else:
        raise AssertionError(wrong)
"""


def test_settings_of_the_backend() -> None:
    pytest.importorskip("setuptools", "77")
    subprocess.run([sys.executable, "-c", SETTINGS], check=True, cwd=ROOT,
                   env={"PYTHONPATH": str(ROOT / "tools" / "wheels"), "PATH": "/usr/bin"})


def test_the_table_of_sizes_takes_its_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{sizes.BEGIN}\nold\n{sizes.END}\nbehind\n")
    sizes.write("| new |", page)
    assert page.read_text() == f"before\n{sizes.BEGIN}\n\n| new |\n\n{sizes.END}\nbehind\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="lacks"):
        sizes.write("| new |", page)


def test_graphc_run_becomes_the_program_of_the_checkout(tmp_path: Path) -> None:
    program = build_runner() / "graphc-run"
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'runner')!r}); import graphc_run\n"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"}
    shown = code + "print(graphc_run.find_program()); print('graphc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{program}\nFalse\n"
    done = subprocess.run([sys.executable, "-c", code + "graphc_run.main()", "--version"], env=environment,
                          capture_output=True, text=True, check=True)
    assert "0.1.0" in done.stdout
    (tmp_path / "graphc").mkdir()
    (tmp_path / "graphc" / "__init__.py").touch()
    # -S: else the environment's own graphc would be found first, if it is one to be edited.
    done = subprocess.run([sys.executable, "-S", "-c", code + "graphc_run.main()"], env={"PYTHONPATH": str(tmp_path)},
                          cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "has no C++ program" in done.stderr
