"""What the ops on lists of any order share: the step List does each of them.

All are linear, so their gradients are lists again, and need indices, lengths and shapes, never the elements. In a list
of gradients an element that was never written is zeros, and so is one after its end: `_or_zeros`, `_growing`.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int64, variant
from graphc.ir.op import Op
from graphc.ir.spec import Spec, elements_of, joined_elements
from graphc.kernels.layout import ListOperation
from graphc.ops.control.lists import HANDLE, ElementShape, element_sizes

if TYPE_CHECKING:
    from graphc.ir.graph import Tensor

Gradients = Sequence["Tensor | None"]


def written(handle: Spec, element: Spec) -> Spec:
    return replace(HANDLE, elements=joined_elements(handle, replace(HANDLE, elements=elements_of(element))))


def row_spec(values: Spec) -> Spec:
    """The spec of a row of `values`."""
    if values.shape is not None and not values.shape:
        raise ValueError("argument 'tensor' must have at least one axis, but is a scalar")
    return Spec(values.dtype, None if values.shape is None else values.shape[1:])


def check_integers(name: str, spec: Spec, dtype: DType, rank: int) -> None:
    if spec.dtype != dtype or (spec.rank is not None and spec.rank != rank):
        form = "a scalar" if rank == 0 else "a vector"
        raise TypeError(f"argument '{name}' must be {form} of {dtype.name}, but is {spec.shown()}")


def list_step(b: Any, operation: ListOperation, operands: Sequence[Any], output: Any) -> None:
    from graphc.plan import plan  # not needed to build a graph

    buffers = tuple(b.contiguous(x).buffer for x in operands)
    b.into_slots([output], lambda slots, binds: plan.List(int(operation), buffers, slots, binds, origins=b.origins))


def sizes_tensor(b: Any, said: ElementShape, rank: int) -> Any:
    """What is said of an element's sizes, as a tensor."""
    sizes = said if isinstance(said, tuple) else (-1,) * rank
    if all(isinstance(s, int) for s in sizes):
        return b.constant(np.array(sizes, np.int64))
    made = b.temporary(int64, (len(sizes),))
    b.store_sizes(sizes, made)
    return made


def shape_of(g: GradientBuilder, x: Tensor) -> Any:
    """The shape of x for an op that asks for an element's: known, or as a tensor."""
    sizes = element_sizes(x)
    return g.shape(x) if x.dtype != variant and (sizes == -1 or -1 in sizes) else sizes  # type: ignore[operator]


def unwritten_shape(said: ElementShape, elements: Sequence[Any], index: int) -> tuple[int, ...]:
    """The reference's shape of an element that was never written."""
    known = next((e.shape for e in elements if e is not None), None)
    sizes = said if isinstance(said, tuple) else (-1,) * len(known or ())
    if (any(s < 0 for s in sizes) and known is None) or (not isinstance(said, tuple) and known is None):
        raise InvalidArgumentError(f"Could not read from TensorArray index {index}")
    return tuple(s if s >= 0 else k for s, k in zip(sizes, known or sizes, strict=True))  # type: ignore[misc]


def check_index(index: int, length: int, lenient: bool) -> None:
    if index < 0 or (index >= length and not lenient):
        raise InvalidArgumentError(f"index {index} of a TensorArray of size {length}")


class ListOp(Op):
    checks_data = True
    moves = True
