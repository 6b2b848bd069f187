"""Barriers: maps from keys to tuples of tensors, whose elements come out once all their components are there.

A barrier belongs to the session (session/resources/barriers.py; ops/control/session_objects.py says how).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dtypes import DType, int32, int64, string
from graphc.ir.op import attr, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.control.control import uses_of
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.graph import Operation


@register
class Barrier(SessionObject):
    """Makes a barrier."""

    kind = "barrier"
    component_types: tuple[DType, ...] = attr("list(type)")
    shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    capacity: int = attr("int", -1)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")

    def infer(self, *inputs: Spec) -> Spec:
        if self.capacity != -1:
            raise ValueError(f"argument 'capacity' of {self.type} must be -1, but is {self.capacity}: feed the barrier "
                             "from a queue, which limits what waits")
        return super().infer(*inputs)


class _Use(ObjectUse):
    operands: ClassVar[tuple[str, ...]] = ("handle",)
    uses = Barrier


@register
class BarrierInsertMany(_Use):
    """Gives the elements of these keys their component: a row of `values` each."""

    operands = ("handle", "keys", "values")
    results = ()
    call = "insert_many"
    T: DType = attr("type")
    component_index: int = attr("int")

    def infer(self, handle: Spec, keys: Spec, values: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        if keys.shape is not None and len(keys.shape) != 1:
            raise ValueError(f"operand 'keys' of {self.type} must have one axis, but has shape {list(keys.shape)}")
        if values.shape is not None and not values.shape:
            raise ValueError(f"operand 'values' of {self.type} must have at least one axis, but is a scalar")
        if keys.shape is not None and values.shape is not None:
            count, rows = keys.shape[0], values.shape[0]
            if isinstance(count, int) and isinstance(rows, int) and count != rows:
                raise ValueError(f"operands 'keys' and 'values' of {self.type} must have the same number of rows, but "
                                 f"have {count} and {rows}")
        return ()

    def call_options(self) -> tuple[Any, ...]:
        return (self.component_index,)


@register
class BarrierTakeMany(_Use):
    """Takes elements out that are complete; waits while there are too few."""

    operands = ("handle", "num_elements")
    results = ("indices", "keys", "values*")
    call = "take_many"
    component_types: tuple[DType, ...] = attr("list(type)")
    allow_small_batch: bool = attr("bool", False)
    wait_for_incomplete: bool = attr("bool", False)
    timeout_ms: int = attr("int", -1)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        if self.timeout_ms != -1:
            raise ValueError(f"argument 'timeout_ms' of {self.type} must be -1, but is {self.timeout_ms}: give the run "
                             "a limit, gc.RunOptions(timeout_in_ms=...)")
        return (Spec(int64, None), Spec(string, None), *(Spec(dtype, None) for dtype in self.component_types))

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        value = inputs[0].value
        known = not self.allow_small_batch and value is not None and isinstance(value[0], int)
        rows = value[0] if known and value is not None else dims.symbol("n")
        shapes = component_shapes(maker)
        if len(shapes) != len(self.component_types):
            raise UnimplementedError(f"{self.type}: the barrier '{maker.name}' has {len(shapes)} components, but "
                                     f"{len(self.component_types)} are taken out", maker)
        return (Spec(int64, (rows,)), Spec(string, (rows,)),
                *(Spec(dtype, (rows, *(dims.symbol(f"{maker.name}.{i}") if s is None else s
                                       for i, s in enumerate(shape))))
                  for dtype, shape in zip(self.component_types, shapes, strict=True)))

    def call_options(self) -> tuple[Any, ...]:
        return (self.allow_small_batch,)


@register
class BarrierClose(_Use):
    """No new keys any more; what waits to take out more than can come fails."""

    results = ()
    call = "close"
    cancel_pending_enqueues: bool = attr("bool", False)

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()

    def call_options(self) -> tuple[Any, ...]:
        return (self.cancel_pending_enqueues,)


class _Size(_Use):
    results = ("size",)

    def infer(self, handle: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(int32, ()),)


@register
class BarrierReadySize(_Size):
    """The number of complete elements."""

    call = "ready_size"


@register
class BarrierIncompleteSize(_Size):
    """The number of elements that lack components."""

    call = "incomplete_size"


def component_shapes(maker: Operation) -> list[tuple[int | None, ...]]:
    """Of each component the shape, None for a size that may differ: what the barrier declares, or what all that is put
    in agrees upon."""
    definition: Any = maker.definition
    declared = definition.shapes or [None] * len(definition.component_types)
    found = []
    for i, shape in enumerate(declared):
        seen = {op.inputs[2].spec.static_shape for op in uses_of(maker.outputs[0])
                if isinstance(op.definition, BarrierInsertMany) and op.definition.component_index == i}
        if shape is not None:
            found.append(tuple(None if s in (None, -1) else s for s in shape))
        elif seen and None not in seen and len({len(s) for s in seen if s is not None}) == 1:
            found.append(tuple(sizes[0] if len(set(sizes)) == 1 else None
                               for sizes in zip(*(s[1:] for s in seen if s is not None), strict=True)))
        else:
            raise UnimplementedError(f"{maker.type} '{maker.name}': the rank of component {i} is not known: give the "
                                     f"barrier `shapes`{built_at(maker)}", maker)
    return found
