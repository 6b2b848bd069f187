"""The loops around a MonitoredSession, and around a Supervisor."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc import errors
from graphc.api.public import public
from graphc.train.sessions.creators import ChiefSessionCreator, SessionCreator, WorkerSessionCreator
from graphc.train.sessions.monitored import MonitoredSession
from graphc.train.sessions.saving_hooks import CheckpointSaverHook, SummarySaverHook
from graphc.train.sessions.scaffold import Scaffold
from graphc.train.sessions.step_hooks import StepCounterHook


@public("contrib.training.train")
def train(train_op: Any, logdir: str | None, master: Any = "", is_chief: bool = True, scaffold: Scaffold | None = None,
          hooks: Sequence[Any] | None = None, chief_only_hooks: Sequence[Any] | None = None,
          save_checkpoint_secs: float | None = 600, save_summaries_steps: int | None = 100, config: Any = None,
          max_wait_secs: float = 7200, run_metadata: Any = None) -> Any:
    """Runs train_op until a hook asks to stop; its last value. As `tf.contrib.training.train`.

    logdir: where checkpoints and summaries go. Raises ValueError if it is None and they are asked for.

    >>> v = gc.Variable(1.)
    >>> step = gc.contrib.training.create_train_op(v * v, gc.train.GradientDescentOptimizer(0.1))
    >>> loss = gc.contrib.training.train(step, "log", hooks=[gc.train.StopAtStepHook(num_steps=3)])
    >>> loss, gc.train.latest_checkpoint("log")
    (np.float32(0.4096), 'log/model.ckpt-3')
    """
    if logdir is None and is_chief:
        for name, wanted in (("save_summaries_steps", save_summaries_steps),
                             ("save_checkpoint_secs", save_checkpoint_secs)):
            if wanted:
                raise ValueError(f"logdir cannot be None when {name} is not None")
    scaffold = scaffold or Scaffold()
    all_hooks = list(hooks or ())
    creator: SessionCreator
    if is_chief:
        creator = ChiefSessionCreator(scaffold, master, config, logdir)
        all_hooks += chief_only_hooks or ()
        all_hooks.append(StepCounterHook(output_dir=logdir))
        if save_summaries_steps:
            all_hooks.append(SummarySaverHook(save_summaries_steps, output_dir=logdir, scaffold=scaffold))
        if save_checkpoint_secs:
            all_hooks.append(CheckpointSaverHook(str(logdir), save_checkpoint_secs, scaffold=scaffold))
    else:
        creator = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
    loss = None
    with MonitoredSession(creator, all_hooks) as session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss


@public("train.basic_train_loop")
def basic_train_loop(supervisor: Any, train_step_fn: Callable[..., Any], args: Sequence[Any] | None = None,
                     kwargs: Mapping[str, Any] | None = None, master: Any = "") -> None:
    """Calls train_step_fn(session, *args, **kwargs) until the supervisor stops; begins again with a new session after
    AbortedError. As `tf.train.basic_train_loop`.

    >>> v = gc.Variable(1.)
    >>> double = v.assign(v * 2.)
    >>> supervisor = gc.train.Supervisor()
    >>> def one_step(session, limit):
    ...     value = session.run(double)
    ...     print(value)
    ...     if value >= limit:
    ...         supervisor.request_stop()
    >>> gc.train.basic_train_loop(supervisor, one_step, args=[8.])
    2.0
    4.0
    8.0
    """
    while True:
        try:
            with supervisor.managed_session(master) as session:
                while not supervisor.should_stop():
                    train_step_fn(session, *(args or ()), **(kwargs or {}))
            return
        except errors.AbortedError:
            continue
