"""Recurrent networks whose loops are cut at products: as they are without that, in training, too."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.loops.split_loops import split_loops
from graphc.passes.loops.unused_results import unused_results
from graphc.passes.pipeline import PIPELINE
from graphc.passes.shared.control_flow import Loop, everything
from graphc.passes.simplification.simplify import simplify
from graphc.passes.snapshot.snapshot import take_snapshot

UNITS, DEPTH, STEPS, BATCH = 80, 70, 5, 3
CELLS = {"lstm": gc.nn.rnn_cell.BasicLSTMCell, "gru": gc.nn.rnn_cell.GRUCell, "plain": gc.nn.rnn_cell.BasicRNNCell}
WHOLE = tuple(named for named in PIPELINE if named[0] != "split_loops")
X = np.random.default_rng(0).standard_normal((BATCH, STEPS, DEPTH)).astype(np.float32)


def network(kind: str, known: bool = True, lengths: bool = False,
            both: bool = False) -> tuple[list[Any], dict[Any, Any]]:
    """Outputs and gradients by the variables and the input of two layers, and what is fed."""
    gc.set_random_seed(2)
    x = gc.placeholder(gc.float32, X.shape if known else [None, None, DEPTH])
    feeds: dict[Any, Any] = {x: X}
    told = gc.placeholder(gc.int32, [None]) if lengths else None
    if lengths:
        feeds[told] = np.array([2, 4, 1], np.int32)[:BATCH]

    def cell() -> Any:
        return gc.nn.rnn_cell.MultiRNNCell([CELLS[kind](UNITS) for _ in range(2)])

    if both:
        y, _ = gc.nn.bidirectional_dynamic_rnn(cell(), cell(), x, told, dtype=gc.float32)
        outputs = gc.concat(y, 2)
    else:
        outputs, _ = gc.nn.dynamic_rnn(cell(), x, told, dtype=gc.float32)
    loss = gc.reduce_mean(gc.square(outputs))
    return [outputs, *gc.gradients(loss, [*gc.trainable_variables(), x])], feeds


def runs(fetches: list[Any], feeds: dict[Any, Any], threads: int = 1) -> list[np.ndarray]:
    with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
        session.run(gc.global_variables_initializer())
        first = session.run(fetches, feeds)
        for a, b in zip(first, session.run(fetches, feeds), strict=True):
            np.testing.assert_array_equal(a, b)
        return first


def loops(fetches: list[Any], feeds: dict[Any, Any], run: bool) -> int:
    flow = simplify(unused_results(take_snapshot(fetches, [], list(feeds), [np.ndim(v) for v in feeds.values()])))
    return sum(isinstance(n.op, Loop) for n in everything(split_loops(flow) if run else flow))


@pytest.mark.parametrize(("kind", "settings"), [
    ("lstm", {}), ("lstm", {"known": False}), ("lstm", {"lengths": True}), ("gru", {"known": False, "lengths": True}),
    ("plain", {}), ("gru", {"both": True, "lengths": True})], ids=str)
def test_outputs_and_gradients(kind: str, settings: dict[str, bool], monkeypatch: Any) -> None:
    with gc.Graph().as_default():
        fetches, feeds = network(kind, **settings)
        assert loops(fetches, feeds, True) > loops(fetches, feeds, False)
        found = runs(fetches, feeds)
        monkeypatch.setattr("graphc.plan.compile.PIPELINE", WHOLE)
        for a, b in zip(found, runs(fetches, feeds), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def test_bits_are_those_of_any_number_of_threads() -> None:
    with gc.Graph().as_default():
        fetches, feeds = network("lstm", lengths=True)
        for a, b in zip(runs(fetches, feeds), runs(fetches, feeds, 3), strict=True):
            np.testing.assert_array_equal(a, b)


def test_gradients_of_gradients(monkeypatch: Any) -> None:
    with gc.Graph().as_default():
        (_, *slopes), feeds = network("plain")
        second = gc.gradients([gc.reduce_sum(gc.square(s)) for s in slopes], gc.trainable_variables())
        found = runs(second, feeds)
        monkeypatch.setattr("graphc.plan.compile.PIPELINE", WHOLE)
        for a, b in zip(found, runs(second, feeds), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
