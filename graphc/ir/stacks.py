"""The thread-local stacks of default graphs and default sessions (`with graph.as_default()`, `with session:`)."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class DefaultStack(threading.local):
    """A stack of its own in every thread; the innermost object is the default one."""

    def __init__(self) -> None:
        self.stack: list[Any] = []

    def get(self) -> Any:
        """The innermost object, or None."""
        return self.stack[-1] if self.stack else None

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def remove(self, value: Any) -> None:
        """Takes the innermost entry of `value` off the stack; InteractiveSession.close may do so out of order."""
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is value:
                del self.stack[i]
                return

    @contextmanager
    def entered(self, value: Any) -> Iterator[Any]:
        """`value` is the default inside the block. Raises RuntimeError if the block leaves another one on the stack."""
        self.stack.append(value)
        try:
            yield value
            if self.stack[-1] is not value:
                raise RuntimeError("contexts were left in another order than they were entered; "
                                   "use nested `with` statements")
        finally:
            self.remove(value)


default_graphs = DefaultStack()
default_sessions = DefaultStack()


def get_default_session() -> Any:
    """The innermost session of this thread (`with session:`, or an InteractiveSession), or None.

    As `tf.get_default_session`.

    >>> with gc.Session() as session:
    ...     gc.get_default_session() is session
    True
    """
    return default_sessions.get()
