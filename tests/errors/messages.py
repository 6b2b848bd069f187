"""What the tests of messages share: the line of the user's that a message must name."""
from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any

import pytest


def line() -> int:
    """The line that calls this."""
    return inspect.currentframe().f_back.f_lineno


def built(number: int) -> str:
    """What a message says of an op built on that line of the calling file."""
    file = inspect.currentframe().f_back.f_code.co_filename
    return f"\n  built at {file}:{number}: {linecache.getline(file, number).strip()}"


def message_of(kind: type[Exception], function: Callable[..., Any], *arguments: Any, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        function(*arguments, **more)
    assert type(caught.value) is kind or kind in (ValueError, KeyError)
    return str(caught.value)
