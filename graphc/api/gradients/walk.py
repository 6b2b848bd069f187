"""The reverse walk over a graph: it adds operations, it computes nothing.

 1. Find the ops between xs and ys: ancestors of ys, by differentiable tensors, that depend on an x.
 2. Walk them in reverse topological order. What arrives at an output from all its users is added up (AddN) once, when
    the op's turn comes; the op's `grad` then gives what goes to each input.

IndexedSlices (the gradient of gather) go through the ops of SLICED as they are, and several of them add up to
IndexedSlices; everything else is given a tensor.

Loops and branches have gradients that need the operation itself, not only its definition: bodies.py puts them into
OF_OPERATIONS.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphc.api.array.fill import zeros
from graphc.api.array.shapes import shape
from graphc.api.control import lists
from graphc.api.gradients import registry
from graphc.api.gradients.builder import BUILDER
from graphc.api.gradients.slices import Gradient, IndexedSlices, as_dense, joined
from graphc.api.math.binary import add_n
from graphc.errors import built_at
from graphc.ir.dtypes import variant
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor

# By op type: function(operation, gradients of its outputs, which inputs matter) -> gradients of its inputs.
SLICED = frozenset({"Identity", "RefIdentity", "While", "StatelessWhile"})
OF_OPERATIONS: dict[str, Callable[[Operation, Sequence[Any], Sequence[bool]], Sequence[Gradient | None]]] = {}


def zeros_for(tensor: Tensor) -> Tensor:
    """Zeros of the tensor's shape, made without its value: all that a loop has to keep for them is a shape."""
    if tensor.dtype == variant:
        return lists.empty(variant, ())
    static = tensor.spec.static_shape
    known = static is not None and None not in static
    return zeros(static if known else shape(tensor), tensor.dtype)


def backward(ys: Sequence[Tensor], dys: Sequence[Tensor], xs: Sequence[Tensor], stops: Sequence[Tensor] = (),
             captured: Mapping[Tensor, Tensor] | None = None) -> list[Gradient | None]:
    """Gradients for xs, made in the default graph; ys and xs may be of a body whose gradient that graph is.

    captured: inputs of bodies, and the tensors outside that they are, on which the walk goes on.
    """
    walk = _Walk(ys, xs, stops, captured or {})
    for y, dy in zip(ys, dys, strict=True):
        walk.add(y, dy)
    for operation in walk.operations():
        walk.through(operation)
    return [walk.total(x) for x in xs]


class _Walk:
    def __init__(self, ys: Sequence[Tensor], xs: Sequence[Tensor], stops: Sequence[Tensor],
                 captured: Mapping[Tensor, Tensor]) -> None:
        self.stops = set(stops)
        self.captured = {inner.op: outer for inner, outer in captured.items()}
        self.parts: dict[Tensor, list[Gradient]] = {}
        self.order = list(_ancestors([y.op for y in ys], self.stops, self.captured))
        self.wanted: set[Tensor] = set(xs)           # tensors that depend on an x
        self.between: set[Operation] = set()
        for operation in self.order:
            if any(self.is_wanted(t) for t in _inputs(operation, self.captured)):
                self.between.add(operation)
                self.wanted.update(t for t in operation.outputs if t not in self.stops)

    def is_wanted(self, tensor: Tensor) -> bool:
        return tensor in self.wanted and tensor.dtype.is_differentiable

    def operations(self) -> Iterator[Operation]:
        return (op for op in reversed(self.order) if op in self.between)

    def add(self, tensor: Tensor, gradient: Gradient) -> None:
        self.parts.setdefault(tensor, []).append(gradient)

    def total(self, tensor: Tensor) -> Gradient | None:
        """The sum of what has arrived at `tensor`."""
        parts = self.parts.get(tensor)
        if not parts:
            return None
        if len(parts) > 1:
            self.parts[tensor] = parts = [sum_of(parts, tensor)]
        return parts[0]

    def through(self, operation: Operation) -> None:
        """Takes the gradients of an op's outputs to its inputs."""
        inputs = operation.inputs
        dys = [None if t in self.stops else self.total(t) for t in operation.outputs]
        if all(dy is None for dy in dys):
            return
        if operation in self.captured:
            self.parts.setdefault(self.captured[operation], []).extend(dy for dy in dys if dy is not None)
            return
        wanted = [self.is_wanted(t) for t in inputs]
        with get_default_graph().name_scope(f"{operation.name}_grad"):
            if operation.type not in SLICED or operation.gradient_name is not None:
                dys = [as_dense(dy) for dy in dys]
            found = gradient_of(operation, dys, wanted)
        if len(found) != len(inputs):
            raise AssertionError(f"{operation.type}.grad gave {len(found)} gradients for {len(inputs)} inputs")
        for tensor, gradient, is_wanted in zip(inputs, found, wanted, strict=True):
            if gradient is not None and is_wanted:
                self.add(tensor, gradient)


def gradient_of(operation: Operation, dys: Sequence[Any], wanted: Sequence[bool]) -> Sequence[Gradient | None]:
    definition = operation.definition
    special = OF_OPERATIONS.get(operation.type)
    if special is not None:
        return special(operation, dys, wanted)
    registered = registry.name_of(operation)
    if registered is not None:
        return registry.apply_registered(registered, operation, dys)
    try:
        return definition.grad(BUILDER, operation, *dys)
    except LookupError as error:
        raise LookupError(f"No gradient defined for operation '{operation.name}' (op type: {operation.type}): {error}"
                          f"{built_at(operation)}\n  if it is to count as a constant, pass it through gc.stop_gradient "
                          "or in stop_gradients=[...]") from None


def sum_of(parts: Sequence[Gradient], tensor: Tensor) -> Gradient:
    """The sum of gradients of one tensor: IndexedSlices if all of them are."""
    if tensor.dtype == variant:
        total: Any = parts[0]
        for part in parts[1:]:
            total = lists.add(total, part)
        return total
    slices = [p for p in parts if isinstance(p, IndexedSlices)]
    return joined(slices) if len(slices) == len(parts) else add_n([as_dense(p) for p in parts])


def _inputs(operation: Operation, captured: Mapping[Operation, Tensor]) -> Sequence[Tensor]:
    """What an op depends on; of a body's input that was captured, the tensor outside."""
    return [captured[operation]] if operation in captured else operation.inputs


def _ancestors(roots: Sequence[Operation], stops: set[Tensor],
               captured: Mapping[Operation, Tensor]) -> Iterator[Operation]:
    """Every op that roots depend on through differentiable tensors, inputs first."""
    seen: set[Operation] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(_inputs(root, captured)))]
        while stack:
            operation, waiting = stack[-1]
            for tensor in waiting:
                if tensor.op not in seen and tensor not in stops and tensor.dtype.is_differentiable:
                    seen.add(tensor.op)
                    stack.append((tensor.op, iter(_inputs(tensor.op, captured))))
                    break
            else:
                stack.pop()
                yield operation


def reaches(output: Tensor, inputs: Sequence[Tensor]) -> set[int]:
    """Positions of the inputs of a body that `output` depends on through differentiable tensors."""
    positions = {t.op: i for i, t in enumerate(inputs)}
    if not output.dtype.is_differentiable:
        return set()
    return {positions[op] for op in _ancestors([output.op], set(), {}) if op in positions}
