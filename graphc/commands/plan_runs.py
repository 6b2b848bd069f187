"""Runs of a file's Plan with the file's variables, step by step as the C++ library does it (runner/src/model.cpp)."""
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.engine import Engine
from graphc.exec.library import load_library
from graphc.exec.states import StateStore
from graphc.io.checkpoint.opening import missing_tensor, open_checkpoint
from graphc.io.checkpoint.slices import parse_slice
from graphc.io.checkpoint.write_bundle import write_bundle
from graphc.ir.dtypes import as_dtype
from graphc.plan.plan import Plan, Port
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_pb2 import SavedVariable
from graphc.serial.tensors import read_array

Array = np.ndarray[Any, Any]


class PlanRuns:
    """isa: the instruction set, "" for the best. threads: None for one a core. memory: bytes that it may allocate, 0
    for the default. gpu: the number of the GPU that does it, None for the CPU."""

    def __init__(self, graph_def: GraphDef, plan: Plan, isa: str = "", threads: int | None = None, memory: int = 0,
                 gpu: int | None = None) -> None:
        self._nodes = {node.name: node for node in graph_def.node if node.op == "Const"}
        self._saved = list(graph_def.state.variables)
        self._states = StateStore()
        for variable in self._saved:
            if variable.value:
                self._states.assign(variable.name, self._constant(variable.value))
        self._number = graph_def.state.runs
        constants = {c.name: self._constant(c.name) for c in plan.constants}
        hosts = dict.fromkeys(plan.hosts, _assertion)
        rest = constants, self._states, hosts, threads, memory, load_library(isa)
        self._engine = Engine(plan, *rest) if gpu is None else _on_gpu(gpu, plan, *rest)
        self.inputs: Sequence[Port] = plan.inputs
        self.outputs: Sequence[Port] = plan.outputs

    def _constant(self, name: str) -> Array:
        node = self._nodes.get(name)
        if node is None:
            raise errors.DataLossError(f"the plan uses constant {name}, which the graph does not have: the file is "
                                       "damaged")
        return read_array(node.attr["value"].tensor)

    @property
    def variables(self) -> list[Port]:
        """Those of the file, then those that only the plan knows."""
        found = {v.name: Port(v.name, as_dtype(v.dtype).short, tuple(v.shape)) for v in self._saved}
        for state in self._engine.plan.states:
            found.setdefault(state.name, Port(state.name, state.dtype, tuple(state.shape)))
        return list(found.values())

    def run(self, inputs: Sequence[Array], shows: bool = False) -> list[Array]:
        """The outputs. shows: prints what was called, as GRAPHC_TRACE asks for."""
        number, self._number = self._number, self._number + 1          # a run that fails counts, too
        if not shows:
            return self._engine.run(inputs, number)
        from graphc.session.reports.trace import Trace

        trace = Trace()
        try:
            return self._engine.run(inputs, number, trace=trace.address)
        finally:
            lines = trace.lines(self._engine.plan, self._engine.names)
            sys.stderr.write("".join(f"graphc: {line}\n" for line in lines))

    def save(self, prefix: str) -> None:
        """A checkpoint of the variables that the file lists for it. Raises FailedPreconditionError if one has no
        value."""
        write_bundle(prefix, [(v.key, v.part, self._states.read(v.name)) for v in self._listed()])

    def restore(self, prefix: str) -> None:
        """All of them, or none if anything is missing or does not fit."""
        checkpoint = open_checkpoint(prefix)
        found = {}
        for variable in self._listed():
            if checkpoint.stored(variable.key) is None:
                raise missing_tensor(checkpoint, variable.key)
            value = (checkpoint.part(variable.key, parse_slice(variable.part)[1]) if variable.part
                     else checkpoint.tensor(variable.key))
            dtype, shape = as_dtype(variable.dtype), tuple(variable.shape)
            if value.dtype != dtype.numpy or value.shape != shape:
                raise errors.InvalidArgumentError(
                    f"variable '{variable.name}' is of dtype {dtype.name} and shape {list(shape)}, but "
                    f"'{variable.key}' in checkpoint {prefix} of {as_dtype(value.dtype).name} and {list(value.shape)}")
            found[variable.name] = value
        for name, value in found.items():
            self._states.assign(name, value)

    def _listed(self) -> list[SavedVariable]:
        found = [variable for variable in self._saved if variable.key]
        if not found:
            raise errors.FailedPreconditionError(
                "the model's file lists no variables for checkpoints: save it with gc.export_model")
        return found


def find_gpu(number: int) -> Any:
    """This machine's GPU of that number (exec/cuda/driver.py). Raises NotFoundError."""
    from graphc.exec.cuda.driver import find_devices

    found = find_devices()
    if number >= len(found):
        raise errors.NotFoundError(f"there is no GPU {number}: this machine has {len(found)}"
                                   + (", numbered from 0 on" if found else ""))
    return found[number]


def _on_gpu(number: int, plan: Plan, *rest: Any) -> Engine:
    """Raises UnimplementedError if the GPU can do nothing of the plan."""
    from graphc.exec.cuda.engine import CudaEngine
    from graphc.exec.cuda.split.mixed import MixedEngine
    from graphc.exec.cuda.split.residence import Residence
    from graphc.exec.cuda.support import lacking_steps
    from graphc.plan.joined import joined
    from graphc.plan.uncarried import uncarried

    together, lacking = joined(plan).plan, dict.fromkeys(lacking_steps(plan))
    if not lacking:
        return CudaEngine(find_gpu(number), together, *rest)
    residence = Residence(uncarried(together)[0])
    if not any(residence.steps):
        raise errors.UnimplementedError("a GPU can do nothing of it:\n  " + "\n  ".join(lacking))
    return MixedEngine([find_gpu(number)], residence, *rest)


def _assertion(condition: Array, *data: Array) -> tuple[()]:
    """What the C++ library calls for Assert."""
    if not np.all(condition):
        raise errors.InvalidArgumentError("assertion failed")
    return ()
