"""Why a loss has no gradient for the variables: the operation at which the way from one to the other breaks off."""
from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from graphc.api.array.fill import ones_like
from graphc.api.gradients.walk import gradient_of
from graphc.api.public import public
from graphc.errors import built_at
from graphc.ir.tensor import Operation, Tensor


@public("debugging.why_no_gradient")
def why_no_gradient(loss: Tensor, variables: Sequence[Any]) -> str:
    """A sentence that names the first operation behind which no gradient goes on, seen from the loss. (graphc's own)

    loss: a tensor whose gradients by `variables` are None. variables: a list of variables or tensors of any dtype and
    shape; the sentence is a str.

    >>> x = gc.Variable([1., 2.])
    >>> loss = gc.reduce_sum(gc.cast(gc.argmax(x), gc.float32))
    >>> print(gc.debugging.why_no_gradient(loss, [x]))
    the way from the loss to the variables ends at ArgMax 'ArgMax': it gives int64, which has no gradient
      built at ...
    """
    variables = [v._ref() if hasattr(v, "_ref") else v for v in variables]
    depending = _depending(loss, variables)
    if loss.op not in depending:
        names = ", ".join(sorted(t.name for t in variables))
        return f"the loss '{loss.name}' depends on none of the variables {names}{built_at(loss.op)}"
    waiting, seen = deque([loss]), {loss}
    while waiting:
        tensor = waiting.popleft()
        operation = tensor.op
        if not tensor.dtype.is_differentiable:
            return _sentence(operation, f"gives {tensor.dtype.name}, which has no gradient")
        onward = [t for t in operation.inputs if t.op in depending]
        floating = [t for t in onward if t.dtype.is_differentiable]
        if floating and not _passes_on(operation, floating):
            return _sentence(operation, "passes no gradient on to its inputs")
        for t in onward:
            if t not in seen:
                seen.add(t)
                waiting.append(t)
    return "no operation between them passes a gradient on"


def _sentence(operation: Operation, why: str) -> str:
    return f"the way from the loss to the variables ends at {operation.type} '{operation.name}': it {why}" \
           f"{built_at(operation)}"


def _depending(loss: Tensor, variables: Sequence[Tensor]) -> set[Operation]:
    """The operations that the loss needs and that depend on a variable, through tensors of any dtype."""
    roots = {t.op for t in variables}
    found: set[Operation] = set()
    done: set[Operation] = set()
    stack: list[tuple[Operation, bool]] = [(loss.op, False)]
    while stack:
        operation, inputs_done = stack.pop()
        if inputs_done:
            if operation in roots or any(t.op in found for t in operation.inputs):
                found.add(operation)
        elif operation not in done:
            done.add(operation)
            stack.append((operation, True))
            stack += [(t.op, False) for t in operation.inputs]
    return found


class _Undone(Exception):
    pass


def _passes_on(operation: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether the op's gradient gives anything for `inputs`; what it builds is taken back."""
    passes = True
    try:
        with operation.graph.undone_on_error(), operation.graph.as_default():
            dys = [ones_like(t) if t.dtype.is_differentiable else None for t in operation.outputs]
            found = gradient_of(operation, dys, [t in inputs for t in operation.inputs])
            passes = any(g is not None and t in inputs for g, t in zip(found, operation.inputs, strict=True))
            raise _Undone
    except _Undone:
        pass
    return passes
