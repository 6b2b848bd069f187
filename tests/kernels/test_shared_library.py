"""The library as a wheel carries it: linked, loaded, and chosen before the cache."""
from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from graphc.kernels.toolchain import build, shared
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.load import host_targets, load_objects, words_at

HOST = host_targets()[0]
PROBE = ("log_softmax.f32",)

pytestmark = pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shared.write_package({HOST.name: build.library_archive(HOST.name, PROBE)}, tmp_path, "c++")
    return tmp_path


def test_the_same_tables_as_from_the_archive(folder: Path) -> None:
    symbols = shared.exported_symbols(HOST.name, {})
    found = shared.load_shared(folder / f"{HOST.name}.so", symbols)
    objects = [data for name, data in read_archive(build.library_archive(HOST.name, PROBE)) if name.endswith(".o")]
    linked = load_objects(objects, symbols)
    count, = words_at(found["gc_registry_words"], 1)
    assert words_at(found["gc_registry"], count) == words_at(linked["gc_registry"], count)
    names = [ctypes.string_at(where["gc_names"], words_at(where["gc_names_bytes"], 1)[0]) for where in (found, linked)]
    assert names[0] == names[1] == b"log_softmax.f32\0"
    functions = words_at(found[f"gc_functions_{HOST.symbol}"], 2)
    assert all(functions) and functions != words_at(linked[f"gc_functions_{HOST.symbol}"], 2)


def test_nothing_but_the_tables_can_be_seen(folder: Path) -> None:
    said = subprocess.run(["nm", "-D", "--defined-only", folder / f"{HOST.name}.so"], capture_output=True, text=True,
                          check=True).stdout
    assert {line.split()[-1] for line in said.splitlines()} == set(shared.exported_symbols(HOST.name, {}))


def test_what_is_installed_is_found_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared.packaged(HOST.name) is None, "a checkout has no library in it"
    monkeypatch.setattr(shared, "FOLDER", folder)
    assert shared.packaged(HOST.name) == folder / f"{HOST.name}.so" and shared.packaged("another") is None


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    archive = build.library_archive(HOST.name, PROBE)
    with pytest.raises(shared.LinkError, match="false does not link"):
        shared.write_package({HOST.name: archive}, tmp_path, "false")
    with pytest.raises(shared.LinkError, match="nowhere does not start"):
        shared.write_package({HOST.name: archive}, tmp_path, "nowhere")
