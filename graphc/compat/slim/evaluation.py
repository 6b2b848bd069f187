"""slim.evaluation: a checkpoint evaluated once, or each new one of a folder, with slim's arguments."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

_DEFAULT: Any = 0            # slim's sign for "merge_all of the summaries"


def _hooks(num_evals: int, logdir: str | None, summary_op: Any, summary_op_feed_dict: Any,
           hooks: Sequence[Any] | None) -> list[Any]:
    made = [gc.contrib.training.StopAfterNEvalsHook(num_evals)]
    summaries = gc.summary.merge_all() if summary_op is _DEFAULT else summary_op
    if summaries is not None:
        made.append(gc.contrib.training.SummaryAtEndHook(log_dir=logdir, summary_op=summaries,
                                                         feed_dict=summary_op_feed_dict))
    return [*made, *(hooks or ())]


def _saver(variables_to_restore: Any) -> Any:
    return None if variables_to_restore is None else gc.train.Saver(variables_to_restore)


@public("contrib.slim.evaluation.evaluate_once")
def evaluate_once(master: str, checkpoint_path: str, logdir: str | None, num_evals: int = 1, initial_op: Any = None,
                  initial_op_feed_dict: Any = None, eval_op: Any = None, eval_op_feed_dict: Any = None,
                  final_op: Any = None, final_op_feed_dict: Any = None, summary_op: Any = _DEFAULT,
                  summary_op_feed_dict: Any = None, variables_to_restore: Any = None, session_config: Any = None,
                  hooks: Sequence[Any] | None = None) -> Any:
    """The value of final_op after num_evals runs of eval_op, with the variables of a checkpoint.

    checkpoint_path: a checkpoint, not a folder. eval_op updates what final_op reads, for example a metric's; initial_op
    runs before, by default the initialisers of local variables and tables. The feed_dicts go with their ops. summary_op
    (by default all summaries) is written to logdir at the end, None for none. variables_to_restore: by default all.
    hooks: more SessionRunHooks. Raises ValueError if there is no such checkpoint, or summaries are to be written and
    logdir is None. As `tf.contrib.slim.evaluation.evaluate_once`.

    >>> w, step = gc.get_variable("w", initializer=2.0), gc.train.get_or_create_global_step()
    >>> gc.global_variables_initializer().run()
    >>> checkpoint = gc.train.Saver().save(gc.get_default_session(), "./once")
    >>> mean, update = gc.metrics.mean(w * [1., 3.])
    >>> gc.contrib.slim.evaluation.evaluate_once("", checkpoint, None, num_evals=3, eval_op=update, final_op=mean)
    np.float32(4.0)
    """
    scaffold = gc.train.Scaffold(init_op=initial_op, init_feed_dict=initial_op_feed_dict,
                                 saver=_saver(variables_to_restore))
    return gc.contrib.training.evaluate_once(
        checkpoint_path, master=master, scaffold=scaffold, eval_ops=eval_op, feed_dict=eval_op_feed_dict,
        final_ops=final_op, final_ops_feed_dict=final_op_feed_dict,
        hooks=_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks), config=session_config)


@public("contrib.slim.evaluation.evaluation_loop")
def evaluation_loop(master: str, checkpoint_dir: str, logdir: str | None, num_evals: int = 1, initial_op: Any = None,
                    initial_op_feed_dict: Any = None, init_fn: Any = None, eval_op: Any = None,
                    eval_op_feed_dict: Any = None, final_op: Any = None, final_op_feed_dict: Any = None,
                    summary_op: Any = _DEFAULT, summary_op_feed_dict: Any = None, variables_to_restore: Any = None,
                    eval_interval_secs: float = 60, max_number_of_evaluations: int | None = None,
                    session_config: Any = None, timeout: float | None = None,
                    timeout_fn: Callable[[], bool] | None = None, hooks: Sequence[Any] | None = None) -> Any:
    """`evaluate_once` for each new checkpoint of a folder: the last value of final_op.

    At most one every eval_interval_secs; ends after max_number_of_evaluations, or when no new checkpoint has come for
    timeout seconds (and timeout_fn says True then). init_fn(scaffold, session) runs after initial_op. Raises
    ValueError for a max_number_of_evaluations below 1. None if no checkpoint came. As
    `tf.contrib.slim.evaluation.evaluation_loop`.

    >>> w, step = gc.get_variable("w", initializer=2.0), gc.train.get_or_create_global_step()
    >>> gc.global_variables_initializer().run()
    >>> checkpoint = gc.train.Saver().save(gc.get_default_session(), "looked_at/model")
    >>> mean, update = gc.metrics.mean(w * [1., 3.])
    >>> gc.contrib.slim.evaluation.evaluation_loop("", "looked_at", None, eval_op=update, final_op=mean,
    ...                                            max_number_of_evaluations=1)
    np.float32(4.0)
    """
    scaffold = gc.train.Scaffold(init_op=initial_op, init_feed_dict=initial_op_feed_dict, init_fn=init_fn,
                                 saver=_saver(variables_to_restore))
    return gc.contrib.training.evaluate_repeatedly(
        checkpoint_dir, master=master, scaffold=scaffold, eval_ops=eval_op, feed_dict=eval_op_feed_dict,
        final_ops=final_op, final_ops_feed_dict=final_op_feed_dict, eval_interval_secs=eval_interval_secs,
        hooks=_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks), config=session_config,
        max_number_of_evaluations=max_number_of_evaluations, timeout=timeout, timeout_fn=timeout_fn)


@public("contrib.slim.evaluation.wait_for_new_checkpoint")
def wait_for_new_checkpoint(checkpoint_dir: str, last_checkpoint: str | None = None, seconds_to_sleep: float = 1,
                            timeout: float | None = None) -> str | None:
    """The path of the folder's newest checkpoint, once that is another than last_checkpoint; None after a timeout.

    It looks every seconds_to_sleep; timeout in seconds, None for no end. A folder that is not there is waited for, too.
    As `tf.contrib.slim.evaluation.wait_for_new_checkpoint`.

    >>> gc.contrib.slim.evaluation.wait_for_new_checkpoint("no_folder", seconds_to_sleep=0.01, timeout=0.02) is None
    True
    """
    return gc.contrib.training.wait_for_new_checkpoint(  # type: ignore[no-any-return]
        checkpoint_dir, last_checkpoint, seconds_to_sleep, timeout)


@public("contrib.slim.evaluation.checkpoints_iterator")
def checkpoints_iterator(checkpoint_dir: str, min_interval_secs: float = 0, timeout: float | None = None,
                         timeout_fn: Callable[[], bool] | None = None) -> Any:
    """The path of each new checkpoint of a folder, as it comes; ends when none has come for timeout seconds.

    min_interval_secs: the least time between two. timeout_fn: says at a timeout whether to end. As
    `tf.contrib.slim.evaluation.checkpoints_iterator`.

    >>> w = gc.get_variable("w", initializer=2.0)
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "watched/model", global_step=7)
    >>> list(gc.contrib.slim.evaluation.checkpoints_iterator("watched", timeout=0))
    ['watched/model-7']
    """
    return gc.contrib.training.checkpoints_iterator(checkpoint_dir, min_interval_secs, timeout, timeout_fn)
