"""Borders around a tensor."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.pad import (
    MirrorPad,
    Pad,
    PadV2,
)


@public("pad")
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """Borders of paddings[i] = (before, after) elements along axis i.

    Args:
        tensor: of any dtype.
        paddings: a list or an int32 or int64 tensor [rank, 2].
        mode: "CONSTANT" (constant_values, a scalar, by default 0), "REFLECT" (mirrored without the outermost element,
            at most size - 1) or "SYMMETRIC" (mirrored with it, at most size); ValueError for others.

    Raises ValueError for negative paddings and for axes too short to be mirrored, TypeError for broken numbers. As
    `tf.pad`.

    >>> gc.pad([[1, 2], [3, 4]], [[0, 1], [2, 0]]).eval()
    array([[0, 0, 1, 2],
           [0, 0, 3, 4],
           [0, 0, 0, 0]], dtype=int32)
    >>> gc.pad([1, 2, 3], [[2, 2]], mode="REFLECT").eval()
    array([3, 2, 1, 2, 3, 2, 1], dtype=int32)
    >>> gc.pad([1, 2, 3], [[1, 1]], constant_values=9).eval()
    array([9, 1, 2, 3, 9], dtype=int32)
    """
    wanted = mode.upper()
    if wanted == "CONSTANT":
        if not isinstance(constant_values, Tensor) and np.all(constant_values == 0):
            result: Tensor = apply(Pad, tensor, paddings, name=name)
        else:
            result = apply(PadV2, tensor, paddings, constant_values, name=name)
        return result
    if wanted not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"pad: mode must be CONSTANT, REFLECT or SYMMETRIC, not {mode!r}")
    result = apply(MirrorPad, tensor, paddings, name=name, mode=wanted)
    return result
