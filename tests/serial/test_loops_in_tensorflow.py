"""Saved graphs in TensorFlow, where it is installed (`make peers`): loops, which it checks most."""
from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")

from test_loops import FEEDS, LOOPS, saved


@pytest.mark.parametrize("make", LOOPS)
def test_loops_load_and_give_the_same(make) -> None:
    graph_def, fetches, init, values = saved(make)
    with tf.Graph().as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString()), name="")
        with tf.compat.v1.Session() as session:
            session.run(init)
            for found, expected in zip(session.run(fetches, FEEDS), values, strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
