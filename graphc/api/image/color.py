"""Colours and brightness of pictures, and their dtypes: numbers in [0, 1], or integers up to the largest."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.broadcast import tile
from graphc.api.array.cast import cast
from graphc.api.array.identity import identity
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.math.binary import add, maximum, minimum, multiply
from graphc.api.math.division import divide, floordiv
from graphc.api.math.reduce import reduce_mean, reduce_prod, reduce_sum
from graphc.api.math.unary import rsqrt, sqrt, square
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, as_dtype, float16, float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.image.color import AdjustContrastv2, AdjustHue, AdjustSaturation, HSVToRGB, RGBToHSV


@public("image.convert_image_dtype")
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """The picture in another dtype, 1.0 being an integer's largest value. As `tf.image.convert_image_dtype`."""
    image = convert_to_tensor(image, name="image")
    dtype = as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if dtype == image.dtype:
        return identity(image, name=name)
    change = _saturated if saturate else cast
    with get_default_graph().name_scope(name or "convert_image") as scope:
        if image.dtype.is_integer and dtype.is_integer:
            largest, target = int(image.dtype.max), int(dtype.max)
            if largest > target:
                return change(floordiv(image, (largest + 1) // (target + 1)), dtype, name=scope)
            return multiply(change(image, dtype), (target + 1) // (largest + 1), name=scope)
        if image.dtype.is_floating and dtype.is_floating:
            return cast(image, dtype, name=scope)
        if image.dtype.is_integer:
            return multiply(cast(image, dtype), 1.0 / int(image.dtype.max), name=scope)
        # Half of 1 more: rounding by the cast.
        return change(multiply(image, float(dtype.max) + 0.5), dtype, name=scope)


def _saturated(x: Tensor, dtype: DType, name: str) -> Tensor:
    if x.dtype.min < dtype.min:
        x = maximum(x, _as_number(dtype.min, x.dtype))
    if x.dtype.max > dtype.max:
        x = minimum(x, _as_number(dtype.max, x.dtype))
    return cast(x, dtype, name=name)


def _as_number(value: Any, dtype: DType) -> Any:
    return np.asarray(value, dtype.numpy)


def _single(image: Any, name: str = "image") -> tuple[Tensor, DType]:
    """The picture as floats, and its own dtype."""
    image = convert_to_tensor(image, name=name)
    given = image.dtype
    return (image if given in (float16, float32) else convert_image_dtype(image, float32)), given


@public("image.adjust_brightness")
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """The picture with delta added to all of it, as `tf.image.adjust_brightness`."""
    with get_default_graph().name_scope("adjust_brightness") as scope:
        picture, given = _single(image)
        return convert_image_dtype(add(picture, cast(delta, picture.dtype)), given, saturate=True, name=scope)


@public("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """The pictures' distance from their mean times a factor, as `tf.image.adjust_contrast`."""
    with get_default_graph().name_scope("adjust_contrast"):
        pictures, given = _single(images, "images")
        factor = cast(contrast_factor, float32)
        return convert_image_dtype(apply(AdjustContrastv2, pictures, factor), given, saturate=True)


@public("image.adjust_gamma")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * image ** gamma, as `tf.image.adjust_gamma`."""
    with get_default_graph().name_scope("adjust_gamma"):
        picture, given = _single(image)
        if not is_tensor_like(gamma) and gamma < 0:
            raise ValueError("Gamma should be a non-negative real number.")
        return convert_image_dtype(gain * picture ** gamma, given, saturate=True)


@public("image.adjust_hue")
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """The picture with its hue turned by delta, as `tf.image.adjust_hue`."""
    with get_default_graph().name_scope(name or "adjust_hue"):
        picture, given = _single(image)
        return convert_image_dtype(apply(AdjustHue, picture, cast(delta, float32)), given)


@public("image.adjust_saturation")
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """The picture with its saturation times a factor, as `tf.image.adjust_saturation`."""
    with get_default_graph().name_scope(name or "adjust_saturation"):
        picture, given = _single(image)
        return convert_image_dtype(apply(AdjustSaturation, picture, cast(saturation_factor, float32)), given)


@public("image.random_brightness")
def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """adjust_brightness by a random delta in [-max_delta, max_delta), as `tf.image.random_brightness`."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


@public("image.random_contrast")
def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """adjust_contrast by a random factor in [lower, upper), as `tf.image.random_contrast`."""
    _check_range(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


@public("image.random_hue")
def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """adjust_hue by a random delta in [-max_delta, max_delta), as `tf.image.random_hue`."""
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


@public("image.random_saturation")
def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """adjust_saturation by a random factor in [lower, upper), as `tf.image.random_saturation`."""
    _check_range(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


def _check_range(lower: Any, upper: Any) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


@public("image.rgb_to_hsv")
def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value of colours, as `tf.image.rgb_to_hsv`."""
    made: Tensor = apply(RGBToHSV, images, name=name)
    return made


@public("image.hsv_to_rgb")
def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Colours of hue, saturation and value, as `tf.image.hsv_to_rgb`."""
    made: Tensor = apply(HSVToRGB, images, name=name)
    return made


@public("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """How bright each colour looks, in one channel. As `tf.image.rgb_to_grayscale`."""
    with get_default_graph().name_scope(name or "rgb_to_grayscale") as scope:
        images = convert_to_tensor(images, name="images")
        weights = np.array([0.2989, 0.5870, 0.1140], np.float32)
        gray = reduce_sum(convert_image_dtype(images, float32) * weights, [-1], keepdims=True)
        return convert_image_dtype(gray, images.dtype, name=scope)


@public("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """One channel three times, as `tf.image.grayscale_to_rgb`."""
    with get_default_graph().name_scope(name or "grayscale_to_rgb"):
        images = convert_to_tensor(images, name="images")
        rank = images.spec.rank
        if rank is None or rank < 1:
            raise ValueError(f"grayscale_to_rgb: 'images' must have a known rank of at least 1, but is {images!r}")
        if images.shape.as_list()[-1] not in (None, 1):
            raise ValueError(f"grayscale_to_rgb: the last axis of 'images' must be of size 1, but its shape is "
                             f"{images.shape}")
        return tile(images, [*[1] * (rank - 1), 3])


_TO_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_FROM_YIQ = [[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_TO_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_FROM_YUV = [[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]


@public("image.rgb_to_yiq")
def rgb_to_yiq(images: Any) -> Tensor:
    """Colours as luma and chroma, as `tf.image.rgb_to_yiq`."""
    return _mixed(images, _TO_YIQ)


@public("image.yiq_to_rgb")
def yiq_to_rgb(images: Any) -> Tensor:
    """The way back from rgb_to_yiq, as `tf.image.yiq_to_rgb`."""
    return _mixed(images, _FROM_YIQ)


@public("image.rgb_to_yuv")
def rgb_to_yuv(images: Any) -> Tensor:
    """Colours as luma and chroma, as `tf.image.rgb_to_yuv`."""
    return _mixed(images, _TO_YUV)


@public("image.yuv_to_rgb")
def yuv_to_rgb(images: Any) -> Tensor:
    """The way back from rgb_to_yuv, as `tf.image.yuv_to_rgb`."""
    return _mixed(images, _FROM_YUV)


def _mixed(images: Any, matrix: list[list[float]]) -> Tensor:
    images = convert_to_tensor(images, name="images")
    return reduce_sum(expand_dims(images, -1) * np.array(matrix, images.dtype.numpy), [-2])


@public("image.per_image_standardization", "image.per_image_whitening")
def per_image_standardization(image: Any) -> Tensor:
    """Each picture with mean 0 and variance 1, as `tf.image.per_image_standardization`. One without contrast: 0."""
    with get_default_graph().name_scope("per_image_standardization") as scope:
        image = cast(convert_to_tensor(image, name="image"), float32)
        count = cast(reduce_prod(shape(image)[-3:]), float32)
        centered = image - reduce_mean(image, [-1, -2, -3], keepdims=True)
        deviation = sqrt(reduce_mean(square(centered), [-1, -2, -3], keepdims=True))
        return divide(centered, maximum(deviation, rsqrt(count)), name=scope)
