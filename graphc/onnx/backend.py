"""graphc as a backend of the package onnx (onnx.backend.base): `prepare(model).run(inputs)`.

What decides axes, and the like, must be known while a graph is built: where a model takes it as an input, a graph is
built for each value that is given.
"""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx.backend.base import Backend, BackendRep

import graphc as gc
from graphc.onnx.importing.rules import ValueNeeded
from graphc.onnx.loading import ImportedModel, load
from graphc.onnx.narrow import FORMATS

GRAPHS_LIMIT = 8


class PreparedModel(BackendRep):  # type: ignore[misc]
    """A model with the sessions that have run it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        initialised = {t.name for t in model.graph.initializer}
        self._inputs = [info.name for info in model.graph.input if info.name not in initialised]
        self._needed: list[str] = []
        self._sessions: OrderedDict[Any, tuple[ImportedModel, Any]] = OrderedDict()

    def run(self, inputs: Sequence[Any], **kwargs: Any) -> tuple[Any, ...]:
        """The outputs for inputs in the model's order; a mapping of names to values will do, too."""
        given = dict(inputs) if isinstance(inputs, dict) else dict(zip(self._inputs, inputs, strict=True))
        imported, session = self._session(given)
        found = session.run(imported.outputs, {x: given[name] for name, x in imported.inputs.items()})
        return tuple(self._as_declared(name, _as_array(value, imported.outputs[name])) for name, value in found.items())

    def _as_declared(self, name: str, value: Any) -> Any:
        """Narrow numbers, which a graph holds in a wider dtype, in the one that the model says."""
        (info,) = (info for info in self._model.graph.output if info.name == name)
        number = info.type.tensor_type.elem_type
        return value.astype(FORMATS[number].dtype) if number in FORMATS else value

    def _session(self, given: dict[str, Any]) -> tuple[ImportedModel, Any]:
        while True:
            values = {name: given[name] for name in self._needed}
            key = tuple((name, _fingerprint(value)) for name, value in values.items())
            if key in self._sessions:
                self._sessions.move_to_end(key)
                return self._sessions[key]
            try:
                imported = load(self._model, values=values)
            except ValueNeeded as error:
                new = [name for name in error.inputs if name not in self._needed]
                if not new:
                    raise
                self._needed.extend(new)
                continue
            self._sessions[key] = (imported, gc.Session(graph=imported.graph))
            while len(self._sessions) > GRAPHS_LIMIT:
                self._sessions.popitem(last=False)[1][1].close()
            return self._sessions[key]


def _fingerprint(value: Any) -> Any:
    """What tells values apart."""
    if value is None or isinstance(value, (list, tuple)):
        return value if value is None else tuple(map(_fingerprint, value))
    array = np.asarray(value)
    return array.shape, str(array.dtype), repr(array.tolist()) if array.dtype == object else array.tobytes()


def _as_array(value: Any, tensor: Any) -> Any:
    """Scalars as arrays, strings as str."""
    if isinstance(value, list):
        return [_as_array(v, t) for v, t in zip(value, tensor, strict=True)]
    array = np.asarray(value)
    if tensor.dtype == gc.string:
        decoded = np.empty(array.shape, object)
        for place in np.ndindex(array.shape):
            decoded[place] = array[place].decode() if isinstance(array[place], bytes) else array[place]
        return decoded
    return array


class GraphcBackend(Backend):  # type: ignore[misc]
    """onnx.backend.base.Backend by graphc, on the CPU."""

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", **kwargs: Any) -> PreparedModel:
        """A model to be run: built when its first inputs come. Raises ValueError for another device."""
        if not cls.supports_device(device):
            raise ValueError(f"graphc runs on the CPU, not on {device!r}")
        return PreparedModel(model)

    @classmethod
    def run_model(cls, model: Any, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """The outputs of a model for inputs."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


prepare = GraphcBackend.prepare
run_model = GraphcBackend.run_model
supports_device = GraphcBackend.supports_device
