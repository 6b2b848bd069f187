"""The library as a wheel carries it: written, found before the cache, and the same code."""
from __future__ import annotations

import stat
from pathlib import Path

import pytest

from graphc.kernels import __main__ as command
from graphc.kernels.toolchain import build, cache
from graphc.kernels.toolchain.load import Code, words_at
from graphc.kernels.toolchain.targets import host_targets

HOST = host_targets()[0]
PROBE = ("log_softmax.f32",)


def test_a_package_has_the_library_and_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = build.library_archive(HOST.name, PROBE)
    build.write_package({HOST.name: archive}, tmp_path / "prebuilt")
    path = tmp_path / "prebuilt" / f"{HOST.name}.image"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "it is readable for all who may use the package"
    monkeypatch.setattr(build, "PREBUILT", path.parent)
    for name in ("library_archive", "library_key"):
        monkeypatch.setattr(build, name, None)                     # neither built nor looked for
    found = Code(build.library_image(HOST.name))
    count, = words_at(found["gc_registry_words"], 1)
    assert words_at(found["gc_registry"], count)[1:3] == [1, 0]    # a kernel, no primitives
    assert all(words_at(found[f"gc_functions_{HOST.symbol}"], 2))


def test_a_damaged_package_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the cache, which is looked into as if the package had nothing."""
    (tmp_path / f"{HOST.name}.image").write_bytes(b"gcache1\n and then nothing of use")
    monkeypatch.setattr(build, "PREBUILT", tmp_path)
    assert build.library_image(HOST.name).notes["entries"]


def test_the_library_may_be_compiled_before_it_is_used(monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    """What an editable install does (tools/wheels/machine_code.py)."""
    made = []
    monkeypatch.setattr("sys.argv", ["graphc.kernels", "get"])
    monkeypatch.setattr(command, "library_image", lambda isa: made.append(build.library_image(isa)))
    assert command.main() == 0 and made[0].notes["entries"]
    assert capsys.readouterr().out == f"the kernel library for {HOST.name} is in {cache.directory()}\n"
    monkeypatch.setattr("graphc.kernels.toolchain.targets.host_targets", lambda: [])
    assert command.main() == 1 and "has none of the instruction sets x86-64-v4" in capsys.readouterr().err
