"""Command-line flags, as `tf.app.flags`: absl's, which TensorFlow 1.15 uses, too.

FLAGS parses the command line when a value is first read, and the DEFINE functions take the old names of their
arguments (flag_name, default_value, docstring).
"""
from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags as absl_flags

from graphc.compat.program.arguments import renamed

OLD_ARGUMENTS = {"flag_name": "name", "default_value": "default", "docstring": "help"}


class FlagValues:
    """The flags of the program, as `tf.app.flags.FLAGS`; read one before parsing and sys.argv is parsed."""

    def __init__(self, wrapped: absl_flags.FlagValues) -> None:
        self.__dict__["_wrapped"] = wrapped

    def __getattr__(self, name: str) -> Any:
        wrapped = self.__dict__["_wrapped"]
        if name == "__flags":                       # scripts list all flags by it: name -> Flag
            return wrapped._flags()
        if name not in wrapped and hasattr(type(wrapped), name):
            return getattr(wrapped, name)           # a method
        if not wrapped.is_parsed():
            wrapped(sys.argv)
        return getattr(wrapped, name)

    def _parse_flags(self, args: list[str] | None = None) -> list[str]:
        """Of before TensorFlow 1.5: parses what is known, returns the rest."""
        program = sys.argv[:1] if args is None else [""]
        return self._wrapped([*program, *(sys.argv[1:] if args is None else args)], known_only=True)[1:]

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._wrapped, name)

    def __getitem__(self, name: str) -> Any:
        return self._wrapped[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        self._wrapped[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in self._wrapped

    def __dir__(self) -> list[str]:
        return dir(self._wrapped)

    def __len__(self) -> int:
        return len(self._wrapped)

    def __iter__(self) -> Iterator[str]:
        return iter(self._wrapped)

    def __str__(self) -> str:
        return str(self._wrapped)

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        return self._wrapped(*arguments, **more)


FLAGS = FlagValues(absl_flags.FLAGS)


def _with_old_arguments(define: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(define)
    def defined(*arguments: Any, **more: Any) -> Any:
        return define(*arguments, **renamed(more, OLD_ARGUMENTS, define.__name__))
    return defined


# Whatever absl has: DEFINE_integer, mark_flag_as_required, ArgumentParser, ...
for _name in dir(absl_flags):
    if not _name.startswith("_") and _name != "FLAGS":
        _value = getattr(absl_flags, _name)
        globals()[_name] = _with_old_arguments(_value) if _name.startswith("DEFINE_") else _value
