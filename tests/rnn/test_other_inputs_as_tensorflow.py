"""Cells whose inputs are no matrices (times and features, pictures, indices) give TensorFlow's numbers.

recorded_other_cells.json holds what TensorFlow 2.21's dynamic_rnn gave with TensorFlow 1.15's cells: sums, weighted by
waves.
"""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_cases import leaves, wave

import graphc as gc

contrib = gc.contrib.rnn
RECORDED = json.loads((Path(__file__).parent / "recorded_other_cells.json").read_text())


def timed() -> Any:
    return gc.constant(np.abs(wave((3, 5, 1), 0.2)) * 9), gc.constant(wave((3, 5, 4), 0.3))


def pictures(*sizes: int) -> Callable[[], Any]:
    return lambda: gc.constant(wave((3, 5, *sizes), 0.3))


CASES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "phased": (lambda: contrib.PhasedLSTMCell(3, use_peepholes=True), timed),
    "phased2": (lambda: contrib.PhasedLSTMCell(3, leak=0.1, trainable_ratio_on=False), timed),
    "conv1": (lambda: contrib.Conv1DLSTMCell(input_shape=[4, 2], output_channels=3, kernel_shape=[3]), pictures(4, 2)),
    "conv2": (lambda: contrib.ConvLSTMCell(2, input_shape=[4, 3, 2], output_channels=3, kernel_shape=[3, 2],
                                           use_bias=False, forget_bias=0.3), pictures(4, 3, 2)),
    "conv3": (lambda: contrib.Conv3DLSTMCell(input_shape=[2, 3, 2, 1], output_channels=2, kernel_shape=[1, 2, 2]),
              pictures(2, 3, 2, 1)),
    "embed": (lambda: contrib.EmbeddingWrapper(gc.nn.rnn_cell.GRUCell(3), 6, 2),
              lambda: gc.constant((np.arange(15).reshape(3, 5, 1) * 7) % 6)),
}


@pytest.mark.parametrize("name", CASES)
def test_as_tensorflow(name: str) -> None:
    recorded, (make, inputs) = RECORDED[name], CASES[name]
    with gc.Graph().as_default():
        outputs, state = gc.nn.dynamic_rnn(make(), inputs(), sequence_length=[5, 2, 4], dtype=gc.float32)
        variables = sorted(gc.global_variables(), key=lambda v: v.name)
        gradients = [g for g in gc.gradients(gc.reduce_sum(outputs * outputs), variables) if g is not None]
        with gc.Session() as session:
            for k, variable in enumerate(variables):
                value = wave(variable.shape.as_list(), 0.1 * k)
                positive = "period" in variable.name or "ratio" in variable.name
                variable.load(np.abs(value) + 1 if positive else value, session)
            got = session.run([outputs, leaves(state), [gc.convert_to_tensor(g) for g in gradients]])
    assert [v.name for v in variables] == recorded["variables"]

    def weighted(array: np.ndarray, start: float) -> float:
        return float(np.sum(array * wave(array.shape, start, np.float64)))

    np.testing.assert_allclose(weighted(got[0], 0.2), recorded["output"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose([weighted(s, 0.0) for s in got[1]], recorded["states"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose([weighted(g, 0.5) for g in got[2]], recorded["gradients"], rtol=1e-4, atol=1e-4)
