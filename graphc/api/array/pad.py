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
    """Borders of paddings[i] = (before, behind) elements along axis i, as `tf.pad`.

    mode: CONSTANT (constant_values), REFLECT or SYMMETRIC. Raises ValueError for another one.
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
