"""Runs a program as `python script.py` does: __name__ is "__main__", its folder leads sys.path, sys.argv is its."""
from __future__ import annotations

import linecache
import os
import re
import sys
import tokenize
import traceback
from collections.abc import Sequence
from types import CodeType, ModuleType

from graphc import set_random_mode
from graphc.tf1 import names, notebook, repair, scalars, vanished
from graphc.tracebacks import of_the_program

_VANISHED = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'|`np\.(\w+)` was removed")


def run(path: str, arguments: Sequence[str], mends: bool) -> int:
    """Runs the script or notebook and gives its exit status. mends: as --repair.

    What it raises is shown as Python shows it, without graphc's own frames.
    """
    try:
        code = load(path, mends)
    except SyntaxError as error:
        traceback.print_exception(type(error), error, None)
        if not mends:
            _advise(f"{path} is not Python 3. If it is Python 2, --repair reads it", path)
        return 1
    _prepare(path, arguments, mends)
    main = _as_main(path)
    try:
        exec(code, main.__dict__)
    except SystemExit as error:
        return _status(error)
    except BaseException as error:
        sys.stdout.flush()
        traceback.print_exception(type(error), error, of_the_program(error))
        if isinstance(error, ImportError) and str(error.name).startswith("six"):
            print("\nsix came with TensorFlow 1: pip install 'graphc[tf1]'", file=sys.stderr)
        if not mends and (hint := _rot(error)):
            _advise(hint, path)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        sys.stdout.flush()
    return 0


def load(path: str, mends: bool) -> CodeType:
    """The program, compiled. Raises OSError, SyntaxError, ValueError (no notebook)."""
    with tokenize.open(path) as file:
        text = file.read()
    if path.endswith(".ipynb"):
        text = notebook.code_of(text)
    if mends:
        text = repair.repaired(text, path)
    if mends or path.endswith(".ipynb"):            # messages show the lines that run
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    return scalars.compiled(text, path) if mends else compile(text, path, "exec", dont_inherit=True)


def _prepare(path: str, arguments: Sequence[str], mends: bool) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    sys.argv = [path, *arguments]
    sys.path[0] = folder
    names.take_tensorflows_name()
    set_random_mode("tensorflow")                   # seeds mean what they meant there
    if mends:
        vanished.put_back(folder)
        sys.meta_path.insert(0, repair.RepairingFinder(folder))


def _as_main(path: str) -> ModuleType:
    """The module that pickle, flags and `import __main__` find."""
    main = ModuleType("__main__")
    main.__file__ = path
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    return main


def _status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1


def _rot(error: BaseException) -> str:
    """What age has done, if that is why it failed; empty if not."""
    if isinstance(error, SyntaxError):
        return f"{error.filename} is not Python 3. If it is Python 2, --repair reads it"
    if isinstance(error, NameError) and error.name in ("xrange", "unicode", "raw_input", "long", "basestring", "reduce",
                                                       "unichr", "file", "execfile", "reload", "cmp"):
        return f"'{error.name}' is Python 2"
    if isinstance(error, AttributeError) and (found := _VANISHED.search(str(error))):
        module, name = (found[1], found[2]) if found[1] else ("numpy", found[3])
        if module == "numpy" and name in vanished.NUMPY:
            return f"numpy.{name} was removed from NumPy"
        if module == "matplotlib.pyplot" and name == "hold":
            return "matplotlib.pyplot.hold was removed from Matplotlib"
    if isinstance(error, AttributeError) and error.name in ("iteritems", "itervalues", "iterkeys", "has_key"):
        return f"dict.{error.name} is Python 2"
    if any("only 0-dimensional arrays can be converted" in str(part) for part in (error, error.__cause__)):
        return "NumPy takes an array of one element no more for a number"
    if isinstance(error, ImportError) and str(error.name).startswith("scipy.misc"):
        return "scipy.misc was removed from SciPy"
    return ""


def _advise(what: str, path: str) -> None:
    print(f"\n{what}: `graphc tf1 --repair {path}` mends such things while it loads; the file stays as it is.",
          file=sys.stderr)
