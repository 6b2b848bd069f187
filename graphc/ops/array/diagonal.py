"""Main diagonals: MatrixDiag, MatrixDiagPart, MatrixSetDiag; Diag and DiagPart of tensors; and MatrixBandPart."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_, complex64, float64, int64
from graphc.ir.elementwise import check_dtype, check_kind
from graphc.ir.op import OPS, Composite, Op, Sample, View, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation


def check_matrix(name: str, x: Spec) -> None:
    if x.shape is not None and len(x.shape) < 2:
        raise ValueError(f"argument '{name}' must be a matrix or a batch of them, but has shape {text(x.shape)}")


def _main(x: Any) -> Any:
    """The access of the main diagonal of the last two axes of x."""
    rank = x.rank
    size = dims.minimum(x.shape[-2], x.shape[-1])
    return x.part(rank - 2, 0, size).part(rank - 1, 0, size).diagonal(rank - 2, rank - 1)


@register
class MatrixDiag(Op):
    """Square matrices with the last axis of diagonal as their diagonals, 0 elsewhere."""

    moves = True
    operands = ("diagonal",)
    results = ("output",)
    types: ClassVar = {"T": "diagonal"}
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((4,), None), ((2, 3), float64), ((2, 0), None), ((1,), int64), ((2, 3, 5), None))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        if x.shape is None:
            return Spec(x.dtype, None)
        if not x.shape:
            raise ValueError("argument 'diagonal' must have at least one axis, but is a scalar")
        return Spec(x.dtype, (*x.shape, x.shape[-1]))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.eye(x.shape[-1], dtype=bool), x[..., None, :], np.zeros((), x.dtype)).astype(x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.matrix_diag_part(dy)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.fill(outputs[0], 0)
        b.copy(inputs[0], _main(outputs[0]))


@register
class MatrixDiagPart(View):
    """The main diagonals of the last two axes."""

    operands = ("input",)
    results = ("diagonal",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((4, 4), None), ((2, 3, 5), float64), ((5, 3), int64), ((2, 0, 3), None), ((1, 1), bool_))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        check_matrix("input", x)
        if x.shape is None:
            return Spec(x.dtype, None)
        return Spec(x.dtype, (*x.shape[:-2], dims.minimum(x.shape[-2], x.shape[-1])))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.diagonal(x, axis1=-2, axis2=-1)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x = node.inputs[0]
        return [g.matrix_set_diag(g.zeros_like(x), dy)]

    def view(self, b: Any, x: Any) -> Any:
        return _main(x)


@register
class MatrixSetDiag(Op):
    """input, the main diagonals of its last two axes replaced by diagonal."""

    moves = True
    operands = ("input", "diagonal")
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = [Sample({}, (s, p), (d, d)) for s, p, d in (
        ((4, 4), (4,), None), ((2, 3, 5), (2, 3), float64), ((5, 3), (3,), int64), ((2, 0, 3), (2, 0), None))]

    def infer(self, x: Spec, diagonal: Spec) -> Spec:
        check_kind(self, (x,), "any")
        same_dtypes(self, (x, diagonal))
        check_matrix("input", x)
        if x.shape is None or diagonal.shape is None:
            return Spec(x.dtype, x.shape)
        wanted = (*x.shape[:-2], dims.minimum(x.shape[-2], x.shape[-1]))
        require_shape("diagonal", diagonal.shape, wanted, f"for an input of shape {text(x.shape)}")
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
        result, places = np.array(x), np.arange(diagonal.shape[-1])
        result[..., places, places] = diagonal
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.matrix_set_diag(dy, g.zeros_like(node.inputs[1])), g.matrix_diag_part(dy)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.copy(inputs[0], outputs[0])
        b.copy(inputs[1], _main(outputs[0]))


def require_shape(name: str, shape: Shape, wanted: Sequence[Size], why: str) -> None:
    message = f"argument '{name}' of shape {text(shape)} must have shape {text(tuple(wanted))} {why}"
    if len(shape) != len(wanted):
        raise ValueError(message)
    for have, want in zip(shape, wanted, strict=True):
        require_equal(have, want, message)


@register
class Diag(Composite):
    """A tensor of twice the rank with diagonal where both halves of the index are equal, 0 elsewhere."""

    operands = ("diagonal",)
    results = ("output",)
    types: ClassVar = {"T": "diagonal"}
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((4,), None), ((2, 3), float64), ((2, 0), None), ((3,), int64), ((3,), complex64))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "diagonal", x.dtype, "product")
        if x.shape is None:
            return Spec(x.dtype, None)
        if not x.shape:
            raise ValueError("argument 'diagonal' must have rank 1 or more, but is a scalar")
        if len(x.shape) > 4:
            raise ValueError(f"argument 'diagonal' of shape {text(x.shape)} has more than 4 axes, the result would "
                             f"have "
                             "more than 8")
        return Spec(x.dtype, (*x.shape, *x.shape))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.diag(x.ravel()).reshape(x.shape * 2)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.diag_part(dy)]

    def expand(self, emit: Any, x: Any) -> Any:
        shape = x.spec.shape
        flat = emit(OPS.make("Reshape", shape=(dims.product(shape),)), x)
        return emit(OPS.make("Reshape", shape=(*shape, *shape)), emit(MatrixDiag(), flat))


@register
class DiagPart(Composite):
    """The elements where both halves of the index are equal."""

    operands = ("input",)
    results = ("diagonal",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((4, 4), None), ((2, 3, 2, 3), float64), ((0, 0), None), ((3, 3), int64), ((3, 3), complex64))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "input", x.dtype, "product")
        if x.shape is None:
            return Spec(x.dtype, None)
        half = len(x.shape) // 2
        if not x.shape or len(x.shape) % 2:
            raise ValueError(f"argument 'input' must have an even, positive rank, but has shape {text(x.shape)}")
        sizes = [require_equal(a, b, f"both halves of the shape {text(x.shape)} of input must be equal")
                 for a, b in zip(x.shape[:half], x.shape[half:], strict=True)]
        return Spec(x.dtype, tuple(sizes))

    def reference(self, x: np.ndarray) -> np.ndarray:
        half = x.shape[:x.ndim // 2]
        return np.diagonal(x.reshape(int(np.prod(half)), -1)).reshape(half) if x.size else np.zeros(half, x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.diag(dy)]

    def expand(self, emit: Any, x: Any) -> Any:
        shape = self.infer(x.spec).shape
        assert shape is not None
        count = dims.product(shape)
        matrix = emit(OPS.make("Reshape", shape=(count, count)), x)
        return emit(OPS.make("Reshape", shape=shape), emit(MatrixDiagPart(), matrix))


@register
class MatrixBandPart(Op):
    """input, 0 where it lies more than num_lower below or num_upper above the main diagonal (negative: no limit)."""

    moves = True
    operands = ("input", "num_lower", "num_upper")
    results = ("band",)
    types: ClassVar = {"T": "input", "Tindex": "num_lower"}
    num_lower: Size = operand_field("int")
    num_upper: Size = operand_field("int")
    samples: ClassVar = [Sample({"num_lower": m, "num_upper": n}, (s,), (d,)) for m, n, s, d in (
        (1, 0, (4, 5), None), (-1, 1, (2, 3, 3), float64), (0, -1, (5, 3), int64), (0, 0, (2, 0, 3), None),
        (2, 1, (3, 4, 7), None))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "any")
        check_matrix("input", x)
        if x.shape is not None:
            for name, limit, size in (("num_lower", self.num_lower, x.shape[-2]),
                                      ("num_upper", self.num_upper, x.shape[-1])):
                require_less_equal(limit, size, f"{name} must be negative or at most the size of its axis of an input "
                                   f"of shape {text(x.shape)}")
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        rows, columns = np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])
        low: Any = self.num_lower
        high: Any = self.num_upper
        inside = ((low < 0) | (rows - columns <= low)) & ((high < 0) | (columns - rows <= high))
        return np.where(inside, x, np.zeros((), x.dtype)).astype(x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.matrix_band_part(dy, node.inputs[1], node.inputs[2]), None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        # A limit below 0 is none: as far as there are rows or columns.
        limits = [dims.select(dims.less(limit, 0), size, limit) for limit, size in (
            (self.num_lower, x.shape[-2]), (self.num_upper, x.shape[-1]))]
        stored = b.temporary(int64, (2,))
        b.store_sizes(limits, stored)

        def element(s: Any, value: Any, low: Any, high: Any) -> Any:
            below = s("sub", s.index(x.rank - 2), s.index(x.rank - 1))
            above = s("sub", s.index(x.rank - 1), s.index(x.rank - 2))
            inside = s("and", s("less_equal", below, low), s("less_equal", above, high))
            return s("select", inside, value, s.constant(0, x.dtype))

        b.map(element, [x, *(stored.select(0, i).broadcast(x.shape) for i in (0, 1))], [y])
