"""Files of TensorFlow's with ops that graphc makes of others, or has for files alone. The numbers are TensorFlow
2.21's."""
from __future__ import annotations

import numpy as np
import pytest
from flow_data import NAMES_OF_OPS, OPS, load

import graphc as gc


def check(graph_def: gc.GraphDef, feeds: dict, expected: dict) -> None:
    with gc.Graph().as_default():
        gc.import_graph_def(graph_def, name="")
        with gc.Session() as session:
            found = session.run(list(expected), feeds)
    for (name, value), got in zip(expected.items(), found, strict=True):
        assert got.dtype == value.dtype, name
        np.testing.assert_allclose(got, value, rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("name", NAMES_OF_OPS)
def test_gives_the_same(name: str) -> None:
    check(*load(name, OPS))


@pytest.mark.parametrize("name", NAMES_OF_OPS)
def test_saved_again(name: str) -> None:
    graph_def, feeds, expected = load(name, OPS)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        saved = graph.as_graph_def().SerializeToString()
    check(gc.GraphDef.FromString(saved), feeds, expected)
