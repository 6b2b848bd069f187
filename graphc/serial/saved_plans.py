"""Compiled Plans in a GraphDef: one a signature, and what the variables are that they share.

The nodes are the truth; a Plan refers to them by name: its constants, and the values of variables, are Const nodes,
found by value. What folding computed and no node holds is added as graphc/constant_N (docs/adr/0012).
"""
from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.ir.dtypes import as_dtype
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import note_constants_aside
from graphc.serial.plan_pb2 import SavedState
from graphc.serial.plan_proto import graph_hash, save_plan
from graphc.serial.tensors import read_array, tensor_to_proto

if TYPE_CHECKING:
    from graphc.plan.compile import Compiled
    from graphc.plan.plan import Plan


@dataclass(frozen=True)
class VariableValue:
    """A variable that signatures share. value: None if it has none. key: its name in checkpoints, "" if they leave it
    out; part: its part of a partitioned tensor, as SaveV2 has it, or ""."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    value: np.ndarray[Any, Any] | None
    key: str = ""
    part: str = ""


def add_compiled(graph_def: GraphDef, compiled: Mapping[str, Compiled], variables: Sequence[VariableValue] = (),
                 runs: int = 0) -> None:
    """Puts the Plans into graph_def by signature, in place of those it has of the same ones, and what it says of
    variables, in place of what it said. runs: of the session, so far."""
    stored = _StoredConstants(graph_def)
    plans = {signature: _with_stored(one, stored) for signature, one in compiled.items()}
    if variables:
        graph_def.state.CopyFrom(_state(variables, runs, stored))
    note_constants_aside(graph_def)
    hashed = graph_hash(graph_def)
    kept = [p for p in graph_def.plans if p.signature not in plans]
    del graph_def.plans[:]
    for old in kept:
        old.graph_hash = hashed      # its nodes are all still there: only constants were added
    graph_def.plans.extend([*kept, *(save_plan(plan, signature, hashed) for signature, plan in plans.items())])


def _with_stored(compiled: Compiled, stored: _StoredConstants) -> Plan:
    constants = tuple(dataclasses.replace(c, name=stored.name(c.name, compiled.constants[c.name]))
                      for c in compiled.plan.constants)
    return dataclasses.replace(compiled.plan, constants=constants)


def _state(variables: Sequence[VariableValue], runs: int, stored: _StoredConstants) -> SavedState:
    made = SavedState(runs=runs)
    for v in variables:
        holder = "" if v.value is None else stored.name(f"{v.name}/saved", v.value)
        made.variables.add(name=v.name, dtype=as_dtype(v.dtype).number, shape=v.shape, value=holder, key=v.key,
                           part=v.part)
    return made


def fill_constant(node: NodeDef, name: str, value: np.ndarray[Any, Any]) -> None:
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = as_dtype(value.dtype).number  # type: ignore[assignment]
    node.attr["value"].tensor.CopyFrom(tensor_to_proto(value, aside=True))


class _StoredConstants:
    """The Const nodes of a GraphDef by value: a weight is stored once, whatever the plan calls it."""

    def __init__(self, graph_def: GraphDef) -> None:
        self.graph_def = graph_def
        self.nodes = {n.name: n for n in graph_def.node}
        self.by_value: dict[Any, list[str]] = {}
        for node in graph_def.node:
            if node.op == "Const":
                self.by_value.setdefault(_key(read_array(node.attr["value"].tensor)), []).append(node.name)

    def name(self, wanted: str, value: np.ndarray[Any, Any]) -> str:
        """The node that holds `value`, of the name wanted if that one does; a new one for what folding computed."""
        holders = self.by_value.setdefault(_key(value), [])
        if not holders:
            holders.append(self._added(value))
        name = wanted if wanted in holders else holders[0]
        node = self.nodes[name]
        tensor = node.attr["value"].tensor
        if not (tensor.tensor_content or tensor.HasField("side")) and value.size and value.dtype.kind != "O":
            fill_constant(node, name, value)     # the runner reads tensor_content only
        return name

    def _added(self, value: np.ndarray[Any, Any]) -> str:
        number = 0
        while f"graphc/constant_{number}" in self.nodes:
            number += 1
        node = self.graph_def.node.add()
        fill_constant(node, f"graphc/constant_{number}", value)
        self.nodes[node.name] = node
        return node.name


def _key(value: np.ndarray[Any, Any]) -> Any:
    if value.dtype.kind == "O":
        return value.shape, *value.ravel()
    # As bytes: there is no buffer of bfloat16.
    raw = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return as_dtype(value.dtype).number, value.shape, hashlib.sha256(raw.data).digest()
