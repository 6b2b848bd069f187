"""Ops that only the compiler's own graph has: they are no part of a saved graph and are not registered.

  Prepared        output `index` of the prepare body
  StateInitialized   whether the variable has a value when the body starts
  SizeValues      an int tensor whose elements are sizes known when the run is bound
  BindSizes       the elements of a small int tensor become symbols, which sizes after it may use
  HostCall        calls `call`, of which the session makes a function: what is done with a queue or table
  Checked         its input, unless an element is one that the op behind it refuses: then the run ends
  Ordered         its first input, unless it is not less than the second: then the run ends
  OtherRank       a branch's result that may not be taken
  Transposed      a matrix transposed, in memory of its own
  FlowInput, ReadState and WriteState, the ends of a Flow, stand in ir/flow_ops.py, Fused in fused.py, While and If in
  control_flow.py.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dims import Dim, Size
from graphc.ir.dtypes import DType, bool_, int64
from graphc.ir.op import REFUSED, Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ops.array.refuse import require_order
from graphc.ops.control.script import add_host

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder


@dataclass(frozen=True)
class Prepared(Op):
    type: ClassVar[str] = "_Prepared"
    results = ("value",)
    index: int
    dtype: DType
    shape: Shape

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(self.dtype, self.shape)


@dataclass(frozen=True)
class StateInitialized(Op):
    type: ClassVar[str] = "_StateInitialized"
    results = ("initialized",)
    effect = Effect.READ
    state: str

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(bool_, ())


@dataclass(frozen=True)
class BindSizes(Op):
    """symbols[i] becomes element i of the input, row-major."""

    type: ClassVar[str] = "_BindSizes"
    operands = ("value",)
    results = ()
    symbols: tuple[Dim, ...]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return ()


@dataclass(frozen=True)
class SizeValues(Op):
    """A tensor (int32 or int64) of rank 0 or 1, or more, that holds `values` row-major."""

    type: ClassVar[str] = "_SizeValues"
    results = ("value",)
    values: tuple[Size, ...]
    dtype: DType
    shape: tuple[int, ...]

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(self.dtype, self.shape).with_value(self.values)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return np.array(self.values, self.dtype.numpy).reshape(self.shape)

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.store_sizes(self.values, outputs[0])


@dataclass(frozen=True, eq=False)
class HostCall(Op):
    """Calls what `call.bind` of the session gives."""

    type: ClassVar[str] = "_HostCall"
    operands = ("input*",)
    results = ("output*",)
    effect = Effect.HOST
    call: Any
    result_specs: tuple[Spec, ...]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return self.result_specs

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.host(add_host(self.call.method, self.call), inputs, outputs)


@dataclass(frozen=True)
class Checked(Op):
    """x, of integers. refused: a key of REFUSED (ir/op.py), the elements that end the run, unless there are no
    results after."""

    type: ClassVar[str] = "_Checked"
    operands = ("x",)
    checks_data = True
    refused: str
    results_behind: Size = 1

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, inputs[0].shape, inputs[0].value)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        found, message = REFUSED[self.refused]
        if self.results_behind != 0 and np.any(found(x)):
            raise InvalidArgumentError(message)
        return x

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.call("checked", [inputs[0], outputs[0]], dims=[inputs[0].elements, self.results_behind],
               attrs=[list(REFUSED).index(self.refused)])


@dataclass(frozen=True)
class Ordered(Op):
    """low, which must be less than high, both scalars of integers, unless there are no results after."""

    type: ClassVar[str] = "_Ordered"
    operands = ("low", "high")
    checks_data = True
    message: str
    results_behind: Size = 1

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, ())

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        low, high = inputs
        if self.results_behind != 0 and low >= high:
            raise InvalidArgumentError(f"{self.message}: {low} and {high}")
        return low

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        require_order(b, inputs[0], inputs[1], self.results_behind, self.message)
        b.copy(inputs[0], outputs[0])


@dataclass(frozen=True)
class OtherRank(Op):
    """Stands in a branch for its result x, of another rank than the other branch's, whose rank the plan has: a run that
    takes this branch ends."""

    type: ClassVar[str] = "_OtherRank"
    operands = ("x",)
    rank: int
    message: str

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(inputs[0].dtype, (1,) * self.rank)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        raise InvalidArgumentError(f"{self.message}: {inputs[0].ndim} and {self.rank}, must be equal")

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        taken = b.temporary(int64, (1,))
        b.fill(taken, len(inputs[0].shape))
        found = dims.symbol("rank", ("runtime", "rank"))
        b.bind(taken, [found])                   # not before the branch runs
        b.require("equal", found, self.rank, self.message)
        b.fill(outputs[0], 0)


@dataclass(frozen=True)
class Transposed(Op):
    """A matrix, transposed, that no product is to take apart again."""

    type: ClassVar[str] = "_Transposed"
    operands = ("x",)

    def infer(self, *inputs: Spec) -> Spec:
        shape = inputs[0].shape
        return Spec(inputs[0].dtype, None if shape is None else shape[::-1])

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return inputs[0].T

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        b.copy(inputs[0].transpose((1, 0)), outputs[0])
