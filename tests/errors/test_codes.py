"""Errors as scripts make and compare them: TensorFlow's codes and its order of arguments."""
from __future__ import annotations

import pytest

from graphc import errors


@pytest.mark.parametrize("code, name", list(enumerate([
    "CancelledError", "UnknownError", "InvalidArgumentError", "DeadlineExceededError", "NotFoundError",
    "AlreadyExistsError", "PermissionDeniedError", "ResourceExhaustedError", "FailedPreconditionError", "AbortedError",
    "OutOfRangeError", "UnimplementedError", "InternalError", "UnavailableError", "DataLossError",
    "UnauthenticatedError"], start=1)))
def test_codes(code: int, name: str) -> None:
    kind = getattr(errors, name)
    assert errors.exception_type_from_error_code(code) is kind and errors.error_code_from_exception_type(kind) == code
    made = kind("node", "op", "what happened")
    assert (made.node_def, made.op, made.message, str(made), made.error_code) == (
        "node", "op", "what happened", "what happened", code)
    assert kind(None, None, "x").node_def is None


def test_the_base_takes_a_code() -> None:
    made = errors.OpError(None, None, "text", errors.ABORTED)
    assert (made.message, made.error_code) == ("text", 10) and errors.OpError("text").error_code == errors.UNKNOWN
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(99)
