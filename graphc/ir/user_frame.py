"""The line of the user's own file that is being executed: what error messages and profiles quote."""
from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def user_line() -> tuple[str, int]:
    """(file, line) of the innermost frame outside the graphc package; ("", 0) if there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) and not file.startswith("<frozen") and "contextlib.py" not in file:
            return file, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0
