"""Run-time sizes through the C++ runner: every family at every place, saved and run with several values."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from size_families import COLUMNS, FAMILIES, PLACES

import graphc as gc
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native


@pytest.fixture(scope="module")
def native() -> Iterator[Native]:
    yield Native(build_runner() / "libgraphc.so")


@pytest.mark.parametrize("place", PLACES)
def test_runner_agrees(place: str, native: Native) -> None:
    graph, numpy = PLACES[place]
    for name, family in FAMILIES.items():
        with gc.Graph().as_default() as built:
            x, n = gc.placeholder(gc.float32, [None, COLUMNS], name="x"), gc.placeholder(gc.int32, [], name="n")
            y = gc.identity(graph(x, n, family.graph), name="y")
        graph_def = as_graph_def(built)
        add_plan(graph_def, [y.name], [x.name, n.name])
        file = graph_def.SerializeToString(deterministic=True)
        with native.load(file) as model:
            for rows in (4, 1, 0):
                values = family.values(rows)
                for value in (values[:1] + values[-1:]):
                    given = np.random.default_rng(rows).integers(-3, 4, (rows, COLUMNS)).astype(np.float32)
                    found, = model.run([given, np.array(value, np.int32)])
                    expected = numpy(given.astype(np.float64), value, family.numpy)
                    assert found.shape == np.shape(expected), (name, rows, value)
                    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5,
                                               err_msg=f"{name} {rows} {value}")
