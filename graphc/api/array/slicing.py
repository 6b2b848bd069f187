"""Parts of a tensor: slice and strided_slice. NumPy's notation: getitem.py."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.slicing import Slice, StridedSlice


@public("slice")
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """`size` elements of each axis from `begin` on, as `tf.slice`; a size of -1: all that is left."""
    result: Tensor = apply(Slice, input_, begin, size, name=name)
    return result


@public("strided_slice")
def strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
                  ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None,
                  name: str | None = None) -> Tensor:
    """input_[begin:end:strides] with masks, as `tf.strided_slice`. x[...] is the same in NumPy's notation."""
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
