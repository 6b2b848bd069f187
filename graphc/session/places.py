"""Where sessions find their variables, queues and tables: each its own, or shared by those of one Server."""
from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from graphc import errors


class Place:
    """What the sessions with one target share. config: of sessions that are given none."""

    def __init__(self, target: str, config: Any) -> None:
        self.target, self.config = target, config
        self.sessions: WeakSet[Any] = WeakSet()

    @cached_property
    def states(self) -> Any:
        """Variables by name (exec/states.py)."""
        from graphc.exec.states import StateStore

        return StateStore()

    @cached_property
    def objects(self) -> Any:
        """Queues and tables by name (session/resources/objects.py)."""
        from graphc.session.resources.objects import Objects

        return Objects()

    def reset(self) -> None:
        """Closes the sessions; later ones begin again."""
        for session in list(self.sessions):
            session.close()
        self.close()
        self.__dict__.pop("states", None)
        self.__dict__.pop("objects", None)

    def close(self) -> None:
        """What waits for a queue gives up."""
        if "objects" in self.__dict__:
            self.objects.close()


_PLACES: WeakValueDictionary[str, Place] = WeakValueDictionary()    # a Server and its sessions keep theirs


def make_place(target: str, config: Any) -> Place:
    """Raises UnknownError if the target is taken."""
    if target in _PLACES:
        raise errors.UnknownError(f"Could not start gRPC server: {target} is in use in this process")
    made = _PLACES[target] = Place(target, config)
    return made


def place_of(target: Any) -> Place | None:
    """The place that a Session's target names; None for a session that shares nothing. Raises UnimplementedError for
    the address of another process."""
    if target in ("", b"", None, "local"):
        return None
    text = target.decode() if isinstance(target, bytes) else target
    found = _PLACES.get(text) if isinstance(text, str) else None
    if found is None:
        raise errors.UnimplementedError(f"Session: target {target!r} names a server that is not in this process; "
                                        "sessions run in this process only")
    return found
