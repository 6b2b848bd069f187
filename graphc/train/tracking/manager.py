"""CheckpointManager: keeps the newest checkpoints of a folder, and some older ones."""
from __future__ import annotations

import os
import time
from typing import Any

from graphc.api.public import public
from graphc.train.saving import states
from graphc.train.tracking.checkpoint import Checkpoint
from graphc.train.tracking.status import session_or_default

_HOUR = 3600


@public("train.CheckpointManager")
class CheckpointManager:
    """Saves a Checkpoint into a folder and deletes old ones, as `tf.train.CheckpointManager`.

    max_to_keep: how many stay; None: all. keep_checkpoint_every_n_hours: one of so many hours stays besides. What the
    folder's file `checkpoint` names is kept count of, so that a program goes on with what one before has saved. Raises
    ValueError unless max_to_keep is positive or None.

    >>> w = gc.Variable(0.0)
    >>> manager = gc.train.CheckpointManager(gc.train.Checkpoint(w=w), "run", max_to_keep=2)
    >>> gc.global_variables_initializer().run()
    >>> [manager.save() for _ in range(3)]
    ['run/ckpt-1', 'run/ckpt-2', 'run/ckpt-3']
    >>> manager.checkpoints
    ['run/ckpt-2', 'run/ckpt-3']
    """

    def __init__(self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None,
                 keep_checkpoint_every_n_hours: float | None = None, checkpoint_name: str = "ckpt") -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        self._checkpoint, self._directory = checkpoint, os.fspath(directory)
        self._max_to_keep, self._hours = max_to_keep, keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._last_preserved = time.time() - 1
        self._may_go: dict[str, float] = {}
        state = states.get_checkpoint_state(self._directory)
        self._latest = None if state is None else str(state.model_checkpoint_path)
        if state is not None:
            if state.last_preserved_timestamp:
                self._last_preserved = min(state.last_preserved_timestamp, time.time())
            times = list(state.all_model_checkpoint_timestamps) or [
                time.time()] * len(state.all_model_checkpoint_paths)
            self._may_go = dict(zip(state.all_model_checkpoint_paths, times, strict=False))

    @property
    def directory(self) -> str:
        return self._directory

    @property
    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    @property
    def latest_checkpoint(self) -> str | None:
        """The newest one; None if there is none yet."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """Those that are kept count of, the oldest first; not those that stay for their age."""
        return list(self._may_go)

    def save(self, checkpoint_number: Any = None, session: Any = None) -> str:
        """Writes a checkpoint and deletes those that are too many; returns its name. checkpoint_number: stands after
        the name in place of how often it was saved: a number or an integer variable."""
        session = session_or_default(session)
        count = self._checkpoint._counted_up(session)
        if checkpoint_number is not None:
            count = int(checkpoint_number if hasattr(checkpoint_number, "__index__") else session.run(
                checkpoint_number))
        path = self._checkpoint.write(f"{self._prefix}-{count}", session)
        self._may_go.pop(path, None)
        self._may_go[path] = time.time()
        self._latest = path
        self._record()                        # before anything goes: the file names checkpoints that are there
        self._sweep()
        self._record()
        return path

    def _sweep(self) -> None:
        while self._max_to_keep is not None and len(self._may_go) > self._max_to_keep:
            path, written = next(iter(self._may_go.items()))
            del self._may_go[path]
            if self._hours is not None and written - self._hours * _HOUR >= self._last_preserved:
                self._last_preserved = written
                continue
            states.remove_checkpoint(path)

    def _record(self) -> None:
        assert self._latest is not None
        *paths, latest = states.relative_to(self._directory, [*self._may_go, self._latest])
        states.update_checkpoint_state(
            self._directory, latest, paths, all_model_checkpoint_timestamps=list(self._may_go.values()),
            last_preserved_timestamp=self._last_preserved)
