"""graphc.h from Python, by ctypes: what a C program would write."""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphc.ir.dtypes import as_dtype

MAX_RANK = 8
OK, UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED = 0, 2, 3, 5, 8
FAILED_PRECONDITION, UNIMPLEMENTED, DATA_LOSS = 9, 12, 15


class Tensor(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int32), ("rank", ctypes.c_int32), ("sizes", ctypes.c_int64 * MAX_RANK),
                ("data", ctypes.c_void_p)]


class Info(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("sizes", ctypes.c_int64 * MAX_RANK)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("signature", ctypes.c_char_p), ("isa", ctypes.c_char_p),
                ("memory_limit", ctypes.c_int64), ("threads", ctypes.c_int32), ("share", ctypes.c_void_p),
                ("gpu_code", ctypes.c_char_p), ("gpu", ctypes.c_int32)]


HOST = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(Tensor), ctypes.c_int32,
                        ctypes.c_int32)


class NativeError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class String(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def as_tensor(array: np.ndarray) -> Tensor:
    """An array of bytes objects is one of strings."""
    assert array.flags.c_contiguous
    sizes = (ctypes.c_int64 * MAX_RANK)(*array.shape)
    if array.dtype == object:
        texts = [ctypes.create_string_buffer(text, max(len(text), 1)) for text in array.ravel().tolist()]
        lengths = map(len, array.ravel().tolist())
        strings = (String * array.size)(*(String(ctypes.addressof(t), n) for t, n in zip(texts, lengths, strict=True)))
        made = Tensor(7, array.ndim, sizes, ctypes.addressof(strings))
        made.keep = strings, texts
        return made
    return Tensor(as_dtype(array.dtype).unquantized.number, array.ndim, sizes, array.ctypes.data)


def as_array(tensor: Tensor) -> np.ndarray:
    """A copy of the tensor's elements."""
    dtype = as_dtype(tensor.dtype).numpy
    shape = tuple(tensor.sizes[:tensor.rank])
    count = int(np.prod(shape, dtype=np.int64))
    if tensor.dtype == 7:
        strings = np.empty(count, object)
        strings[:] = [ctypes.string_at(one.data, one.size)
                      for one in (String * count).from_address(tensor.data or ctypes.addressof(tensor))]
        return strings.reshape(shape)
    raw = ctypes.string_at(tensor.data, count * dtype.itemsize) if count else b""
    return np.frombuffer(raw, dtype).reshape(shape).copy()


class Native:
    """The shared library."""

    def __init__(self, path: Path) -> None:
        self.library = library = ctypes.CDLL(str(path))
        library.graphc_last_error.restype = ctypes.c_char_p
        library.graphc_isas.restype = ctypes.c_char_p
        library.graphc_host_output.restype = ctypes.c_void_p
        library.graphc_host_name.restype = ctypes.c_char_p
        library.graphc_memory_used.restype = ctypes.c_int64
        library.graphc_run_count.restype = ctypes.c_int64
        library.graphc_signature_name.restype = ctypes.c_char_p
        library.graphc_host_output.argtypes = [ctypes.c_void_p, *[ctypes.c_int32] * 3, ctypes.c_void_p]

    def check(self, status: int) -> None:
        if status:
            raise NativeError(status, self.library.graphc_last_error().decode())

    def isas(self) -> list[str]:
        """Those that this machine can run."""
        return [name for name in self.library.graphc_isas().decode().split(", ") if not name.startswith("(")]

    def load(self, file: bytes, share: Model | None = None, **options: Any) -> Model:
        chosen = Options(ctypes.sizeof(Options), **options, share=share.handle if share is not None else None)
        handle = ctypes.c_void_p()
        self.check(self.library.graphc_load_memory(file, ctypes.c_size_t(len(file)), ctypes.byref(chosen),
                                                   ctypes.byref(handle)))
        return Model(self, handle)


class Model:
    def __init__(self, native: Native, handle: ctypes.c_void_p) -> None:
        self.native, self.handle, self._keep = native, handle, []

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.native.library.graphc_model_free(self.handle)

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        library = self.native.library
        made = [as_tensor(array) for array in inputs]           # they keep their memory
        tensors = (Tensor * max(len(inputs), 1))(*made)
        result = ctypes.c_void_p()
        self.native.check(library.graphc_run(self.handle, tensors, len(inputs), ctypes.byref(result)))
        outputs = []
        for i in range(library.graphc_result_count(result)):
            tensor = Tensor()
            self.native.check(library.graphc_result_output(result, i, ctypes.byref(tensor)))
            outputs.append(as_array(tensor))
        library.graphc_result_free(result)
        return outputs

    def infos(self, what: str) -> list[tuple[str, int, list[int]]]:
        """what: "input", "output" or "state"."""
        library, found = self.native.library, []
        for i in range(getattr(library, f"graphc_{what}_count")(self.handle)):
            info = Info()
            self.native.check(getattr(library, f"graphc_{what}_info")(self.handle, i, ctypes.byref(info)))
            found.append((info.name.decode(), info.dtype, list(info.sizes[:info.rank])))
        return found

    def set_state(self, index: int, value: np.ndarray) -> None:
        value = np.asarray(value)
        self.native.check(self.native.library.graphc_state_set(self.handle, index, ctypes.byref(as_tensor(value))))

    def get_state(self, index: int, like: np.ndarray) -> np.ndarray:
        value = np.array(like)
        self.native.check(self.native.library.graphc_state_get(self.handle, index, ctypes.c_void_p(value.ctypes.data),
                                                               ctypes.c_size_t(value.nbytes)))
        return value

    def states(self) -> dict[str, np.ndarray]:
        """The values of all variables by name."""
        return {name: self.get_state(i, np.empty(shape, as_dtype(dtype).numpy))
                for i, (name, dtype, shape) in enumerate(self.infos("state"))}

    def save(self, prefix: Path) -> None:
        self.native.check(self.native.library.graphc_save(self.handle, str(prefix).encode()))

    def restore(self, prefix: Path) -> None:
        self.native.check(self.native.library.graphc_restore(self.handle, str(prefix).encode()))

    def signatures(self) -> list[str]:
        library = self.native.library
        count = library.graphc_signature_count(self.handle)
        return [library.graphc_signature_name(self.handle, i).decode() for i in range(count)]

    def set_host(self, name: str, function: Callable[..., np.ndarray]) -> None:
        """function(arrays...) -> array, as in the hand-written Plans."""
        def call(user: Any, request: int, inputs: Any, input_count: int, output_count: int) -> int:
            try:
                made = np.ascontiguousarray(function(*(as_array(inputs[i]) for i in range(input_count))))
            except Exception:
                return UNKNOWN
            target = self.native.library.graphc_host_output(request, 0, as_dtype(made.dtype).number, made.ndim,
                                                            (ctypes.c_int64 * MAX_RANK)(*made.shape))
            if not target:
                return RESOURCE_EXHAUSTED
            ctypes.memmove(target, made.ctypes.data, made.nbytes)
            return OK
        self._keep.append(HOST(call))
        self.native.check(self.native.library.graphc_set_host(self.handle, name.encode(), self._keep[-1], None))
