"""Graphs whose constants are in a side file: read back, mapped and not copied, run in C++, and refused if the two files
do not belong together."""
from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.serial.large_graphs import whole_size
from graphc.serial.plan_proto import graph_hash
from graphc.serial.side_files import CONSUMER
from graphc.serial.tensors import make_ndarray, read_array

import native as n
from files import build_runner

W = np.arange(12, dtype=np.float32).reshape(3, 4)
MASK = np.array([True, False, True, True] * 5)
X = np.ones((2, 3), np.float32)


def graph() -> gc.GraphDef:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        y = gc.matmul(x, gc.constant(W, name="w")) + gc.constant(np.float32([1, 2, 3, 4]), name="small")
        gc.identity(gc.boolean_mask(gc.concat([y] * 10, 0), gc.constant(MASK, name="mask")), name="y")
        return gc.freeze(session, "y")


def expected() -> np.ndarray:
    return np.concatenate([X @ W + np.float32([1, 2, 3, 4])] * 10)[MASK]


@pytest.fixture
def graph_def() -> gc.GraphDef:
    return graph()


@pytest.fixture
def path(graph_def: gc.GraphDef, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    made = gc.train.write_graph(graph_def, str(tmp_path), "model.pb", as_text=False, aside_over=16)
    assert "has its constants in" in capsys.readouterr().err
    return made


def load_native(path: str) -> n.Model:
    import ctypes

    library = n.Native(build_runner() / "libgraphc.so")
    handle = ctypes.c_void_p()
    library.check(library.library.graphc_load_file(path.encode(), None, ctypes.byref(handle)))
    return n.Model(library, handle)


def run_python(path: str) -> np.ndarray:
    with gc.Graph().as_default() as loaded, gc.Session(graph=loaded) as session:
        gc.import_graph_def(gc.load_graph_def(path), name="")
        return session.run("y:0", {"x:0": X})


def test_both_read_it(path: str) -> None:
    np.testing.assert_array_equal(run_python(path), expected())
    with load_native(path) as model:
        np.testing.assert_array_equal(model.run([X])[0], expected())


def test_the_format(path: str) -> None:
    """As proto/side_file.proto describes it, read by hand."""
    loaded, data = gc.load_graph_def(path), Path(f"{path}.data").read_bytes()
    assert loaded.side_file.name == "model.pb.data" and loaded.side_file.size == len(data) and len(data) % 64 == 0
    assert data[:16] == b"graphcSD" + struct.pack("<II", 1, 0) and data[48:64] == bytes(16)
    assert data[16:48] == loaded.side_file.id == hashlib.sha256(data[64:]).digest()
    aside = {node.name: node.attr["value"].tensor.side for node in loaded.node
             if node.op == "Const" and node.attr["value"].tensor.HasField("side")}
    assert {"w", "mask"} <= set(aside) and "small" not in aside
    for name, value in (("w", W), ("mask", MASK)):
        assert aside[name].offset % 64 == 0 and aside[name].offset >= 64
        assert data[aside[name].offset:aside[name].offset + aside[name].size] == value.tobytes()
    assert loaded.versions.min_consumer == CONSUMER and loaded.plans[0].graph_hash == graph_hash(loaded)


def test_it_is_mapped_and_cannot_be_written_to(path: str) -> None:
    node = next(node for node in gc.load_graph_def(path).node if node.name == "w")
    value = read_array(node.attr["value"].tensor)
    np.testing.assert_array_equal(value, W)
    assert not value.flags.owndata and value.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        value[0, 0] = 1
    make_ndarray(node.attr["value"].tensor)[0, 0] = 1
    np.testing.assert_array_equal(value, W)


def test_small_graphs_stay_one_file(graph_def: gc.GraphDef, tmp_path: Path, path: str) -> None:
    gc.train.write_graph(graph_def, str(tmp_path), "one.pb", as_text=False)
    assert sorted(os.listdir(tmp_path)) == ["model.pb", "model.pb.data", "one.pb"]
    whole = gc.train.write_graph(gc.load_graph_def(path), str(tmp_path), "again.pb", as_text=False)
    assert sorted(os.listdir(tmp_path)) == ["again.pb", "model.pb", "model.pb.data", "one.pb"]
    assert Path(whole).read_bytes() == (tmp_path / "one.pb").read_bytes()
    moved = gc.train.write_graph(gc.load_graph_def(path), str(tmp_path / "moved"), "moved.pb", as_text=False,
                                 aside_over=16)
    assert Path(f"{moved}.data").read_bytes() == Path(f"{path}.data").read_bytes()
    text = gc.train.write_graph(gc.load_graph_def(path), str(tmp_path), "again.pbtxt")
    assert "tensor_content" in Path(text).read_text() and "side" not in Path(text).read_text()


def test_too_big_for_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                              capsys: pytest.CaptureFixture[str]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [], name="x")
        made = gc.freeze(session, gc.add(x, gc.constant(np.arange(1000, dtype=np.float32)), name="y"))
    monkeypatch.setattr("graphc.serial.files._SIZE_LIMIT", whole_size(made) - 1)
    monkeypatch.setattr("graphc.serial.files.SMALLEST_ASIDE", 19)
    path = gc.train.write_graph(made, str(tmp_path), "model.pb", as_text=False)
    assert capsys.readouterr().err == (
        f"graphc: {path} has its constants in {path}.data, {os.path.getsize(path + '.data')} bytes; keep the two "
        "together. TensorFlow cannot read it.\n")
    with load_native(path) as model:
        np.testing.assert_array_equal(model.run([np.ones([], np.float32)])[0], np.arange(1, 1001))
    with pytest.raises(gc.errors.InvalidArgumentError, match="the text form has no second file"):
        gc.train.write_graph(made, str(tmp_path), "model.pbtxt")
    assert whole_size(made) == made.ByteSize()


