"""Names that Python, NumPy, pandas, Pillow, Matplotlib and scikit-learn have lost since TensorFlow 1's time: `--repair`
puts back under them what is written instead now (vanished.py says when)."""
from __future__ import annotations

import base64
import collections
import collections.abc
import fractions
import functools
import html
import importlib
import inspect
import io
import math
import pickle
import string
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np


class ArgSpec(NamedTuple):
    """What inspect.getargspec gave."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def _getargspec(function: Callable[..., Any]) -> ArgSpec:
    if str(getattr(function, "__module__", "")).startswith("graphc."):
        function = inspect.unwrap(function)         # what shows errors stands around graphc's functions
    return ArgSpec(*inspect.getfullargspec(function)[:4])


PYTHON: dict[Any, dict[str, Any]] = {
    time: {"clock": time.process_time},
    inspect: {"getargspec": _getargspec, "ArgSpec": ArgSpec},
    fractions: {"gcd": math.gcd},
    base64: {"encodestring": base64.encodebytes, "decodestring": base64.decodebytes},
    threading.Thread: {"isAlive": threading.Thread.is_alive},
    collections: {name: getattr(collections.abc, name) for name in collections.abc.__all__},
    string: {"letters": string.ascii_letters, "lowercase": string.ascii_lowercase, "uppercase": string.ascii_uppercase,
             "maketrans": str.maketrans, "join": lambda words, sep=" ": sep.join(words),
             "replace": lambda text, *how: text.replace(*how), "split": lambda text, *how: text.split(*how),
             "strip": lambda text, *how: text.strip(*how), "lower": lambda text: text.lower(),
             "upper": lambda text: text.upper()},
}


def put_back_in_python() -> None:
    """Those of Python's modules, where they are not there."""
    for home, names in PYTHON.items():
        for name, value in names.items():
            if not hasattr(home, name):
                setattr(home, name, value)
    pickle.load = as_python2_read(pickle.load)


def as_python2_read(load: Callable[..., Any]) -> Callable[..., Any]:
    """pickle.load of files that are open as text, as Python 2 opened them, and of what Python 2 wrote: its texts are
    bytes, of which arrays are made, too."""
    @functools.wraps(load)
    def made(file: Any, **named: Any) -> Any:
        if isinstance(file, io.TextIOWrapper):
            file = file.buffer
        start = file.tell() if file.seekable() else None
        try:
            return load(file, **named)
        except UnicodeDecodeError:
            if start is None or "encoding" in named:
                raise
            file.seek(start)
            return load(file, encoding="latin1", **named)
    return made


def mend_yaml(module: ModuleType) -> None:
    """yaml.load chose how to read by itself."""
    for name in ("load", "load_all"):
        setattr(module, name, _with_loader(getattr(module, name), module.FullLoader))


def _with_loader(load: Callable[..., Any], usual: Any) -> Callable[..., Any]:
    return functools.wraps(load)(lambda stream, Loader=usual: load(stream, Loader))


def mend_matplotlib(module: ModuleType) -> None:
    """The lines that stand before LaTeX's document were a list."""
    for name in ("pgf.preamble", "text.latex.preamble"):
        check = module.RcParams.validate[name]
        module.RcParams.validate[name] = functools.partial(_of_lines, check)


def _of_lines(check: Callable[[Any], Any], value: Any) -> Any:
    return check("\n".join(value) if isinstance(value, list) else value)


def mend_cgi(module: ModuleType) -> None:
    if not hasattr(module, "escape"):
        module.escape = lambda s, quote=None: html.escape(s, bool(quote))  # type: ignore[attr-defined]


class _Casts(dict[Any, Callable[..., np.ndarray]]):
    """np.cast: a function for each dtype."""

    def __missing__(self, dtype: Any) -> Callable[..., np.ndarray]:
        return lambda a: np.asarray(a, dtype)


def _asfarray(a: Any, dtype: Any = np.float64) -> np.ndarray:
    return np.asarray(a, dtype if np.issubdtype(dtype, np.inexact) else np.float64)


NUMPY: dict[str, Any] = {
    "rank": np.ndim, "mat": np.asmatrix, "asfarray": _asfarray, "cast": _Casts(), "int0": np.intp, "uint0": np.uintp,
    "find_common_type": lambda array_types, scalar_types: np.result_type(*array_types, *scalar_types),
    "VisibleDeprecationWarning": np.exceptions.VisibleDeprecationWarning,
    "ComplexWarning": np.exceptions.ComplexWarning,
    "obj2sctype": lambda kind: np.dtype(kind).type, "trapz": getattr(np, "trapezoid", None),
}


