"""What notebooks and shells show of graphs, sessions, tensors, operations, optimizers and savers."""
from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import graphc as gc

HOSTILE = "<script>alert(1)</script>&\"'"


@pytest.fixture
def net() -> dict:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, 4], name="x")
        with gc.variable_scope("layer"):
            w = gc.get_variable("w", [4, 2], initializer=gc.ones_initializer())
        y = gc.nn.relu(gc.matmul(x, w), name="y")
        return {"graph": graph, "x": x, "y": y, "init": gc.global_variables_initializer()}


def svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(f"{part.partition('</svg>')[0]}</svg>".join(["<svg", ""]))
            for part in html.split("<svg")[1:]]


def test_a_graph_is_drawn_with_shapes_and_scopes(net: dict) -> None:
    html = net["graph"]._repr_html_()
    top, *inner = svgs(html)
    words = [t.text for t in top.iter("{http://www.w3.org/2000/svg}text")]
    assert {"x", "Placeholder", "layer", "MatMul", "y"} <= set(words)
    assert "? \u00d7 4" in words and "4 \u00d7 2" in words and "? \u00d7 2" in words
    assert html.count("<details>") == len(inner) >= 1


def test_reprs_are_plain_lines(net: dict) -> None:
    graph = net["graph"]
    count = len(graph.get_operations())
    assert repr(graph) == f"<gc.Graph of {count} operations: 1 placeholder, 1 variable>"
    with gc.Session(graph=graph) as session:
        assert repr(session) == f"<gc.Session of a graph of {count} operations: 0 plans, 0 runs>"
        session.run(net["init"])
        for rows in (1, 2, 2):
            session.run(net["y"], {net["x"]: np.ones((rows, 4))})
        assert repr(session) == (f"<gc.Session of a graph of {count} operations: 2 plans, 4 runs, "
                                 "1 variable of 32 bytes>")
    assert repr(session) == "<gc.Session, closed>"
    assert repr(gc.Graph()) == "<gc.Graph of 0 operations>"


def test_a_session_shows_plans_memory_and_variables(net: dict) -> None:
    with gc.Session(graph=net["graph"]) as session:
        session.run(net["init"])
        session.run(net["y"], {net["x"]: np.ones((3, 4))})
        html = session._repr_html_()
    assert "<code>y:0</code>" in html and "<code>x:0</code>" in html
    assert "matmul.f32" in html
    assert "[3, 4]" in html
    assert "layer/w" in html and "float32 [4, 2]" in html and "32 bytes" in html


def test_tensors_and_operations_show_where_they_come_from(net: dict) -> None:
    y = net["y"]
    assert "Relu of <code>MatMul:0</code>" in y._repr_html_()
    assert "test_notebook.py" in y._repr_html_()
    assert "transpose_a" in y.op.inputs[0].op._repr_html_()
    assert "<code>x:0: ? \u00d7 4</code>" in y.op.inputs[0].op._repr_html_()


def test_names_of_a_file_are_escaped() -> None:
    graph_def = gc.GraphDef()
    with gc.Graph().as_default() as made:
        gc.identity(gc.constant(1.0), name="y")
        graph_def = made.as_graph_def()
    graph_def.node[1].attr["_note"].s = HOSTILE.encode()
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        op = graph.get_operation_by_name("y")
        assert "<script>" not in op._repr_html_() and "&lt;script&gt;" in op._repr_html_()


def test_optimizers_and_savers_say_what_they_are(tmp_path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(1.0, name="v")
        optimizer = gc.train.MomentumOptimizer(gc.constant(0.1, name="rate"), 0.9)
        assert repr(optimizer) == "<MomentumOptimizer 'Momentum', learning rate rate:0>"
        optimizer.minimize(v * v)
        assert repr(optimizer) == "<MomentumOptimizer 'Momentum', learning rate rate:0, slots momentum>"
        assert repr(gc.train.Optimizer(False, "mine")) == "<Optimizer 'mine'>"
        saver = gc.train.Saver(max_to_keep=2)
        assert repr(saver) == "<Saver keeps 2>"
        session.run(gc.global_variables_initializer())
        path = saver.save(session, str(tmp_path / "model"))
        assert repr(saver) == f"<Saver keeps 2, last: {path}>"


def test_a_graph_of_many_operations_stays_small() -> None:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [2])
        for _ in range(3000):
            x = gc.negative(x)
    assert len(graph._repr_html_()) < 1_000_000


def test_importing_graphc_imports_no_picture() -> None:
    code = "import sys, graphc; print([m for m in sys.modules if m.startswith('graphc.picture')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
