"""Windows of pictures and volumes as rows."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ir.values import whole
from graphc.ops.array.patches import ExtractImagePatches, ExtractVolumePatches


@public("image.extract_patches")
def extract_patches(images: Any, sizes: Sequence[int], strides: Sequence[int], rates: Sequence[int], padding: str,
                    name: str | None = None) -> Tensor:
    """The window at each place of pictures, its pixels one after the other in the last axis.

    Args:
        images: numbers or bools [batch, rows, columns, channels].
        sizes: [1, rows, columns, 1] of a window; the result has rows * columns * channels numbers at each place.
        strides: [1, down, right, 1], from one place to the next.
        rates: [1, down, right, 1], from one pixel of a window to the next.
        padding: "VALID": windows inside only; "SAME": zeros around.

    Raises TypeError for strings, ValueError for another rank, for sizes, strides and rates of another form, for another
    padding, and for windows larger than a picture. As `tf.image.extract_patches`.

    >>> image = gc.reshape(gc.range(1., 10.), [1, 3, 3, 1])
    >>> gc.image.extract_patches(image, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")[0, 0].eval()
    array([[1., 2., 4., 5.],
           [2., 3., 5., 6.]], dtype=float32)
    """
    result: Tensor = apply(ExtractImagePatches, images, name=name, ksizes=_integers(sizes), strides=_integers(strides),
                           rates=_integers(rates), padding=padding)
    return result


@public("image.extract_image_patches", "extract_image_patches")
def extract_image_patches(images: Any, ksizes: Sequence[int] | None = None, strides: Sequence[int] | None = None,
                          rates: Sequence[int] | None = None, padding: str | None = None, name: str | None = None,
                          sizes: Sequence[int] | None = None) -> Tensor:
    """`gc.image.extract_patches` under its name of TensorFlow 1; sizes is the new name of ksizes, of which one is
    given.

    Raises ValueError unless exactly one of the two is given, else as `gc.image.extract_patches`. As
    `tf.extract_image_patches`.

    >>> image = gc.reshape(gc.range(1., 10.), [1, 3, 3, 1])
    >>> gc.extract_image_patches(image, [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")[0, 0].eval()
    array([[1., 2., 3., 4., 5., 6., 7., 8., 9.]], dtype=float32)
    """
    if (ksizes is None) == (sizes is None):
        raise ValueError("extract_image_patches takes one of sizes and (deprecated) ksizes")
    if strides is None or rates is None or padding is None:
        raise TypeError("extract_image_patches: strides, rates and padding must be given")
    return extract_patches(images, sizes if ksizes is None else ksizes or (), strides, rates, padding, name)


@public("extract_volume_patches")
def extract_volume_patches(input: Any, ksizes: Sequence[int], strides: Sequence[int], padding: str,
                           name: str | None = None) -> Tensor:
    """The window at each place of volumes [batch, planes, rows, columns, channels], its elements in the last axis.

    ksizes, strides: [1, planes, rows, columns, 1], of a window and from one to the next; padding: "VALID" or "SAME".
    input: of any dtype but string (TypeError). Raises ValueError for other ranks, lengths of ksizes and strides, and
    windows larger than a volume. As `tf.extract_volume_patches`.

    >>> volume = gc.reshape(gc.range(8.), [1, 2, 2, 2, 1])
    >>> gc.extract_volume_patches(volume, [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "VALID")[0, 0, 0].eval()
    array([[0., 1., 2., 3., 4., 5., 6., 7.]], dtype=float32)
    """
    result: Tensor = apply(ExtractVolumePatches, input, name=name, ksizes=_integers(ksizes),
                           strides=_integers(strides), padding=padding)
    return result


def _integers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(whole(v) for v in values)