def with_binary_too(fromstring: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """np.fromstring of bytes, a copy of them, as it was before it took text only."""
    @functools.wraps(fromstring)
    def made(text: Any, dtype: Any = float, count: int = -1, sep: str = "", **named: Any) -> np.ndarray:
        if sep:
            return fromstring(text, dtype, count, sep=sep, **named)
        return np.frombuffer(text.encode("latin1") if isinstance(text, str) else text, dtype, count).copy()
    return made


def mend_pillow(module: ModuleType) -> None:
    for old, new in (("ANTIALIAS", "LANCZOS"), ("LINEAR", "BILINEAR"), ("CUBIC", "BICUBIC")):
        if not hasattr(module, old):
            setattr(module, old, getattr(module, new))


def mend_pandas(module: ModuleType) -> None:
    frame, series = module.DataFrame, module.Series

    def append(self: Any, other: Any, ignore_index: bool = False, **named: Any) -> Any:
        if isinstance(other, dict):
            other = frame([other])
        elif isinstance(other, series) and isinstance(self, frame):
            other = other.to_frame().T
        others = other if isinstance(other, (list, tuple)) else [other]
        return module.concat([self, *others], ignore_index=ignore_index)

    def as_matrix(self: Any, columns: Any = None) -> np.ndarray:
        return np.asarray(self if columns is None else self[columns])

    for kind in (frame, series):
        for name, value in (("append", append), ("iteritems", kind.items), ("as_matrix", as_matrix)):
            if not hasattr(kind, name):
                setattr(kind, name, value)


def mend_axes(axes: Any) -> None:
    """Names of Matplotlib's Axes, and arguments of its functions that have others now."""
    for old, new in (("set_axis_bgcolor", "set_facecolor"), ("get_axis_bgcolor", "get_facecolor")):
        if not hasattr(axes, old):
            setattr(axes, old, getattr(axes, new))
    if not hasattr(axes, "set_color_cycle"):
        axes.set_color_cycle = lambda self, clist: self.set_prop_cycle(color=clist)
    lists = axes.ArtistList                                            # ax.lines and the like were lists
    if not hasattr(lists, "remove"):
        lists.remove = lambda self, artist: artist.remove()
        lists.pop = lambda self, index=-1: self[index].remove()
    axes.hist = _renamed(axes.hist, "normed", "density")
    axes.grid = _renamed(axes.grid, "b", "visible")


def mend_figure(figure: Any) -> None:
    """figure.gca(projection="3d") made such axes."""
    gca = figure.gca
    figure.gca = functools.wraps(gca)(lambda self, **named: self.add_subplot(**named) if named else gca(self))


def mend_styles(pyplot: Any) -> None:
    """The styles that were named after seaborn, and plt.cm.get_cmap."""
    styles = pyplot.style.library
    for name in [name for name in styles if name.startswith("seaborn-v0_8")]:
        styles.setdefault(name.replace("-v0_8", ""), styles[name])
    if not hasattr(pyplot.cm, "get_cmap"):
        pyplot.cm.get_cmap = pyplot.get_cmap
    pyplot.hist, pyplot.grid = _renamed(pyplot.hist, "normed", "density"), _renamed(pyplot.grid, "b", "visible")


def _renamed(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """The function with the argument under its old name, too."""
    @functools.wraps(function)
    def made(*arguments: Any, **named: Any) -> Any:
        if old in named:
            named[new] = named.pop(old)
        return function(*arguments, **named)
    return made


def mend_cross_validation(module: ModuleType) -> None:
    """sklearn.cross_validation and sklearn.grid_search are sklearn.model_selection."""
    found = vars(importlib.import_module("sklearn.model_selection"))
    module.__dict__.update({name: value for name, value in found.items() if not name.startswith("_")})


def mend_externals(module: ModuleType) -> None:
    module.joblib = importlib.import_module("joblib")  # type: ignore[attr-defined]


class _Empty(np.ndarray):
    """An array without elements was False where a condition asked for it."""

    def __bool__(self) -> bool:
        return False


def mend_h5py(module: ModuleType) -> None:
    """Attributes of ASCII texts were bytes, and arrays of bytes, which is how Keras reads its files."""
    attributes = module.AttributeManager
    get = attributes.__getitem__

    @functools.wraps(get)
    def made(self: Any, name: str) -> Any:
        value = get(self, name)
        if isinstance(value, np.ndarray) and not value.size:
            return value.view(_Empty)
        kind = module.check_string_dtype(self.get_id(name).dtype)
        if kind is None or kind.encoding != "ascii" or isinstance(value, bytes):
            return value
        return value.encode("ascii") if isinstance(value, str) else np.asarray(value).astype(np.bytes_)
    attributes.__getitem__ = made
