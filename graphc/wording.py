"""How messages name what is public: gc.matmul, or tf.matmul in a program that has imported graphc as TensorFlow.

The sources say "gc."; `worded` makes of it what the program says, where an error is made (errors.OpError) or leaves a
public function (tracebacks.py), and where `warn` warns. Lines of the user's own that a message quotes stay as they are.
"""
from __future__ import annotations

import re
import warnings

from graphc.ir.user_frame import user_stacklevel

_prefix = "gc"
_NAME = re.compile(r"(?<![\w./])gc\.(?!py\b)(?=[A-Za-z_])")
_QUOTING = re.compile(r"^(  (?:built|called|in [\w.]+, called) at )(.*)$")      # the rest of such a line is the user's


def call_it(prefix: str) -> None:
    """From now on messages say "<prefix>.matmul": the name under which programs import graphc."""
    global _prefix
    _prefix = prefix


def worded(message: str) -> str:
    """The message, with public names as the program spells them."""
    if _prefix == "gc" or "gc." not in message:
        return message
    return "\n".join(_line(line) for line in message.split("\n"))


def _line(line: str) -> str:
    quoting = _QUOTING.match(line)
    own, quoted = quoting.groups() if quoting else (line, "")
    return _NAME.sub(f"{_prefix}.", own) + quoted


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that names the user's line."""
    warnings.warn(worded(message), category, stacklevel=user_stacklevel())
