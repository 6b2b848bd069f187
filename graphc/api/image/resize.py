"""tf.image.resize_images and the methods behind it."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.join import stack
from graphc.api.array.shapes import expand_dims, shape, squeeze
from graphc.api.image.crop import pad_to_bounding_box, sizes
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.unary import floor
from graphc.api.math.unary import round as round_even
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float32, float64, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.image.resize import ResizeBilinear, ResizeNearestNeighbor
from graphc.ops.image.resize_smooth import ResizeArea, ResizeBicubic


@public("image.ResizeMethod")
class ResizeMethod:
    """The methods of resize_images: BILINEAR, NEAREST_NEIGHBOR, BICUBIC and AREA. As `tf.image.ResizeMethod`.

    The ints 0 to 3, in this order.

    >>> image = gc.constant([[[1.], [2.]]])
    >>> gc.image.resize_images(image, [1, 4], gc.image.ResizeMethod.NEAREST_NEIGHBOR)[0, :, 0].eval()
    array([1., 1., 2., 2.], dtype=float32)
    """

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_OPS = {ResizeMethod.BILINEAR: ResizeBilinear, ResizeMethod.NEAREST_NEIGHBOR: ResizeNearestNeighbor,
        ResizeMethod.BICUBIC: ResizeBicubic, ResizeMethod.AREA: ResizeArea}


@public("image.resize_bilinear")
def resize_bilinear(images: Any, size: Any, align_corners: bool = False, name: str | None = None,
                    half_pixel_centers: bool = False) -> Tensor:
    """Pictures [batch, height, width, channels] in another size, mixed linearly; float32.

    size: int32 (height, width). align_corners: the corners' middles stay where they are; half_pixel_centers: pixels are
    squares whose middles lie at 0.5, as in TensorFlow 2; not both. images: real numbers. As `tf.image.resize_bilinear`.
    Raises TypeError for strings, booleans, complex numbers and a size that is not of integers; ValueError for another
    rank, and a size that is not of two positive numbers.

    >>> x = gc.reshape([0., 4.], [1, 1, 2, 1])
    >>> gc.image.resize_bilinear(x, [1, 4])[0, 0, :, 0].eval()
    array([0., 2., 4., 4.], dtype=float32)
    >>> gc.image.resize_bilinear(x, [1, 4], half_pixel_centers=True)[0, 0, :, 0].eval()
    array([0., 1., 3., 4.], dtype=float32)
    """
    made: Tensor = apply(ResizeBilinear, images, size, align_corners=bool(align_corners),
                         half_pixel_centers=bool(half_pixel_centers), name=name)
    return made


@public("image.resize_nearest_neighbor")
def resize_nearest_neighbor(images: Any, size: Any, align_corners: bool = False, name: str | None = None,
                            half_pixel_centers: bool = False) -> Tensor:
    """Pictures [batch, height, width, channels] in another size, each element the nearest old one; of any dtype, which
    they keep.

    Other arguments as of `resize_bilinear`. As `tf.image.resize_nearest_neighbor`. Raises TypeError for strings,
    booleans and complex numbers, ValueError for another rank, or a size that is not of two positive numbers.

    >>> x = gc.reshape([1, 2, 3], [1, 1, 3, 1])
    >>> gc.image.resize_nearest_neighbor(x, [1, 5])[0, 0, :, 0].eval()
    array([1, 1, 2, 2, 3], dtype=int32)
    """
    made: Tensor = apply(ResizeNearestNeighbor, images, size, align_corners=bool(align_corners),
                         half_pixel_centers=bool(half_pixel_centers), name=name)
    return made


@public("image.resize_bicubic")
def resize_bicubic(images: Any, size: Any, align_corners: bool = False, name: str | None = None,
                   half_pixel_centers: bool = False) -> Tensor:
    """Pictures [batch, height, width, channels] in another size by bicubic convolution, smoother than linear; float32.

    Other arguments as of `resize_bilinear`. As `tf.image.resize_bicubic`. Raises TypeError for strings, booleans and
    complex numbers, ValueError for another rank, or a size that is not of two positive numbers.

    >>> x = gc.reshape([0., 0., 4., 4.], [1, 1, 4, 1])
    >>> gc.image.resize_bicubic(x, [1, 8])[0, 0, :, 0].eval()
    array([ 0.   , -0.375,  0.   ,  2.   ,  4.   ,  4.375,  4.   ,  4.   ], dtype=float32)
    """
    made: Tensor = apply(ResizeBicubic, images, size, align_corners=bool(align_corners),
                         half_pixel_centers=bool(half_pixel_centers), name=name)
    return made


@public("image.resize_area")
def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """Pictures [batch, height, width, channels] in another size, each element the mean of its area; float32.

    For making pictures smaller. images: real numbers. As `tf.image.resize_area`; it has no gradient. Raises TypeError
    for strings, booleans and complex numbers, ValueError for another rank, or a size that is not of two positive
    numbers.

    >>> x = gc.reshape(gc.range(4.), [1, 1, 4, 1])
    >>> gc.image.resize_area(x, [1, 2])[0, 0, :, 0].eval()
    array([0.5, 2.5], dtype=float32)
    """
    made: Tensor = apply(ResizeArea, images, size, align_corners=bool(align_corners), name=name)
    return made


@public("image.resize_images", "image.resize")
def resize_images(images: Any, size: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False,
                  preserve_aspect_ratio: bool = False, name: str | None = None) -> Tensor:
    """One picture [height, width, channels], or a batch of them, in another size (height, width).

    method: one of `gc.image.ResizeMethod`. preserve_aspect_ratio: as large as fits into size. The result is float32,
    except by NEAREST_NEIGHBOR, and where the size stays the same. As `tf.image.resize_images`. Raises ValueError for
    another rank, size or method, TypeError for strings.

    >>> image = gc.constant([[[1.], [3.]], [[5.], [7.]]])
    >>> gc.image.resize_images(image, [1, 1], gc.image.ResizeMethod.AREA).eval()
    array([[[4.]]], dtype=float32)
    >>> gc.image.resize_images(image, [2, 6], preserve_aspect_ratio=True).eval().shape
    (2, 2, 1)
    """
    with get_default_graph().name_scope(name or "resize"):
        images = convert_to_tensor(images, name="images")
        if images.spec.shape is None:
            raise ValueError("'images' contains no shape.")
        if images.spec.rank not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        if method not in _OPS:
            raise ValueError(f"Resize method is not implemented: {method!r}")
        single = images.spec.rank == 3
        if single:
            images = expand_dims(images, 0)
        size = _checked_size(size)
        if preserve_aspect_ratio:
            size = _in_proportion(images, size)
        known = _known(size)
        if known is not None and known == tuple(images.shape.as_list()[1:3]):
            result = images
        else:
            result = apply(_OPS[method], images, size, align_corners=bool(align_corners))
        return squeeze(result, [0]) if single else result


@public("image.resize_image_with_pad")
def resize_image_with_pad(image: Any, target_height: Any, target_width: Any, method: Any = ResizeMethod.BILINEAR,
                          align_corners: bool = False) -> Tensor:
    """The picture, or a batch of them, in its own proportions, as large as fits, in the middle of zeros.

    method, align_corners: as of `resize_images`. image: [height, width, channels] or a batch of them; the dtype of the
    result is that of `resize_images`. As `tf.image.resize_image_with_pad`. Raises ValueError for another rank or
    method, TypeError for strings.

    >>> gc.image.resize_image_with_pad(gc.ones([1, 1, 1]), 2, 4)[..., 0].eval()
    array([[0., 1., 1., 0.],
           [0., 1., 1., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope("resize_image_with_pad"):
        image = convert_to_tensor(image, name="image")
        if image.spec.rank not in (3, 4):
            raise ValueError(f"'image' must have either 3 or 4 dimensions, but is {image!r}")
        old, targets = sizes(image), (target_height, target_width)
        if any(is_tensor_like(n) for n in (*old, *targets)):
            old, targets = ([cast(n, float64) for n in values] for values in (old, targets))  # type: ignore[assignment]
            ratio = maximum(old[0] / targets[0], old[1] / targets[1])
            new = [n / ratio for n in old]
            whole = [cast(floor(n), int32) for n in new]
            before = [maximum(cast(floor((t - n) / 2.0), int32), 0) for t, n in zip(targets, new, strict=True)]
        else:
            ratio = max(old[0] / targets[0], old[1] / targets[1])
            new = [n / ratio for n in old]
            whole = [math.floor(n) for n in new]
            before = [max(math.floor((t - n) / 2), 0) for t, n in zip(targets, new, strict=True)]
        resized = resize_images(image, whole, method, align_corners)
        return pad_to_bounding_box(resized, *before, target_height, target_width)


def _checked_size(size: Any) -> Any:
    if not is_tensor_like(size) and isinstance(size, (list, tuple)):
        if any(is_tensor_like(n) for n in size):
            return stack([convert_to_tensor(n, int32) if not is_tensor_like(n) else n for n in size])
        size = [int(n) for n in size]
        if len(size) != 2:
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    size = convert_to_tensor(size, int32, name="size")
    if size.spec.shape is not None and (len(size.spec.shape) != 1 or size.spec.shape[0] not in (2,)):
        raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    return size


def _known(size: Tensor) -> tuple[int, ...] | None:
    value = size.spec.value
    if value is None or not all(isinstance(n, (int, np.integer)) for n in value):
        return None
    return tuple(int(n) for n in value)  # type: ignore[arg-type]


def _in_proportion(images: Tensor, size: Tensor) -> Tensor:
    """The size of pictures as large as fits into `size`, as TF rounds it."""
    old, new = images.shape.as_list()[1:3], _known(size)
    if new is not None and None not in old:
        factor = min(np.float32(new[0]) / np.float32(old[0]), np.float32(new[1]) / np.float32(old[1]))
        return convert_to_tensor([int(np.rint(factor * np.float32(n))) for n in old], int32)
    given = cast(shape(images)[1:3], float32)
    factors = cast(size, float32) / given
    return cast(round_even(minimum(factors[0], factors[1]) * given), int32)
