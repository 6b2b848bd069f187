"""Evaluation of checkpoints: once, or of each as it appears."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.creators import ChiefSessionCreator
from graphc.train.sessions.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from graphc.train.sessions.log import LOG
from graphc.train.sessions.monitored import MonitoredSession
from graphc.train.sessions.scaffold import Scaffold
from graphc.train.sessions.tensor_hooks import FinalOpsHook


@public("contrib.training.get_or_create_eval_step")
def get_or_create_eval_step() -> Any:
    """The local variable "eval_step", which counts evaluations, as `tf.contrib.training.get_or_create_eval_step`.
    Raises ValueError if the collection EVAL_STEP has several.

    It is an int64 scalar.

    >>> step = gc.contrib.training.get_or_create_eval_step()
    >>> step, gc.contrib.training.get_or_create_eval_step() is step
    (<gc.Variable 'eval_step:0' shape=() dtype=int64_ref>, True)
    """
    found = gc.get_collection(gc.GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to gc.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    return gc.get_variable("eval_step", shape=[], dtype=gc.int64, initializer=gc.zeros_initializer(), trainable=False,
                           collections=[gc.GraphKeys.LOCAL_VARIABLES, gc.GraphKeys.EVAL_STEP])


@public("contrib.training.StopAfterNEvalsHook")
class StopAfterNEvalsHook(SessionRunHook):
    """Stops an evaluation after num_evals runs; None: never. As `tf.contrib.training.StopAfterNEvalsHook`.

    num_evals: an int.

    >>> total = gc.Variable(0., collections=[gc.GraphKeys.LOCAL_VARIABLES])
    >>> gc.contrib.training.get_or_create_eval_step()
    <gc.Variable 'eval_step:0' shape=() dtype=int64_ref>
    >>> hook = gc.contrib.training.StopAfterNEvalsHook(3, log_progress=False)
    >>> gc.contrib.training.evaluate_once(None, eval_ops=total.assign_add(1.), final_ops=total, hooks=[hook])
    np.float32(3.0)
    """

    def __init__(self, num_evals: int | None, log_progress: bool = True) -> None:
        self._num_evals, self._log_progress = num_evals, log_progress
        self._every = 1 if num_evals is None or num_evals < 20 else num_evals // 10
        self._completed: Any = None

    def _set_evals_completed_tensor(self, updated_eval_step: Any) -> None:
        self._completed = updated_eval_step

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs({"evals_completed": self._completed})

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        completed = run_values.results["evals_completed"]
        if self._log_progress and (completed % self._every == 0 or completed == self._num_evals):
            LOG.info("Evaluation [%d%s]", completed, "" if self._num_evals is None else f"/{self._num_evals}")
        if self._num_evals is not None and completed >= self._num_evals:
            run_context.request_stop()


@public("contrib.training.SummaryAtEndHook")
class SummaryAtEndHook(SessionRunHook):
    """Writes the summaries when the session ends, as `tf.contrib.training.SummaryAtEndHook`. summary_op: all summaries
    by default. Raises ValueError without log_dir and summary_writer.

    >>> summary = gc.summary.scalar("loss", gc.constant(0.5))
    >>> hook = gc.contrib.training.SummaryAtEndHook("evaluation", summary_op=summary)
    >>> step = gc.train.create_global_step()
    >>> with gc.train.SingularMonitoredSession([hook]) as session:
    ...     pass
    >>> len(gc.io.gfile.glob("evaluation/events*"))
    1
    """

    def __init__(self, log_dir: str | None = None, summary_writer: Any = None, summary_op: Any = None,
                 feed_dict: Any = None) -> None:
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")
        self._log_dir, self._summary_writer = log_dir, summary_writer
        self._given_op, self._feed_dict = summary_op, feed_dict

    def begin(self) -> None:
        self._summary_op = gc.summary.merge_all() if self._given_op is None else self._given_op
        self._global_step = gc.train.get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._summary_writer is None:
            self._summary_writer = gc.summary.FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        step = gc.train.global_step(session, self._global_step)
        self._summary_writer.add_summary(session.run(self._summary_op, self._feed_dict), step)
        self._summary_writer.flush()


@public("contrib.training.evaluate_once")
def evaluate_once(checkpoint_path: str | None, master: Any = "", scaffold: Scaffold | None = None, eval_ops: Any = None,
                  feed_dict: Any = None, final_ops: Any = None, final_ops_feed_dict: Any = None,
                  hooks: Sequence[Any] | None = None, config: Any = None) -> Any:
    """Restores the checkpoint, runs eval_ops until a hook asks to stop, and gives the values of final_ops. As
    `tf.contrib.training.evaluate_once`.
    checkpoint_path: None for variables as they are initialised. Without eval_ops it only gives final_ops.

    With eval_ops it needs a hook that stops, such as StopAfterNEvalsHook, or data that end.

    >>> v = gc.Variable(3., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "./model")
    >>> images = gc.data.Dataset.range(4).make_one_shot_iterator().get_next()
    >>> mean, update = gc.metrics.mean(gc.cast(images, gc.float32) * v)
    >>> gc.contrib.training.evaluate_once(path, eval_ops=update, final_ops=mean)
    np.float32(4.5)
    """
    ops, all_hooks = _counted(eval_ops, hooks)
    return _evaluate(checkpoint_path, master, scaffold, ops, feed_dict, final_ops, final_ops_feed_dict, all_hooks,
                     config)


def _counted(eval_ops: Any, hooks: Sequence[Any] | None) -> tuple[Any, list[Any]]:
    """(eval_ops with the count of evaluations, hooks that know it)."""
    step, all_hooks = get_or_create_eval_step(), list(hooks or ())
    if eval_ops is None:
        return None, all_hooks
    counted = gc.assign_add(step, 1)
    if isinstance(eval_ops, dict):
        ops: Any = {**eval_ops, "update_eval_step": counted}
    else:
        ops = [*(eval_ops if isinstance(eval_ops, (list, tuple)) else [eval_ops]), counted]
    with gc.control_dependencies(list(ops.values()) if isinstance(ops, dict) else ops):
        completed = gc.identity(step.read_value())
    for hook in all_hooks:
        if isinstance(hook, StopAfterNEvalsHook):
            hook._set_evals_completed_tensor(completed)
    return ops, all_hooks


def _evaluate(path: str, master: Any, scaffold: Scaffold | None, ops: Any, feed_dict: Any, final_ops: Any,
              final_ops_feed_dict: Any, hooks: Sequence[Any], config: Any) -> Any:
    LOG.info("Starting evaluation at %s", time.strftime("%Y-%m-%dT%H:%M:%S"))
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_filename_with_path=path)
    with MonitoredSession(creator, [*hooks, final]) as session:
        while ops is not None and not session.should_stop():
            session.run(ops, feed_dict)
    LOG.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S"))
    return final.final_ops_values


@public("contrib.training.evaluate_repeatedly")
def evaluate_repeatedly(checkpoint_dir: str, master: Any = "", scaffold: Scaffold | None = None, eval_ops: Any = None,
                        feed_dict: Any = None, final_ops: Any = None, final_ops_feed_dict: Any = None,
                        eval_interval_secs: float = 60, hooks: Sequence[Any] | None = None, config: Any = None,
                        max_number_of_evaluations: int | None = None, timeout: float | None = None,
                        timeout_fn: Callable[[], bool] | None = None) -> Any:
    """evaluate_once of each new checkpoint; the last values of final_ops. As
    `tf.contrib.training.evaluate_repeatedly`.
    eval_interval_secs: the least time between two. It ends after max_number_of_evaluations, or as
    checkpoints_iterator does.

    Raises ValueError unless max_number_of_evaluations is positive or None.

    >>> v = gc.Variable(3., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "run/model", global_step=1)
    >>> gc.contrib.training.evaluate_repeatedly("run", final_ops=v * 2., max_number_of_evaluations=1)
    np.float32(6.0)
    """
    ops, all_hooks = _counted(eval_ops, hooks)
    scaffold = scaffold or Scaffold()
    values, number = None, 0
    if max_number_of_evaluations is not None and max_number_of_evaluations <= 0:
        raise ValueError(f"max_number_of_evaluations must be above 0, but is {max_number_of_evaluations}")
    for path in checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn):
        values = _evaluate(path, master, scaffold, ops, feed_dict, final_ops, final_ops_feed_dict, all_hooks, config)
        number += 1
        if number == max_number_of_evaluations:
            break
    return values


@public("contrib.training.wait_for_new_checkpoint")
def wait_for_new_checkpoint(checkpoint_dir: str, last_checkpoint: str | None = None, seconds_to_sleep: float = 1,
                            timeout: float | None = None) -> str | None:
    """The latest checkpoint, once it is another than last_checkpoint; None after `timeout` seconds. As
    `tf.contrib.training.wait_for_new_checkpoint`.

    Its name, a string.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "run/model", global_step=1)
    >>> gc.contrib.training.wait_for_new_checkpoint("run")
    'run/model-1'
    >>> gc.contrib.training.wait_for_new_checkpoint("run", last_checkpoint=path, timeout=0) is None
    True
    """
    LOG.info("Waiting for new checkpoint at %s", checkpoint_dir)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        path = gc.train.latest_checkpoint(checkpoint_dir)
        if path is not None and path != last_checkpoint:
            LOG.info("Found new checkpoint at %s", path)
            return str(path)
        if end is not None and time.monotonic() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)


@public("train.checkpoints_iterator", "contrib.training.checkpoints_iterator")
def checkpoints_iterator(checkpoint_dir: str, min_interval_secs: float = 0, timeout: float | None = None,
                         timeout_fn: Callable[[], bool] | None = None) -> Iterator[str]:
    """Each new checkpoint as it appears, as `tf.train.checkpoints_iterator`. It ends when `timeout` seconds bring none
    and timeout_fn, if there is one, returns True.
    min_interval_secs: the least time between two of them, in which others may be passed over.

    >>> v = gc.Variable(1., name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "run/model", global_step=1)
    >>> for path in gc.train.checkpoints_iterator("run", timeout=0):
    ...     print(path)
    run/model-1
    """
    path: str | None = None
    while True:
        new = wait_for_new_checkpoint(checkpoint_dir, path, timeout=timeout)
        if new is None:
            if timeout_fn is None:
                LOG.info("Timed-out waiting for a checkpoint.")
                return
            if timeout_fn():
                return
            continue
        start, path = time.monotonic(), new
        yield path
        time.sleep(max(start + min_interval_secs - time.monotonic(), 0))
