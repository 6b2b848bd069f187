"""`graphc convert`: what comes out runs in C++ with the session's results, whatever the format was."""
from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.convert.choosing import parsed
from graphc.serial.plan_proto import load_plan

from files import build_runner

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)


def native(*arguments: str) -> dict[str, np.ndarray] | str:
    """Runs graphc-run with --fetch for each name; what it says if it fails."""
    names = arguments[arguments.index("--") + 1:]
    outs = [part for i, name in enumerate(names) for part in ("--fetch", name, "--out", f"out{i}.npy")]
    done = subprocess.run([build_runner() / "graphc-run", *arguments[:arguments.index("--")], *outs],
                          capture_output=True, text=True, check=False)
    return {name: np.load(f"out{i}.npy") for i, name in enumerate(names)} if done.returncode == 0 else done.stderr


def net() -> tuple[gc.Tensor, gc.Tensor, gc.Tensor]:
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    w = gc.get_variable("w", initializer=gc.random_normal([3, 2], seed=1))
    logits = gc.add(gc.matmul(x, w), gc.get_variable("b", initializer=gc.ones([2])), name="logits")
    return x, logits, gc.nn.softmax(logits, name="scores")


@pytest.fixture
def session() -> gc.Session:
    with gc.Graph().as_default(), gc.Session() as made:
        net()
        made.run(gc.global_variables_initializer())
        yield made


def frozen_binary(session: gc.Session) -> list[str]:
    constants = gc.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["scores"])
    gc.train.write_graph(constants, ".", "frozen.pb", as_text=False)
    return ["frozen.pb"]


def frozen_text(session: gc.Session) -> list[str]:
    constants = gc.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["scores"])
    gc.train.write_graph(constants, ".", "frozen.pbtxt")
    return ["frozen.pbtxt", "--output", "scores"]


def saved_model(session: gc.Session) -> list[str]:
    graph = session.graph
    gc.saved_model.simple_save(session, "saved", {"x:0": graph.get_tensor_by_name("x:0")},
                               {"scores": graph.get_tensor_by_name("scores:0")})
    return ["saved"]


def meta_graph(session: gc.Session) -> list[str]:
    gc.train.Saver().save(session, "checkpoints/model", global_step=5)
    return ["checkpoints/model-5.meta", "--output", "scores"]


def checkpoint_name(session: gc.Session) -> list[str]:
    meta_graph(session)
    return ["checkpoints/model-5", "--output", "scores", "--input", "x"]


def checkpoint_folder(session: gc.Session) -> list[str]:
    meta_graph(session)
    return ["checkpoints", "--output", "scores:0"]


def graph_and_checkpoint(session: gc.Session) -> list[str]:
    gc.train.write_graph(session.graph, ".", "graph.pbtxt")
    return ["graph.pbtxt", "--checkpoint", gc.train.Saver().save(session, "./ckpt"), "--output", "scores"]


@pytest.mark.parametrize("made", [frozen_binary, frozen_text, saved_model, meta_graph, checkpoint_name,
                                  checkpoint_folder, graph_and_checkpoint])
