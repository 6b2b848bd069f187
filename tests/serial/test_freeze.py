"""Variables become constants; the frozen graph gives the Session's answers, with its Plan inside."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.serial.plan_proto import graph_hash, load_plan


@pytest.fixture
def session():
    with gc.Graph().as_default(), gc.Session() as made:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        keep = gc.placeholder_with_default(1.0, [], name="keep")
        w = gc.get_variable("w", [3, 4], initializer=gc.random_normal_initializer(seed=1))
        b = gc.Variable(gc.ones([4]), name="b")
        logits = gc.add(gc.matmul(x, w) * keep, b, name="logits")
        labels = gc.placeholder(gc.int64, [None], name="labels")
        loss = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        gc.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
        made.run(gc.global_variables_initializer())
        made.run("train", {x: np.ones((2, 3)), labels: [0, 3]})
        yield made


X = np.random.default_rng(3).normal(size=(5, 3)).astype(np.float32)


def test_frozen_graph_gives_the_same(session):
    expected = session.run("logits:0", {"x:0": X})
    frozen = gc.freeze(session, ["logits"])
    assert not [n.op for n in frozen.node if n.op in ("VariableV2", "Assign", "ApplyGradientDescent")]
    assert "labels" not in [n.name for n in frozen.node]
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(frozen, name="")
        with gc.Session(graph=graph) as again:
            np.testing.assert_allclose(again.run("logits:0", {"x:0": X}), expected, rtol=1e-6)


def test_plan_inside(session):
    frozen = gc.freeze(session, session.graph.get_tensor_by_name("logits:0"))
    saved, = frozen.plans
    plan = load_plan(saved)
    assert [p.name for p in plan.inputs] == ["x:0"] and [p.name for p in plan.outputs] == ["logits:0"]
    assert saved.graph_hash == graph_hash(frozen) and not plan.states
    holders = [n.name for n in frozen.node if n.op == "Const" and len(n.attr["value"].tensor.tensor_content) == 48]
    assert holders == ["w"] and "w" in [c.name for c in plan.constants], "weights are stored once"


def test_chosen_inputs(session):
    frozen = gc.freeze(session, "logits", inputs=["keep", "x"])
    assert [p.name for p in load_plan(frozen.plans[0]).inputs] == ["keep:0", "x:0"]


def test_convert_variables_to_constants(session):
    graph_def = session.graph.as_graph_def()
    all_of_them = gc.graph_util.convert_variables_to_constants(session, graph_def, ["logits"])
    types = {n.name: n.op for n in all_of_them.node}
    assert types["w"] == types["b"] == "Const" and types["w/read"] == "Identity" and not all_of_them.plans
    some = gc.graph_util.convert_variables_to_constants(session, graph_def, ["logits"], variable_names_blacklist=["b"])
    assert {n.name: n.op for n in some.node}["b"] == "VariableV2"
    with pytest.raises(gc.errors.InvalidArgumentError, match="logit is not in graph; did you mean 'logits'"):
        gc.graph_util.convert_variables_to_constants(session, graph_def, ["logit"])


def test_outputs_named_twice_are_kept_once(session):
    with gc.Graph().as_default(), gc.Session() as inner:
        x = gc.placeholder(gc.float32, [2], name="x")
        y, _ = gc.identity(x * 2.0, name="y"), gc.identity(x * 3.0, name="z")
        frozen = gc.freeze(inner, ["y", "z", y], inputs=[x, "x"])
        assert [output.name for output in load_plan(frozen.plans[0]).outputs] == ["y:0", "z:0"]
        made = gc.graph_util.convert_variables_to_constants(inner, inner.graph_def, ["z", "z"])
        assert [node.name for node in made.node if node.op == "Identity"] == ["z"]


def test_uninitialised_variables_are_refused():
    with gc.Graph().as_default(), gc.Session() as session:
        gc.identity(gc.Variable([1.0], name="v"), name="y")
        with pytest.raises(gc.errors.FailedPreconditionError, match="v"):
            gc.freeze(session, "y")
