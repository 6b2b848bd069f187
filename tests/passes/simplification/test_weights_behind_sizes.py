"""Weights that are folded behind sizes that only a run makes known: they need none of those."""
from __future__ import annotations

import numpy as np

import graphc as gc


def test_a_batch_norm_behind_rows_whose_number_is_computed() -> None:
    factor, offset, mean, variance = (np.linspace(0.5, top, 4).astype(np.float32) for top in (1.0, 2.0, 0.7, 3.0))
    weights = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4) / 7
    x = gc.placeholder(gc.float32, [None, 3, None, None])
    count = gc.cast(gc.floor(gc.cast(gc.shape(x)[2], gc.float64) * 1.5), gc.int32)
    taken = gc.gather(x, gc.range(count) // 2, axis=2)
    made = gc.nn.conv2d(taken, weights, [1, 1, 1, 1], "SAME", data_format="NCHW")
    y = gc.nn.fused_batch_norm(made, factor, offset, mean, variance, is_training=False, data_format="NCHW")[0]
    with gc.Session() as session:
        for rows in (4, 7):
            value = np.arange(2 * 3 * rows * 5, dtype=np.float32).reshape(2, 3, rows, 5) / 50
            found = session.run(y, {x: value})
            plain = np.einsum("nchw,co->nohw", value[:, :, np.arange(rows * 3 // 2) // 2], weights[0, 0])
            scale, shift = (v.reshape(1, 4, 1, 1) for v in (factor / np.sqrt(variance + 0.001), offset))
            np.testing.assert_allclose(found, (plain - mean.reshape(1, 4, 1, 1)) * scale + shift, rtol=1e-4, atol=1e-4)
