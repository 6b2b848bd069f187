"""The names of TensorFlow's debugger, which programs import for a switch of theirs. It is not there, and says so."""
from __future__ import annotations

from typing import Any, NoReturn

from graphc import errors
from graphc.api.public import public


class _Debugger:
    def __init__(self, *arguments: Any, **named: Any) -> None:
        _refused(type(self).__name__)


@public("compat.v1.python.debug.LocalCLIDebugWrapperSession")
class LocalCLIDebugWrapperSession(_Debugger):
    """Raises UnimplementedError: graphc has no debugger. Takes the place of
    `tf_debug.LocalCLIDebugWrapperSession`.

    >>> gc.compat.v1.python.debug.LocalCLIDebugWrapperSession(None)
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf_debug.LocalCLIDebugWrapperSession: graphc has no ...
    """


@public("compat.v1.python.debug.DumpingDebugWrapperSession")
class DumpingDebugWrapperSession(_Debugger):
    """Raises UnimplementedError: graphc has no debugger. Takes the place of
    `tf_debug.DumpingDebugWrapperSession`.

    >>> gc.compat.v1.python.debug.DumpingDebugWrapperSession(None)
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf_debug.DumpingDebugWrapperSession: graphc has no ...
    """


@public("compat.v1.python.debug.TensorBoardDebugWrapperSession")
class TensorBoardDebugWrapperSession(_Debugger):
    """Raises UnimplementedError: graphc has no debugger. Takes the place of
    `tf_debug.TensorBoardDebugWrapperSession`.

    >>> gc.compat.v1.python.debug.TensorBoardDebugWrapperSession(None)
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf_debug.TensorBoardDebugWrapperSession: graphc has no ...
    """


@public("compat.v1.python.debug.LocalCLIDebugHook")
class LocalCLIDebugHook(_Debugger):
    """Raises UnimplementedError: graphc has no debugger. Takes the place of
    `tf_debug.LocalCLIDebugHook`.

    >>> gc.compat.v1.python.debug.LocalCLIDebugHook(None)
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf_debug.LocalCLIDebugHook: graphc has no ...
    """


@public("compat.v1.python.debug.has_inf_or_nan")
def has_inf_or_nan(datum: Any, tensor: Any) -> bool:
    """Whether the array has numbers that are not finite: what a filter of the debugger is.

    tensor: the array; False for what holds no floating point numbers. As `tf_debug.has_inf_or_nan`.

    >>> tf_debug = gc.compat.v1.python.debug
    >>> tf_debug.has_inf_or_nan(None, np.array([1., np.nan])), tf_debug.has_inf_or_nan(None, np.array([1]))
    (True, False)
    """
    import numpy as np

    found = np.asarray(tensor)
    return bool(found.dtype.kind in "fc" and not np.isfinite(found).all())


def _refused(name: str) -> NoReturn:
    raise errors.UnimplementedError(
        f"tf_debug.{name}: graphc has no debugger; gc.add_check_numerics_ops names the first op with a NaN, gc.Print "
        "shows a tensor, and the environment variable GRAPHC_TRACE=1 every step of a run")
