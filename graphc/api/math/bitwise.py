"""gc.bitwise: operations on the bits of integers."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.bitwise import BitwiseAnd, BitwiseOr, BitwiseXor, Invert, LeftShift, RightShift


@public("bitwise.bitwise_and")
def bitwise_and(x, y, name=None):
    """The bits that are 1 in both x and y, broadcast.

    x, y: integers of one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are known
    not to broadcast. As `tf.bitwise.bitwise_and`.

    >>> gc.bitwise.bitwise_and([0b1100, 7], [0b1010, 2]).eval()
    array([8, 2], dtype=int32)
    """
    return apply(BitwiseAnd, x, y, name=name)


@public("bitwise.bitwise_or")
def bitwise_or(x, y, name=None):
    """The bits that are 1 in x, in y or in both, broadcast.

    x, y: integers of one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are known
    not to broadcast. As `tf.bitwise.bitwise_or`.

    >>> gc.bitwise.bitwise_or([0b1100, 4], [0b1010, 1]).eval()
    array([14,  5], dtype=int32)
    """
    return apply(BitwiseOr, x, y, name=name)


@public("bitwise.bitwise_xor")
def bitwise_xor(x, y, name=None):
    """The bits that are 1 in exactly one of x and y, broadcast.

    x, y: integers of one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are known
    not to broadcast. As `tf.bitwise.bitwise_xor`.

    >>> gc.bitwise.bitwise_xor([0b1100, 5], [0b1010, 5]).eval()
    array([6, 0], dtype=int32)
    """
    return apply(BitwiseXor, x, y, name=name)


@public("bitwise.invert")
def invert(x, name=None):
    """Every bit the other one: -x - 1 of signed integers, the largest number minus x of unsigned ones.

    x: integers. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.bitwise.invert`.

    >>> gc.bitwise.invert([0, 5, -1]).eval()
    array([-1, -6,  0], dtype=int32)
    >>> gc.bitwise.invert(gc.constant([0, 5], gc.uint8)).eval()
    array([255, 250], dtype=uint8)
    """
    return apply(Invert, x, name=name)


@public("bitwise.left_shift")
def left_shift(x, y, name=None):
    """x moved by y bits to the left, zeros after: x * 2 ** y, without the bits that are lost.

    x, y: integers of one dtype, broadcast. A shift by less than 0, or by all bits and more, is taken as 0 or as all
    bits but one. Raises TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast.
    As `tf.bitwise.left_shift`.

    >>> gc.bitwise.left_shift([1, 3], [4, 1]).eval()
    array([16,  6], dtype=int32)
    """
    return apply(LeftShift, x, y, name=name)


@public("bitwise.right_shift")
def right_shift(x, y, name=None):
    """x moved by y bits to the right, its sign in front: floor(x / 2 ** y).

    x, y: integers of one dtype, broadcast. A shift by less than 0, or by all bits and more, is taken as 0 or as all
    bits but one. Raises TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast.
    As `tf.bitwise.right_shift`.

    >>> gc.bitwise.right_shift([16, -5], [2, 1]).eval()
    array([ 4, -3], dtype=int32)
    """
    return apply(RightShift, x, y, name=name)
