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
    """Runs the program, as `tf.app.run`: main (by default the one of __main__) gets the arguments that are no flags."""
    arguments = list(sys.argv if argv is None else argv)
    main = main or sys.modules["__main__"].main
    if any(argument in _HELP for argument in arguments[1:]):
        print(f"{sys.modules['__main__'].__doc__ or ''}\nflags:\n{FLAGS.get_help()}")
        sys.exit(1)
    try:
        rest = FLAGS(arguments, known_only=True)
    except absl_flags.Error as error:
        sys.stderr.write(f"FATAL Flags parsing error:\n  {error}\nPass --help to see the flags.\n")
        sys.exit(1)
    sys.exit(main(rest))
