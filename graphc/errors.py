"""The errors a user can get: few classes, one message format.

Every message names the op, the argument, the values at odds, the user's own line that built the op, and what to do.
The classes are those of tf.errors, so that `except gc.errors.InvalidArgumentError` works as in TF 1 scripts; where TF
raises a Python error (ValueError for shapes while building, TypeError for dtypes) so does graphc.
"""
from __future__ import annotations

import sys
from typing import Any

from graphc.ir.user_frame import is_internal
from graphc.wording import worded

(OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
 RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS,
 UNAUTHENTICATED) = range(17)


class OpError(Exception):
    """Base of all errors of compiling, running and loading. `op` is the user's Operation if one is to blame.

    OpError(message, op), or, as scripts make them, OpError(node_def, op, message, error_code). As `tf.OpError`.

    >>> x = gc.placeholder(gc.float32, [], name="x")
    >>> try:
    ...     gc.sqrt(x).eval()
    ... except gc.OpError as error:
    ...     print(type(error).__name__, error.op.name)
    InvalidArgumentError x
    """

    error_code = UNKNOWN

    def __init__(self, node_def: Any = None, op: Any = None, message: str | None = None,
                 error_code: int | None = None) -> None:
        self._node_def, message = (node_def, message) if message is not None else (None, node_def)
        if isinstance(message, str) and is_internal(sys._getframe(1).f_code.co_filename):
            message = worded(message)
        super().__init__(message)
        self.message: str = message  # type: ignore[assignment]
        self.op = op
        if error_code is not None:
            self.error_code = error_code

    @property
    def node_def(self) -> Any:
        """The NodeDef of `op`, or what the error was made with."""
        return self._node_def if self._node_def is not None else getattr(self.op, "node_def", None)


class InvalidArgumentError(OpError, ValueError):
    """A value does not fit: a missing feed, a shape, an index out of range."""

    error_code = INVALID_ARGUMENT


class FailedPreconditionError(OpError):
    """The state is not ready: an uninitialised variable."""

    error_code = FAILED_PRECONDITION


class NotFoundError(OpError, KeyError):
    """A name, file or key is missing."""

    error_code = NOT_FOUND

    def __str__(self) -> str:
        return self.message


class PermissionDeniedError(OpError):
    """A file may not be read or written."""

    error_code = PERMISSION_DENIED


class OutOfRangeError(OpError):
    """The end of the data."""

    error_code = OUT_OF_RANGE


class UnimplementedError(OpError, NotImplementedError):
    """An op, dtype or case that graphc does not support (yet); never a silent fallback."""

    error_code = UNIMPLEMENTED
    is_length_unknown = False    # of a vector whose elements are a shape


class ResourceExhaustedError(OpError, MemoryError):
    """No memory, or a limit on it."""

    error_code = RESOURCE_EXHAUSTED


class DataLossError(OpError):
    """A file is damaged, foreign or newer than this version."""

    error_code = DATA_LOSS


class CancelledError(OpError):
    """The run was cancelled."""

    error_code = CANCELLED


class DeadlineExceededError(CancelledError):
    """The run took longer than its timeout."""

    error_code = DEADLINE_EXCEEDED


class AbortedError(OpError):
    """What is asked for is not there now: the contents of a table that is not initialised."""

    error_code = ABORTED


class AlreadyExistsError(OpError):
    """A file or folder that is to be made is there."""

    error_code = ALREADY_EXISTS


class UnauthenticatedError(OpError):
    """The request has no valid credentials. graphc raises none; scripts catch it."""

    error_code = UNAUTHENTICATED


class UnavailableError(OpError):
    """A service is not there now: a MonitoredSession makes its session again."""

    error_code = UNAVAILABLE


class InternalError(OpError):
    """A bug in graphc, not in the user's program."""

    error_code = INTERNAL


class UnknownError(OpError):
    """An exception inside a Python function of the graph; the original is the cause."""


def of_file(name: str, error: OSError) -> OpError:
    """The error of TensorFlow's class for what went wrong with a file."""
    if isinstance(error, FileNotFoundError):
        kind: type[OpError] = NotFoundError
    elif isinstance(error, PermissionError):
        kind = PermissionDeniedError
    elif isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        kind = FailedPreconditionError
    else:
        kind = UnknownError
    return kind(f"{name}; {error.strerror}")


def built_at(op: Any) -> str:
    """", built at FILE:LINE: `source`" for a user's Operation or an Origin."""
    import linecache

    file, line = getattr(op, "file", ""), getattr(op, "line", 0)
    if not file:
        return ""
    source = linecache.getline(file, line).strip()
    return f'\n  built at {file}:{line}' + (f": {source}" if source else "")


def exception_type_from_error_code(error_code: int) -> type[OpError]:
    """The class that has the code, as `tf.errors.exception_type_from_error_code`. Raises KeyError for others."""
    return {kind.error_code: kind for kind in _kinds()}[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """As `tf.errors.error_code_from_exception_type`. Raises KeyError for what is none of these classes."""
    return {kind: kind.error_code for kind in _kinds()}[cls]


def _kinds() -> list[type[OpError]]:
    return [thing for thing in globals().values()
            if isinstance(thing, type) and issubclass(thing, OpError) and thing is not OpError]
