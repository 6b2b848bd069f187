"""SessionCreators: how a MonitoredSession makes its session, the first time and again."""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.manager import SessionManager
from graphc.train.sessions.scaffold import Scaffold


@public("train.SessionCreator")
class SessionCreator(ABC):
    """Base of what makes a MonitoredSession's session, as `tf.train.SessionCreator`: a subclass has
    create_session(self).

    Without it no object can be made (TypeError).

    >>> class Plain(gc.train.SessionCreator):
    ...     def create_session(self):
    ...         return gc.Session()
    >>> x = gc.constant(2.)
    >>> with gc.train.MonitoredSession(Plain()) as session:
    ...     print(session.run(x))
    2.0
    """

    @abstractmethod
    def create_session(self) -> Any:
        """A new session, ready to be used."""


class _WithScaffold(SessionCreator):
    """Finalizes the scaffold, and keeps the SessionManager made of it."""

    def __init__(self, scaffold: Scaffold | None, master: Any, config: Any) -> None:
        self._scaffold = scaffold or Scaffold()
        self._master, self._config = master, config
        self._manager: SessionManager | None = None

    def _finalized(self) -> SessionManager:
        scaffold = self._scaffold.finalize()
        if self._manager is None:
            self._manager = SessionManager(
                local_init_op=scaffold.local_init_op, local_init_feed_dict=scaffold.local_init_feed_dict,
                ready_op=scaffold.ready_op, ready_for_local_init_op=scaffold.ready_for_local_init_op,
                graph=gc.get_default_graph())
        return self._manager


@public("train.ChiefSessionCreator")
class ChiefSessionCreator(_WithScaffold):
    """Restores the latest checkpoint of checkpoint_dir, or checkpoint_filename_with_path; else initialises. As
    `tf.train.ChiefSessionCreator`.

    create_session raises ValueError for both of these, and if that checkpoint is not there.

    >>> v = gc.Variable(1.)
    >>> creator = gc.train.ChiefSessionCreator(gc.train.Scaffold())
    >>> with creator.create_session() as session:
    ...     print(session.run(v))
    1.0
    """

    def __init__(self, scaffold: Scaffold | None = None, master: Any = "", config: Any = None,
                 checkpoint_dir: str | None = None, checkpoint_filename_with_path: str | None = None) -> None:
        super().__init__(scaffold, master, config)
        self._checkpoint_dir, self._checkpoint_path = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self) -> Any:
        manager, scaffold = self._finalized(), self._scaffold
        return manager.prepare_session(
            self._master, saver=scaffold.saver, checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint_path, config=self._config, init_op=scaffold.init_op,
            init_feed_dict=scaffold.init_feed_dict, init_fn=scaffold.init_fn)


@public("train.WorkerSessionCreator")
class WorkerSessionCreator(_WithScaffold):
    """Waits until the chief has initialised the variables, which the two share through a Server. As
    `tf.train.WorkerSessionCreator`.
    Raises DeadlineExceededError when nothing initialised them within max_wait_secs.

    >>> creator = gc.train.WorkerSessionCreator(max_wait_secs=10)
    >>> x = gc.constant(2.)
    >>> with creator.create_session() as session:
    ...     print(session.run(x))
    2.0
    """

    def __init__(self, scaffold: Scaffold | None = None, master: Any = "", config: Any = None,
                 max_wait_secs: float = 30 * 60) -> None:
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self) -> Any:
        return self._finalized().wait_for_session(self._master, config=self._config, max_wait_secs=self._max_wait_secs)
