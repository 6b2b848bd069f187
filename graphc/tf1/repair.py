"""Python 2 programs as Python 3, while they load: fissix (lib2to3's successor) rewrites their text in memory.

Lines stay where they are, so that messages name the right ones. The files of the user are never written.
"""
from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import warnings
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any

from graphc.tf1 import division, scalars

# What both languages read, and mean alike or nearly so, is rewritten whenever mending is asked for ...
_BOTH = ("basestring execfile exitfunc filter funcattrs getcwdu has_key imports intern isinstance itertools "
         "itertools_imports long map metaclass methodattrs next operator raw_input reduce reload renames "
         "standarderror sys_exc types unicode urllib xrange xreadlines zip")
# ... and what only Python 2 reads, or means otherwise, in a program that is no Python 3.
_PYTHON2 = "apply except exec input ne numliterals paren print raise repr throw tuple_params"


@functools.cache
def _tool(is_python2: bool) -> Any:
    try:
        from fissix.refactor import RefactoringTool
    except ImportError as error:
        raise ImportError("graphc tf1 --repair needs fissix: pip install 'graphc[tf1]'") from error
    fixers = f"{_BOTH} {_PYTHON2 if is_python2 else ''}".split()
    names = [*(f"fissix.fixes.fix_{name}" for name in fixers), "graphc.tf1.fix_truth", "graphc.tf1.fix_views"]
    return RefactoringTool(names, {"print_function": not is_python2})


def repaired(text: str, path: str) -> str:
    """The program in Python 3. Raises SyntaxError if it is neither Python 2 nor 3.

    What Python 3 reads and fissix does not (`match`, types in brackets) is newer than what it mends: it stays as it is.
    """
    expanded = "\n".join(_spaces(line) for line in text.replace("\r\n", "\n").split("\n"))
    if not is_python3(expanded, path):
        return _rewritten(expanded, path, is_python2=True)
    try:
        return _rewritten(expanded, path, is_python2=False)
    except SyntaxError:
        return expanded


def is_python3(text: str, path: str) -> bool:
    try:
        with warnings.catch_warnings():             # they come when the text is compiled to run
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def is_python2(text: str, path: str) -> bool:
    """Whether the program as it was written divides as Python 2 does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text, path)
        except SyntaxError:
            tree = None
    return division.is_python2(text, tree)


def _rewritten(text: str, path: str, is_python2: bool) -> str:
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError

    try:
        return str(_tool(is_python2).refactor_string(text if text.endswith("\n") else f"{text}\n", path))
    except (ParseError, TokenError) as error:
        raise SyntaxError(f"{path} is neither Python 3 nor Python 2: {error}") from error


def _spaces(line: str) -> str:
    """Python 2 takes a tab for the way to the next multiple of 8 columns; Python 3 refuses a mixture."""
    body = line.lstrip(" \t")
    return line[:len(line) - len(body)].expandtabs(8) + body


class RepairingFinder(importlib.abc.MetaPathFinder):
    """Repairs the modules that stand beside the script, too."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(os.path.abspath(folder), "")

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        places = list(path) if path is not None else [self.folder, *sys.path]
        spec = importlib.machinery.PathFinder.find_spec(fullname, places, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader) or spec.origin is None:
            return None
        if not os.path.abspath(spec.origin).startswith(self.folder) or "site-packages" in spec.origin:
            return None
        spec.loader = _RepairingLoader(spec.loader.name, spec.loader.path)
        return spec


class _RepairingLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:                      # without .pyc files, which hold no repairs
        path = self.get_filename(fullname)
        text = importlib.util.decode_source(self.get_data(path))
        return scalars.compiled(repaired(text, path), path, is_python2(text, path))
