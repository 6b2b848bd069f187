"""What ops on matrices share: checks of shapes, the lower or upper triangle, and the transpose as an op.

The last two axes are a matrix, those before them a batch of matrices. Gradients build triangles and diagonals with
masks, so that ranks and sizes may be unknown.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, complex64, complex128, float32, float64, int32, int64
from graphc.ir.op import Op, Sample, View, attr, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation, Tensor

NUMBERS = (float32, float64, complex64, complex128)


def check_numbers(op: Op, **specs: Spec) -> None:
    """Raises TypeError unless every argument is of a dtype of NUMBERS, and all are of one."""
    _check(op, NUMBERS, "float32, float64, complex64 and complex128", specs)


def check_floating(op: Op, **specs: Spec) -> None:
    """Raises TypeError unless every argument is float32 or float64, and all are of one dtype."""
    _check(op, (float32, float64), "float32 and float64", specs)


def _check(op: Op, taken: Sequence[DType], names: str, specs: dict[str, Spec]) -> None:
    first = next(iter(specs))
    for name, spec in specs.items():
        if spec.dtype not in taken:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes {names} only; cast it "
                            "(gc.cast)")
        if spec.dtype != specs[first].dtype:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but '{first}' has "
                            f"{specs[first].dtype.name}; cast one of them (gc.cast)")


def check_matrix(name: str, spec: Spec, rank: int = 2) -> None:
    """Raises ValueError if the rank is known, and less than `rank`."""
    if spec.shape is not None and len(spec.shape) < rank:
        raise ValueError(f"argument '{name}' must have rank {rank} or more, but its shape is {text(spec.shape)}")


def check_square(name: str, spec: Spec) -> Size | None:
    """The number of rows; None if not even the rank is known. Raises ValueError if the matrices are not square."""
    check_matrix(name, spec)
    if spec.shape is None:
        return None
    return require_equal(spec.shape[-2], spec.shape[-1],
                         f"argument '{name}' must hold square matrices, but its shape is {text(spec.shape)}")


def same_batch(a: Spec, b: Spec, names: str, behind_a: int = 2, behind_b: int = 2) -> Shape | None:
    """The leading axes that two arguments share; behind: how many axes follow them. Raises ValueError if they differ"""
    if a.shape is None or b.shape is None:
        return None
    left, right = a.shape[:len(a.shape) - behind_a], b.shape[:len(b.shape) - behind_b]
    message = f"{names} must have the same leading axes, but their shapes are {text(a.shape)} and {text(b.shape)}"
    if len(left) != len(right):
        raise ValueError(message)
    return tuple(require_equal(x, y, message) for x, y in zip(left, right, strict=True))


@register
class _MatrixTranspose(View):
    """x with its last two axes exchanged; the rank may be unknown, as it may not be for Transpose."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    self_inverse: ClassVar = True
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((3, 5), None), ((2, 3, 4), None), ((1, 1), float64), ((0, 3), None), ((2, 3, 5, 7), int32))]

    def infer(self, x: Spec) -> Spec:
        check_matrix("x", x)
        return Spec(x.dtype, None if x.shape is None else (*x.shape[:-2], x.shape[-1], x.shape[-2]))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.swapaxes(x, -1, -2)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.matrix_transpose(dy)]

    def view(self, b: Any, x: Any) -> Any:
        return x.transpose([*range(x.rank - 2), x.rank - 1, x.rank - 2])


