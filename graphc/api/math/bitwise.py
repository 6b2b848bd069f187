"""gc.bitwise: operations on the bits of integers."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.bitwise import BitwiseAnd, BitwiseOr, BitwiseXor, Invert, LeftShift, RightShift


@public("bitwise.bitwise_and")
def bitwise_and(x, y, name=None):
    """The bits that are 1 in both. As `tf.bitwise.bitwise_and`."""
    return apply(BitwiseAnd, x, y, name=name)


@public("bitwise.bitwise_or")
def bitwise_or(x, y, name=None):
    """The bits that are 1 in one or both. As `tf.bitwise.bitwise_or`."""
    return apply(BitwiseOr, x, y, name=name)


@public("bitwise.bitwise_xor")
def bitwise_xor(x, y, name=None):
    """The bits that are 1 in one of the two. As `tf.bitwise.bitwise_xor`."""
    return apply(BitwiseXor, x, y, name=name)


@public("bitwise.invert")
def invert(x, name=None):
    """Every bit the other one. As `tf.bitwise.invert`."""
    return apply(Invert, x, name=name)


@public("bitwise.left_shift")
def left_shift(x, y, name=None):
    """x moved by y bits to the left, zeros behind. As `tf.bitwise.left_shift`."""
    return apply(LeftShift, x, y, name=name)


@public("bitwise.right_shift")
def right_shift(x, y, name=None):
    """x moved by y bits to the right, its sign in front. As `tf.bitwise.right_shift`."""
    return apply(RightShift, x, y, name=name)
