"""Files: written whole, read back, and refused with a remedy if truncated, foreign or newer; Plans inside."""
from __future__ import annotations

import os
import random

import numpy as np
import pytest

import graphc as gc
from graphc.plan.plan import FORMAT_VERSION
from graphc.serial.files import load_graph_def
from graphc.serial.freeze import add_plan, extract_sub_graph
from graphc.serial.plan_proto import graph_hash, load_plan


@pytest.fixture
def graph_def():
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        w = gc.constant(np.arange(12).reshape(3, 4), gc.float32, name="w")
        gc.nn.relu(gc.matmul(x, w) + gc.constant([1.0, 2.0, 3.0, 4.0]) * 2.0, name="y")
        gc.identity(x, name="unused")
        made = extract_sub_graph(graph.as_graph_def(), ["y"])
    add_plan(made, ["y:0"])
    return made


def test_extract_keeps_what_is_needed(graph_def):
    assert "unused" not in [n.name for n in graph_def.node]
    with pytest.raises(gc.errors.InvalidArgumentError, match="yy is not in graph; did you mean 'y'"):
        extract_sub_graph(graph_def, ["yy"])


def test_plan_is_saved_with_its_constants(graph_def, tmp_path):
    path = gc.write_graph(graph_def, str(tmp_path), "m.pb", as_text=False)
    loaded = load_graph_def(path)
    saved, = loaded.plans
    assert saved.format_version == FORMAT_VERSION and saved.graph_hash == graph_hash(loaded)
    plan = load_plan(saved)
    assert [p.name for p in plan.inputs] == ["x:0"] and [p.name for p in plan.outputs] == ["y:0"]
    nodes = {n.name: n for n in loaded.node}
    for constant in plan.constants:
        assert nodes[constant.name].op == "Const" and nodes[constant.name].attr["value"].tensor.tensor_content
    assert "w" in [c.name for c in plan.constants], "weights are stored once"


def test_hash_does_not_depend_on_the_order_of_attributes(graph_def):
    loaded = gc.GraphDef.FromString(graph_def.SerializeToString())
    assert graph_hash(loaded) == graph_def.plans[0].graph_hash
    loaded.node[0].attr["shape"].shape.dim[1].size = 4
    assert graph_hash(loaded) != graph_def.plans[0].graph_hash


def test_text_leaves_out_plans(graph_def, tmp_path):
    path = gc.write_graph(graph_def, str(tmp_path / "new" / "folder"), "m.pbtxt")
    loaded = load_graph_def(path)
    assert not loaded.plans and list(loaded.node) == list(graph_def.node) and graph_def.plans


def test_graph_is_written_too(tmp_path):
    with gc.Graph().as_default() as graph:
        gc.constant(1.0, name="c")
    assert load_graph_def(gc.write_graph(graph, str(tmp_path), "g.pb", as_text=False)).node[0].name == "c"
    with pytest.raises(TypeError, match="takes a Graph or a GraphDef"):
        gc.write_graph("graph", str(tmp_path), "g.pb")


def test_failed_write_leaves_the_old_file(graph_def, tmp_path, monkeypatch):
    path = gc.write_graph(graph_def, str(tmp_path), "m.pb", as_text=False)
    before = open(path, "rb").read()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        gc.write_graph(gc.GraphDef(), str(tmp_path), "m.pb", as_text=False)
    assert open(path, "rb").read() == before and os.listdir(tmp_path) == ["m.pb"]


def test_missing_truncated_foreign_newer(graph_def, tmp_path):
    with pytest.raises(gc.errors.NotFoundError, match="there is no file"):
        load_graph_def(str(tmp_path / "none.pb"))
    data = graph_def.SerializeToString()
    path = tmp_path / "bad.pb"
    for content, message in [
        (data[: len(data) // 2], "truncated or damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no GraphDef"),
        (b"", "holds no graph"),
        (b"\x08\x01", "holds no graph|no GraphDef"),
    ]:
        path.write_bytes(content)
        with pytest.raises(gc.errors.DataLossError, match=message):
            load_graph_def(str(path))
    graph_def.versions.min_consumer = 1000
    path.write_bytes(graph_def.SerializeToString())
    with pytest.raises(gc.errors.DataLossError, match="newer software; update graphc"):
        load_graph_def(str(path))


def test_flipped_bits_never_crash(graph_def):
    data = bytearray(graph_def.SerializeToString())
    generator = random.Random(7)
    expected = (gc.errors.OpError, ValueError, TypeError)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
        try:
            from graphc.serial.files import parse_graph_def

            loaded = parse_graph_def(bytes(damaged))
            with gc.Graph().as_default():
                gc.import_graph_def(loaded, name="")
            for saved in loaded.plans:
                load_plan(saved)
        except expected:
            pass


def test_what_is_too_large_for_a_file_leaves_none(graph_def, tmp_path, monkeypatch):
    monkeypatch.setattr("graphc.serial.files._SIZE_LIMIT", 100)
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"a \.pb can hold 100 only"):
        gc.train.write_graph(graph_def, str(tmp_path), "large.pb", as_text=False)
    assert list(tmp_path.iterdir()) == []
