"""The command `graphc`: what inspect and dump print, what run writes, and its messages."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.serial.freeze import add_plan


@pytest.fixture
def model(tmp_path):
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        w = gc.constant(np.arange(12).reshape(3, 4), gc.float32, name="w")
        gc.nn.softmax(gc.matmul(x, w), name="y")
        graph_def = graph.as_graph_def()
    add_plan(graph_def, ["y:0"])
    return gc.write_graph(graph_def, str(tmp_path), "model.pb", as_text=False)


def test_inspect(model, capsys):
    assert main(["inspect", model]) == 0
    out = capsys.readouterr().out
    for line in ("x: float32(?, 3)", "y: float32(?, 4)", "1 MatMul", "12 parameters", "48 bytes  w",
                 "x:0 -> y:0; 2 steps",
                 "unknown sizes taken as 1", "1 matmul.f32"):
        assert line in out
    # 2 * 1 * 4 * 3 of the product and 5 * 1 * 4 of the softmax, as their kernels declare.
    assert "44 FLOPs" in out


def test_dump(model, capsys):
    assert main(["dump", model]) == 0
    out = capsys.readouterr().out
    assert "y = Softmax(MatMul:0) -> float32(?, 4)" in out
    assert "matmul.f32(%0, " in out and "# MatMul" in out and "plan 'serving_default'" in out


def test_run(model, tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    feed, out = f"x={tmp_path / 'x.npy'}", str(tmp_path / "y.npy")
    assert main(["run", model, "--feed", feed, "--fetch", "y", "--out", out]) == 0
    e = np.exp(x @ np.arange(12).reshape(3, 4) - (x @ np.arange(12).reshape(3, 4)).max(1, keepdims=True))
    np.testing.assert_allclose(np.load(out), e / e.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)
    assert main(["run", model, "--feed", feed]) == 0
    assert "y:0                      float32  [5, 4]" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "status", "message"), [
    (["inspect", "none.pb"], 1, "there is no file none.pb"),
    (["run", "MODEL", "--feed", "x"], 2, "--feed wants NAME=FILE.npy, or FILE.npz, not 'x'"),
    (["run", "MODEL", "--fetch", "yy"], 1, "no output named 'yy' in the model; did you mean 'y'?"),
    (["run", "MODEL", "--fetch", "y", "--out", "a", "--out", "b"], 2, "2 times --out for 1 outputs"),
])
def test_messages(model, capsys, arguments, status, message):
    assert main([model if a == "MODEL" else a for a in arguments]) == status
    assert message in capsys.readouterr().err


def test_inspect_tells_what_is_missing(tmp_path, capsys) -> None:
    text = """
        node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
               attr { key: "shape" value { shape { dim { size: -1 } dim { size: 3 } } } } }
        node { name: "a" op: "Frobnicate" input: "x" } node { name: "b" op: "Frobnicate" input: "a" }
        node { name: "y" op: "Identity" input: "b" }"""
    (tmp_path / "model.pbtxt").write_text(text)
    assert main(["inspect", str(tmp_path / "model.pbtxt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  x: float32(?, 3)" in lines and "  y: Identity" in lines
    assert "      2 Frobnicate  (missing)" in lines and "  Frobnicate: a, b" in lines
    assert lines[-1].startswith("it cannot be run: the graph uses op types that graphc does not know: Frobnicate (2:")
    assert main(["run", str(tmp_path / "model.pbtxt")]) == 1
