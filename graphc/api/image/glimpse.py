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
    """A window of `size` (height, width) of each picture around its row of `offsets` (y, x).

    input: float32 [batch, height, width, channels]; offsets: float32[batch, 2]. centered: (0, 0) is the middle, and
    with normalized -1 and 1 are the edges; normalized=False: they count pixels. Where a window lies outside there is
    noise between the picture's least and greatest element. As `tf.image.extract_glimpse`, where uniform_noise=False
    makes no difference either. Raises ValueError for other shapes, TypeError for a size that is not of integers.

    >>> x = gc.reshape(gc.range(9.), [1, 3, 3, 1])
    >>> gc.image.extract_glimpse(x, [1, 3], [[0., 0.]])[0, :, :, 0].eval()
    array([[3., 4., 5.]], dtype=float32)
    """
    made: Tensor = apply(ExtractGlimpse, convert_to_tensor(input, float32), size, convert_to_tensor(offsets, float32),
                         centered=bool(centered), normalized=bool(normalized), uniform_noise=bool(uniform_noise),
                         name=name)
    return made
