"""Convolutions in groups and their gradients in C++, with the bits that a Session has."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native


@pytest.mark.parametrize(("groups", "depth", "made", "strides"), [(8, 4, 4, 1), (3, 5, 2, 2), (2, 17, 33, 1)])
def test_results_and_gradients(groups: int, depth: int, made: int, strides: int) -> None:
    draw = np.random.default_rng(groups)
    pictures = [draw.standard_normal((n, 9, 8, groups * depth)).astype(np.float32) for n in (2, 1)]
    with gc.Graph().as_default() as graph, gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 9, 8, groups * depth], name="x")
        w = gc.placeholder(gc.float32, [3, 3, depth, groups * made], name="w")
        y = gc.nn.relu(gc.nn.conv2d(x, w, strides, "SAME"))
        outputs = [y, *gc.gradients(y * y, [x, w])]
        filters = draw.standard_normal(w.shape.as_list()).astype(np.float32)
        expected = [session.run(outputs, {x: each, w: filters}) for each in pictures]
        graph_def = as_graph_def(graph)
    add_plan(graph_def, [t.name for t in outputs], [x.name, w.name])
    with Native(build_runner() / "libgraphc.so").load(graph_def.SerializeToString(deterministic=True)) as model:
        for each, wanted in zip(pictures, expected, strict=True):
            for found, right in zip(model.run([each, filters]), wanted, strict=True):
                np.testing.assert_array_equal(found, right)
