"""A loaded graph: runs, variables, checkpoints, functions of the caller's."""
from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .errors import InvalidArgumentError, NotFoundError
from .host_functions import HostFunctions
from .library import C, Info, Options, Tensor, check
from .tensors import Port, Result, fitted, port_of, tensor_of

Source = str | os.PathLike[str] | bytes


def load(source: Source, signature: str = "", *, threads: int = 0, memory_limit: int = 0, isa: str = "",
         gpu_code: str | os.PathLike[str] = "", gpu: int = 0) -> Model:
    """Reads a graph with compiled Plans, as gc.freeze, gc.export_model and `graphc convert` write it.

    source: the file's path, or its contents. signature: one of the file's, by default its first. threads: that work
    on a run, the caller included; 0: one a core. memory_limit: bytes that the model may allocate in all; 0: three
    quarters of what the machine or its control group has. isa: one of `instruction_sets()`, by default the best.
    gpu_code: a file that `graphc gpu` made of the model, a program to be trusted as one: runs are done on the GPU of
    the number `gpu`, for inputs of the sizes that it was made for.
    """
    return Model(source, signature, threads=threads, memory_limit=memory_limit, isa=isa, gpu_code=gpu_code, gpu=gpu)


class Model:
    """Threads may share it: runs overlap, but take turns if they write variables."""

    def __init__(self, source: Source, signature: str = "", *, threads: int = 0, memory_limit: int = 0, isa: str = "",
                 gpu_code: str | os.PathLike[str] = "", gpu: int = 0, share: Model | None = None) -> None:
        self._source, self._settings = source, {"threads": threads, "memory_limit": memory_limit, "isa": isa,
                                                "gpu_code": gpu_code, "gpu": gpu}  # type: Source, dict[str, Any]
        options = Options(ctypes.sizeof(Options), signature.encode() or None, isa.encode() or None, memory_limit,
                          threads, share._handle if share is not None else None, os.fsencode(gpu_code) or None, gpu)
        handle = ctypes.c_void_p()
        self._handle: ctypes.c_void_p = handle
        if isinstance(source, bytes):
            check(C.graphc_load_memory(source, len(source), ctypes.byref(options), ctypes.byref(handle)))
        else:
            check(C.graphc_load_file(os.fsencode(source), ctypes.byref(options), ctypes.byref(handle)))
        weakref.finalize(self, C.graphc_model_free, handle).atexit = False      # threads may still use it then
        self.inputs = _ports(handle, "input")
        self.outputs = _ports(handle, "output")
        self.variables = _ports(handle, "state")
        self.signatures = [C.graphc_signature_name(handle, i).decode() for i in range(C.graphc_signature_count(handle))]
        self._hosts = HostFunctions(handle)

    def __repr__(self) -> str:
        return f"<Model ({', '.join(map(str, self.inputs))}) -> ({', '.join(map(str, self.outputs))})>"

    def run(self, feeds: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        """Name of an output -> its value, a new array. feeds: name of an input -> its value, for every input.

        Raises InvalidArgumentError if feeds do not fit, and whatever the run ends with.
        """
        given = _by_port(feeds or {}, self.inputs)
        arrays = [fitted(port, given[port.name]) for port in self.inputs]
        made = [tensor_of(a, p.number) for a, p in zip(arrays, self.inputs, strict=True)]    # they keep what they need
        tensors = (Tensor * len(arrays))(*made)
        result = ctypes.c_void_p()
        self._hosts.check(C.graphc_run(self._handle, tensors, len(arrays), ctypes.byref(result)))
        outputs = Result(result).arrays()
        return {port.name: array for port, array in zip(self.outputs, outputs, strict=True)}

    def cancel(self) -> None:
        """Ends the runs that are going on in other threads with CancelledError; does not wait."""
        C.graphc_cancel(self._handle)

    def signature(self, name: str) -> Model:
        """Another signature of the same file, with the same variables and settings."""
        return Model(self._source, name, **self._settings, share=self)

    def get(self, name: str) -> np.ndarray:
        """The value of a variable, a copy. Raises FailedPreconditionError if it has none."""
        index, port = self._variable(name)
        value = np.empty([size or 0 for size in port.shape], fitted(port, []).dtype)
        check(C.graphc_state_get(self._handle, index, value.ctypes.data, value.nbytes))
        return value

    def set(self, name: str, value: Any) -> None:
        """Gives a variable a value."""
        index, port = self._variable(name)
        array = fitted(port, value)
        check(C.graphc_state_set(self._handle, index, ctypes.byref(tensor_of(array, port.number))))

    def save(self, prefix: str | os.PathLike[str]) -> None:
        """Writes the variables as a checkpoint, PREFIX.index and PREFIX.data-00000-of-00001, as TensorFlow reads it."""
        check(C.graphc_save(self._handle, os.fsencode(prefix)))

    def restore(self, prefix: str | os.PathLike[str]) -> None:
        """Reads a checkpoint, graphc's or TensorFlow's: all variables, or none if it does not fit."""
        check(C.graphc_restore(self._handle, os.fsencode(prefix)))

    @property
    def run_count(self) -> int:
        """How many runs there were: what random ops draw depends on it. No checkpoint holds it."""
        return int(C.graphc_run_count(self._handle))

    @run_count.setter
    def run_count(self, count: int) -> None:
        check(C.graphc_set_run_count(self._handle, count))

    @property
    def memory_used(self) -> int:
        """Bytes allocated for the model and those of its results that are still referred to."""
        return int(C.graphc_memory_used(self._handle))

    @property
    def functions(self) -> list[str]:
        """Names of the functions that the graph calls (py_func); `set_function` gives them."""
        return [C.graphc_host_name(self._handle, i).decode() for i in range(C.graphc_host_count(self._handle))]

    def set_function(self, name: str, function: Callable[..., Any]) -> None:
        """function: arrays to an array, or a sequence of them if the graph takes several. It may not use this model."""
        self._hosts.set(name, function)

    def _variable(self, name: str) -> tuple[int, Port]:
        for index, port in enumerate(self.variables):
            if port.name == name:
                return index, port
        raise NotFoundError(f"the model has no variable '{name}'; it has {_names(self.variables)}")


def _ports(handle: ctypes.c_void_p, what: str) -> list[Port]:
    found = []
    for index in range(getattr(C, f"graphc_{what}_count")(handle)):
        info = Info()
        check(getattr(C, f"graphc_{what}_info")(handle, index, ctypes.byref(info)))
        found.append(port_of(info))
    return found


def _by_port(feeds: Mapping[str, Any], ports: list[Port]) -> dict[str, Any]:
    """The feeds by the names of the inputs; "x:0" is "x". Raises InvalidArgumentError unless there is one for each."""
    given = {name.removesuffix(":0"): value for name, value in feeds.items()}
    wanted = [port.name for port in ports]
    wrong = [f"no input is called '{name}'" for name in given if name not in wanted]
    wrong += [f"input '{name}' is not fed" for name in wanted if name not in given]
    if wrong:
        raise InvalidArgumentError(f"{'; '.join(wrong)}. The model takes {_names(ports)}")
    return given


def _names(ports: list[Port]) -> str:
    return ", ".join(map(str, ports)) or "nothing"
