"""Maps that run together, moments and resized pictures in C++, with the bits that a Session has."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native


def compare(outputs: Sequence[Any], x: Any, fed: Sequence[np.ndarray]) -> None:
    with gc.Session() as session:
        expected = [session.run(list(outputs), {x: each}) for each in fed]
    graph_def = as_graph_def(gc.get_default_graph())
    add_plan(graph_def, [t.name for t in outputs], [x.name])
    with Native(build_runner() / "libgraphc.so").load(graph_def.SerializeToString(deterministic=True)) as model:
        for each, wanted in zip(fed, expected, strict=True):
            for found, right in zip(model.run([each]), wanted, strict=True):
                np.testing.assert_array_equal(found, right)


def test_maps_of_the_same_rows_and_moments() -> None:
    draw = np.random.default_rng(0)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None], name="x")
        low, high = gc.reduce_min(x, 1, keep_dims=True), gc.reduce_max(x, 1, keep_dims=True)
        normal = gc.nn.l2_normalize((x - low) / (high - low), 1)
        compare([normal, gc.reduce_logsumexp(normal, 1), *gc.nn.moments(x, [1]), gc.nn.moments(x, [0])[1]], x,
                [draw.standard_normal(shape).astype(np.float32) for shape in ((700, 1031), (3, 17), (600, 300))])


def test_resized_pictures() -> None:
    draw = np.random.default_rng(1)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None, 3], name="x")
        methods = gc.image.resize_bilinear, gc.image.resize_bicubic, gc.image.resize_area
        compare([method(x, [33, 20]) for method in methods], x,
                [draw.random(shape, np.float32) for shape in ((2, 65, 31, 3), (1, 1, 1, 3), (0, 4, 5, 3))])
