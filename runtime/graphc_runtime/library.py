"""The C library (graphc.h), by ctypes: its structures and functions, and statuses that become exceptions.

It is libgraphc.so of this package, or the file that the environment variable GRAPHC_LIBRARY names: one of a checkout,
or one that `graphc runner --only-for` has made for a few models.
"""
from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path

from .errors import UnimplementedError, error_of

ABI = 1                    # of graphc.h: functions are only ever added
MAX_RANK = 8


class Tensor(ctypes.Structure):
    _fields_ = (("dtype", c_int32), ("rank", c_int32), ("sizes", c_int64 * MAX_RANK), ("data", c_void_p))


class Info(ctypes.Structure):
    _fields_ = (("name", c_char_p), ("dtype", c_int32), ("rank", c_int32), ("sizes", c_int64 * MAX_RANK))


class Options(ctypes.Structure):
    _fields_ = (("size", c_size_t), ("signature", c_char_p), ("isa", c_char_p), ("memory_limit", c_int64),
                ("threads", c_int32), ("share", c_void_p), ("gpu_code", c_char_p), ("gpu", c_int32))


# A function of the caller's: user, request, inputs, their number, the number of outputs -> status.
HOST_FUNCTION = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(Tensor), c_int32, c_int32)

_MODEL, _OUT = c_void_p, POINTER(c_void_p)
_FUNCTIONS = {             # name: result, arguments
    "graphc_abi_version": (c_int32, ()),
    "graphc_last_error": (c_char_p, ()),
    "graphc_isas": (c_char_p, ()),
    "graphc_version": (c_char_p, ()),
    "graphc_load_file": (c_int, (c_char_p, POINTER(Options), _OUT)),
    "graphc_load_memory": (c_int, (c_char_p, c_size_t, POINTER(Options), _OUT)),
    "graphc_model_free": (None, (_MODEL,)),
    "graphc_input_count": (c_int32, (_MODEL,)),
    "graphc_output_count": (c_int32, (_MODEL,)),
    "graphc_state_count": (c_int32, (_MODEL,)),
    "graphc_host_count": (c_int32, (_MODEL,)),
    "graphc_signature_count": (c_int32, (_MODEL,)),
    "graphc_input_info": (c_int, (_MODEL, c_int32, POINTER(Info))),
    "graphc_output_info": (c_int, (_MODEL, c_int32, POINTER(Info))),
    "graphc_state_info": (c_int, (_MODEL, c_int32, POINTER(Info))),
    "graphc_host_name": (c_char_p, (_MODEL, c_int32)),
    "graphc_signature_name": (c_char_p, (_MODEL, c_int32)),
    "graphc_memory_used": (c_int64, (_MODEL,)),
    "graphc_run": (c_int, (_MODEL, POINTER(Tensor), c_int32, _OUT)),
    "graphc_cancel": (None, (_MODEL,)),
    "graphc_result_count": (c_int32, (c_void_p,)),
    "graphc_result_output": (c_int, (c_void_p, c_int32, POINTER(Tensor))),
    "graphc_result_free": (None, (c_void_p,)),
    "graphc_state_set": (c_int, (_MODEL, c_int32, POINTER(Tensor))),
    "graphc_state_get": (c_int, (_MODEL, c_int32, c_void_p, c_size_t)),
    "graphc_set_host": (c_int, (_MODEL, c_char_p, HOST_FUNCTION, c_void_p)),
    "graphc_host_output": (c_void_p, (c_void_p, c_int32, c_int32, c_int32, POINTER(c_int64))),
    "graphc_save": (c_int, (_MODEL, c_char_p)),
    "graphc_restore": (c_int, (_MODEL, c_char_p)),
    "graphc_run_count": (c_int64, (_MODEL,)),
    "graphc_set_run_count": (c_int, (_MODEL, c_int64)),
}


def _load() -> ctypes.CDLL:
    path = Path(os.environ.get("GRAPHC_LIBRARY") or Path(__file__).parent / "libgraphc.so")
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise UnimplementedError(
            f"{path} cannot be used as graphc's C library: {error}. Install graphc-runtime's wheel for this machine, "
            "or name the library in the environment variable GRAPHC_LIBRARY") from None
    if library.graphc_abi_version() < ABI:
        raise UnimplementedError(f"{path} is an older version of graphc's C library: its interface is version "
                                 f"{library.graphc_abi_version()}, {ABI} is needed")
    return library


C = _load()


def check(status: int) -> None:
    """Raises what a function of the library has returned, unless that is 0."""
    if status:
        raise error_of(status, C.graphc_last_error().decode(errors="replace"))


def version() -> str:
    """The C++ library's version."""
    return str(C.graphc_version().decode())


def instruction_sets() -> list[str]:
    """Those of the library that this machine can run, best first: what `isa` of `load` may be."""
    return [name for name in C.graphc_isas().decode().split(", ") if not name.startswith("(")]
