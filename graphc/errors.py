"""The errors a user can get: few classes, one message format.

Every message names the op, the argument, the values at odds, the user's own line that built the op, and what to do.
The classes are those of tf.errors, so that `except gc.errors.InvalidArgumentError` works as in TF 1 scripts; where TF
raises a Python error (ValueError for shapes while building, TypeError for dtypes) so does graphc.
"""
from __future__ import annotations

from typing import Any


class OpError(Exception):
    """Base of all errors of compiling, running and loading. `op` is the user's Operation if one is to blame."""

    def __init__(self, message: str, op: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.op = op


class InvalidArgumentError(OpError, ValueError):
    """A value does not fit: a missing feed, a shape, an index out of range."""


class FailedPreconditionError(OpError):
    """The state is not ready: an uninitialised variable."""


class NotFoundError(OpError, KeyError):
    """A name, file or key is missing."""

    def __str__(self) -> str:
        return self.message


class AlreadyExistsError(OpError):
    """A file or folder that is to be made is there."""


class PermissionDeniedError(OpError):
    """A file may not be read or written."""


class OutOfRangeError(OpError):
    """The end of the data."""


class UnimplementedError(OpError, NotImplementedError):
    """An op, dtype or case that graphc does not support (yet); never a silent fallback."""

    is_length_unknown = False    # of a vector whose elements are a shape


class ResourceExhaustedError(OpError, MemoryError):
    """No memory, or a limit on it."""


class DataLossError(OpError):
    """A file is damaged, foreign or newer than this version."""


class CancelledError(OpError):
    """The run was cancelled."""


class DeadlineExceededError(CancelledError):
    """The run took longer than its timeout."""


class AbortedError(OpError):
    """What is asked for is not there now: the contents of a table that is not initialised."""


class InternalError(OpError):
    """A bug in graphc, not in the user's program."""


class UnknownError(OpError):
    """An exception inside a Python function of the graph; the original is the cause."""


def built_at(op: Any) -> str:
    """", built at FILE:LINE: `source`" for a user's Operation or an Origin."""
    import linecache

    file, line = getattr(op, "file", ""), getattr(op, "line", 0)
    if not file:
        return ""
    source = linecache.getline(file, line).strip()
    return f'\n  built at {file}:{line}' + (f": {source}" if source else "")
