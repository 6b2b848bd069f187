"""Windows of pictures and volumes as rows."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.patches import ExtractImagePatches, ExtractVolumePatches


@public("image.extract_patches")
def extract_patches(images: Any, sizes: Sequence[int], strides: Sequence[int], rates: Sequence[int], padding: str,
                    name: str | None = None) -> Tensor:
    """The window of each place, its pixels one behind the other in the last axis, as `tf.image.extract_patches`."""
    result: Tensor = apply(ExtractImagePatches, images, name=name, ksizes=_integers(sizes), strides=_integers(strides),
                           rates=_integers(rates), padding=padding)
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


@public("extract_volume_patches")
def extract_volume_patches(input: Any, ksizes: Sequence[int], strides: Sequence[int], padding: str,
                           name: str | None = None) -> Tensor:
    """The window of each place of volumes [batch, planes, rows, columns, channels], its elements one behind the other
    in the last axis, as `tf.extract_volume_patches`."""
    result: Tensor = apply(ExtractVolumePatches, input, name=name, ksizes=_integers(ksizes),
                           strides=_integers(strides), padding=padding)
    return result


def _integers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
