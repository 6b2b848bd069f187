"""How the nodes of one op type are made of other ops."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.gradients.builder import Builder
from graphc.errors import DataLossError
from graphc.ir.tensor import Tensor
from graphc.serial.graph_pb2 import NodeDef

g = Builder()           # g.mul(x, y) makes a Mul, any op by its type in snake case

Make = Callable[[NodeDef, Sequence[Tensor]], list[Any]]
Names = Callable[[NodeDef], list[tuple[str, int]]]


@dataclass(frozen=True)
class Composed:
    """inputs: how many there are at least; results: their names, by which functions know them, or a function that gives
    them with the place of each among those of its name. when: whether a node is made so, and not by the op of its name,
    where graphc has one."""

    inputs: int
    results: tuple[str, ...] | Names
    make: Make
    when: Callable[[NodeDef, Sequence[Tensor]], bool] = lambda node, inputs: True

    def names(self, node: NodeDef) -> list[tuple[str, int]]:
        return self.results(node) if callable(self.results) else [(r, 0) for r in self.results]


def text(node: NodeDef, name: str, default: str = "") -> str:
    return node.attr[name].s.decode(errors="replace") if name in node.attr else default


def known_int(node: NodeDef, tensor: Tensor, what: str) -> int:
    """A scalar that must be known when the graph is read. Raises DataLossError otherwise."""
    value = tensor.spec.value
    if value is None or len(value) != 1 or not isinstance(value[0], int):
        raise DataLossError(f"its input '{what}' must be a constant")
    return value[0]
