"""SessionManager: makes sessions whose variables are restored or initialised."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc import errors
from graphc.api.public import public
from graphc.train.sessions.log import LOG


@public("train.SessionManager")
class SessionManager:
    """Makes sessions whose variables are restored or initialised, as `tf.train.SessionManager`. ready_op,
    ready_for_local_init_op: vectors of the names of variables that are not initialised; None: always ready. Raises
    ValueError for a ready_for_local_init_op without local_init_op.

    prepare_session raises ValueError for a checkpoint_dir together with checkpoint_filename_with_path, RuntimeError if
    variables stay uninitialised.

    >>> v = gc.Variable(1.)
    >>> manager = gc.train.SessionManager(ready_op=gc.report_uninitialized_variables())
    >>> with manager.prepare_session("", init_op=gc.global_variables_initializer()) as session:
    ...     print(session.run(v))
    1.0
    >>> manager.prepare_session("", init_op=gc.no_op())
    Traceback (most recent call last):
        ...
    RuntimeError: Init operations did not make model ready...
    """

    def __init__(self, local_init_op: Any = None, ready_op: Any = None, ready_for_local_init_op: Any = None,
                 graph: Any = None, recovery_wait_secs: float = 30, local_init_run_options: Any = None,
                 local_init_feed_dict: Any = None) -> None:
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError("If you pass a ready_for_local_init_op you must also pass a local_init_op , "
                             f"ready_for_local_init_op [{ready_for_local_init_op}]")
        self._local_init_op, self._ready_op = local_init_op, ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = gc.get_default_graph() if graph is None else graph
        self._recovery_wait_secs = recovery_wait_secs
        self._local_init_run_options, self._local_init_feed_dict = local_init_run_options, local_init_feed_dict

    def prepare_session(self, master: Any, init_op: Any = None, saver: Any = None, checkpoint_dir: str | None = None,
                        checkpoint_filename_with_path: str | None = None, wait_for_checkpoint: bool = False,
                        max_wait_secs: float = 7200, config: Any = None, init_feed_dict: Any = None,
                        init_fn: Callable[[Any], Any] | None = None) -> Any:
        """A session restored from the checkpoint, or, if there is none, initialised by init_op and init_fn(session).

        Raises RuntimeError if there is nothing to initialise it with, or it is not ready after that.
        """
        session, restored = self._restored_session(master, saver, checkpoint_dir, checkpoint_filename_with_path,
                                                   wait_for_checkpoint, max_wait_secs, config)
        if not restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                session.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(session)
        asked = f"Init op: {getattr(init_op, 'name', init_op)}, init fn: {init_fn}"
        problem = self._initialize_locals(session)
        if problem:
            raise RuntimeError(f"Init operations did not make model ready for local_init.  {asked}, error: {problem}")
        problem = _not_ready(session, self._ready_op)
        if problem:
            raise RuntimeError(f"Init operations did not make model ready.  {asked}, local_init_op: "
                               f"{self._local_init_op}, error: {problem}")
        return session

    def recover_session(self, master: Any, saver: Any = None, checkpoint_dir: str | None = None,
                        checkpoint_filename_with_path: str | None = None, wait_for_checkpoint: bool = False,
                        max_wait_secs: float = 7200, config: Any = None) -> tuple[Any, bool]:
        """(session, whether it was restored from a checkpoint and is ready)."""
        session, restored = self._restored_session(master, saver, checkpoint_dir, checkpoint_filename_with_path,
                                                   wait_for_checkpoint, max_wait_secs, config)
        problem = self._initialize_locals(session)
        if not restored:
            return session, False
        problem = problem or _not_ready(session, self._ready_op)
        source = checkpoint_dir or checkpoint_filename_with_path
        if problem:
            LOG.info("Restoring model from %s did not make model ready: %s", source, problem)
            return session, False
        LOG.info("Restored model from %s", source)
        return session, True

    def wait_for_session(self, master: Any, config: Any = None, max_wait_secs: float | None = float("inf")) -> Any:
        """A session that is ready without initialisation; looks every recovery_wait_secs. Raises DeadlineExceededError
        after max_wait_secs."""
        end = time.monotonic() + (float("inf") if max_wait_secs is None else max_wait_secs)
        while True:
            session = gc.Session(master, graph=self._graph, config=config)
            problem = self._initialize_locals(session) or _not_ready(session, self._ready_op)
            if not problem:
                return session
            session.close()
            if time.monotonic() + self._recovery_wait_secs > end:
                raise errors.DeadlineExceededError(f"Session was not ready after waiting {max_wait_secs} secs: "
                                                      f"{problem}. Sessions of other processes are not seen: variables "
                                                      "belong to their session")
            LOG.info("Waiting for model to be ready: %s", problem)
            time.sleep(self._recovery_wait_secs)

    def _restored_session(self, master: Any, saver: Any, folder: str | None, path: str | None, wait: bool,
                          max_wait_secs: float, config: Any) -> tuple[Any, bool]:
        """(session, whether variables were restored)."""
        if folder and path:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        session = gc.Session(master, graph=self._graph, config=config)
        if not saver or not (folder or path):
            return session, False
        if path:
            self._restore(session, saver, path)
            return session, True
        end = time.monotonic() + (max_wait_secs if wait else 0)
        while not ((state := gc.train.get_checkpoint_state(folder)) and state.model_checkpoint_path):
            if time.monotonic() >= end:
                return session, False
            LOG.info("Waiting for checkpoint to be available.")
            time.sleep(min(self._recovery_wait_secs, max(end - time.monotonic(), 0)))
        self._restore(session, saver, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return session, True

    def _restore(self, session: Any, saver: Any, path: str) -> None:
        initializers = self._graph.get_collection("saved_model_initializers")
        if initializers:
            session.run(initializers)
        saver.restore(session, path)

    def _initialize_locals(self, session: Any) -> str:
        """Runs local_init_op; why it may not run yet, or nothing."""
        if self._local_init_op is None:
            return ""
        problem = _not_ready(session, self._ready_for_local_init_op)
        if not problem:
            LOG.info("Running local_init_op.")
            session.run(self._local_init_op, feed_dict=self._local_init_feed_dict,
                        options=self._local_init_run_options)
            LOG.info("Done running local_init_op.")
        return problem


def _not_ready(session: Any, ready_op: Any) -> str:
    """What the ready_op says is missing, or nothing."""
    if ready_op is None:
        return ""
    try:
        value = session.run(ready_op)
    except errors.FailedPreconditionError as error:
        if "initiali" not in str(error):
            raise
        return str(error)
    if value is None or value.dtype.kind == "i" or value.size == 0:
        return ""
    return "Variables not initialized: " + ", ".join(name.decode() for name in value)
