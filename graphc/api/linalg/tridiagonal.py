"""Matrices of three diagonals: products, and systems of equations (by SciPy, in Python only)."""
from __future__ import annotations

from typing import Any

from graphc.api.array.fill import zeros_like
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, squeeze
from graphc.api.linalg.solve import adjoint
from graphc.api.math.reduce import reduce_sum
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.linalg.matrices import _Band
from graphc.ops.linalg.tridiagonal import TridiagonalSolve


@public("linalg.tridiagonal_solve")
def tridiagonal_solve(diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False,
                      conjugate_rhs: bool = False, name: str | None = None, partial_pivoting: bool = True) -> Tensor:
    """x with A @ x = rhs, where A has three diagonals. Needs SciPy.

    Args:
        diagonals: float32, float64 or complex; "compact": [..., 3, n], the diagonals above, on and below the main one
            (the last of the first and the first of the last are not read); "sequence": a list of the three; "matrix":
            [..., n, n].
        rhs: [..., n] or [..., n, k].
        diagonals_format: which of them; ValueError for others.
        transpose_rhs: rhs is [..., k, n].
        conjugate_rhs: changes nothing.
        partial_pivoting: changes nothing: rows are always exchanged where that is safer.

    Raises TypeError for other dtypes, ValueError for a rhs of another dtype, unknown ranks and sizes that are known not
    to fit; a singular matrix ends the run with InvalidArgumentError. As `tf.linalg.tridiagonal_solve`.

    >>> gc.linalg.tridiagonal_solve([[1., 1., 0.], [2., 2., 2.], [0., 1., 1.]], [3., 4., 3.]).eval()
    array([1., 1., 1.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "tridiagonal_solve"):
        compact = _compact(diagonals, diagonals_format)
        rhs = convert_to_tensor(rhs, compact.dtype, name="rhs")
        if compact.spec.rank is None or rhs.spec.rank is None:
            raise ValueError(f"tridiagonal_solve: the ranks of 'diagonals' and 'rhs' must be known, but are of "
                             f"{compact.shape} and {rhs.shape}")
        single = rhs.spec.rank == compact.spec.rank - 1
        if single:
            rhs = expand_dims(rhs, -1)
        elif transpose_rhs:
            rhs = adjoint(rhs)
        made: Tensor = apply(TridiagonalSolve, compact, rhs, partial_pivoting=bool(partial_pivoting))
        return squeeze(made, [-1]) if single else made


@public("linalg.tridiagonal_matmul")
def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """A @ rhs, where A has three diagonals: [..., n, k].

    diagonals, diagonals_format as of `gc.linalg.tridiagonal_solve`; rhs: [..., n, k]. Both are numbers of one dtype.
    Raises TypeError for strings and bools, ValueError for a rhs of another dtype, shapes that are known not to fit and
    other formats. As `tf.linalg.tridiagonal_matmul`.

    >>> gc.linalg.tridiagonal_matmul([[1., 1., 0.], [2., 2., 2.], [0., 1., 1.]], [[1.], [1.], [1.]]).eval()
    array([[3.],
           [4.],
           [3.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "tridiagonal_matmul"):
        compact: Any = _compact(diagonals, diagonals_format)
        x: Any = convert_to_tensor(rhs, compact.dtype, name="rhs")
        up = concat([x[..., 1:, :], zeros_like(x[..., :1, :])], -2)
        down = concat([zeros_like(x[..., :1, :]), x[..., :-1, :]], -2)
        above, main, below = (expand_dims(compact[..., i, :], -1) for i in range(3))
        made: Tensor = above * up + main * x + below * down
        return made


def _compact(diagonals: Any, form: str) -> Tensor:
    """The diagonals above, on and below the main one as rows [..., 3, n]."""
    if form == "compact":
        return convert_to_tensor(diagonals, name="diagonals")
    if form == "sequence":
        if not isinstance(diagonals, (tuple, list)) or len(diagonals) != 3:
            raise ValueError("Expected diagonals to be a sequence of length 3.")
        main: Any = convert_to_tensor(diagonals[1])
        above, below = (convert_to_tensor(d, main.dtype) for d in (diagonals[0], diagonals[2]))
        size = main.shape.as_list()[-1]
        zero = zeros_like(main[..., :1])
        if size is not None and above.shape.as_list()[-1] == size - 1:
            above = concat([above, zero], -1)
        if size is not None and below.shape.as_list()[-1] == size - 1:
            below = concat([zero, below], -1)
        return stack([above, main, below], -2)
    if form == "matrix":
        matrix = convert_to_tensor(diagonals, name="diagonals")
        main = apply(_Band, matrix, below=0, above=0)
        above, below = (apply(_Band, matrix, below=b, above=a) - main for b, a in ((0, 1), (1, 0)))
        return stack([reduce_sum(d, [-1]) for d in (above, main, below)], -2)
    raise ValueError(f"Unrecognized diagonals_format: {form}")
