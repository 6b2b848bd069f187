"""Division: what each of TF 1's names does with integers, and with numbers of two dtypes."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32, float64
from graphc.ir.graph import Tensor, get_default_graph
from graphc.ops.math.division import (
    FloorDiv,
    FloorMod,
    RealDiv,
    TruncateDiv,
    TruncateMod,
)


def _pair(x, y):
    """Both as tensors; a Python value takes the dtype of the tensor operand."""
    if isinstance(y, Tensor) and not isinstance(x, Tensor):
        return convert_to_tensor(x, dtype=y.dtype, name="x"), y
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
    """x / y as Python 3 has it: int32 and int64 are divided as float64, shorter integers as float32.

    As `tf.truediv`.
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
    """x / y by Python 3's rules. As `tf.divide`."""
    return truediv(x, y, name=name)


@public("div", "math.div")
def div(x, y, name=None):
    """x / y by Python 2's rules: integers are rounded down. As `tf.div`."""
    with get_default_graph().name_scope(name or "div") as scope:
        x, y = _pair(x, y)
        return apply(FloorDiv if x.dtype.is_integer else RealDiv, x, y, name=scope)


@public("realdiv", "math.realdiv")
def realdiv(x, y, name=None):
    """x / y of floating point numbers. As `tf.realdiv`."""
    return apply(RealDiv, x, y, name=name)


@public("floordiv", "math.floordiv")
def floordiv(x, y, name=None):
    """x / y rounded down. As `tf.floordiv`."""
    return apply(FloorDiv, x, y, name=name or "floordiv")


@public("floor_div", "math.floor_div")
def floor_div(x, y, name=None):
    """x / y rounded down. As `tf.floor_div`."""
    return apply(FloorDiv, x, y, name=name)


@public("truncatediv", "math.truncatediv")
def truncatediv(x, y, name=None):
    """x / y of integers, rounded towards 0. As `tf.truncatediv`."""
    return apply(TruncateDiv, x, y, name=name)


@public("truncatemod", "math.truncatemod")
def truncatemod(x, y, name=None):
    """x - y * (x / y rounded towards 0). As `tf.truncatemod`."""
    return apply(TruncateMod, x, y, name=name)


@public("floormod", "math.floormod", "mod", "math.mod")
def floormod(x, y, name=None):
    """x - y * floor(x / y). As `tf.floormod` and `tf.mod`."""
    return apply(FloorMod, x, y, name=name)
