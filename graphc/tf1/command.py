"""The command line of `graphc tf1`."""
from __future__ import annotations

import argparse
from typing import Any

from graphc.wording import call_it

USE = """graphc tf1 [--repair] script.py [ARGS ...]      (or notebook.ipynb)
       graphc tf1 [--repair] -m package.module [ARGS ...]
       graphc tf1 --check [--json] PATH [PATH ...]"""


def add(commands: Any) -> None:
    """Adds the command to those of `graphc`."""
    command = commands.add_parser("tf1", help="run a TensorFlow 1 program unchanged", usage=USE,
                                  description="Runs a program that says `import tensorflow as tf` on graphc.")
    command.add_argument("--repair", action="store_true",
                         help="read Python 2, and put back names that NumPy, SciPy and Matplotlib have lost")
    command.add_argument("-m", dest="is_module", action="store_true",
                         help="the program is a module, to be found as `python -m` finds it")
    command.add_argument("--check", action="store_true",
                         help="do not run: list the TensorFlow names that the programs use, and which are there")
    command.add_argument("--json", action="store_true", help="with --check: as JSON")
    command.add_argument("program", help="the script or notebook; with -m a module; with --check a file or folder")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own; with --check more paths")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    call_it("tf")
    if options.check:
        from graphc.tf1.check import check

        return check([options.program, *options.arguments], options.json)
    from graphc.tf1 import program

    run = program.run_module if options.is_module else program.run
    return run(options.program, options.arguments, options.repair)
