"""GraphDefs of TensorFlow's with loops, branches, and ops that are made of others, imported and saved with a Plan, in
the C++ runner."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flow_data import FOLDER, NAMES, NAMES_OF_OPS, OPS, load

import graphc as gc
from graphc.serial.freeze import add_plan
from graphc.serial.graphdef import as_graph_def

from files import build_runner
from native import Native


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(build_runner() / "libgraphc.so")


# `examples` parses in Python.
FILES = [(FOLDER, name) for name in NAMES] + [(OPS, name) for name in NAMES_OF_OPS if name != "examples"]


@pytest.mark.parametrize(("folder", "name"), FILES, ids=[name for _, name in FILES])
def test_gives_the_same(folder: Path, name: str, native: Native) -> None:
    graph_def, feeds, expected = load(name, folder)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
    saved = as_graph_def(graph)
    add_plan(saved, list(expected), list(feeds))
    with native.load(saved.SerializeToString(deterministic=True)) as loaded:
        found = loaded.run(list(feeds.values()))
    for got, (tensor, value) in zip(found, expected.items(), strict=True):
        np.testing.assert_allclose(got, value, rtol=2e-5, atol=1e-5, err_msg=tensor)
