"""Fourier transforms of the last one, two or three axes, of complex numbers: FFT, IFFT and their kin."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import COMPLEX, complex64, complex128
from graphc.ir.host import Host
from graphc.ir.op import Op, Sample, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.signal.by_kernel import known, transform

_SHAPES = {1: [(8,), (1,), (7,), (2, 5), (2, 3, 4), (2, 59), (0,), (0, 3), (3, 0)],
           2: [(4, 4), (1, 1), (3, 5), (2, 2, 3), (0, 3), (3, 0), (0, 2, 2)],
           3: [(2, 2, 2), (1, 1, 1), (3, 2, 5), (2, 1, 3, 2), (2, 0, 3), (0, 2, 2, 2)]}


def check_rank(op: Op, x: Spec, rank: int) -> None:
    """Raises ValueError if x is known to have less axes than are transformed."""
    if x.shape is not None and len(x.shape) < rank:
        raise ValueError(f"argument 'input' of {op.type} must have rank {rank} or more, but its shape is "
                         f"{text(x.shape)}")


def check_complex(op: Op, x: Spec) -> None:
    if x.dtype not in COMPLEX:
        raise TypeError(f"argument 'input' has dtype {x.dtype.name}, but {op.type} takes complex64 and complex128 "
                        "only; cast it (gc.cast)")


def last_axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def by_definition(x: np.ndarray, axis: int, inverse: bool) -> np.ndarray:
    """The transform along an axis as the product with the matrix that defines it, in complex128."""
    count = x.shape[axis]
    index = np.arange(count)
    turns = np.outer(index, index) % max(count, 1) / max(count, 1)
    matrix = np.exp((2j if inverse else -2j) * np.pi * turns) / (count if inverse else 1)
    return np.moveaxis(np.tensordot(matrix, x.astype(np.complex128), (1, axis)), 0, axis)


def transformed_count(g: GradientBuilder, x: Tensor, rank: int) -> Tensor:
    """The number of elements in the last axes, in x's dtype."""
    return g.cast(g.prod(g.shape(x)[-rank:], [0]), x.dtype)


class _Fourier(Host):
    """The transform of the last `rank` axes; the inverse one is divided by the number of elements."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"Tcomplex": "input"}
    rank: ClassVar[int]
    inverse: ClassVar[bool] = False
    opposite: ClassVar[str]

    def infer(self, x: Spec) -> Spec:
        check_complex(self, x)
        check_rank(self, x, self.rank)
        return Spec(x.dtype, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        if x.size == 0:
            return x
        function = np.fft.ifftn if self.inverse else np.fft.fftn
        return function(x, axes=last_axes(self.rank)).astype(x.dtype, copy=False)

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x, axes = inputs[0], last_axes(self.rank)
        sizes = x.shape[-self.rank:]
        if not known(sizes):
            b.compute(self, inputs, outputs)
        elif 0 in sizes:
            b.copy(x, outputs[0])
        else:
            b.copy(transform(b, x, axes, self.inverse), outputs[0])

    def reference(self, x: np.ndarray) -> np.ndarray:
        if x.size == 0:
            return x
        made = x
        for axis in last_axes(self.rank):
            made = by_definition(made, axis, self.inverse)
        return made.astype(x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        count = transformed_count(g, dy, self.rank)
        back = getattr(g, self.opposite)(dy)
        return [g.real_div(back, count) if self.inverse else g.mul(back, count)]


def _samples(rank: int) -> list[Sample]:
    made = [Sample({}, (shape,), (complex64,), gradient=False) for shape in _SHAPES[rank]]
    return [*made, Sample({}, (_SHAPES[rank][2],), (complex128,), gradient=False)]


@register
class FFT(_Fourier):
    """Over the last axis."""

    rank, opposite, samples = 1, "ifft", _samples(1)


@register
class IFFT(_Fourier):
    """The inverse over the last axis."""

    rank, inverse, opposite, samples = 1, True, "fft", _samples(1)


@register
class FFT2D(_Fourier):
    """Over the last two axes."""

    rank, opposite, samples = 2, "ifft2d", _samples(2)


@register
class IFFT2D(_Fourier):
    """The inverse over the last two axes."""

    rank, inverse, opposite, samples = 2, True, "fft2d", _samples(2)


@register
class FFT3D(_Fourier):
    """Over the last three axes."""

    rank, opposite, samples = 3, "ifft3d", _samples(3)


@register
class IFFT3D(_Fourier):
    """The inverse over the last three axes."""

    rank, inverse, opposite, samples = 3, True, "fft3d", _samples(3)
