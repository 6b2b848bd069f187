"""What NumPy, SciPy and Matplotlib have lost since TensorFlow 1's time, put back for this process.

Each name stands for what the library's own notes say to write instead.
"""
from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from graphc.tf1 import lost_names

NUMPY: dict[str, Any] = {
    "float": float, "int": int, "bool": bool, "object": object, "str": str, "complex": complex, "long": int,
    "unicode": str, "float_": np.float64, "int_": np.int_, "complex_": np.complex128, "string_": np.bytes_,
    "unicode_": np.str_, "Inf": np.inf, "Infinity": np.inf, "NaN": np.nan, "PINF": np.inf, "NINF": -np.inf,
    "infty": np.inf, "product": np.prod, "cumproduct": np.cumprod, "sometrue": np.any, "alltrue": np.all,
    "round_": np.round, "row_stack": np.vstack, "asscalar": lambda a: a.item(), "msort": lambda a: np.sort(a, axis=0),
    **lost_names.NUMPY,
}


def put_back(folder: str) -> None:
    """Puts NumPy's names back now, those of SciPy and Matplotlib when these are imported.

    folder: where the program is, whose files alone may build ragged arrays again.
    """
    for name, value in NUMPY.items():
        if name not in np.__dict__:
            setattr(np, name, value)
    if not hasattr(np, "in1d"):
        np.in1d = np.isin  # type: ignore[attr-defined]
    for name in ("array", "asarray", "asanyarray"):
        setattr(np, name, _ragged_too(getattr(np, name), os.path.join(os.path.abspath(folder), "")))
    np.reshape = _with_newshape(np.reshape)  # type: ignore[assignment]
    np.fromstring = lost_names.with_binary_too(np.fromstring)  # type: ignore[assignment]
    lost_names.put_back_in_python()
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _ragged_too(make: Callable[..., np.ndarray], folder: str) -> Callable[..., np.ndarray]:
    """NumPy 1's np.array: nested sequences of several lengths are an array of objects, for callers in the folder."""
    @functools.wraps(make)
    def made(*arguments: Any, **named: Any) -> np.ndarray:
        try:
            return make(*arguments, **named)
        except ValueError as error:
            if named.get("copy") is False and "avoid copy" in str(error) and _caller().startswith(folder):
                return make(*arguments, **{**named, "copy": None})     # it meant: if there is no need
            says_what = len(arguments) > 1 or "dtype" in named
            if says_what or "inhomogeneous" not in str(error) or not _caller().startswith(folder):
                raise
            return make(*arguments, dtype=object, **named)
    return made


def _with_newshape(reshape: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """`shape` had the name `newshape`."""
    @functools.wraps(reshape)
    def made(*arguments: Any, **named: Any) -> np.ndarray:
        if "newshape" in named:
            named["shape"] = named.pop("newshape")
        return reshape(*arguments, **named)
    return made


def _caller() -> str:
    """The file that called the function which asks, or NumPy that did."""
    frame, numpy = sys._getframe(2), os.path.dirname(np.__file__)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(numpy):
        frame = frame.f_back
    return os.path.abspath(frame.f_code.co_filename)


def _scipy_misc(module: ModuleType) -> None:
    from graphc.tf1 import pictures

    for name in ("imread", "imsave", "imresize", "imrotate", "toimage", "fromimage", "bytescale", "imshow"):
        if not hasattr(module, name):
            setattr(module, name, getattr(pictures, name))
    for name, home in (("logsumexp", "special"), ("comb", "special"), ("factorial", "special"), ("face", "datasets"),
                       ("ascent", "datasets")):
        if not hasattr(module, name):
            setattr(module, name, _later("scipy", home, name))


def _scipy_ndimage(module: ModuleType) -> None:
    from graphc.tf1 import pictures

    if not hasattr(module, "imread"):
        module.imread = pictures.imread  # type: ignore[attr-defined]


def _scipy_arpack(module: ModuleType) -> None:
    linalg = importlib.import_module("scipy.sparse.linalg")
    module.__path__ = []                                               # so that its own modules are asked for
    module.eigs, module.eigsh = linalg.eigs, linalg.eigsh  # type: ignore[attr-defined]
    module.svds = linalg.svds  # type: ignore[attr-defined]


def _later(package: str, home: str, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **more: Any) -> Any:
        return getattr(importlib.import_module(f"{package}.{home}"), name)(*arguments, **more)
    return call


def _pyplot(module: ModuleType) -> None:
    if not hasattr(module, "hold"):
        module.hold = lambda *_: None  # type: ignore[attr-defined]    # it is always on now
    show = module.show

    def show_as_before(block: Any = None, **named: Any) -> Any:        # scripts give it a figure, and it shows them all
        return show(block=None if block is None else bool(block), **named)

    def set_window_title(canvas: Any, title: str) -> None:
        if canvas.manager is not None:
            canvas.manager.set_window_title(title)

    lost_names.mend_axes(importlib.import_module("matplotlib.axes").Axes)
    lost_names.mend_figure(module.Figure)
    lost_names.mend_styles(module)
    backend = importlib.import_module("matplotlib.backend_bases").FigureCanvasBase
    if not hasattr(backend, "set_window_title"):
        backend.set_window_title = set_window_title
    module.show = show_as_before  # type: ignore[attr-defined]


_MENDED: dict[str, Callable[[ModuleType], None]] = {
    "scipy.misc": _scipy_misc, "scipy.ndimage": _scipy_ndimage, "matplotlib.pyplot": _pyplot,
    "PIL.Image": lost_names.mend_pillow, "pandas": lost_names.mend_pandas, "h5py": lost_names.mend_h5py,
    "cgi": lost_names.mend_cgi, "yaml": lost_names.mend_yaml, "matplotlib": lost_names.mend_matplotlib,
    "sklearn.cross_validation": lost_names.mend_cross_validation,
    "sklearn.grid_search": lost_names.mend_cross_validation, "sklearn.externals": lost_names.mend_externals,
    **{f"scipy.sparse.linalg.eigen{inner}": _scipy_arpack for inner in ("", ".arpack", ".arpack.arpack")}}

_NOT_MADE = {"pandas", "h5py", "yaml", "matplotlib"}   # may not be installed; those of others are asked for first


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports these modules as they are, and mends them then; those that are gone are made."""

    def __init__(self) -> None:
        self.inside: set[str] = set()

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _MENDED or fullname in self.inside:
            return None
        if fullname in _NOT_MADE:
            self.inside.add(fullname)
            try:
                if importlib.util.find_spec(fullname) is None:
                    return None
            finally:
                self.inside.discard(fullname)
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        self.inside.add(spec.name)
        try:
            found = importlib.util.find_spec(spec.name)
            if found is None or found.loader is None:
                return ModuleType(spec.name)
            made = importlib.util.module_from_spec(found)
            sys.modules[spec.name] = made
            found.loader.exec_module(made)
            return made
        finally:
            self.inside.discard(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        _MENDED[module.__spec__.name if module.__spec__ else module.__name__](module)
