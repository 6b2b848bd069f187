"""Blocks of space that become batch or depth, and back: space_to_batch and its kin."""
from __future__ import annotations

from typing import Any

from graphc.api.array.fill import zeros
from graphc.api.array.join import stack
from graphc.api.math.binary import add, subtract
from graphc.api.math.division import floormod
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.depth import DepthToSpace, SpaceToDepth
from graphc.ops.array.space import BatchToSpaceND, SpaceToBatchND


def _block_size(function: str, block_size: Any, block_shape: Any) -> Any:
    """The one that is given of the argument and its new name."""
    if block_shape is not None:
        if block_size is not None:
            raise ValueError(f"{function}: cannot specify both 'block_shape' and 'block_size'")
        return block_shape
    if block_size is None:
        raise ValueError(f"{function}: argument 'block_size' is missing")
    return block_size


@public("space_to_batch_nd", "manip.space_to_batch_nd")
def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Blocks of the padded axes after the first one moved into the batch axis: what makes a strided convolution of a
    dilated one.

    input: of any dtype but string (TypeError), [batch, *space, ...]. block_shape: a vector, the size of a block along
    each of the first space axes; paddings: [axes, 2], after which each is a multiple of its block (ValueError
    otherwise, InvalidArgumentError for sizes that only a run knows). The batch grows by the product of block_shape. As
    `tf.space_to_batch_nd`.

    >>> x = gc.reshape(gc.range(1., 5.), [1, 4])
    >>> gc.space_to_batch_nd(x, [2], [[0, 0]]).eval()
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    result: Tensor = apply(SpaceToBatchND, input, block_shape, paddings, name=name)
    return result


@public("space_to_batch", "nn.space_to_batch")
def space_to_batch(input: Any, paddings: Any, block_size: Any = None, name: str | None = None,
                   block_shape: Any = None) -> Tensor:
    """Square blocks of padded pictures [batch, rows, columns, channels] moved into the batch axis.

    paddings: [[above, below], [left, right]]. block_size, or block_shape, its new name: an int; ValueError unless one
    is given, for pictures of another rank, and for padded sizes that it does not divide. Of any dtype but string. As
    `tf.space_to_batch`.

    >>> x = gc.reshape(gc.range(1., 5.), [1, 2, 2, 1])
    >>> gc.space_to_batch(x, [[0, 0], [0, 0]], 2)[:, 0, 0].eval()
    array([[1.],
           [2.],
           [3.],
           [4.]], dtype=float32)
    """
    size = _block_size("space_to_batch", block_size, block_shape)
    return space_to_batch_nd(_picture(input), [size, size], paddings, name)


@public("batch_to_space_nd", "manip.batch_to_space_nd")
def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Parts of the batch axis moved into blocks of the axes after it: what undoes `gc.space_to_batch_nd`.

    input: [batch, *space, ...], of any dtype but string. block_shape: a vector of positive integers; the batch shrinks
    by its product. crops: [axes, 2], cut off afterwards. Raises TypeError for strings, ValueError if the product does
    not divide the batch or crops are larger than an axis; sizes that only a run knows end it with InvalidArgumentError.
    As `tf.batch_to_space_nd`.

    >>> gc.batch_to_space_nd([[1., 3.], [2., 4.]], [2], [[0, 0]]).eval()
    array([[1., 2., 3., 4.]], dtype=float32)
    """
    result: Tensor = apply(BatchToSpaceND, input, block_shape, crops, name=name)
    return result


@public("batch_to_space")
def batch_to_space(input: Any, crops: Any, block_size: Any = None, name: str | None = None,
                   block_shape: Any = None) -> Tensor:
    """Parts of the batch axis moved into square blocks of pictures: what undoes `gc.space_to_batch`.

    crops: [[above, below], [left, right]]. block_size, or block_shape, its new name: an int. input: [batch, rows,
    columns, channels], of any dtype but string. Raises ValueError for another rank, unless one of block_size and
    block_shape is given, and as `gc.batch_to_space_nd`. As `tf.batch_to_space`.

    >>> x = gc.reshape(gc.range(1., 5.), [4, 1, 1, 1])
    >>> gc.batch_to_space(x, [[0, 0], [0, 0]], 2)[0, :, :, 0].eval()
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    size = _block_size("batch_to_space", block_size, block_shape)
    return batch_to_space_nd(_picture(input), [size, size], crops, name)


