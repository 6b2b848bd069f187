"""Every program of docs/embedding.md, as it stands there, built and run against an installed tree.

`make embed` runs this file with GRAPHC_TEST_JAVA=1, so that a Java or JNA that is missing is an error.
"""
from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

import graphc as gc

from files import ROOT
from installed import install_runner, run

JNA = Path(os.environ.get("GRAPHC_JNA", "/usr/share/java/jna.jar"))
PREDICTED = "4.5\n-1\n"
TRAINED = "loss 0.0000\n1.00\n2.00\n3.00\n"


def blocks() -> dict[str, str]:
    """The files of the page, by name."""
    text = (ROOT / "docs/embedding.md").read_text()
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_runner(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of the page, and the model that its Python program makes."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in blocks().items():
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch, gc.Graph().as_default():
        patch.chdir(folder)
        exec(compile(blocks()["make_model.py"], "make_model.py", "exec"), {})
    return folder


def test_the_page_has_them_all() -> None:
    assert set(blocks()) == {"make_model.py", "CMakeLists.txt", "Makefile", "predict.c", "train.cpp", "predict.py",
                             "Predict.java"}


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_cmake(prefix: Path, folder: Path, shared: str) -> None:
    """C and C++; without optimisation, when a compiler emits the classes of graphc.hpp in full."""
    build = folder / f"build-{shared}"
    run("cmake", "-S", folder, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DBUILD_SHARED_LIBS={shared}",
        "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror -O0")
    run("cmake", "--build", build)
    (folder / "trained").mkdir(exist_ok=True)
    assert run("sh", "-c", f'cd "{folder}" && "{build}/predict"') == PREDICTED
    assert run("sh", "-c", f'cd "{folder}" && "{build}/train"') == TRAINED
    assert gc.train.checkpoint_exists(str(folder / "trained/model.ckpt"))


def test_makefile(prefix: Path, folder: Path) -> None:
    for target in ("predict", "predict-shared"):
        run("make", "-C", folder, target, f"PREFIX={prefix}")
        assert run("sh", "-c", f'cd "{folder}" && ./{target}') == PREDICTED


def test_python(prefix: Path, folder: Path) -> None:
    """Nothing of this environment is needed."""
    said = run("sh", "-c", f'cd "{folder}" && "{sys.executable}" -S -I predict.py "{prefix}/lib/libgraphc.so"')
    assert said == PREDICTED


@pytest.mark.skipif(not os.environ.get("GRAPHC_TEST_JAVA") and not (shutil.which("javac") and JNA.is_file()),
                    reason="needs javac and JNA: make embed")
def test_java(prefix: Path, folder: Path) -> None:
    run("javac", "-cp", JNA, "-d", folder, folder / "Predict.java")
    java = f'java -cp "{JNA}:{folder}" -Djna.library.path="{prefix}/lib" -Djna.tmpdir="{folder}" Predict'
    assert run("sh", "-c", f'cd "{folder}" && {java}') == "4.5\n-1.0\n"


def test_errors_of_the_programs(prefix: Path, folder: Path, tmp_path: Path) -> None:
    run("make", "-C", folder, "predict", f"PREFIX={prefix}")
    with pytest.raises(AssertionError, match=r"cannot read model.pb: No such file or directory"):
        run("sh", "-c", f'cd "{tmp_path}" && "{folder}/predict"')
