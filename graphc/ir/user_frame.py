"""The line of the user's own file that is being executed: what error messages and profiles quote."""
from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def is_internal(file: str) -> bool:
    """Whether a frame of this file is graphc's own (or Python's, on its behalf)."""
    return file.startswith(_PACKAGE) or file.startswith("<frozen") or "contextlib.py" in file


def user_line() -> tuple[str, int]:
    """(file, line) of the innermost frame outside the graphc package; ("", 0) if there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if not is_internal(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0


def user_stacklevel() -> int:
    """The `stacklevel` of a warning that is to name the user's line, counted from the caller."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and is_internal(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level
