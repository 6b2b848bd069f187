"""Files: what is said of those that cannot be read, and that what cannot be written or imported leaves no trace."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from messages import message_of

import graphc as gc
from graphc.cli import main

DataLoss = gc.errors.DataLossError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    gc.nn.relu(gc.matmul(x, gc.Variable(np.ones((3, 2), np.float32), name="w")), name="logits")
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return Path(gc.write_graph(gc.freeze(session, "logits"), str(tmp_path), "m.pb", as_text=False))


def test_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "none.pb")
    assert message_of(gc.errors.NotFoundError, gc.load_graph_def, path) == f"there is no file {path}"


def test_truncated_anywhere(model: Path, tmp_path: Path) -> None:
    """Cut between two nodes a file is a GraphDef still, but nodes are missing."""
    data = model.read_bytes()
    path = tmp_path / "cut.pb"
    for cut in range(1, len(data) - 1, 11):
        path.write_bytes(data[:cut])
        try:
            graph_def = gc.load_graph_def(str(path))
        except DataLoss as error:
            assert str(error) in (
                f"{path} is no GraphDef, or truncated or damaged ({cut} bytes were read): copy it again, or save the "
                "graph again",
                f"{path} holds no graph: it is empty or another kind of file (a SavedModel's saved_model.pb and "
                "checkpoints are no GraphDef); freeze the model into a GraphDef first")
            continue
        assert len(graph_def.node) <= 5


def test_foreign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "picture.pb"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    expected = (f"{path} is no GraphDef, or truncated or damaged (58 bytes were read): copy it again, or save the "
                "graph again")
    assert message_of(DataLoss, gc.load_graph_def, str(path)) == expected
    assert main(["inspect", str(path)]) == 1
    assert capsys.readouterr().err == f"graphc inspect: {expected}\n"


def test_newer(model: Path) -> None:
    graph_def = gc.load_graph_def(str(model))
    graph_def.plans[0].format_version = 99
    from graphc.serial.plan_proto import load_plan

    assert message_of(DataLoss, load_plan, graph_def.plans[0]) == (
        "the plan has format version 99, but this graphc reads up to 1: it was made by a newer graphc; update this "
        "one, or save the graph again")
    graph_def.versions.min_consumer = 9999
    text = message_of(DataLoss, gc.import_graph_def, graph_def)
    assert text.startswith("the graph needs a reader of GraphDef version 9999, but this graphc reads up to ")
    assert text.endswith("it was made by newer software; update graphc, or save the graph with an older one")


def test_unknown_op(model: Path) -> None:
    graph_def = gc.load_graph_def(str(model))
    next(n for n in graph_def.node if n.op == "Relu").op = "Rellu"
    assert message_of(gc.errors.UnimplementedError, gc.import_graph_def, graph_def) == (
        "the graph uses op types that graphc does not know: Rellu (1: 'logits'); did you mean 'Relu', 'Relu6', 'Selu'?")


def test_import_that_fails_leaves_the_graph_alone(model: Path) -> None:
    graph_def = gc.load_graph_def(str(model))
    graph_def.node[-1].input[0] = "nothing"
    with gc.Graph().as_default() as graph:
        gc.constant(1.0, name="c")
        for _ in range(2):
            assert message_of(ValueError, gc.import_graph_def, graph_def).startswith(
                f"Node '{graph_def.node[-1].name}': Unknown input node 'nothing'; the file is incomplete or damaged")
            assert [op.name for op in graph.get_operations()] == ["c"]
        graph_def = gc.load_graph_def(str(model))
        assert message_of(ValueError, gc.import_graph_def, graph_def, return_elements=["logit:0"]).startswith(
            "Requested return_element 'logit:0' not found in graph_def; did you mean 'logits'?")
        y, = gc.import_graph_def(graph_def, return_elements=["logits:0"])
        assert y.name == "import/logits:0" and graph.get_operations()[0].name == "c"


def test_freeze_of_an_uninitialised_variable() -> None:
    gc.identity(gc.Variable(1.0, name="w"), name="y")
    assert message_of(gc.errors.FailedPreconditionError, gc.freeze, gc.Session(), "y").startswith(
        "VariableV2 'w': Attempting to use uninitialized value w: run its initializer first, ")
    assert message_of(KeyError, gc.freeze, gc.Session(), "yy") == (
        "The name 'yy' refers to an Operation not in the graph; did you mean 'y'?")


WRITER = """
import os, sys
from graphc.io.whole_files import written
number = 0
while True:
    number = number % 250 + 1
    with written(sys.argv[1]) as file:
        file.write(bytes([number]) * 2_000_000)
    print(number, flush=True)
"""


def test_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "m.pb"
    root = str(Path(gc.__file__).parents[1])
    for round_ in range(4):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE,
                                 env=dict(os.environ, PYTHONPATH=root))
        try:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.003 * round_)
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        data = path.read_bytes()
        assert len(data) == 2_000_000 and len(set(data)) == 1


def test_modes_of_files(tmp_path: Path) -> None:
    """Readable as the umask says, as any program's files are."""
    old = os.umask(0o027)
    try:
        path = gc.write_graph(gc.Graph(), str(tmp_path), "m.pbtxt")
    finally:
        os.umask(old)
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_output_of_the_command_is_written_whole(model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 3), np.float32))
    out = tmp_path / "y.npy"
    assert main(["run", str(model), "--feed", f"x={tmp_path / 'x.npy'}", "--fetch", "logits", "--out", str(out)]) == 0
    np.testing.assert_array_equal(np.load(out), np.full((2, 2), 3, np.float32))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.pb", "x.npy", "y.npy"]


def test_what_the_system_says_of_a_file(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["dump", str(tmp_path)], ["inspect", "--html", str(model), "-o", str(tmp_path)]):
        assert main(command) == 1
        assert capsys.readouterr().err == f"graphc {command[0]}: cannot read or write {tmp_path}: Is a directory\n"


def test_interrupted_commands(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(path: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "load_graph_def", interrupted)
    assert main(["dump", str(model)]) == 130
    assert capsys.readouterr().err == "graphc dump: interrupted\n"
