"""`graphc inspect --html`: one page with graph, costs, steps and memory; names in files are text wherever they go."""
from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc import cli, model_page
from graphc.picture.nodes import Input, Node
from graphc.picture.page import graph_data, page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'\u2028"


class Seen(HTMLParser):
    """Elements, and the texts in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.data = ""
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text: str) -> None:
        if self.tags and self.tags[-1][1].get("id") == "data":
            self.data += text
        self.texts.append(text)


def written(tmp_path: Path, *more: str) -> tuple[str, dict]:
    """The page of model.pb in this folder, and its data."""
    assert cli.main(["inspect", "--html", str(tmp_path / "model.pb"), "-o", str(tmp_path / "model.html"), *more]) == 0
    text = (tmp_path / "model.html").read_text()
    return text, json.loads(Seen(text).data)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 4], name="x")
        with gc.name_scope("inner"):
            h = gc.nn.relu(gc.matmul(x, gc.constant(np.ones((4, 8), np.float32), name="w")), name="h")
        y = gc.nn.softmax(gc.matmul(h, gc.constant(np.ones((8, 8), np.float32))), name="y")
        with gc.Session() as session:
            gc.train.write_graph(gc.freeze(session, [y]), str(tmp_path), "model.pb", as_text=False)
    return tmp_path


def test_it_has_graph_costs_steps_and_memory(model: Path, capsys) -> None:
    text, data = written(model, "--shape", "x=32,4")
    assert "wrote " in capsys.readouterr().out
    assert set(data["levels"]) == {"", "inner"}
    assert "<svg" in data["levels"]["inner"]["svg"] and data["levels"]["inner"]["trail"] == ["", "inner"]
    assert data["nodes"]["inner/h"] == {"type": "Relu", "inputs": ["inner/MatMul: ? \u00d7 8"],
                                       "results": ["? \u00d7 8"], "details": {}, "home": "inner"}
    assert data["nodes"]["inner/w"]["home"] is None
    assert "matmul.f32" in text and "x:0 [32, 4]" in text
    flops = 32 * 8 * (2 * 4 + 2 * 8)
    counted = [int(n.replace(",", "")) for n in re.findall(r"<td class=number>([\d,]+)</td><td class=number>", text)]
    assert sum(counted) >= flops
    assert text.count("<rect x=") >= 1 and "in the arena, which takes" in text


def test_open_sizes_are_1_if_nothing_is_said(model: Path) -> None:
    assert "x:0 [1, 4]" in written(model)[0]


@pytest.mark.parametrize(("shape", "said"), [("z=1", "there is no input 'z'; there are x:0"),
                                             ("x=3", "does not fit the input 'x:0' of shape ?,4"),
                                             ("x=3,5", "does not fit"), ("x=a", "--shape takes NAME=")])
def test_shapes_that_do_not_fit_are_errors(model: Path, shape: str, said: str, capsys) -> None:
    assert cli.main(["inspect", "--html", str(model / "model.pb"), "--shape", shape]) == 1
    assert said in capsys.readouterr().err
    assert not (model / "model.html").exists()


def test_options_of_the_page_need_it(model: Path, capsys) -> None:
    assert cli.main(["inspect", str(model / "model.pb"), "-o", "x.html"]) == 1
    assert "belong to --html" in capsys.readouterr().err


def test_hostile_names_are_text() -> None:
    nodes = [Node(HOSTILE, HOSTILE, (Input("b", HOSTILE),), (HOSTILE,), {HOSTILE: HOSTILE}), Node("b", "Add", ())]
    text = page(HOSTILE, HOSTILE, nodes, [model_page._types([HOSTILE])])
    seen = Seen(text)
    assert [tag for tag, _ in seen.tags if tag in ("script", "img")] == ["script", "script"]
    assert not any("onerror" in attributes for _, attributes in seen.tags)
    data = json.loads(seen.data)
    assert data["nodes"][HOSTILE]["details"] == {HOSTILE: HOSTILE}
    drawn = Seen(data["levels"][""]["svg"])
    assert {tag for tag, _ in drawn.tags} <= {"svg", "g", "title", "rect", "text", "path"}
    assert {attributes.get("data-key") for _, attributes in drawn.tags} >= {HOSTILE}


def test_no_script_but_the_pages_own_may_run() -> None:
    seen = Seen(page("t", "s", [], []))
    policy = next(a["content"] for tag, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ") and "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert not re.search(r"https?://(?!www\.w3\.org)", page("t", "s", [], []))


def test_data_cannot_end_its_element() -> None:
    assert not re.search("[<>&\u2028]", graph_data([Node(HOSTILE, "Add", ())]))


def test_a_file_with_unknown_ops_is_shown_too(tmp_path: Path) -> None:
    graph_def = gc.GraphDef()
    graph_def.node.add(name="a/x", op="Placeholder")
    graph_def.node.add(name="a/y", op="NoSuchOp", input=["a/x", "^b"])
    graph_def.node.add(name="b", op="NoOp")
    gc.train.write_graph(graph_def, str(tmp_path), "model.pb", as_text=False)
    text, data = written(tmp_path)
    assert "It cannot be run" in text and "NoSuchOp" in text
    assert data["nodes"]["a/y"]["inputs"] == ["a/x", "runs behind b"]
    assert data["nodes"]["a/y"]["details"] == {"missing": "graphc does not know this op"}


def test_variables_loops_and_random_numbers_run_on_zeros(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        v = gc.Variable(gc.ones([3]), name="v")
        _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.cumsum(y) * v), [0, x])
        update = v.assign_add(gc.reduce_sum(gc.nn.softmax(y) + gc.random_uniform([3]), 0))
        session.run(gc.global_variables_initializer())
        made = gc.export_model(session, {"train": gc.Signature([y, update], x), "predict": gc.Signature(y, x)})
        gc.train.write_graph(made, str(tmp_path), "model.pb", as_text=False)
    text, data = written(tmp_path, "--shape", "x=5,3")
    assert text.count("<h2>Memory of plan") == 2 and "Not shown" not in text
    assert any(path.startswith("while") and node["type"] == "Cumsum" for path, node in data["nodes"].items())


def test_a_loop_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_page, "SECONDS", 0.2)
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [], name="x")
        y = gc.while_loop(lambda y: y >= 0, lambda y: (gc.abs(y),), [x])
        gc.train.write_graph(gc.freeze(session, [gc.identity(y, name="y")]), str(tmp_path), "model.pb", as_text=False)
    assert "Not shown: a run on zeros ended with CancelledError" in written(tmp_path)[0]


def test_a_folder_is_refused(tmp_path: Path, capsys) -> None:
    assert cli.main(["inspect", "--html", str(tmp_path)]) == 1
    assert "graphc convert" in capsys.readouterr().err
