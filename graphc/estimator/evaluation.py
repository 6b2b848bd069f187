"""One evaluation of an Estimator: the model's metrics over batches, written as summaries."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

import graphc as gc
from graphc.estimator.arguments import LOG
from graphc.estimator.run_config import RunConfig
from graphc.estimator.spec import EstimatorSpec

_STEP = gc.GraphKeys.GLOBAL_STEP


def run(spec: EstimatorSpec, config: RunConfig, checkpoint_path: str | None, hooks: Sequence[Any],
        folder: str) -> dict[str, Any]:
    """The values of the metrics, with "loss" and "global_step". Raises ValueError if the model has such names."""
    for name in ("loss", _STEP):
        if name in spec.eval_metric_ops:
            raise ValueError(f'Metric with name "{name}" is not allowed, because Estimator already defines a default '
                             "metric with the same name.")
    metrics = dict(sorted({**spec.eval_metric_ops, "loss": gc.metrics.mean(spec.loss)}.items()))
    values = {name: value for name, (value, _) in metrics.items()}
    updates = gc.group(*[gc.group(update) for _, update in metrics.values()])
    results: dict[str, Any] = gc.contrib.training.evaluate_once(
        checkpoint_path, scaffold=_with_locals(spec.scaffold), eval_ops=updates,
        final_ops={**values, _STEP: gc.train.get_global_step()}, hooks=[*hooks, *spec.evaluation_hooks],
        config=config.session_config)
    _write(folder, results, checkpoint_path)
    return results


def _with_locals(scaffold: Any) -> Any:
    """The scaffold; one with a local_init_op of its own initialises the metrics, too."""
    if scaffold.local_init_op is None:
        return scaffold
    gc.contrib.training.get_or_create_eval_step()
    both = gc.group(scaffold.local_init_op, gc.train.Scaffold.default_local_init_op())
    return gc.train.Scaffold(local_init_op=both, copy_from_scaffold=scaffold)


def _write(folder: str, results: dict[str, Any], checkpoint_path: str | None) -> None:
    step = int(results[_STEP])
    LOG.info("Saving dict for global step %d: %s", step,
             ", ".join(f"{name} = {value}" for name, value in sorted(results.items()) if not isinstance(value, bytes)))
    made = gc.Summary()
    for name, value in results.items():
        if name != _STEP:
            _add(made, name, value)
    writer = gc.summary.FileWriterCache.get(folder)
    writer.add_summary(made, step)
    if checkpoint_path:
        LOG.info("Saving 'checkpoint_path' summary for global step %d: %s", step, checkpoint_path)
        said = gc.Summary()
        said.value.add(tag="checkpoint_path", tensor=_proto(np.array(checkpoint_path.encode(), object)))
        writer.add_summary(said, step)
    writer.flush()


def _add(summary: Any, name: str, value: Any) -> None:
    if isinstance(value, (float, int, np.number)) and not isinstance(value, np.complexfloating):
        summary.value.add(tag=name, simple_value=float(value))
    elif isinstance(value, bytes):
        _add_serialized(summary, name, value)
    elif isinstance(value, np.ndarray):
        summary.value.add(tag=name, node_name=name, tensor=_proto(value))
    elif value is not None:
        LOG.warning("Skipping summary for %s, must be a number, an array or a serialized Summary, but is %r", name,
                    value)


def _add_serialized(summary: Any, name: str, value: bytes) -> None:
    try:
        parts = gc.Summary.FromString(value).value
    except DecodeError:
        LOG.warning("Skipping summary for %s, cannot parse string to Summary.", name)
        return
    for i, part in enumerate(parts):
        summary.value.add().CopyFrom(part)
        summary.value[-1].tag = f"{name}/{i}"


def _proto(value: np.ndarray) -> Any:
    return gc.make_tensor_proto(value)
