"""The ends of a Flow as ops: what is given from outside, and variables before and after. No part of a saved graph.

  FlowInput       a value given from outside: a feed, or an argument of a loop's or branch's body
  ReadState       a variable's value when the body starts
  WriteState      a variable's value from the end of the body on; an effect
The compiler's other own ops stand in passes/shared/internal_ops.py.
"""
from __future__ import annotations

from typing import ClassVar

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.op import Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Elements, Shape, Spec


@dataclass(frozen=True)
class FlowInput(Op):
    """Input `index` of a flow. name: what a user knows it by."""

    type: ClassVar[str] = "_FlowInput"
    results = ("value",)
    name: str
    index: int
    dtype: DType
    shape: Shape
    value: tuple[Size, ...] | None = None
    elements: tuple[Elements, ...] = ()

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(self.dtype, self.shape, self.value, self.elements)


@dataclass(frozen=True)
class ReadState(Op):
    type: ClassVar[str] = "_ReadState"
    results = ("value",)
    effect = Effect.READ
    state: str
    dtype: DType
    shape: Shape

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(self.dtype, self.shape)


@dataclass(frozen=True)
class WriteState(Op):
    type: ClassVar[str] = "_WriteState"
    operands = ("value",)
    results = ()
    effect = Effect.WRITE
    state: str

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return ()
