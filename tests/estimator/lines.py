"""A small model, y = x w by plain descent from w = 0.5, and data for it: ten rows of x w with w = [1, 2]."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc

X = np.random.RandomState(0).rand(10, 2).astype(np.float32)
Y = X @ np.array([[1.0], [2.0]], np.float32)


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> gc.estimator.EstimatorSpec:
    w = gc.get_variable("w", [2, 1], initializer=gc.constant_initializer(0.5))
    y = gc.matmul(features["x"], w)
    if mode == gc.estimator.ModeKeys.PREDICT:
        return gc.estimator.EstimatorSpec(mode, predictions={"y": y, "double": 2 * y})
    loss = gc.losses.mean_squared_error(labels, y)
    if mode == gc.estimator.ModeKeys.EVAL:
        error = {"error": gc.metrics.mean_absolute_error(labels, y)}
        return gc.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=error)
    step = gc.train.GradientDescentOptimizer(params["rate"]).minimize(loss, gc.train.get_global_step())
    return gc.estimator.EstimatorSpec(mode, loss=loss, train_op=step)


def estimator(folder: Path, **config: Any) -> gc.estimator.Estimator:
    run_config = gc.estimator.RunConfig(**{"save_checkpoints_steps": 4, "save_summary_steps": 3, **config})
    return gc.estimator.Estimator(model_fn, folder, run_config, {"rate": 0.1})


def batches(epochs: int | None = 1, rows: int = 10) -> Any:
    return gc.estimator.inputs.numpy_input_fn({"x": X[:rows]}, Y[:rows], 4, epochs, shuffle=False)


def by_hand(steps: int) -> tuple[np.ndarray, float]:
    """(w, the last loss) of that many steps over batches of four rows, epoch behind epoch."""
    rows = np.concatenate([np.arange(10)] * (steps * 4 // 10 + 1))
    w, loss = np.full((2, 1), 0.5), 0.0
    for i in range(steps):
        x, y = X[rows[4 * i:4 * i + 4]].astype(float), Y[rows[4 * i:4 * i + 4]].astype(float)
        loss = float(np.mean((x @ w - y) ** 2))
        w = w - 0.1 * 2 / len(x) * x.T @ (x @ w - y)
    return w, loss


def receiver() -> gc.estimator.export.ServingInputReceiver:
    x = gc.placeholder(gc.float32, [None, 2], name="x")
    return gc.estimator.export.ServingInputReceiver({"x": x}, {"rows": x})
