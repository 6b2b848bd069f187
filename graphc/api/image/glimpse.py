"""Windows of pictures around given places."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.ops.image.glimpse import ExtractGlimpse


@public("image.extract_glimpse")
def extract_glimpse(input: Any, size: Any, offsets: Any, centered: bool = True, normalized: bool = True,
                    uniform_noise: bool = True, name: str | None = None) -> Tensor:
    """A window of `size` of each picture around its row of `offsets` (y, x); noise between the picture's least and
    greatest element where it lies outside.

    As `tf.image.extract_glimpse`, where uniform_noise=False makes no difference either.
    """
    made: Tensor = apply(ExtractGlimpse, convert_to_tensor(input, float32), size, convert_to_tensor(offsets, float32),
                         centered=bool(centered), normalized=bool(normalized), uniform_noise=bool(uniform_noise),
                         name=name)
    return made
