"""The value of a small tensor that constants alone tell, through ops of any dtype: cast(stack([256., 256.]), int32).

Spec.value goes along with integers, as far as ops pass it on. What needs a value while the graph is built (a shape, an
axis) and has not got it that way is computed here from the ops' NumPy meaning, as TensorFlow's shape functions do.
"""
from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from graphc.errors import OpError
from graphc.ir import dims
from graphc.ir.half import reference
from graphc.ir.op import Composite, Effect, Op
from graphc.ir.spec import Spec

ELEMENTS = 256      # of any tensor on the way
OPERATIONS = 64     # on the way


class Made(NamedTuple):
    """How a tensor is made: result `place` of op(operands), of which all results have these specs. by: what two results
    of one op have in common."""

    by: Hashable
    op: Op
    operands: Sequence[Any]
    specs: Sequence[Spec]
    place: int


class _Unknown(Exception):
    """A run is needed."""


def constant_value(tensor: Any, made: Callable[[Any], Made]) -> tuple[int, ...] | None:
    """The elements of an integer tensor; None if they depend on more than constants, or are too many to be looked for.

    tensor: of a graph or of a snapshot; made(tensor) says how it is made.
    """
    try:
        return tuple(int(v) for v in _Search(made).value(tensor).ravel())
    except _Unknown:
        return None


class _Search:
    def __init__(self, made: Callable[[Any], Made]) -> None:
        self.made = made
        self.found: dict[Hashable, tuple[np.ndarray, ...]] = {}
        self.seen = 0                           # operations: the way is at most as deep

    def value(self, tensor: Any) -> np.ndarray:
        of = self.made(tensor)
        spec = of.specs[of.place]
        if not _is_small(spec):
            raise _Unknown
        if of.op.type == "Const":
            return np.asarray(of.op.value)  # type: ignore[attr-defined]
        if spec.value is not None and all(isinstance(v, int) for v in spec.value):
            return np.array(spec.value, spec.dtype.numpy).reshape(spec.shape)  # type: ignore[arg-type]
        if of.by not in self.found:
            self.found[of.by] = self.computed(of)
        return self.found[of.by][of.place]

    def computed(self, of: Made) -> tuple[np.ndarray, ...]:
        self.seen += 1
        meaning = type(of.op).reference
        if (of.op.effect != Effect.PURE or of.op.may_be_fed or of.op.sizes() or not of.operands
                or meaning in (Op.reference, Composite.reference) or self.seen > OPERATIONS):
            raise _Unknown
        values = [self.value(operand) for operand in of.operands]
        try:
            given: Any = reference(of.op, values)
        except (ValueError, TypeError, IndexError, ArithmeticError, NotImplementedError, OpError):
            raise _Unknown from None            # the run says so, with the op's name and line
        arrays = tuple(np.asarray(a) for a in (given if isinstance(given, tuple) else (given,)))
        if any(a.shape != s.shape or a.dtype != s.dtype.numpy for a, s in zip(arrays, of.specs, strict=True)):
            raise _Unknown
        return arrays


def _is_small(spec: Spec) -> bool:
    if spec.shape is None or not (spec.dtype.is_floating or spec.dtype.is_integer or spec.dtype.is_bool):
        return False
    count = dims.product(spec.shape)
    return isinstance(count, int) and count <= ELEMENTS
