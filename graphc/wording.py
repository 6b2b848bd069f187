"""Messages in the program's own words: it says gc.matmul, or tf.matmul if it imports graphc as TensorFlow.

The sources say "gc."; `worded` makes of it the name that the user's code has for graphc: where an error is made
(errors.OpError) or leaves a public function (tracebacks.py), where `warn` warns, in a tensor's repr. Lines of
the user's own that a message quotes stay as they are.
"""
from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from graphc.ir.user_frame import is_internal, user_stacklevel

_NAME = re.compile(r"(?<![\w./])gc\.(?!py\b)(?=[A-Za-z_])")
_QUOTING = re.compile(r"^(  (?:built|called|asked for|in [^:]*, called) at )(.*)$")    # the rest is the user's
_TENSORFLOW = "graphc.compat.v1"
_where_nobody_says = "gc"


def call_it(name: str) -> None:
    """What messages call graphc where no code of the user's says it: the launcher of TensorFlow's programs says tf."""
    global _where_nobody_says
    _where_nobody_says = name


def worded(message: str) -> str:
    """The message, with public names as the program spells them."""
    if not _NAME.search(message):
        return message
    name, module = _name_of_graphc()
    lines = []
    for line in message.split("\n"):
        quoting = _QUOTING.match(line)
        own, quoted = quoting.groups() if quoting else (line, "")
        if module is sys.modules.get(_TENSORFLOW):
            own = own.replace("gc.compat.v1.", "gc.")
        lines.append(_NAME.sub(f"{name}.", own) + quoted)
    return "\n".join(lines)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that names the user's line."""
    warnings.warn(worded(message), category, stacklevel=user_stacklevel())


def _name_of_graphc() -> tuple[str, ModuleType | None]:
    """The name of graphc, or of graphc as TensorFlow, in the code that called, and which of the two it is."""
    ours = [module for module in (sys.modules.get("graphc"), sys.modules.get(_TENSORFLOW)) if module is not None]
    for names in _namespaces():
        for name, value in list(names.items()):
            if isinstance(value, ModuleType) and any(value is module for module in ours):
                return name, value
    return _where_nobody_says, None


def _namespaces() -> Iterator[Mapping[str, Any]]:
    """The names of the user's frames, the innermost first, and of the program: a thread may have no such frame."""
    frame = sys._getframe(1)
    while frame is not None:
        if not is_internal(frame.f_code.co_filename):
            yield frame.f_locals
            yield frame.f_globals
        frame = frame.f_back  # type: ignore[assignment]
    yield vars(sys.modules["__main__"])
