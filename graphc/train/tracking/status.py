"""What Checkpoint.restore gives: it puts the values into a session, and says what fits.

Objects are matched each time that it is asked, so that those made after the restore count, too.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.train.saving.saver import Saver
from graphc.train.tracking.children import is_empty
from graphc.train.tracking.matching import Matched
from graphc.train.tracking.object_graph import ObjectGraph, object_graph

_SHOWN = 10


def session_or_default(session: Any) -> Any:
    """Raises ValueError if there is neither."""
    found = session if session is not None else gc.get_default_session()
    if found is None:
        raise ValueError("there is no default session; use `with gc.Session():` or pass session=...")
    return found


class CheckpointLoadStatus:
    """What a restore is to do, and how it fits. path: the checkpoint; matched: finds which object is which."""

    def __init__(self, root: Any, path: str, matched: Callable[[], Matched], optional: Sequence[Any] = ()) -> None:
        self._root, self._path, self._matched, self._optional = root, path, matched, optional
        self._savers: dict[tuple[tuple[str, int], ...], Saver] = {}

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Raises AssertionError unless every value of the checkpoint has an object, and every object a value."""
        found = self._matched()
        if found.left:
            raise AssertionError(f"Unresolved object in checkpoint {self._path}, {_few(found.left)}: the program has "
                                 "no object of that name where it was")
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Raises AssertionError unless every object has a value in the checkpoint."""
        found, graph = self._matched(), object_graph(self._root)
        unmatched = [name for name, one in _named(graph) if not found.holds(one) and not self._is_optional(one)]
        if unmatched:
            raise AssertionError(f"Some Python objects were not bound to checkpointed values of {self._path}: "
                                 f"{_few(unmatched)}")
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Raises AssertionError if nothing but the root is in both."""
        if not any(one is not self._root for one in self._matched().objects.values()):
            raise AssertionError(f"Nothing except the root object matched a checkpointed value of {self._path}: is it "
                                 "the right checkpoint, and is the root the one that was saved?")
        return self

    def expect_partial(self) -> CheckpointLoadStatus:
        """Says that not all of the checkpoint is wanted. (Nothing here warns of it.)"""
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Puts the values into the session, None: the default one. Raises what Saver.restore does."""
        session, keys = session_or_default(session), self._matched().keys
        if not keys:
            return
        which = tuple(sorted((key, id(variable)) for key, variable in keys.items()))
        if which not in self._savers:
            first = next(iter(keys.values()))
            with first.graph.as_default(), gc.control_dependencies(None), gc.name_scope(None):
                self._savers[which] = Saver(keys, max_to_keep=None)
        self._savers[which].restore(session, self._path)

    def initialize_or_restore(self, session: Any = None) -> None:
        """The same; variables that are not in the checkpoint get their initial values."""
        session, found = session_or_default(session), self._matched()
        self.run_restore_ops(session)
        initialize([v for _, v in object_graph(self._root).variables() if not found.holds(v)], session)

    def _is_optional(self, one: Any) -> bool:
        return is_empty(one) or any(one is v for v in self._optional)


class InitializationOnlyStatus:
    """What a restore of None gives: there is no checkpoint yet, so that variables get their initial values."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def _nothing(self) -> Any:
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_consumed = assert_existing_objects_matched = assert_nontrivial_match = _nothing
    run_restore_ops = _nothing

    def expect_partial(self) -> InitializationOnlyStatus:
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        initialize([v for _, v in object_graph(self._root).variables()], session_or_default(session))


def initialize(variables: Sequence[gc.Variable], session: Any) -> None:
    if variables:
        session.run([v.initializer for v in variables])


def _named(graph: ObjectGraph) -> list[tuple[str, Any]]:
    found = [(".".join(("(root)", *path)), one) for path, one in zip(graph.paths, graph.objects, strict=True)]
    return found + [(slot.name, slot) for *_, slot in graph.slots]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f", ... ({len(names)})" if len(names) > _SHOWN else "")
