"""What is drawn: plain nodes with texts, of a Graph or of the nodes of a file that cannot be imported."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.ir.dtypes import float32
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies

LONGEST = 200      # letters of an attribute's value


@dataclass(frozen=True)
class Input:
    source: str            # name of a node
    label: str             # dtype and shape of what comes from there; "" if unknown
    control: bool = False


@dataclass(frozen=True)
class Node:
    name: str
    type: str
    inputs: tuple[Input, ...]
    results: tuple[str, ...] = ()           # dtypes and shapes
    details: dict[str, str] = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        return self.type == "Const"


def nodes_of(operations: Iterable[Operation], scope: str = "") -> list[Node]:
    """What loops and branches do stands after them, in a scope of their name."""
    found = []
    for op in operations:
        found.append(node_of(op, scope))
        for body in bodies(op.definition):
            found += nodes_of(body.get_operations(), f"{scope}{op.name}/{body.name}/")
    return found


def node_of(op: Operation, scope: str = "") -> Node:
    """The operation as texts. Nothing is computed, and a large constant stays where it is. scope: in front of names."""
    inputs = [Input(f"{scope}{t.op.name}", described(t)) for t in op.inputs]
    inputs += [Input(f"{scope}{c.name}", "", control=True) for c in op.control_inputs]
    details = attributes(op)
    if op.device:
        details["device"] = op.device
    return Node(f"{scope}{op.name}", op.type, tuple(inputs), tuple(described(t) for t in op.outputs), details)


def described(tensor: Tensor) -> str:
    """Shape and dtype; float32 goes without saying."""
    return shape_text(tensor) if tensor.dtype == float32 else f"{shape_text(tensor)} {tensor.dtype.name}"


def shape_text(tensor: Tensor) -> str:
    """`? x 784`; a scalar is "scalar", an unknown rank "any shape"."""
    shape = tensor.spec.static_shape
    if shape is None:
        return "any shape"
    return " \u00d7 ".join("?" if s is None else str(s) for s in shape) or "scalar"


def attributes(op: Operation) -> dict[str, str]:
    """The fields of the op that are attributes, by TensorFlow's names, and those that graphc only keeps."""
    found = {field.metadata.get("wire") or field.name: getattr(op.definition, field.name)
             for field in dataclasses.fields(op.definition) if not field.metadata.get("operand")}
    return {name: value_text(value) for name, value in (found | op.extra_attributes).items()}


def value_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        start = ", ".join(str(v) for v in value.flat[:6])
        return cut(f"{value.dtype}{list(value.shape)}: {start}{', ...' if value.size > 6 else ''}")
    return cut(str(getattr(value, "name", value)))


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
