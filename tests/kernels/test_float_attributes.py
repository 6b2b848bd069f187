"""Attributes of kernels that are floats: from the declaration through the Plan's words into the kernel."""
from __future__ import annotations

import ctypes
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphc.errors import InternalError
from graphc.exec.engine import Engine
from graphc.exec.library import Library, load_library
from graphc.ir.dtypes import float32
from graphc.kernels.contracts.all import KERNELS, attr_values
from graphc.kernels.toolchain import cache
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.load import load_objects, words_at
from graphc.kernels.toolchain.registry import DeclarationError, KernelEntry, registry_words
from graphc.plan.builder import BodyBuilder
from graphc.plan.plan import Body, Buffer, BufferKind, Call, Dim, DimKind, Plan, Port
from graphc.plan.plan_builder import PlanBuilder
from graphc.plan.text import plan_text
from graphc.plan.verify import verify_plan
from graphc.serial.plan_proto import load_plan, save_plan

from scaled import SCALED

ATTRS = (0.25, 3, -1.5)
WORDS = (0x3FD0000000000000, 3, -0x4008000000000000)


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KERNELS, SCALED.name, SCALED)


def plan(words: tuple[int, ...] = WORDS) -> Plan:
    buffers = (Buffer(BufferKind.INPUT, "f64", (0,)), Buffer(BufferKind.OUTPUT, "f64", (0,)))
    body = Body("main", (Dim(DimKind.INPUT, (0, 0)),), buffers, (0,), (1,), (), (),
                (Call("scaled.f64", (0, 1), (0,), words),))
    return Plan((Port("x", "f64", (-1,)),), (Port("y", "f64", (-1,)),), (body,), ())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library, but with the tests' kernel alone in its tables."""
    whole, out = load_library(), tmp_path_factory.mktemp("scaled")
    flags = dict.fromkeys(("NUMBA_OPT", "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE"), "0")
    done = subprocess.run([sys.executable, str(Path(__file__).parent / "scaled.py"), whole.isa, str(out)],
                          env=dict(os.environ, **flags), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    archive = cache.read_file(out / f"{whole.isa}.a")
    assert archive is not None
    objects = [data for name, data in read_archive(archive) if name.endswith(".o")]
    table = f"gc_functions_{whole.isa.replace('-', '_')}"
    found = load_objects(objects, [table, "gc_registry", "gc_registry_words", "gc_names", "gc_names_bytes"])
    registry = np.array(words_at(found["gc_registry"], words_at(found["gc_registry_words"], 1)[0]), np.int64)
    names = ctypes.string_at(found["gc_names"], words_at(found["gc_names_bytes"], 1)[0]).decode().split("\0")[:-1]
    return dataclasses.replace(whole, registry=registry, names=names,
                               functions=np.array(words_at(found[table], 3 * len(names)), np.int64))


def test_words() -> None:
    assert SCALED.attr_words(ATTRS) == WORDS
    assert attr_values("scaled.f64", WORDS) == ATTRS
    assert [np.isnan(SCALED.attr_values(SCALED.attr_words((float("nan"), 0, 0)))[0])] == [True]
    with pytest.raises(ValueError):
        SCALED.attr_words((1.0, 2))


def test_the_builder_writes_words_and_texts_show_values() -> None:
    owner = PlanBuilder()
    owner.begin_body()
    b = BodyBuilder(owner, "main")
    x, y = b.temporary(float32, (5,)), b.temporary(float32, (5,))
    b.call("scaled", [x, y], dims=[5], attrs=ATTRS)
    call = b.steps[0]
    assert isinstance(call, Call) and (call.kernel, call.attrs) == ("scaled.f32", WORDS)
    assert "[0.25, 3, -1.5]" in plan_text(plan())


def test_they_reach_the_kernel(library: Library) -> None:
    saved = load_plan(save_plan(plan()))
    assert saved == plan()
    verify_plan(saved)
    x = np.array([-2.0, 0.5, 3.0])
    np.testing.assert_array_equal(Engine(saved, library=library).run([x])[0], 0.25 * x**3 - 1.5)


def test_a_plan_with_too_few_does_not_verify() -> None:
    with pytest.raises(InternalError, match="3 attributes"):
        verify_plan(plan(WORDS[:2]))


def test_formulas_cannot_speak_of_them() -> None:
    wrong = dataclasses.replace(SCALED, relations=("scale >= 0",))
    with pytest.raises(DeclarationError, match=r"scaled\.f32.*'scale' is not understood"):
        registry_words([KernelEntry("scaled.f32", wrong, {"T": "f32"})], [])
