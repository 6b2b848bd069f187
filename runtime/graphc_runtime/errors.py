"""What can go wrong: one class a status of graphc.h. The messages are the C++ library's."""
from __future__ import annotations


class Error(Exception):
    """status: the number in graphc.h, which is TensorFlow's."""

    status = 0


class CancelledError(Error):
    """Model.cancel ended the run."""

    status = 1


class UnknownError(Error):
    """A function of the caller's failed; what it raised is the cause."""

    status = 2


class InvalidArgumentError(Error, ValueError):
    """A feed that is missing or does not fit, sizes at odds, an index out of range."""

    status = 3


class NotFoundError(Error, LookupError):
    """No such file, signature or name."""

    status = 5


class ResourceExhaustedError(Error, MemoryError):
    """No memory, or the limit on it."""

    status = 8


class FailedPreconditionError(Error):
    """A variable that has no value; a plan that does not belong to its graph."""

    status = 9


class UnimplementedError(Error, NotImplementedError):
    """This machine, or something in the file, is not supported."""

    status = 12


class InternalError(Error):
    """A bug in graphc."""

    status = 13


class DataLossError(Error):
    """A file that is damaged, or of another program or a newer version."""

    status = 15


_CLASSES = {made.status: made for made in Error.__subclasses__()}


def error_of(status: int, message: str) -> Error:
    return _CLASSES.get(status, InternalError)(message)
