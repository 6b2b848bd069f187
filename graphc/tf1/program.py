"""Runs a program as `python script.py` or `python -m module` does: __name__ is "__main__", its folder (the working
folder) leads sys.path, sys.argv is its."""
from __future__ import annotations

import importlib.util
import linecache
import os
import re
import sys
import tokenize
import traceback
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
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
        return _unreadable(error, path, mends)
    _prepare(path, os.path.dirname(os.path.abspath(path)), arguments, mends)
    main = _as_main(path)
    return _status_of(lambda: exec(code, main.__dict__), mends, path)


def run_module(name: str, arguments: Sequence[str], mends: bool) -> int:
    """Runs the module as `python -m` does: the working folder leads sys.path, packages around it are imported first, a
    package is its `__main__`. Gives its exit status. Raises ValueError if there is no such module."""
    _prepare("-m", os.getcwd(), arguments, mends)
    found: list[ModuleSpec] = []
    status = _status_of(lambda: found.append(_spec_of(name)), mends, f"-m {name}")     # imports the packages around it
    if not found:
        return status
    spec = found[0]
    if not isinstance(spec.loader, SourceFileLoader):
        raise ValueError(f"there is no module {name}, or it is no Python file")
    path = sys.argv[0] = str(spec.origin)
    try:
        code = load(path, mends)
    except SyntaxError as error:
        return _unreadable(error, f"-m {name}", mends)
    main = _as_main(path)
    main.__spec__, main.__package__ = spec, spec.parent
    return _status_of(lambda: exec(code, main.__dict__), mends, f"-m {name}")


def _spec_of(name: str) -> ModuleSpec:
    """Of the module, or of a package's __main__; one without a loader if there is none."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    return spec or ModuleSpec(name, None)


def _unreadable(error: SyntaxError, program: str, mends: bool) -> int:
    traceback.print_exception(type(error), error, None)
    if not mends:
        _advise(f"{error.filename} is not Python 3. If it is Python 2, --repair reads it", program)
    return 1


def _status_of(run: Callable[[], None], mends: bool, program: str) -> int:
    """The exit status of what `run` does of the program, which the command line names so."""
    try:
        run()
    except SystemExit as error:
        return _status(error)
    except BaseException as error:
        _flush()
        traceback.print_exception(type(error), error, of_the_program(error))
        if isinstance(error, ImportError) and str(error.name).startswith("six"):
            print("\nsix came with TensorFlow 1: pip install 'graphc[tf1]'", file=sys.stderr)
        if not mends and (hint := _rot(error)):
            _advise(hint, program)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        _flush()
    return 0


def _flush() -> None:
    """What the program put in place of stdout may have nothing but `write`."""
    flush = getattr(sys.stdout, "flush", None)
    if flush is not None:
        flush()


def load(path: str, mends: bool) -> CodeType:
    """The program, compiled. Raises OSError, SyntaxError, ValueError (no notebook)."""
    with tokenize.open(path) as file:
        text = file.read()
    if path.endswith(".ipynb"):
        text = notebook.code_of(text)
    is_python2 = mends and repair.is_python2(text, path)
    if mends:
        text = repair.repaired(text, path)
    if mends or path.endswith(".ipynb"):            # messages show the lines that run
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    return scalars.compiled(text, path, is_python2) if mends else compile(text, path, "exec", dont_inherit=True)


def _prepare(path: str, folder: str, arguments: Sequence[str], mends: bool) -> None:
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