def test_formats(session: gc.Session, made: Callable[[gc.Session], list[str]],
                 capsys: pytest.CaptureFixture[str]) -> None:
    expected = session.run("scores:0", {"x:0": X})
    assert main(["convert", *made(session), "-o", "model.pb"]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("serving_default: x:0 f32[?, 3] -> scores")
    np.testing.assert_array_equal(native("model.pb", "--feed", "x=x.npy", "--", "scores")["scores"], expected)
    assert not gc.load_graph_def("model.pb").state.variables
    assert main(["run", "model.pb", "--feed", "x=x.npy", "--fetch", "scores", "--out", "again.npy"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), expected)


def test_an_onnx_model(session: gc.Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Its names are those of the signature; a checkpoint makes no sense for it."""
    x, scores = (session.graph.get_tensor_by_name(name) for name in ("x:0", "scores:0"))
    gc.onnx.export(session, {"answer": scores}, "model.onnx", {"image": x})
    assert main(["convert", "model.onnx", "-o", "model.pb"]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("serving_default: image f32[?, 3] -> answer f32[?, 2]")
    np.testing.assert_array_equal(native("model.pb", "--feed", "image=x.npy", "--", "answer")["answer"],
                                  session.run(scores, {x: X}))
    assert main(["convert", "model.onnx", "-o", "other.pb", "--checkpoint", "ckpt"]) == 1
    assert "an ONNX model has its weights in itself" in capsys.readouterr().err
    assert not Path("other.pb").exists()


def test_signatures_of_a_saved_model(session: gc.Session) -> None:
    """Their keys name inputs and outputs; variables are constants of all of them."""
    tensors = {name: session.graph.get_tensor_by_name(f"{name}:0") for name in ("x", "logits", "scores")}
    signatures = {name: gc.saved_model.predict_signature_def({"image": tensors["x"]}, {"answer": tensors[name]})
                  for name in ("logits", "scores")}
    builder = gc.saved_model.Builder("saved")
    builder.add_meta_graph_and_variables(session, ["serve"], signatures)
    builder.save()
    assert main(["convert", "saved/saved_model.pb", "-o", "model.pb"]) == 0
    for name in signatures:
        found = native("model.pb", "--signature", name, "--feed", "image=x.npy", "--", "answer")
        np.testing.assert_array_equal(found["answer"], session.run(tensors[name], {"x:0": X}))
    chosen = ["--signature", "scores", "--signature", "both=x:logits,scores"]
    assert main(["convert", "saved", "-o", "one.pb", *chosen]) == 0
    assert [plan.signature for plan in gc.load_graph_def("one.pb").plans] == ["scores", "both"]


def test_training_steps_keep_their_variables(session: gc.Session, capsys: pytest.CaptureFixture[str]) -> None:
    labels = gc.placeholder(gc.int64, [None], name="labels")
    loss = gc.losses.sparse_softmax_cross_entropy(labels, session.graph.get_tensor_by_name("logits:0"))
    loss = gc.identity(loss, name="loss")
    gc.train.AdamOptimizer(0.1).minimize(loss, name="train")
    session.run(gc.global_variables_initializer())
    gc.train.Saver().save(session, "./ckpt")
    np.save("labels.npy", np.array([0, 1, 1, 0]))
    feeds = {"x:0": X, "labels:0": [0, 1, 1, 0]}
    losses = [session.run(["loss:0", "train"], feeds)[0] for _ in range(3)]
    assert main(["convert", "ckpt.meta", "-o", "model.pb", "--signature", "train=x,labels:loss,train", "--signature",
                 "predict=x:scores"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "train: x:0 f32[?, 3], labels:0 i64[?] -> loss:0 f32[]", "predict: x:0 f32[?, 3] -> scores:0 f32[?, 2]",
        "8 variables"]
    found = native("model.pb", "--signature", "train", "--steps", "3", "--feed", "x=x.npy", "--feed",
                   "labels=labels.npy", "--save", "trained", "--", "loss")
    np.testing.assert_array_equal(found["loss"], losses[2])
    gc.train.Saver().restore(session, "./trained")
    found = native("model.pb", "--signature", "predict", "--restore", "trained", "--feed", "x=x.npy", "--", "scores")
    np.testing.assert_array_equal(found["scores"], session.run("scores:0", {"x:0": X}))
    # Once more, from the converted file.
    assert main(["convert", "model.pb", "-o", "again.pb", "--signature", "predict=x:scores", "--keep-variables"]) == 0
    found = native("again.pb", "--restore", "trained", "--feed", "x=x.npy", "--", "scores")
    np.testing.assert_array_equal(found["scores"], session.run("scores:0", {"x:0": X}))


def test_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    with gc.Graph().as_default() as graph:
        gc.reduce_sum(gc.placeholder(gc.float32, None, name="x"), 1, name="y")
        gc.train.write_graph(graph, ".", "graph.pb", as_text=False)
    assert main(["convert", "graph.pb", "-o", "model.pb"]) == 1
    assert "the rank of the input 'x:0' is not known" in capsys.readouterr().err
    assert main(["convert", "graph.pb", "-o", "model.pb", "--shape", "x=?,3"]) == 0
    port, = load_plan(gc.load_graph_def("model.pb").plans[0]).inputs
    assert port.shape == (-1, 3)
    np.testing.assert_array_equal(native("model.pb", "--feed", "x=x.npy", "--", "y")["y"], X.sum(1, dtype=np.float32))


def test_what_only_python_runs_is_listed_and_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [3, 3], name="x")
        gc.identity(gc.svd(x, compute_uv=False, name="values") + gc.self_adjoint_eigvals(x, name="own"), name="y")
        gc.train.write_graph(graph, ".", "graph.pb", as_text=False)
    assert main(["convert", "graph.pb", "-o", "model.pb"]) == 1
    said = capsys.readouterr().err
    assert "Svd 'values'" in said and "SelfAdjointEigV2 'own'" in said and "feed its result" in said
    assert not Path("model.pb").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["none.pb"], "there is no file none.pb"),
    (["x.npy"], "x.npy is no GraphDef"),
    (["frozen.pb", "--signature", "a"], "the file has no signature 'a'; it has none"),
    (["frozen.pb", "--signature", "a=x"], "--signature takes NAME=INPUTS:OUTPUTS"),
    (["frozen.pb", "--signature", "=x:y"], "a name is missing"),
    (["frozen.pb", "--output", "score"], "the graph has no op named 'score'; did you mean 'scores'?"),
    (["frozen.pb", "--input", "x"], "--input needs --output"),
    (["frozen.pb", "--output", "scores", "--signature", "serving_default=x:scores"], "which --signature names, too"),
    (["frozen.pb", "--shape", "x"], "--shape takes NAME=?,28,28,1 (? is any size), not 'x'"),
    (["frozen.pb", "--shape", "x=-3"], "--shape takes"),
    (["frozen.pb", "--shape", "y=3"], "--shape: no signature has an input 'y'"),
    (["frozen.pb", "--shape", "x=?,4"], "the shape (None, 4) does not fit 'x:0'"),
    (["frozen.pb", "--checkpoint", "ckpt"], "Failed to find any matching files for ckpt"),
    (["graph.pb"], "name them, --output NAME"),
    (["graph.pb", "--output", "scores"], "w"),
    (["saved", "--tag", "gpu"], "--tag: MetaGraphDef associated with tags ['gpu'] could not be found"),
    (["saved", "--signature", "other"], "the file has no signature 'other'; it has serving_default"),
    (["frozen.pb", "--output", "scores", "-o", "model.pbtxt"], "the text form holds no compiled Plans"),
])
def test_messages(session: gc.Session, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    frozen_binary(session)
    saved_model(session)
    gc.train.write_graph(session.graph, ".", "graph.pb", as_text=False)
    assert main(["convert", "-o", "model.pb", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not Path("model.pb").exists() and not Path("model.pbtxt").exists()


@pytest.mark.parametrize(("text", "inputs", "outputs"), [
    ("x,y:z", ["x:0", "y:0"], ["z:0"]),
    ("x:0,y:z:0,x", ["x:0", "y:0"], ["z:0", "x:0"]),
    (":z", None, ["z:0"]),
    ("x:495", ["x:0"], ["495:0"]),
    ("x:z,^z,run", ["x:0"], ["z:0", "z", "run"]),
])
def test_signatures_as_text(text: str, inputs: list[str] | None, outputs: list[str]) -> None:
    with gc.Graph().as_default() as graph:
        x, y = (gc.placeholder(gc.float32, [], name=name) for name in "xy")
        gc.add(x, y, name="z"), gc.identity(x, name="495"), gc.no_op(name="run")
    made = parsed(graph, text)
    assert [e.name for e in made.fetches] == outputs
    assert (None if made.inputs is None else [e.name for e in made.inputs]) == inputs
