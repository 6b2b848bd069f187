"""Files of TensorFlow's with control flow of every kind: loops, branches, TensorArrays, Keras' recurrent layers, frozen
with functions and lowered, and gradients that TensorFlow built. The numbers are TensorFlow 2.21's."""
from __future__ import annotations

import random

import numpy as np
import pytest
from flow_data import NAMES, load

import graphc as gc


def check(graph_def: gc.GraphDef, feeds: dict, expected: dict) -> None:
    with gc.Graph().as_default():
        gc.import_graph_def(graph_def, name="")
        with gc.Session() as session:
            found = session.run(list(expected), feeds)
    for (name, value), got in zip(expected.items(), found, strict=True):
        np.testing.assert_allclose(got, value, rtol=2e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_gives_the_same(name: str) -> None:
    check(*load(name))


@pytest.mark.parametrize("name", ["arrays", "loops", "lstm_lowered"])
def test_in_any_order_of_nodes_and_saved_again(name: str) -> None:
    graph_def, feeds, expected = load(name)
    nodes = list(graph_def.node)
    random.Random(1).shuffle(nodes)
    del graph_def.node[:]
    graph_def.node.extend(nodes)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        saved = graph.as_graph_def().SerializeToString()
    check(gc.GraphDef.FromString(saved), feeds, expected)


@pytest.mark.parametrize("name", ["lstm_lowered", "gru_functions"])
def test_gradients_of_recurrent_layers(name: str) -> None:
    """Against differences of the layer's own values."""
    graph_def, feeds, expected = load(name)
    (x, value), = feeds.items()
    y, = expected
    step = np.zeros_like(value)
    step[0, 1, 2] = 1e-2
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        total = gc.reduce_sum(graph.get_tensor_by_name(y))
        slope, = gc.gradients(total, graph.get_tensor_by_name(x))
        with gc.Session() as session:
            above, below = (session.run(total, {x: v}) for v in (value + step, value - step))
            np.testing.assert_allclose(session.run(slope, feeds)[0, 1, 2], (above - below) / 2e-2, rtol=1e-2, atol=1e-3)
