"""Outputs, states, gradients and names of variables of every kind of cell are TensorFlow's.

recorded_cells.json holds what TensorFlow 2.21's dynamic_rnn gave with TensorFlow 1.15's cells: sums, weighted by waves.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rnn_cases import CELLS, leaves, load_waves, wave

import graphc as gc

RECORDED = json.loads((Path(__file__).parent / "recorded_cells.json").read_text())


def test_every_case_is_recorded() -> None:
    assert sorted(CELLS) == sorted(RECORDED)


@pytest.mark.parametrize("name", CELLS)
def test_as_tensorflow(name: str) -> None:
    recorded = RECORDED[name]
    with gc.Graph().as_default():
        x = gc.constant(wave((3, 5, 4), 0.3))
        outputs, state = gc.nn.dynamic_rnn(CELLS[name](), x, sequence_length=[5, 2, 4], dtype=gc.float32)
        states = leaves(state)
        loss = gc.reduce_sum(outputs * wave(outputs.shape.as_list(), 1.0))
        for i, part in enumerate(states):
            loss += gc.reduce_sum(part * wave((3, part.shape[1].value), 2.0 + i))
        with gc.Session() as session:
            variables = load_waves(session)
            gradients = [g for g in gc.gradients(loss, variables) if g is not None]
            got = session.run([outputs, states, gradients, loss])
    assert [v.name for v in variables] == recorded["variables"]

    def weighted(array: np.ndarray, start: float) -> float:
        return float(np.sum(array * wave(array.shape, start, np.float64)))

    np.testing.assert_allclose(got[3], recorded["loss"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weighted(got[0], 0.0), recorded["output"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose([weighted(s, 0.0) for s in got[1]], recorded["states"], rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose([weighted(g, 0.5) for g in got[2]], recorded["gradients"], rtol=2e-5, atol=2e-5)
