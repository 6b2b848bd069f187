"""The gradient of Svd: Giles, "An extended collection of matrix derivative results", 2008, for singular vectors too.

It is infinite where two singular values are equal, as their vectors are then no function of the matrix.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.spec import text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.matrices import adjoint, given_or_zeros, inverse_gaps, product


def svd_gradient(g: GradientBuilder, node: Operation, dys: Sequence[Any], compute_uv: bool, full: bool) -> Any:
    ds = given_or_zeros(g, node, dys, 0)
    if ds.dtype.is_complex:                      # singular values are real
        ds = g.cast(g.real(ds, Tout=ds.dtype.real_dtype), ds.dtype)
    if not compute_uv or (dys[1] is None and dys[2] is None):
        thin = compute_uv and not full
        s, u, v = node.outputs if thin else g.svd(node.inputs[0], compute_uv=True, full_matrices=False)
        return product(g, u, product(g, g.diagonal(ds), v, adjoint_b=True))
    s, u, v = node.outputs
    du, dv = given_or_zeros(g, node, dys, 1), given_or_zeros(g, node, dys, 2)
    if full:
        _check_full(node)
    u1, v1, du1, dv1 = (_first(g, node, x) for x in (u, v, du, dv)) if full else (u, v, du, dv)
    gaps = inverse_gaps(g, g.square(s))
    values = g.diagonal(s)
    inverse = g.diagonal(g.reciprocal(s))
    of_u, of_v = (g.mul(gaps, product(g, x, dx, adjoint_a=True)) for x, dx in ((u1, du1), (v1, dv1)))
    middle = g.add(g.diagonal(ds), g.add(product(g, g.add(of_u, adjoint(g, of_u)), values),
                                         product(g, values, g.add(of_v, adjoint(g, of_v)))))
    if u.dtype.is_complex:
        # Pairs of vectors may turn together: the phase that TF's gradient leaves to u.
        turning = g.band(product(g, v1, dv1, adjoint_a=True), below=0, above=0)
        half = g.scale(0.5, product(g, inverse, g.sub(adjoint(g, turning), turning)))
        middle = g.add(middle, half)
    result = product(g, u1, product(g, middle, v1, adjoint_b=True))
    rows, columns = node.inputs[0].spec.shape[-2:] if node.inputs[0].spec.shape is not None else (None, None)
    # What moves out of the space that the vectors span: of u if there are more rows than vectors, of v likewise.
    if not _at_most(rows, columns):
        part = _outside(g, u, u1, du, du1, full)
        result = g.add(result, product(g, product(g, part, inverse), v1, adjoint_b=True))
    if not _at_most(columns, rows):
        part = _outside(g, v, v1, dv, dv1, full)
        result = g.add(result, product(g, product(g, u1, inverse), part, adjoint_b=True))
    return result


def _at_most(a: Any, b: Any) -> bool:
    """Whether it is known that a <= b."""
    return a is not None and (dims.same(a, b) or (isinstance(a, int) and isinstance(b, int) and a <= b))


def _outside(g: GradientBuilder, x: Any, x1: Any, dx: Any, dx1: Any, full: bool) -> Any:
    """dx1 without its part along the vectors x1; of all vectors, what the last one's gradient adds."""
    part = g.sub(dx1, product(g, x1, product(g, x1, dx1, adjoint_a=True)))
    if not full:
        return part
    x2, dx2 = _rest(g, x, x1), _rest(g, dx, dx1)
    return g.sub(part, product(g, x2, product(g, dx2, x1, adjoint_a=True)))


def _check_full(node: Operation) -> None:
    shape = node.inputs[0].spec.shape
    sizes = shape[-2:] if shape is not None else (None, None)
    if not all(isinstance(n, int) for n in sizes) or abs(sizes[0] - sizes[1]) > 1:
        raise UnimplementedError(
            f"Svd '{node.name}' with full_matrices=True has a gradient only if the sizes of its matrices are known and "
            f"differ by at most 1, but its input has shape {text(shape)}; use full_matrices=False")


def _first(g: GradientBuilder, node: Operation, x: Any) -> Any:
    """The vectors that have a singular value."""
    shape = node.inputs[0].spec.shape
    assert shape is not None
    return g.slice(x, [0] * len(shape), [*[-1] * (len(shape) - 1), min(shape[-2:])])  # type: ignore[type-var]


def _rest(g: GradientBuilder, x: Any, x1: Any) -> Any:
    first = x1.spec.shape[-1]
    rank = len(x.spec.shape)
    return g.slice(x, [*[0] * (rank - 1), first], [-1] * rank)
