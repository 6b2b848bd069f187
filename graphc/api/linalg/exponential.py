"""tf.linalg.expm: Pade approximants with scaling and squaring, built of matrix products."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.control.while_loop import while_loop
from graphc.api.linalg.solve import matrix_solve
from graphc.api.math.comparison import is_finite, less
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_max, reduce_sum
from graphc.api.math.unary import abs as absolute
from graphc.api.math.unary import ceil, log
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32, float64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.identity import StopGradient
from graphc.ops.linalg.matrices import NUMBERS, _Diagonal

# Higham, "The scaling and squaring method for the matrix exponential revisited", 2005: the coefficients of the
# approximants, and up to which 1-norm each of them is exact to half a unit in the last place.
_COEFFICIENTS: dict[int, tuple[float, ...]] = {
    3: (120.0, 60.0, 12.0, 1.0),
    5: (30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0),
    7: (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0),
    9: (17643225600.0, 8821612800.0, 2075673600.0, 302702400.0, 30270240.0, 2162160.0, 110880.0, 3960.0, 90.0, 1.0),
    13: (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
         10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
}
_UP_TO = {
    float32: {3: 4.258730016922831e-01, 5: 1.880152677804762, 7: 3.925724783138660},
    float64: {3: 1.495585217958292e-02, 5: 2.539398330063230e-01, 7: 9.504178996162932e-01, 9: 2.097847961257068,
              13: 5.371920351148152},
}


@public("linalg.expm")
def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponential of each matrix, I + X + X @ X / 2 + ..., by Higham's method of scaling and squaring.

    input: float32, float64 or complex [..., n, n] (TypeError otherwise). It has a gradient. Raises ValueError for
    shapes that are known not to be square. As `tf.linalg.expm`.

    >>> gc.linalg.expm([[1., 1.], [1., 1.]]).eval()
    array([[4.1945, 3.1945],
           [3.1945, 4.1945]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "matrix_exponential"):
        matrix = convert_to_tensor(input, name="matrix")
        real_dtype = matrix.dtype.real_dtype
        if matrix.dtype not in NUMBERS:
            raise TypeError(f"expm: argument 'input' has dtype {matrix.dtype.name}, but must be float32, float64, "
                            "complex64 or complex128; cast it (gc.cast)")
        bounds = _UP_TO[real_dtype]
        norm: Any = apply(StopGradient, reduce_max(reduce_sum(absolute(matrix), -2), -1))
        norm = expand_dims(expand_dims(norm, -1), -1)
        *smaller, largest = bounds
        # How often the matrix is halved, so that the best approximant holds; what is not finite stays that.
        halvings = ceil(log(where_v2(is_finite(norm), norm, 1.0) / bounds[largest]) / 0.6931471805599453)
        halvings = where_v2(less(halvings, 1.0), 0.0, halvings)
        numerator, denominator = _approximant(matrix / cast(2.0 ** halvings, matrix.dtype), largest)
        for degree in reversed(smaller):
            other = _approximant(matrix, degree)
            here = broadcast_to(less(norm, bounds[degree]), shape(matrix))
            numerator, denominator = where_v2(here, other[0], numerator), where_v2(here, other[1], denominator)
        # matrix_solve refuses what is not finite; the numerator is not either, and so the result will be.
        sound = is_finite(reduce_sum(absolute(denominator), (-2, -1), keepdims=True))
        one = apply(_Diagonal, ones_like(reduce_sum(matrix, -1)))
        denominator = where_v2(broadcast_to(sound, shape(matrix)), denominator, one)
        return _squared(matrix_solve(denominator, numerator), halvings)


def _approximant(matrix: Any, degree: int) -> tuple[Any, Any]:
    """(numerator, denominator): even powers plus and minus odd ones."""
    coefficients = _COEFFICIENTS[degree]
    one = apply(_Diagonal, reduce_sum(matrix * 0.0, -1) + 1.0)
    square = matmul(matrix, matrix)
    even, odd = _polynomial(coefficients[::2], one, square), _polynomial(coefficients[1::2], one, square)
    odd = matmul(matrix, odd)
    return even + odd, even - odd


def _polynomial(coefficients: Sequence[float], one: Any, x: Any) -> Any:
    total = coefficients[-1] * one
    for c in reversed(coefficients[:-1]):
        total = matmul(total, x) + c * one
    return total


def _squared(power: Tensor, times: Any) -> Tensor:
    """Each matrix squared as often as `times` says for it."""
    most, zero = reduce_max(times), cast(0.0, times.dtype)

    def once(i: Any, x: Any) -> list[Any]:
        return [i + 1.0, where_v2(broadcast_to(less(i, times), shape(x)), matmul(x, x), x)]

    _, result = while_loop(lambda i, x: less(i, most), once, [zero, power],
                           shape_invariants=[zero.shape, power.shape])
    made: Tensor = result
    return made
