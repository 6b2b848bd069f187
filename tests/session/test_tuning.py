"""Session.tune and `graphc tune`: what is measured, what is kept, and that the ways are gone, here and in C++."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.cli import main
from graphc.exec import ways
from graphc.exec.library import load_library
from graphc.exec.ways import Sizes, from_text, table_of, to_text
from graphc.kernels.contracts.all import KERNELS
from graphc.session import tuning

CONV = KERNELS["conv2d"].ways
SHAPE = (2, 12, 12, 20)


def net(x: gc.Tensor) -> gc.Tensor:
    f = np.random.default_rng(1).standard_normal((3, 3, 20, 24)).astype(np.float32)
    return gc.nn.relu(gc.nn.conv2d(x, f, strides=1, padding="SAME") + 0.5, name="y")


def value() -> np.ndarray:
    return np.random.default_rng(2).standard_normal(SHAPE).astype(np.float32)


def variants(session: gc.Session, y: gc.Tensor, feeds: dict[Any, Any]) -> list[str]:
    metadata = gc.RunMetadata()
    session.run(y, feeds, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), run_metadata=metadata)
    return [line.split("variant ")[1].split(",")[0] for line in metadata.kernels
            if "conv2d" in line and "variant" in line]


def test_each_way_is_measured_and_the_session_goes_the_best() -> None:
    x = gc.placeholder(gc.float32, [None, 12, 12, 20])
    counter = gc.Variable(0.0)
    y, step = net(x), counter.assign_add(1.0)
    session = gc.Session()
    session.run(counter.initializer)
    wanted = session.run(y, {x: value()})
    found = session.tune([y, step], {x: value()}, rounds=2)
    assert session.run(counter) == 0.0
    call, = found.calls
    assert call.sizes.kernel == "conv2d.f32" and call.sizes.packed and call.sizes.numbers[:9] == (
        2, 12, 12, 20, 3, 3, 24, 12, 12) and call.usual in call.microseconds
    assert {CONV[way] for way in call.microseconds} == {"lines", "taps", "winograd"}
    assert all(us > 0 for us in call.microseconds.values()) and found.before > 0 and found.after > 0
    assert CONV[call.usual] in str(found) and str(found).startswith("calls that have several ways: 1; ")
    assert variants(session, y, {x: value()}) == [str(call.usual)]       # of a run that was not tuned
    np.testing.assert_allclose(session.run([y, step], {x: value()})[0], wanted, rtol=1e-4, atol=1e-4)


def test_the_usual_way_stays_unless_another_gains() -> None:
    sizes = Sizes("conv2d.f32", True, (1,))
    assert tuning.TunedCall(sizes, (), 2, {2: 100.0, 1: 98.0}).best == 2
    better = tuning.TunedCall(sizes, ("c",), 2, {2: 100.0, 1: 80.0})
    assert better.best == 1 and str(better) == "taps -> lines: lines 80.0, taps 100.0 us  conv2d.f32(1)  <- c"
    assert tuning.Tuning([better], 2.0, 1.0).ways == {sizes: 1}
    kept_none = tuning.Tuning([better], 1.0, 1.0)
    assert kept_none.ways == {} and "quicker another one: 1, of which none is kept" in str(kept_none)


@pytest.mark.parametrize("way", range(len(CONV)))
def test_an_engine_goes_the_ways_that_it_is_told(way: int) -> None:
    x = gc.placeholder(gc.float32, [None, 12, 12, 20])
    y, session = net(x), gc.Session()
    wanted = session.run(y, {x: value()})
    engine = next(iter(list(session._plans.values())[-1].engines.values()))
    sizes = Sizes("conv2d.f32", True, (2, 12, 12, 20, 3, 3, 24, 12, 12, 1, 1, 1, 1, 1, 1))
    for _ in range(8):                        # over to quick runs and back
        engine.use_ways({sizes: way, Sizes("no kernel", False, (1,)): 0})
        np.testing.assert_allclose(session.run(y, {x: value()}), wanted, rtol=1e-4, atol=1e-4)
    possible = CONV[way] in ("lines", "taps", "winograd")
    assert variants(session, y, {x: value()}) == [str(way if possible else CONV.index("taps"))]
    engine.use_ways({})
    np.testing.assert_array_equal(session.run(y, {x: value()}), wanted)


def test_what_is_kept_is_used_by_later_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, bytes] = {}
    monkeypatch.setenv("GRAPHC_TUNED", "")
    monkeypatch.setattr("graphc.kernels.toolchain.cache.write", lambda key, data: stored.update({key: data}) or True)
    monkeypatch.setattr("graphc.kernels.toolchain.cache.read", lambda key: stored.get(key))
    library = load_library()
    sizes = Sizes("conv2d.f32", True, (2, 12, 12, 20, 3, 3, 24, 12, 12, 1, 1, 1, 1, 1, 1))
    try:
        ways._kept.cache_clear()
        ways.keep(library, {sizes: CONV.index("taps")})
        ways.keep(library, {Sizes("matmul.f32", False, (1, 2)): 2})
        assert len(ways.machine_ways(library)) == 2 and len(stored) == 1
        x = gc.placeholder(gc.float32, [None, 12, 12, 20])
        assert variants(gc.Session(), net(x), {x: value()}) == [str(CONV.index("taps"))]
        monkeypatch.setenv("GRAPHC_TUNED", "0")
        assert ways.machine_ways(library) == {}
        ways.keep(library, {})
        assert len(from_text(next(iter(stored.values())).decode(), "")) == 2
    finally:
        ways._kept.cache_clear()


def test_files_of_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = {Sizes("conv2d.f32", True, (1, -2, 1 << 40)): 5, Sizes("matmul.f64", False, ()): 0}
    assert from_text(to_text(some), "f") == some and from_text(to_text({}), "f") == {}
    assert table_of(some, ["a", "conv2d.f32"]).tolist() == [1, 1, 6, 1, 3, 1, -2, 1 << 40]
    for text, message in (("", "begins with ''"), ("graphc ways 2\n", "begins with 'graphc ways 2'"),
                          ("graphc ways 1\nconv2d.f32 1 x 3", "line 2 is 'conv2d.f32 1 x 3'"),
                          ("graphc ways 1\n\n", "line 2 is ''")):
        with pytest.raises(errors.DataLossError, match=message):
            from_text(text, "f")
    bad = tmp_path / "bad"
    bad.write_text("nothing")
    monkeypatch.setenv("GRAPHC_TUNED", str(bad))
    with pytest.raises(errors.DataLossError, match="bad: not a file of `graphc tune`"):
        gc.Session().run(gc.constant(1.0) + 1.0)
    monkeypatch.setenv("GRAPHC_TUNED", str(tmp_path / "missing"))
    with pytest.raises(errors.NotFoundError, match="missing: No such file or directory; `graphc tune MODEL -o"):
        gc.Session().run(gc.constant(1.0) + 1.0)


def saved(folder: Path) -> Path:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, 12, 12, 20], name="x")
        y = net(x)
        model = gc.freeze(gc.Session(graph=graph), [y], [x])
    path = folder / "model.pb"
    path.write_bytes(model.SerializeToString())
    return path


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = saved(tmp_path), tmp_path / "model.ways"
    assert main(["tune", str(model), "--shape", "x=2,12,12,20", "--rounds", "1", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "conv2d.f32(2, 12, 12, 20, 3, 3, 24, 12, 12, 1, 1, 1, 1, 1, 1)" in printed and f"written: {out}" in printed
    assert from_text(out.read_text(), "") is not None
    assert main(["tune", str(model), "--shape", "z=1"]) == 1
    assert "the model has no such input, but x" in capsys.readouterr().err
    assert main(["tune", str(model), "--shape", "x=2,13,12,20"]) == 1
    assert "the model declares (None, 12, 12, 20)" in capsys.readouterr().err
