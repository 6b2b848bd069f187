"""Parts of a tensor: slice and strided_slice. NumPy's notation: getitem.py."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.slicing import Slice, StridedSlice


@public("slice")
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """`size` elements of each axis from `begin` on; a size of -1: all that is left.

    begin, size: int32 or int64 vectors of one number an axis, Python numbers or tensors. TypeError for broken numbers,
    ValueError for another length. What reaches beyond the end is a ValueError, or InvalidArgumentError when run.
    x[1:3, :] is the same in NumPy's notation. As `tf.slice`.

    >>> x = gc.constant([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    >>> gc.slice(x, [1, 0], [2, -1]).eval()
    array([[4, 5, 6],
           [7, 8, 9]], dtype=int32)
    """
    result: Tensor = apply(Slice, input_, begin, size, name=name)
    return result


@public("strided_slice")
def strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
                  ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None,
                  name: str | None = None) -> Tensor:
    """input_[begin:end:strides]: what x[...] makes; use that.

    begin, end, strides: int32 or int64 vectors of one length, for the first axes. The masks are numbers whose bit i
    says of entry i: begin_mask, end_mask: from the start, to the end; ellipsis_mask: as many axes as are left;
    new_axis_mask: a new axis of size 1; shrink_axis_mask: the element at begin, without the axis. Raises ValueError for
    a stride of 0, lengths that differ or are more than the axes, and for var, which is for assignments to slices;
    TypeError for broken numbers. As `tf.strided_slice`.

    >>> x = gc.constant([[1, 2, 3], [4, 5, 6]])
    >>> gc.strided_slice(x, [0, 2], [2, 0], [1, -1]).eval()
    array([[3, 2],
           [6, 5]], dtype=int32)
    >>> x[:, 2:0:-1].eval()
    array([[3, 2],
           [6, 5]], dtype=int32)
    """
    if var is not None:
        raise ValueError(
            "strided_slice: assigning to a slice of a variable (var=...) is not supported; use scatter_update"
        )
    if strides is None:
        from graphc.api.array.fill import ones_like

        strides = ones_like(begin)
    result: Tensor = apply(
        StridedSlice,
        input_,
        begin,
        end,
        strides,
        name=name,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )
    return result
