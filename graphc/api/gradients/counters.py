"""Indices of iterations, and what follows of them: the gradient of a loop computes them again, and keeps anything else.

A carried integer to which every iteration adds the same number is, after t iterations, its first value and t times
that number, also where it wraps. The gradient knows t. So the index of an array's element, or a flag as i % 2 == 0,
costs a few operations on one number; a list would cost a step in both loops, and what reads the array by it could be
anything.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.math.binary import add, multiply
from graphc.ir import dims
from graphc.ir.dtypes import bool_, int32, int64
from graphc.ir.op import Effect, Elementwise
from graphc.ir.tensor import Operation, Tensor

EXACT = (bool_, int32, int64)
MOST = 8             # operations that are computed again for one value: together less than a list costs


class Counters:
    """Of one loop. unchanging: the inputs of its body that no iteration changes."""

    def __init__(self, loop: Operation, unchanging: Mapping[Tensor, Tensor]) -> None:
        self.loop, self.unchanging = loop, unchanging

    def tell(self, tensor: Tensor) -> bool:
        """Whether a value of the body is made of a few integers or flags that follow of counters in a few operations.
        """
        found, waiting = set[Tensor](), [tensor]
        while waiting:
            top = waiting.pop()
            if top in found or self._is_unchanging(top) or self._step(top) is not None:
                continue
            found.add(top)
            if len(found) > MOST or not _is_small(top) or not top.op.inputs:
                return False
            waiting += top.op.inputs
        return True

    def again(self, tensor: Tensor, before: Tensor, capture: Callable[[Tensor], Tensor]) -> Tensor:
        """Such a value, in the default graph. before: int32, the number of iterations before its own; capture: what
        stands there for a tensor that does not change, the loop's operands among them."""
        if self._is_unchanging(tensor):
            return capture(tensor)
        step = self._step(tensor)
        if step is not None:
            first = capture(self.loop.inputs[self._body().inputs.index(tensor)])
            return add(first, multiply(cast(before, tensor.dtype), capture(step)))
        inputs = [self.again(t, before, capture) for t in tensor.op.inputs]
        return inputs[0].graph.create(tensor.op.definition, inputs).outputs[tensor.value_index]

    def _body(self) -> Any:
        return self.loop.definition.body  # type: ignore[attr-defined]

    def _is_unchanging(self, tensor: Tensor) -> bool:
        return tensor in self.unchanging or tensor.op.type == "Const"

    def _step(self, tensor: Tensor) -> Tensor | None:
        """What every iteration adds to a carried integer, if it is the same number."""
        body = self._body()
        carried = body.inputs[:len(body.outputs)]
        if tensor.dtype not in (int32, int64) or tensor.spec.shape != () or tensor not in carried:
            return None
        result = body.outputs[carried.index(tensor)].op
        if result.type not in ("Add", "AddV2") or tensor not in result.inputs:
            return None
        other: Tensor = result.inputs[1 if result.inputs[0] is tensor else 0]
        return other if self._is_unchanging(other) else None


def _is_small(tensor: Tensor) -> bool:
    """Whether it is of a few integers or flags, computed or moved one by one."""
    definition, shape = tensor.op.definition, tensor.spec.shape
    count = None if shape is None else dims.product(shape)
    return (isinstance(count, int) and count <= MOST and tensor.dtype in EXACT and definition.effect is Effect.PURE
            and (isinstance(definition, Elementwise) or definition.moves))