def test_variables_of_an_export(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable(W, name="w")
        session.run(w.initializer)
        more = gc.assign_add(w, gc.ones([3, 4]))
        file = gc.export_model(session, {"more": gc.Signature(more), "w": gc.Signature(w + 0.0)})
    path = gc.train.write_graph(file, str(tmp_path), "model.pb", as_text=False, aside_over=16)
    with load_native(path) as model:
        np.testing.assert_array_equal(model.run([])[0], W + 1)
        np.testing.assert_array_equal(model.run([])[0], W + 2)
    with load_native(path) as model:
        np.testing.assert_array_equal(model.run([])[0], W + 1, err_msg="the file is as it was")


def changed(path: str, change: str) -> None:
    """Does to the files what the case is called."""
    data, graph_def = bytearray(Path(f"{path}.data").read_bytes()), gc.GraphDef.FromString(Path(path).read_bytes())
    tensor = next(node for node in graph_def.node if node.name == "w").attr["value"].tensor
    match change:
        case "cut short":
            del data[-64:]
        case "longer":
            data += bytes(64)
        case "another graph's":
            data[20] ^= 1
        case "another format":
            data[0] ^= 1
        case "newer":
            data[8] = 2
        case "a path":
            graph_def.side_file.name = "../model.pb.data"
        case "an absolute path":
            graph_def.side_file.name = "/etc/passwd"
        case "no name":
            graph_def.side_file.name = ".."
        case "misaligned":
            tensor.side.offset += 4
        case "in the header":
            tensor.side.offset = 0
        case "behind the end":
            tensor.side.offset = len(data)
        case "far away":
            tensor.side.offset = 1 << 62
        case "negative":
            tensor.side.offset = -64
        case "too few bytes":
            tensor.side.size -= 4
        case "negative size":
            tensor.side.size = -1
        case "another file's tensor":
            tensor.side.id = bytes(32)
        case "no side file":
            graph_def.ClearField("side_file")
            graph_def.versions.min_consumer = 0
    Path(f"{path}.data").write_bytes(data)
    for plan in graph_def.plans:
        plan.graph_hash = graph_hash(graph_def)
    Path(path).write_bytes(graph_def.SerializeToString())


@pytest.mark.parametrize("change", [
    "cut short", "longer", "another graph's", "another format", "newer", "a path", "an absolute path", "no name",
    "misaligned", "in the header", "behind the end", "far away", "negative", "too few bytes", "negative size",
    "another file's tensor", "no side file"])
def test_what_does_not_belong_together(path: str, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.serial.side_files._mapped", {})
    changed(path, change)
    with pytest.raises(gc.errors.DataLossError):
        run_python(path)
    with pytest.raises(n.NativeError) as caught:
        load_native(path)
    assert caught.value.status == n.DATA_LOSS, caught.value


def test_a_missing_side_file(path: str) -> None:
    os.unlink(f"{path}.data")
    with pytest.raises(gc.errors.NotFoundError, match="the two must be kept together"):
        gc.load_graph_def(path)
    with pytest.raises(n.NativeError, match="must be kept together") as caught:
        load_native(path)
    assert caught.value.status == n.NOT_FOUND


def test_without_a_path_there_is_no_side_file(path: str) -> None:
    library = n.Native(build_runner() / "libgraphc.so")
    with pytest.raises(n.NativeError, match="only if the graph is loaded by its path"):
        library.load(Path(path).read_bytes())


def test_a_failed_write_leaves_the_old_files(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: Path(name).read_bytes() for name in (path, f"{path}.data")}
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        gc.train.write_graph(graph(), os.path.dirname(path), "model.pb", as_text=False, aside_over=1)
    assert {name: Path(name).read_bytes() for name in before} == before
    assert len(os.listdir(os.path.dirname(path))) == 2


def test_a_tensor_that_protobuf_cannot_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.serial.tensors.LARGEST", 40)
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"a constant of 48 bytes: .* split it"):
        gc.make_tensor_proto(W)


def test_constants_that_protobuf_cannot_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A frozen variable, too. The graph is gone when the message is written; plans, copies and parts of it work."""
    monkeypatch.setattr("graphc.serial.tensors.LARGEST", 40)
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        v = gc.Variable(W * 2, name="v")
        gc.identity(gc.matmul(x, gc.constant(W, name="w")) + gc.matmul(x, v), name="y")
        session.run(v.initializer)
        made = gc.freeze(session, "y")
    assert made.versions.min_consumer == CONSUMER and made.HasField("side_file")
    assert {n.name for n in made.node if n.op == "Const" and n.attr["value"].tensor.HasField("side")} == {"w", "v"}
    path = gc.train.write_graph(made, str(tmp_path), "m.pb", as_text=False, aside_over=40)
    np.testing.assert_array_equal(run_python(path), 3 * X @ W)
    np.testing.assert_array_equal(load_native(path).run([X])[0], 3 * X @ W)
    part = gc.graph_util.extract_sub_graph(made, ["v"])
    (tmp_path / "lost.pb").write_bytes(part.SerializeToString())
    with pytest.raises(gc.errors.DataLossError, match=r"constants of 2 GB .* write it with gc\.train\.write_graph"):
        gc.load_graph_def(str(tmp_path / "lost.pb"))


def test_large_constants_in_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.serial.tensors.LARGEST", 40)
    with gc.Graph().as_default() as graph:
        gc.while_loop(lambda x: gc.reduce_sum(x) < 9, lambda x: x + gc.constant(W), [gc.zeros([3, 4])])
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"of the loop or branch .* make it outside"):
            graph.as_graph_def()
