"""TridiagonalSolve: systems whose matrices have three diagonals."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.matrices import check_matrix, check_numbers, conjugate, same_batch
from graphc.ops.linalg.solve import SINGULAR, numbers


def _diagonals(*shape: int) -> np.ndarray:
    made = numbers(*shape[:-1], 3, shape[-1])
    made[..., 1, :] += 3
    return made


@register
class TridiagonalSolve(Host):
    """x with A @ x = rhs; diagonals[..., 0, i] is A[i, i + 1], [1, i] is A[i, i], [2, i] is A[i, i - 1]."""

    operands = ("diagonals", "rhs")
    results = ("output",)
    types: ClassVar = {"T": "diagonals"}
    extra = "linalg"
    partial_pivoting: bool = attr("bool", True)
    samples: ClassVar = [Sample({"partial_pivoting": p}, (_diagonals(*s).astype(d), numbers(*s, k).astype(d)))
                         for p, s, k, d in (
        (True, (5,), 2, np.float32), (False, (4,), 1, np.float64), (True, (2, 3), 2, np.float64),
        (True, (1,), 3, np.float32), (True, (2,), 1, np.float32))] + [
        Sample({}, (_diagonals(*s), numbers(*s, k)), gradient=False) for s, k in (((0,), 2), ((0, 3), 2), ((3,), 0))]

    def infer(self, diagonals: Spec, rhs: Spec) -> Spec:
        check_numbers(self, diagonals=diagonals, rhs=rhs)
        check_matrix("diagonals", diagonals)
        check_matrix("rhs", rhs)
        if diagonals.shape is not None:
            require_equal(diagonals.shape[-2], 3, "argument 'diagonals' must have three rows in its last two axes, but "
                                                  f"its shape is {text(diagonals.shape)}")
        batch = same_batch(diagonals, rhs, "'diagonals' and 'rhs'")
        if batch is None:
            return Spec(rhs.dtype, rhs.shape)
        assert diagonals.shape is not None and rhs.shape is not None
        require_equal(diagonals.shape[-1], rhs.shape[-2], "'rhs' must have as many rows as the diagonals are long, but "
                                                          f"their shapes are {text(diagonals.shape)} and "
                                                          f"{text(rhs.shape)}")
        return Spec(rhs.dtype, (*batch, *rhs.shape[-2:]))

    def compute(self, diagonals: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        from scipy.linalg import lapack

        result, solve = np.empty_like(rhs), lapack.get_lapack_funcs("gtsv", (rhs,))
        for index in np.ndindex(rhs.shape[:-2]):
            if not rhs[index].size:
                continue
            above, main, below = diagonals[index]
            if main.size == 1:
                failed, result[index] = int(main[0] == 0), rhs[index] / main[0]
            else:
                *_, result[index], failed = solve(below[1:], main, above[:-1], rhs[index])
            if failed:
                raise ValueError(SINGULAR)
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        diagonals, x = conjugate(g, node.inputs[0]), conjugate(g, node.outputs[0])
        above, main, below = g.split(-2, diagonals, num_split=3)
        turned = g.concat_v2([_shifted(g, below, -1, -1), main, _shifted(g, above, 1, -1)], -2)
        by_rhs = g.tridiagonal_solve(turned, dy, partial_pivoting=self.partial_pivoting)
        parts = [g.neg(g.sum(g.mul(by_rhs, y), [-1])) for y in (_shifted(g, x, -1, -2), x, _shifted(g, x, 1, -2))]
        return [g.concat_v2([g.expand_dims(p, -2) for p in parts], -2), by_rhs]


def _shifted(g: GradientBuilder, x: Any, step: int, axis: int) -> Any:
    """x moved by a place along an axis, a zero where nothing comes from."""
    if step > 0:
        kept, last = g.split_v(x, [-1, 1], axis, num_split=2)
        return g.concat_v2([g.zeros_like(last), kept], axis)
    first, kept = g.split_v(x, [1, -1], axis, num_split=2)
    return g.concat_v2([kept, g.zeros_like(first)], axis)
