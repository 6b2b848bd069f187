"""Fused: several nodes computed by one step, and what a member may be.

A Fused node stands for `members`, nodes in topological order that keep their own inputs; `arguments[i]` is the value
that the members call what the Fused node calls input i, and `results` are the members' values that it gives. All of
it is one map over `domain`, of which `axes` are reduced:

  element members   Elementwise, View and unit-axis Alias nodes whose values are seen at every point of the domain
  reduce members    Reductions over exactly `axes` of an element value
  row members       Elementwise nodes and unit-axis Aliases behind a reduce member: one value a row

or, if `kernel` is set (the first member), the epilogue of a kernel's call: element members only, behind its single
result. plan/lower_fused.py makes the step.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graphc.ir import dims
from graphc.ir.node import Node, Value
from graphc.ir.op import Op
from graphc.ir.spec import Shape, Spec


@dataclass(frozen=True, eq=False)
class Fused(Op):
    type: ClassVar[str] = "_Fused"
    members: tuple[Node, ...]
    arguments: tuple[Value, ...]
    results_of: tuple[Value, ...]
    domain: Shape
    axes: tuple[int, ...] = ()
    kernel: Node | None = None

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(v.spec for v in self.results_of)


def without_units(shape: Shape) -> Shape:
    """The shape without axes of size 1."""
    return tuple(s for s in shape if not dims.same(s, 1))


def same_shape(a: Shape | None, b: Shape | None) -> bool:
    """Provably equal."""
    return (a is not None and b is not None and len(a) == len(b)
            and all(dims.same(x, y) for x, y in zip(a, b, strict=True)))