def _picture(x: Any) -> Tensor:
    x = convert_to_tensor(x, name="input")
    if x.spec.rank not in (4, None):
        raise ValueError(f"input must have rank 4 (pictures), but is {x!r}")
    return x


@public("space_to_depth", "nn.space_to_depth")
def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Blocks of pictures moved into channels: [batch, rows, columns, channels] gives [batch, rows / b, columns / b,
    channels * b * b].

    block_size: an int of at least 2 that divides rows and columns (ValueError otherwise). data_format: "NHWC" or
    "NCHW"; ValueError for others and for another rank than 4. input: of any dtype. As `tf.space_to_depth`.

    >>> x = gc.reshape(gc.range(1., 5.), [1, 2, 2, 1])
    >>> gc.space_to_depth(x, 2)[0, 0].eval()
    array([[1., 2., 3., 4.]], dtype=float32)
    """
    result: Tensor = apply(SpaceToDepth, input, name=name, block_size=int(block_size), data_format=data_format)
    return result


@public("depth_to_space", "nn.depth_to_space")
def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Channels moved into blocks of pictures, which undoes `gc.space_to_depth`: upscaling by pixel shuffling.

    input: of any dtype, [batch, rows, columns, channels], channels a multiple of block_size ** 2. data_format: "NHWC"
    or "NCHW". ValueError for others, for another rank or number of channels, and for a block_size below 2. As
    `tf.depth_to_space`.

    >>> x = gc.reshape(gc.range(1., 5.), [1, 1, 1, 4])
    >>> gc.depth_to_space(x, 2)[0, :, :, 0].eval()
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    result: Tensor = apply(DepthToSpace, input, name=name, block_size=int(block_size), data_format=data_format)
    return result


@public("required_space_to_batch_paddings")
def required_space_to_batch_paddings(input_shape: Any, block_shape: Any, base_paddings: Any = None,
                                     name: str | None = None) -> tuple[Tensor, Tensor]:
    """(paddings, crops): the paddings that `gc.space_to_batch_nd` needs for sizes that are no multiples, and the crops
    that undo them.

    input_shape, block_shape: int32 vectors of one length, that of block_shape known; base_paddings: [length, 2],
    paddings that there must be in any case. Raises ValueError for other shapes and for tensors of other dtypes,
    TypeError for numbers that are no integers. As `tf.required_space_to_batch_paddings`.

    >>> paddings, crops = gc.required_space_to_batch_paddings([5, 4], [2, 2])
    >>> paddings.eval()
    array([[0, 1],
           [0, 0]], dtype=int32)
    >>> crops.eval()
    array([[0, 1],
           [0, 0]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "required_space_to_batch_paddings"):
        sizes = convert_to_tensor(input_shape, int32, "input_shape")
        blocks = convert_to_tensor(block_shape, int32, "block_shape")
        if not blocks.shape.is_fully_defined() or blocks.spec.rank != 1:
            raise ValueError(f"required_space_to_batch_paddings: block_shape must be a vector of known length, not "
                             f"{blocks!r}")
        count = int(blocks.shape.as_list()[0])
        if not count:
            return zeros([0, 2], int32), zeros([0, 2], int32)
        sizes.shape.assert_is_compatible_with([count])
        base = zeros([count, 2], int32) if base_paddings is None else convert_to_tensor(base_paddings, int32,
                                                                                       "base_paddings")
        base.shape.assert_is_compatible_with([count, 2])
        start, end = base[:, 0], base[:, 1]
        full = add(add(sizes, start), end)
        extra = floormod(subtract(blocks, floormod(full, blocks)), blocks)
        padded = add(end, extra)
        paddings = stack([stack([start[i], padded[i]]) for i in range(count)], name="paddings")
        return paddings, stack([stack([0, extra[i]]) for i in range(count)], name="crops")
