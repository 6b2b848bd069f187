"""One training of an Estimator: hooks for logs, checkpoints and summaries around the model's train_op."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.estimator.arguments import LOG
from graphc.estimator.run_config import RunConfig
from graphc.estimator.spec import EstimatorSpec


def run(spec: EstimatorSpec, config: RunConfig, hooks: Sequence[Any], listeners: Sequence[Any]) -> Any:
    """Runs the steps until a hook stops them or the data ends; the last loss, None if there was no step."""
    if not any(tensor.op.name == "loss" for tensor in gc.get_collection(gc.GraphKeys.SUMMARIES)):
        gc.summary.scalar("loss", spec.loss)
    gc.add_to_collection(gc.GraphKeys.LOSSES, spec.loss)
    _make_saver(spec, config)
    every = [*hooks, gc.train.NanTensorHook(spec.loss), *_logging(spec, config), *spec.training_hooks]
    chief = [*_saving(spec, config, [*every, *spec.training_chief_hooks], listeners), *spec.training_chief_hooks]
    loss = None
    with gc.train.MonitoredTrainingSession(
            checkpoint_dir=config.model_dir, scaffold=spec.scaffold, hooks=every, chief_only_hooks=chief,
            save_checkpoint_secs=0, save_summaries_steps=config.save_summary_steps, config=config.session_config,
            log_step_count_steps=config.log_step_count_steps,
            max_wait_secs=config.session_creation_timeout_secs) as session:
        while not session.should_stop():
            _, loss = session.run([spec.train_op, spec.loss])
    if loss is None:
        LOG.warning("Training with estimator made no steps. Perhaps input is empty or misspecified.")
    return loss


def _make_saver(spec: EstimatorSpec, config: RunConfig) -> None:
    if spec.scaffold.saver is None and not gc.get_collection(gc.GraphKeys.SAVERS):
        gc.add_to_collection(gc.GraphKeys.SAVERS, gc.train.Saver(
            sharded=True, max_to_keep=config.keep_checkpoint_max, defer_build=True, save_relative_paths=True,
            keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours))


def _logging(spec: EstimatorSpec, config: RunConfig) -> list[Any]:
    if config.log_step_count_steps is None:
        return []
    shown = {"loss": spec.loss, "step": gc.train.get_global_step()}
    return [gc.train.LoggingTensorHook(shown, every_n_iter=config.log_step_count_steps)]


def _saving(spec: EstimatorSpec, config: RunConfig, others: Sequence[Any], listeners: Sequence[Any]) -> list[Any]:
    """The hook that saves, unless there is one or nothing is to be saved; it, or the first one, tells the listeners."""
    found = [hook for hook in others if isinstance(hook, gc.train.CheckpointSaverHook)]
    made = []
    if not found and (config.save_checkpoints_secs or config.save_checkpoints_steps):
        made = [gc.train.CheckpointSaverHook(config.model_dir, config.save_checkpoints_secs,
                                             config.save_checkpoints_steps, scaffold=spec.scaffold)]
    if listeners:
        if not (found or made):
            raise ValueError("There should be a CheckpointSaverHook to use saving_listeners. Please set one of the "
                             "RunConfig.save_checkpoints_steps or RunConfig.save_checkpoints_secs.")
        told = (found or made)[0]._listeners
        told.extend(listener for listener in listeners if listener not in told)
    return made
