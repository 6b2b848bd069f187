"""Iterators over datasets: the ops that make one, set it up and take an element out.

An iterator belongs to the session (session/resources/iterators.py). What it goes over is a pipeline of this process
that the ops name (`dataset`), as a PyFunc names its function.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.ir import dims
from graphc.ir.dtypes import DType, string
from graphc.ir.op import attr, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.control.script import HOSTS, GuessedRanks
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.graph import Operation


class IteratorOp(SessionObject):
    """Makes an iterator."""

    kind = "iterator"
    output_types: tuple[DType, ...]
    output_shapes: tuple[Shape | None, ...]


@register
class IteratorV2(IteratorOp):
    """One that MakeIterator sets up."""

    output_types: tuple[DType, ...] = attr("list(type)")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)")
    shared_name: str = attr("string", "")
    container: str = attr("string", "")


@register
class OneShotIterator(IteratorOp):
    """One that sets itself up when it is first used."""

    dataset: str = attr("string")
    output_types: tuple[DType, ...] = attr("list(type)")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)")
    container: str = attr("string", "")
    shared_name: str = attr("string", "")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kept", HOSTS.get(self.dataset))     # as long as the op is


@register
class IteratorFromStringHandleV2(IteratorOp):
    """Stands for the iterator whose handle is fed; IteratorGetNext gets the handle, too."""

    shared_name: str = attr("string", "")
    output_types: tuple[DType, ...] = attr("list(type)", ())
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())


class IteratorUse(ObjectUse):
    """What is done with an iterator."""

    operands: ClassVar[tuple[str, ...]] = ("iterator",)
    uses = IteratorOp


@register
class MakeIterator(IteratorUse):
    """The iterator starts at the first element of the dataset, which gets the values that its parts took from the
    graph."""

    operands = ("iterator", "captured*")
    results = ()
    call = "make"
    dataset: str = attr("string")
    Tcaptured: tuple[DType, ...] = attr("list(type)", ())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kept", HOSTS.get(self.dataset))

    def infer(self, iterator: Spec, *captured: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return ()

    def call_options(self) -> tuple[Any, ...]:
        return (self.dataset,)


@register
class IteratorGetNext(IteratorUse):
    """The next element's components. OutOfRangeError after the last one."""

    operands = ("iterator", "string_handle*")
    results = ("components*",)
    call = "get_next"
    output_types: tuple[DType, ...] = attr("list(type)")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)")
    Thandle: tuple[DType, ...] = attr("list(type)", ())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_guessed", GuessedRanks(len(self.output_types)))

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(dtype, None if shape is None else self._sizes(i, shape))
                     for i, (dtype, shape) in enumerate(zip(self.output_types, self.output_shapes, strict=True)))

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        """Ranks that nobody told are guesses until an element has been seen."""
        mine = next((op for op in maker.outputs[0].consumers() if op.definition is self), None)
        said = [t.spec.static_shape for t in mine.outputs] if mine is not None else self.output_shapes
        return tuple(Spec(dtype, self._sizes(i, said[i] if said[i] is not None else (None,) * rank))
                     for i, (dtype, rank) in enumerate(zip(self.output_types, self.guessed.ranks_if(said),
                                                           strict=True)))

    @property
    def guessed(self) -> GuessedRanks:
        return self._guessed  # type: ignore[attr-defined, no-any-return]

    def _sizes(self, component: int, shape: Any) -> tuple[dims.Size, ...]:
        return tuple(dims.symbol(f"{self.type}.{component}.{axis}") if size is None or size == -1 else size
                     for axis, size in enumerate(shape))


@register
class IteratorToStringHandle(IteratorUse):
    """A string that tells which iterator it is."""

    results = ("string_handle",)
    call = "string_handle"

    def infer(self, iterator: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(string, ()),)
