"""Runs a Flow by the ops' NumPy references: what passes must not change. Shares no code with lowering."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.flow_ops import FlowInput, ReadState, WriteState
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Effect
from graphc.passes.shared.fused import Fused
from graphc.passes.shared.internal_ops import BindSizes, StateInitialized


class FlowReference:
    """states: name -> array (absent: not initialised); changed by run."""

    def __init__(self, flow: Flow, states: dict[str, np.ndarray] | None = None) -> None:
        self.flow = flow
        self.states = {} if states is None else states
        self.known: dict[dims.Symbol, int] = {}

    def run(self, *feeds: Any) -> list[np.ndarray]:
        values: dict[Value, np.ndarray] = {}
        self.known = {}
        for node, feed in zip(self.flow.inputs, feeds, strict=True):
            spec = node.specs[0]
            array = np.asarray(feed, spec.dtype.numpy)
            self._learn(spec.shape, array.shape)
            values[node.value()] = array
        writes = {}
        for node in self.flow.nodes():
            if isinstance(node.op, WriteState):
                writes[node.op.state] = values[node.inputs[0]]
            elif not isinstance(node.op, FlowInput):
                self._node(node, values)
        self.states.update({k: v.copy() for k, v in writes.items()})
        return [values[v] for v in self.flow.outputs]

    def _node(self, node: Node, values: dict[Value, np.ndarray]) -> None:
        op = node.op
        if isinstance(op, Fused):
            inner = dict(zip(op.arguments, (values[v] for v in node.inputs), strict=True))
            for member in op.members:
                self._node(member, inner)
            for i, value in enumerate(op.results_of):
                values[node.value(i)] = inner[value]
            return
        if isinstance(op, ReadState):
            values[node.value()] = self.states[op.state]
            return
        if isinstance(op, StateInitialized):
            values[node.value()] = np.array(op.state in self.states)
            return
        if isinstance(op, BindSizes):
            for size, element in zip(op.symbols, values[node.inputs[0]].ravel(), strict=True):
                self._learn((size,), (int(element),))
            return
        if op.effect == Effect.HOST:
            raise NotImplementedError(f"{node} is no op of this reference")
        known = op.with_sizes(dict(self.known))
        made = known.reference(*(values[v] for v in node.inputs))
        for i, array in enumerate(made if isinstance(made, tuple) else (made,)):
            if i >= len(node.specs):
                break
            self._learn(node.specs[i].shape, np.shape(array))
            values[node.value(i)] = np.asarray(array)

    def _learn(self, shape: Any, actual: tuple[int, ...]) -> None:
        for size, value in zip(shape, actual, strict=True):
            if isinstance(size, dims.Dim) and len(size.terms) == 1:
                (monomial, factor), = size.terms
                if factor == 1 and len(monomial) == 1 and isinstance(monomial[0], dims.Symbol):
                    self.known.setdefault(monomial[0], value)
