"""The functions of the kernel library that an Engine calls, as Python sees them."""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping

_INT, _LONG = ctypes.c_int32, ctypes.c_int64
# Name, result, number of arguments (all int64).
_FUNCTIONS = (
    ("gc_verify", _INT, 5),
    ("gc_store_open", _LONG, 1),
    ("gc_store_close", _LONG, 1),
    ("gc_model_open", _LONG, 1),
    ("gc_model_close", _LONG, 1),
    ("gc_frame_open", _LONG, 2),
    ("gc_frame_close", _LONG, 1),
    ("gc_frame_size", _INT, 3),
    ("gc_run", _INT, 1),
)


def native_functions(entry: Mapping[str, int]) -> dict[str, Callable[..., int]]:
    """Those functions by name; entry: the addresses of the library's functions."""
    return {name: ctypes.CFUNCTYPE(result, *[_LONG] * arguments)(entry[name])
            for name, result, arguments in _FUNCTIONS}


def close_model(native: Mapping[str, Callable[..., int]], model: int, store: int, frames: list[int],
                keep: object) -> None:
    """Frees the model, its frames and its store. keep: what must live until then."""
    for frame in frames:
        native["gc_frame_close"](frame)
    native["gc_model_close"](model)
    native["gc_store_close"](store)
