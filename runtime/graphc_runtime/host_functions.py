"""Functions of the caller's that a graph calls (py_func), by the thread that runs the model.

An exception does not pass through C: it is kept, the run ends with an error, and that error has it as its cause.
"""
from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import UnknownError
from .library import HOST_FUNCTION, C, check
from .tensors import BFLOAT16, DTYPES, array_of

NUMBERS = {dtype: number for number, dtype in DTYPES.items() if number != BFLOAT16 or dtype != np.uint16}


class HostFunctions:
    """Those of one model."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle = handle
        self._callbacks: list[Any] = []        # C has their addresses alone; a run may be in one that is replaced
        self._raised = threading.local()

    def set(self, name: str, function: Callable[..., Any]) -> None:
        raised = self._raised

        def call(_: object, request: int, inputs: Any, input_count: int, output_count: int) -> int:
            try:
                made = function(*(array_of(inputs[i]) for i in range(input_count)))
                _give(request, made if isinstance(made, (tuple, list)) else (made,), output_count)
                return 0
            except BaseException as error:
                raised.error = error
                return UnknownError.status

        callback = HOST_FUNCTION(call)
        self._callbacks.append(callback)
        check(C.graphc_set_host(self._handle, name.encode(), callback, None))

    def check(self, status: int) -> None:
        """As library.check; with what a function has raised in this thread."""
        cause = self._raised.__dict__.pop("error", None)
        if isinstance(cause, Exception):
            try:
                check(status)
            except Exception as error:
                raise error from cause
        if cause is not None:
            raise cause
        check(status)


def _give(request: int, values: Any, count: int) -> None:
    if len(values) != count:
        raise ValueError(f"the function gave {len(values)} values; the graph takes {count}")
    for index, value in enumerate(values):
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        if array.dtype not in NUMBERS:
            raise TypeError(f"the function gave an array of {array.dtype}, which no tensor can have")
        sizes = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        memory = C.graphc_host_output(request, index, NUMBERS[array.dtype], array.ndim, sizes)
        if not memory:
            raise ValueError(f"result {index} of the function, {array.dtype}{array.shape}, is not what the graph "
                             "takes, or there is no memory for it")
        ctypes.memmove(memory, array.ctypes.data, array.nbytes)
