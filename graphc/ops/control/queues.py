"""Queues: the ops that make one, and those that put elements in and take them out.

A queue belongs to the session (session/resources/queues.py; ops/control/session_objects.py says how).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import InvalidArgumentError, UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_, int32, int64
from graphc.ir.op import attr, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.control.control import uses_of
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation, Tensor


class QueueOp(SessionObject):
    """Makes a queue."""

    kind = "queue"
    component_types: tuple[DType, ...]
    shapes: tuple[Shape | None, ...]

    def all_types(self) -> tuple[DType, ...]:
        return self.component_types


@register
class FIFOQueueV2(QueueOp):
    """First in, first out."""

    component_types: tuple[DType, ...] = attr("list(type)")
    shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    capacity: int = attr("int", -1)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")


@register
class PaddingFIFOQueueV2(QueueOp):
    """First in, first out; batches of elements of different sizes are filled up with zeros."""

    component_types: tuple[DType, ...] = attr("list(type)")
    shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    capacity: int = attr("int", -1)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")


@register
class RandomShuffleQueueV2(QueueOp):
    """In any order; `min_after_dequeue` elements stay until the queue is closed."""

    component_types: tuple[DType, ...] = attr("list(type)")
    shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    capacity: int = attr("int", -1)
    min_after_dequeue: int = attr("int", 0)
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")

    def infer(self, *inputs: Spec) -> Spec:
        given = f"RandomShuffleQueue: argument 'min_after_dequeue' ({self.min_after_dequeue})"
        if self.min_after_dequeue < 0:
            raise InvalidArgumentError(f"{given} must not be negative")
        if 0 < self.capacity <= self.min_after_dequeue:        # nothing could ever be taken out
            raise InvalidArgumentError(f"{given} must be less than capacity ({self.capacity})")
        return super().infer(*inputs)


@register
class PriorityQueueV2(QueueOp):
    """The least priority first. The first component, of int64, is the priority, and no part of component_types."""

    component_types: tuple[DType, ...] = attr("list(type)", ())
    shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    capacity: int = attr("int", -1)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")

    def all_types(self) -> tuple[DType, ...]:
        return (int64, *self.component_types)


class QueueUse(ObjectUse):
    """What is done with a queue."""

    operands: ClassVar[tuple[str, ...]] = ("handle",)
    uses = QueueOp


class _Enqueue(QueueUse):
    operands = ("handle", "components*")
    results = ()

    def infer(self, handle: Spec, *components: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()


@register
class QueueEnqueueV2(_Enqueue):
    """Puts one element in, a tensor for each component; waits while the queue is full."""

    call = "enqueue"
    Tcomponents: tuple[DType, ...] = attr("list(type)")
    timeout_ms: int = attr("int", -1)


@register
class QueueEnqueueManyV2(_Enqueue):
    """Puts the rows of the components in."""

    call = "enqueue_many"
    Tcomponents: tuple[DType, ...] = attr("list(type)")
    timeout_ms: int = attr("int", -1)


class _Dequeue(QueueUse):
    results = ("components*",)
    component_types: tuple[DType, ...]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(dtype, None) for dtype in self.component_types)

    def results_of(self, queue: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        shapes = component_shapes(queue)
        if len(shapes) != len(self.component_types):
            raise UnimplementedError(f"{self.type}: the queue '{queue.name}' has {len(shapes)} components, but "
                                     f"{len(self.component_types)} are taken out", queue)
        rows = self.rows(inputs)
        return tuple(Spec(dtype, (*rows, *(dims.symbol(f"{queue.name}.{i}") if s is None else s
                                           for i, s in enumerate(shape))))
                     for dtype, shape in zip(self.component_types, shapes, strict=True))

    def rows(self, inputs: Sequence[Spec]) -> tuple[dims.Size, ...]:
        return ()


@register
class QueueDequeueV2(_Dequeue):
    """Takes one element out; waits while there is none."""

    call = "dequeue"
    component_types: tuple[DType, ...] = attr("list(type)")
    timeout_ms: int = attr("int", -1)


@register
class QueueDequeueManyV2(_Dequeue):
    """Takes n elements out, one below the other."""

    operands = ("handle", "n")
    call = "dequeue_many"
    component_types: tuple[DType, ...] = attr("list(type)")
    timeout_ms: int = attr("int", -1)

    def rows(self, inputs: Sequence[Spec]) -> tuple[dims.Size, ...]:
        value = inputs[0].value
        return (value[0] if value is not None and isinstance(value[0], int) else dims.symbol("n"),)


@register
class QueueDequeueUpToV2(_Dequeue):
    """Takes n elements out, or what is left once the queue is closed."""

    operands = ("handle", "n")
    call = "dequeue_up_to"
    component_types: tuple[DType, ...] = attr("list(type)")
    timeout_ms: int = attr("int", -1)

    def rows(self, inputs: Sequence[Spec]) -> tuple[dims.Size, ...]:
        return (dims.symbol("n"),)


@register
class QueueCloseV2(QueueUse):
    """Nothing goes in any more; what waits to take out more than there is fails."""

    results = ()
    call = "close"
    cancel_pending_enqueues: bool = attr("bool", False)

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()

    def call_options(self) -> tuple[Any, ...]:
        return (self.cancel_pending_enqueues,)


@register
class QueueSizeV2(QueueUse):
    """The number of elements."""

    results = ("size",)
    call = "size"

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(int32, ()),)


@register
class QueueIsClosedV2(QueueUse):
    """Whether the queue is closed."""

    results = ("is_closed",)
    call = "is_closed"

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(bool_, ()),)


def component_shapes(queue: Operation) -> list[tuple[int | None, ...]]:
    """Of each component the shape, None for a size that may differ: what the queue declares, or what all that put
    something in agree upon."""
    definition: Any = queue.definition
    types = definition.all_types()
    if definition.shapes:
        declared: list[Any] = [None if s is None else tuple(None if x is None or x == -1 else x for x in s)
                               for s in definition.shapes]
        if len(declared) == len(types) - 1 and definition.type == "PriorityQueueV2":
            declared.insert(0, ())
    else:
        declared = [None] * len(types)
        if definition.type == "PriorityQueueV2":
            declared[0] = ()
    seen = [_put_in(op) for op in uses_of(queue.outputs[0]) if isinstance(op.definition, _Enqueue)]
    found = [shape if shape is not None else _agreed([s[i] for s in seen]) for i, shape in enumerate(declared)]
    if any(shape is None for shape in found):
        raise UnimplementedError(f"{queue.type} '{queue.name}': the rank of component {found.index(None)} is not "
                                 f"known: give the queue `shapes`{built_at(queue)}", queue)
    return found  # type: ignore[return-value]


def _put_in(operation: Operation) -> list[tuple[int | None, ...] | None]:
    rows = isinstance(operation.definition, QueueEnqueueManyV2)
    shapes = [_shape_of(t) for t in operation.inputs[1:]]
    return [s if s is None else s[1:] if rows else s for s in shapes]


def _shape_of(tensor: Tensor) -> tuple[int | None, ...] | None:
    """What is known of its shape: of what another queue gives, what that one holds."""
    definition, shape = tensor.op.definition, tensor.spec.static_shape
    if shape is not None or not isinstance(definition, _Dequeue) or not isinstance(
            (queue := tensor.op.inputs[0].op).definition, QueueOp):
        return shape
    rows = () if isinstance(definition, QueueDequeueV2) else (None,)
    return (*rows, *component_shapes(queue)[tensor.value_index])


def _agreed(shapes: Sequence[tuple[int | None, ...] | None]) -> tuple[int | None, ...] | None:
    known = [s for s in shapes if s is not None]
    if not known or len({len(s) for s in known}) > 1:
        return None
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*known, strict=True))
