"""`tf.app.run`: parses the flags, calls main, ends the program with what it returns."""
from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from absl import flags as absl_flags

from graphc.api.public import public
from graphc.compat.program.flags import FLAGS

_HELP = ("--help", "-h", "--helpfull", "-help")


@public("compat.v1.app.run")
def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the program: parses the flags, calls main, ends the program with what it returns.

    main (by default the one of __main__) gets the program's name and the arguments that are no flags. argv: by default
    sys.argv. --help and flags that do not fit their types end the program with status 1. Raises SystemExit with what
    main returns; ValueError if there is no main. As `tf.app.run`.

    >>> def main(argv):
    ...     print("reads", argv[1:])
    >>> try:
    ...     gc.compat.v1.app.run(main, argv=["train.py", "data.csv"])
    ... except SystemExit as end:
    ...     print("status", end.code)
    reads ['data.csv']
    status None
    """
    arguments = list(sys.argv if argv is None else argv)
    main = main or getattr(sys.modules["__main__"], "main", None)
    if main is None:
        raise ValueError("argument 'main' is None, and the program has no function main to call in its place")
    if any(argument in _HELP for argument in arguments[1:]):
        print(f"{sys.modules['__main__'].__doc__ or ''}\nflags:\n{FLAGS.get_help()}")
        sys.exit(1)
    try:
        rest = FLAGS(arguments, known_only=True)
    except absl_flags.Error as error:
        sys.stderr.write(f"FATAL Flags parsing error:\n  {error}\nPass --help to see the flags.\n")
        sys.exit(1)
    sys.exit(main(rest))
