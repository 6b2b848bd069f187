"""Control edges of meta graphs, which keep TensorFlow from reading a variable that the same run has just updated.

That TensorFlow then trains to the same numbers is in tests/peers/test_saved_models_of_both.py.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.serial.reads_before_writes import with_reads_before_writes


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


def added(graph: Any) -> dict[str, set[str]]:
    """The control inputs that are new, by node."""
    message = graph.as_graph_def()
    before = {node.name: set(node.input) for node in message.node}
    with_reads_before_writes(message)
    return {node.name: new for node in message.node if (new := set(node.input) - before[node.name])}


def test_an_update_waits_for_gradients_of_other_weights(graph: Any) -> None:
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    v = gc.get_variable("v", [3, 3])
    w = gc.get_variable("w", [3, 2])
    hidden = gc.tanh(gc.matmul(x, v, name="first"))
    loss = gc.reduce_sum(gc.matmul(hidden, w, name="second"))
    gc.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")
    gc.reduce_sum(w, name="shown")                     # another run may fetch it alone: no step waits for it
    (update, waited), = added(graph).items()
    assert "update_w" in update and len(waited) == 1   # v's comes behind all that reads v
    reader = next(node for node in graph.as_graph_def().node if f"^{node.name}" in waited)
    assert reader.op == "MatMul" and any("w/read" in text for text in reader.input)


def test_reads_behind_an_update_stay(graph: Any) -> None:
    """What is ordered behind it sees the new value, and no cycle arises."""
    v, u = gc.get_variable("v", [2]), gc.get_variable("u", [2])
    first = gc.assign_add(v, [1.0, 1.0], name="first")
    with gc.control_dependencies([first]):
        late = gc.add(v, [0.0, 0.0], name="late")
    early = gc.multiply(gc.reshape(v, [1, 2]), 2.0, name="early")
    second = gc.assign_add(u, late + gc.reshape(early, [2]), name="second")
    third = gc.multiply(u, v, name="third")
    gc.group(first, second, third, name="all")
    assert added(graph) == {"first": {"^early", "^third"}, "second": {"^third"}}
    with gc.Session() as session:                      # as here
        session.run([v.assign([1.0, 2.0]), u.assign([0.0, 0.0])])
        assert session.run([third, "all"])[0].tolist() == [0, 0]


def test_meta_graphs_have_them(graph: Any) -> None:
    v = gc.get_variable("v", initializer=np.float32(3))
    gc.group(gc.assign_sub(v, 1.0, name="update"), gc.square(v, name="read"))
    update = next(n for n in gc.train.export_meta_graph().graph_def.node if n.name == "update")
    assert "^read" in update.input
