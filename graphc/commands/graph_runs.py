"""Runs of a graph that has no Plan which could be run, or of other tensors than its Plan has: a Session compiles it."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.commands.plan_runs import find_gpu
from graphc.ir.graph import Graph
from graphc.ir.names import suggestion
from graphc.model_report import model_inputs, model_outputs
from graphc.plan.plan import Port
from graphc.serial.graph_pb2 import GraphDef
from graphc.session.tuning import Tuning

Array = np.ndarray[Any, Any]


class GraphRuns:
    """inputs, outputs: names of tensors; None: the placeholders that the outputs need, and what no op takes. gpu: the
    number of the GPU that does what it can; None: no GPU does."""

    def __init__(self, graph_def: GraphDef, inputs: Sequence[str], outputs: Sequence[str], threads: int | None = None,
                 gpu: int | None = None) -> None:
        self._graph = Graph()
        with self._graph.as_default():
            gc.import_graph_def(graph_def, name="")
        self._fetches = ([self._element(name) for name in outputs]
                         or [op.outputs[0] for op in model_outputs(self._graph)])
        self._feeds = [self._element(name) for name in inputs]
        self._feeds += [t for t in self._needed() if t not in self._feeds]
        self.inputs, self.outputs = _ports(self._feeds), _ports(self._fetches)
        self.variables: list[Port] = []
        config = gc.ConfigProto(intra_op_parallelism_threads=threads or 0)
        if gpu is not None:
            find_gpu(gpu)
        config.device_count["GPU"] = int(gpu is not None)
        config.gpu_options.visible_device_list = "" if gpu is None else str(gpu)
        self._session = gc.Session(graph=self._graph, config=config)
        if graph_def.state.variables:
            gc.load_state(self._session, graph_def)

    def _needed(self) -> list[gc.Tensor]:
        """The placeholders without which the outputs cannot be computed."""
        from graphc.passes.snapshot.needed import needed_operations

        used = needed_operations(self._fetches, [], set(self._feeds))
        return [t for t in model_inputs(self._graph) if t.op in used and not t.op.inputs]

    def _element(self, name: str) -> gc.Tensor:
        """The tensor called "name" or "name:1"."""
        operations = {op.name: op for op in self._graph.get_operations()}
        if ":" not in name and name in operations and operations[name].outputs:
            return operations[name].outputs[0]
        if ":" not in name:
            raise errors.NotFoundError(f"there is no output named '{name}' in the model{suggestion(name, operations)}; "
                                       "`graphc inspect` lists them")
        found: gc.Tensor = self._graph.get_tensor_by_name(name)
        return found

    def run(self, inputs: Sequence[Array], shows: bool = False) -> list[Array]:
        """The outputs. A Session shows by itself what GRAPHC_TRACE asks for."""
        values = self._session.run(self._fetches, dict(zip(self._feeds, inputs, strict=True)))
        return [np.asarray(value) for value in values]

    def tune(self, inputs: Sequence[Array], rounds: int) -> Tuning:
        """Session.tune of such a run."""
        return self._session.tune(self._fetches, dict(zip(self._feeds, inputs, strict=True)), rounds)

    def save(self, prefix: str) -> None:
        raise _no_checkpoints()

    def restore(self, prefix: str) -> None:
        raise _no_checkpoints()


def _no_checkpoints() -> errors.OpError:
    return errors.FailedPreconditionError(
        "the model's file lists no variables for checkpoints: save it with gc.export_model")


def _ports(tensors: Sequence[gc.Tensor]) -> list[Port]:
    shapes = [() if t.shape.rank is None else tuple(-1 if s is None else s for s in t.shape.as_list()) for t in tensors]
    return [Port(t.name, t.dtype.short, shape) for t, shape in zip(tensors, shapes, strict=True)]
