"""Windows of pictures as rows."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.patches import ExtractImagePatches


@public("image.extract_patches")
def extract_patches(images: Any, sizes: Sequence[int], strides: Sequence[int], rates: Sequence[int], padding: str,
                    name: str | None = None) -> Tensor:
    """The window of each place, its pixels one behind the other in the last axis, as `tf.image.extract_patches`."""
    result: Tensor = apply(ExtractImagePatches, images, name=name, ksizes=_four(sizes), strides=_four(strides),
                           rates=_four(rates), padding=padding)
    return result


@public("image.extract_image_patches", "extract_image_patches")
def extract_image_patches(images: Any, ksizes: Sequence[int] | None = None, strides: Sequence[int] | None = None,
                          rates: Sequence[int] | None = None, padding: str | None = None, name: str | None = None,
                          sizes: Sequence[int] | None = None) -> Tensor:
    """The window of each place, its pixels one behind the other in the last axis, as `tf.extract_image_patches`.

    sizes: the new name of ksizes.
    """
    if (ksizes is None) == (sizes is None):
        raise ValueError("extract_image_patches takes one of sizes and (deprecated) ksizes")
    if strides is None or rates is None or padding is None:
        raise TypeError("extract_image_patches: strides, rates and padding must be given")
    return extract_patches(images, sizes if ksizes is None else ksizes or (), strides, rates, padding, name)


def _four(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
