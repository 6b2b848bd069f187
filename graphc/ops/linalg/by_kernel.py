"""Ops on matrices that kernels compute (kernels/cpu/linalg) if numbers are real, and NumPy if they are complex."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import int32
from graphc.ir.host import Host
from graphc.ir.records import dataclass


@dataclass(frozen=True)
class ByKernel(Host):
    """Of real numbers the steps of `lower_real`; of complex ones `compute`, which is the reference of both."""

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        if inputs[0].dtype.is_complex:
            b.compute(self, inputs, outputs)
        else:
            self.lower_real(b, inputs, outputs)

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        raise NotImplementedError(f"{self.type}.lower_real")


def batch_of(x: Any) -> Size:
    """How many matrices there are."""
    return dims.product(x.shape[:-2])


def factored(b: Any, x: Any, regular: bool) -> tuple[Any, Any, Any]:
    """The factors of lu, the order of rows, and the facts [..., 3]: determinant, its sign and logarithm."""
    factors = b.temporary(x.dtype, x.shape)
    order, facts = b.temporary(int32, x.shape[:-1]), b.temporary(x.dtype, (*x.shape[:-2], 3))
    b.call("lu", [x, factors, order, facts], dims=[batch_of(x), x.shape[-1]], attrs=[int(regular)])
    return factors, order, facts


def solve_factored(b: Any, x: Any, rhs: Any, result: Any, adjoint: bool) -> None:
    """result = x^-1 rhs, or by x transposed; a rhs of two axes is that of all matrices."""
    factors, order, _ = factored(b, x, True)
    rows, columns = rhs.shape[-2:]
    b.call("lu_solve", [factors, order, rhs, result],
           dims=[batch_of(x), rows, columns, rows * columns if rhs.rank == x.rank else 0], attrs=[int(adjoint)])
