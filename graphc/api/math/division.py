"""Division: what each of TF 1's names does with integers, and with numbers of two dtypes."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float32, float64
from graphc.ir.graph import get_default_graph
from graphc.ops.math.division import (
    FloorDiv,
    FloorMod,
    RealDiv,
    TruncateDiv,
    TruncateMod,
)


def _pair(x, y):
    """Both as tensors; a Python value takes the dtype of the tensor operand."""
    if is_tensor_like(y):
        y = convert_to_tensor(y, name="y")
        return convert_to_tensor(x, None if is_tensor_like(x) else y.dtype, name="x"), y
    x = convert_to_tensor(x, name="x")
    return x, convert_to_tensor(y, dtype=x.dtype, name="y")


TRUE_DIVISION = {
    "int8": float32,
    "uint8": float32,
    "int16": float32,
    "uint16": float32,
    "int32": float64,
    "int64": float64,
}


@public("truediv", "math.truediv")
def truediv(x, y, name=None):
    """x / y as Python 3 has it; the operator / is this function.

    x, y: of one dtype (TypeError otherwise), broadcast. int32 and int64 are divided as float64, shorter integers as
    float32. Raises TypeError for uint32, uint64, strings and bools, ValueError for shapes that are known not to
    broadcast. As `tf.truediv`.

    >>> gc.truediv(gc.constant([7, -7]), 2).eval()
    array([ 3.5, -3.5])
    >>> gc.truediv([1., 0.], [0., 0.]).eval()
    array([inf, nan], dtype=float32)
    """
    with get_default_graph().name_scope(name or "truediv") as scope:
        x, y = _pair(x, y)
        if x.dtype != y.dtype:
            raise TypeError(f"truediv: x and y must have the same dtype, got {x.dtype.name} and {y.dtype.name}")
        wide = TRUE_DIVISION.get(x.dtype.name)
        if wide is not None:
            x, y = cast(x, wide), cast(y, wide)
        return realdiv(x, y, name=scope)


@public("divide", "math.divide")
def divide(x, y, name=None):
    """x / y by Python 3's rules: `gc.truediv`. As `tf.divide`.

    Dtypes, shapes and errors as of `gc.truediv`.

    >>> gc.divide([6., 7.], 2.).eval()
    array([3. , 3.5], dtype=float32)
    """
    return truediv(x, y, name=name)


@public("div", "math.div")
def div(x, y, name=None):
    """x / y by Python 2's rules: of integers rounded down, of floating point numbers not.

    x, y: numbers of one dtype, which the result has too, broadcast. New code takes `gc.truediv` or `gc.floordiv`. An
    integer divided by 0 ends the run with InvalidArgumentError. Raises TypeError for different dtypes, strings and
    bools, ValueError for shapes that are known not to broadcast. As `tf.div`.

    >>> gc.div(gc.constant([7, -7]), 2).eval()
    array([ 3, -4], dtype=int32)
    >>> gc.div([7., -7.], 2.).eval()
    array([ 3.5, -3.5], dtype=float32)
    """
    with get_default_graph().name_scope(name or "div") as scope:
        x, y = _pair(x, y)
        return apply(FloorDiv if x.dtype.is_integer else RealDiv, x, y, name=scope)


@public("realdiv", "math.realdiv")
def realdiv(x, y, name=None):
    """x / y, broadcast.

    x, y: floating point or complex, of one dtype; integers are a TypeError. Division by 0 gives inf or NaN. Raises
    TypeError for different dtypes, ValueError for shapes that are known not to broadcast. As `tf.realdiv`.

    >>> gc.realdiv([1., -1.], [4., 0.]).eval()
    array([0.25, -inf], dtype=float32)
    """
    return apply(RealDiv, x, y, name=name)


@public("floordiv", "math.floordiv")
def floordiv(x, y, name=None):
    """floor(x / y), broadcast; the operator // is this function.

    x, y: real numbers of one dtype, which the result has too. An integer divided by 0 ends the run with
    InvalidArgumentError. Raises TypeError for other or different dtypes, ValueError for shapes that are known not to
    broadcast. As `tf.floordiv`.

    >>> gc.floordiv(gc.constant([7, -7]), 2).eval()
    array([ 3, -4], dtype=int32)
    >>> gc.floordiv([7.5, -7.5], 2.).eval()
    array([ 3., -4.], dtype=float32)
    """
    return apply(FloorDiv, x, y, name=name or "floordiv")


@public("floor_div", "math.floor_div")
def floor_div(x, y, name=None):
    """floor(x / y), broadcast: the op behind `gc.floordiv`. As `tf.floor_div`.

    Dtypes, shapes and errors as of `gc.floordiv`.

    >>> gc.floor_div(gc.constant([7, -7]), 2).eval()
    array([ 3, -4], dtype=int32)
    """
    return apply(FloorDiv, x, y, name=name)


@public("truncatediv", "math.truncatediv")
def truncatediv(x, y, name=None):
    """x / y of integers, rounded towards 0 as in C, broadcast.

    x, y: integers of one dtype; division by 0 ends the run with InvalidArgumentError. Raises TypeError for other or
    different dtypes, ValueError for shapes that are known not to broadcast. As `tf.truncatediv`.

    >>> gc.truncatediv(gc.constant([7, -7]), 2).eval()
    array([ 3, -3], dtype=int32)
    """
    return apply(TruncateDiv, x, y, name=name)


@public("truncatemod", "math.truncatemod")
def truncatemod(x, y, name=None):
    """x - y * (x / y rounded towards 0), broadcast: the remainder of C, with the sign of x.

    x, y: floating point, int32 or int64, of one dtype. An integer modulo 0 ends the run with InvalidArgumentError.
    Raises TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast. As
    `tf.truncatemod`.

    >>> gc.truncatemod(gc.constant([7, -7]), 3).eval()
    array([ 1, -1], dtype=int32)
    """
    return apply(TruncateMod, x, y, name=name)


@public("floormod", "math.floormod", "mod", "math.mod")
def floormod(x, y, name=None):
    """x - y * floor(x / y), broadcast: the remainder of Python, with the sign of y; the operator % is this function.

    x, y: real numbers of one dtype; an integer modulo 0 ends the run with InvalidArgumentError. Raises TypeError for
    other or different dtypes, ValueError for shapes that are known not to broadcast. As `tf.floormod` and `tf.mod`.

    >>> gc.floormod(gc.constant([7, -7]), 3).eval()
    array([1, 2], dtype=int32)
    >>> gc.mod([5.5, -0.5], 2.).eval()
    array([1.5, 1.5], dtype=float32)
    """
    return apply(FloorMod, x, y, name=name)