@register
class _Band(Op):
    """x, but zeros outside of a band of its matrices: `below` diagonals under the main, `above` over it; -1: all."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    moves: ClassVar = True
    below: int = attr("int")
    above: int = attr("int")
    samples: ClassVar = [Sample({"below": lo, "above": up}, (s,), (d,)) for s, lo, up, d in (
        ((4, 4), -1, 0, None), ((2, 3, 5), 0, -1, None), ((5, 3), 0, 0, float64), ((4, 4), -1, -1, None),
        ((2, 2, 4, 4), 1, 0, None), ((0, 3), 0, 0, None), ((1, 1), 0, 0, None))]

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, x=x)
        check_matrix("x", x)
        return Spec(x.dtype, x.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        rows, columns = np.ogrid[:x.shape[-2], :x.shape[-1]]
        under = (self.below < 0) | (rows - columns <= self.below)
        return np.where(under & ((self.above < 0) | (columns - rows <= self.above)), x, x.dtype.type(0))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.band(dy, below=self.below, above=self.above)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        rank = outputs[0].rank

        def cut(s: Any, x: Any) -> Any:
            zero = s.constant(0, inputs[0].dtype)
            over = s("sub", s.index(rank - 1), s.index(rank - 2))
            if self.above >= 0:
                x = s("select", s("less_equal", over, s.constant(self.above, int64)), x, zero)
            if self.below >= 0:
                x = s("select", s("less_equal", s.constant(-self.below, int64), over), x, zero)
            return x

        b.map(cut, inputs, outputs)


@register
class _Diagonal(Op):
    """Square matrices of zeros with x's last axis along their diagonals."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    moves: ClassVar = True
    samples: ClassVar = [Sample({}, (s,), (d,)) for s, d in (
        ((4,), None), ((2, 3), None), ((1,), float64), ((0,), None), ((2, 3, 2), float64))]

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, x=x)
        check_matrix("x", x, 1)
        return Spec(x.dtype, None if x.shape is None else (*x.shape, x.shape[-1]))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.eye(x.shape[-1], dtype=np.bool_), x[..., None], x.dtype.type(0))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [diagonal_part(g, dy)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]

        def place(s: Any, x: Any) -> Any:
            return s("select", s("equal", s.index(y.rank - 1), s.index(y.rank - 2)), x, s.constant(0, y.dtype))

        b.elementwise(place, [inputs[0].expand(y.rank - 1)], [y])


def adjoint_of(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2)) if np.iscomplexobj(x) else np.swapaxes(x, -1, -2)


# What gradients are made of.

def conjugate(g: GradientBuilder, x: Tensor) -> Tensor:
    made: Tensor = g.conj(x) if x.dtype.is_complex else x
    return made


def adjoint(g: GradientBuilder, x: Tensor) -> Tensor:
    return conjugate(g, g.matrix_transpose(x))



def product(g: GradientBuilder, a: Tensor, b: Tensor, adjoint_a: bool = False, adjoint_b: bool = False) -> Tensor:
    made: Tensor = g.batch_mat_mul_v2(a, b, adj_x=adjoint_a, adj_y=adjoint_b)
    return made


def lower_part(g: GradientBuilder, x: Tensor) -> Tensor:
    made: Tensor = g.band(x, below=-1, above=0)
    return made


def diagonal_part(g: GradientBuilder, x: Tensor) -> Tensor:
    """The diagonals of square matrices."""
    return g.sum(g.band(x, below=0, above=0), [-1])


def half_diagonal(g: GradientBuilder, x: Tensor) -> Tensor:
    """x, its diagonal halved."""
    made: Tensor = g.sub(x, g.scale(0.5, g.band(x, below=0, above=0)))
    return made


def spread(g: GradientBuilder, x: Tensor) -> Tensor:
    """A number for each matrix, for products with all of its elements."""
    made: Tensor = g.expand_dims(g.expand_dims(x, -1), -1)
    return made


def inverse_gaps(g: GradientBuilder, values: Tensor) -> Tensor:
    """1 / (values[j] - values[i]) at (i, j), 0 on the diagonal: infinite where two values are equal, as TF's."""
    ones = g.diagonal(g.ones_like(values))
    gaps = g.sub(g.expand_dims(values, -2), g.expand_dims(values, -1))
    made: Tensor = g.sub(g.reciprocal(g.add(gaps, ones)), ones)
    return made


def given_or_zeros(g: GradientBuilder, node: Operation, dys: Sequence[Tensor | None], number: int) -> Tensor:
    given = dys[number]
    return g.zeros_like(node.outputs[number]) if given is None else given
