"""Ops that only the compiler's own graph has: they are no part of a saved graph and are not registered.

  FlowInput       a value given from outside: a feed, or an argument of a loop's or branch's body
  ReadState       a variable's value when the body starts
  Prepared        output `index` of the prepare body
  WriteState      a variable's value from the end of the body on; an effect
  StateInitialized   whether the variable has a value when the body starts
  SizeValues      an int tensor whose elements are sizes known when the run is bound
  BindSizes       the elements of a small int tensor become symbols, which sizes behind it may use
  SumTo is an ordinary op (ops/), Fused stands in passes/fused.py, While and If in passes/control_flow.py.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Dim, Size
from graphc.ir.dtypes import DType, bool_
from graphc.ir.op import Effect, Op
from graphc.ir.spec import Shape, Spec


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

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape, self.value)


@dataclass(frozen=True)
class ReadState(Op):
    type: ClassVar[str] = "_ReadState"
    results = ("value",)
    effect = Effect.READ
    state: str
    dtype: DType
    shape: Shape

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape)


@dataclass(frozen=True)
class Prepared(Op):
    type: ClassVar[str] = "_Prepared"
    results = ("value",)
    index: int
    dtype: DType
    shape: Shape

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape)


@dataclass(frozen=True)
class WriteState(Op):
    type: ClassVar[str] = "_WriteState"
    operands = ("value",)
    results = ()
    effect = Effect.WRITE
    state: str

    def infer(self, value: Spec) -> tuple[Spec, ...]:
        return ()


@dataclass(frozen=True)
class StateInitialized(Op):
    type: ClassVar[str] = "_StateInitialized"
    results = ("initialized",)
    effect = Effect.READ
    state: str

    def infer(self) -> Spec:
        return Spec(bool_, ())


@dataclass(frozen=True)
class BindSizes(Op):
    """symbols[i] becomes element i of the input, row-major."""

    type: ClassVar[str] = "_BindSizes"
    operands = ("value",)
    results = ()
    symbols: tuple[Dim, ...]

    def infer(self, value: Spec) -> tuple[Spec, ...]:
        return ()


@dataclass(frozen=True)
class SizeValues(Op):
    """A tensor (int32 or int64) of rank 0 or 1, or more, that holds `values` row-major."""

    type: ClassVar[str] = "_SizeValues"
    results = ("value",)
    values: tuple[Size, ...]
    dtype: DType
    shape: tuple[int, ...]

    def infer(self) -> Spec:
        return Spec(self.dtype, self.shape).with_value(self.values)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return np.array(self.values, self.dtype.numpy).reshape(self.shape)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.store_sizes(self.values, outputs[0])
