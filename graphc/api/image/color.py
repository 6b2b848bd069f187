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
    """The picture in another dtype: floats from 0 to 1, integers from 0 to their largest value.

    saturate: floats that are too large become the largest integer. image: numbers of any shape, which the result has.
    As `tf.image.convert_image_dtype`. Raises TypeError for a dtype that is neither floating point nor integer, and for
    a picture of strings or booleans.

    >>> gc.image.convert_image_dtype(gc.constant([0, 51, 255], gc.uint8), gc.float32).eval()
    array([0. , 0.2, 1. ], dtype=float32)
    >>> gc.image.convert_image_dtype([0., 0.5, 1., 7.], gc.uint8, saturate=True).eval()
    array([  0, 127, 255, 255], dtype=uint8)
    """
    image = convert_to_tensor(image, name="image")
    dtype = as_dtype(dtype)
    if not dtype.is_floating and not dtype.is_integer:
        raise TypeError(f"argument 'dtype' must be a floating point or an integer dtype, not {dtype.name}")
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
    """The picture with delta added to all of it.

    image: any dtype and shape; delta: in the scale of floats from 0 to 1, also if the picture is of integers, which
    keep their dtype and stay within their range. As `tf.image.adjust_brightness`. Raises TypeError for strings and
    booleans.

    >>> gc.image.adjust_brightness([0.2, 0.9], 0.25).eval()
    array([0.45, 1.15], dtype=float32)
    >>> gc.image.adjust_brightness(gc.constant([0, 250], gc.uint8), 0.1).eval()
    array([ 25, 255], dtype=uint8)
    """
    with get_default_graph().name_scope("adjust_brightness") as scope:
        picture, given = _single(image)
        return convert_image_dtype(add(picture, cast(delta, picture.dtype)), given, saturate=True, name=scope)


@public("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """(x - mean) * contrast_factor + mean, where the mean is each channel's of each picture.

    images: [..., height, width, channels], of any dtype, which they keep. contrast_factor: a scalar. As
    `tf.image.adjust_contrast`. Raises ValueError for a rank below 3, TypeError for strings and booleans.

    >>> image = gc.constant([[[0.2], [0.4]]])
    >>> gc.image.adjust_contrast(image, 2.)[..., 0].eval()
    array([[0.1, 0.5]], dtype=float32)
    """
    with get_default_graph().name_scope("adjust_contrast"):
        pictures, given = _single(images, "images")
        factor = cast(contrast_factor, float32)
        return convert_image_dtype(apply(AdjustContrastv2, pictures, factor), given, saturate=True)


@public("image.adjust_gamma")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * image ** gamma, elementwise: gamma below 1 makes dark parts brighter.

    image: floats, or integers, which are taken as 0 to 1. The result has the shape and dtype of image; TypeError for
    strings and booleans. As `tf.image.adjust_gamma`. Raises ValueError for a gamma below 0.

    >>> gc.image.adjust_gamma([0., 0.25, 1.], gamma=0.5).eval()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    with get_default_graph().name_scope("adjust_gamma"):
        picture, given = _single(image)
        if not is_tensor_like(gamma) and gamma < 0:
            raise ValueError("Gamma should be a non-negative real number.")
        return convert_image_dtype(gain * picture ** gamma, given, saturate=True)


@public("image.adjust_hue")
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """The picture with its hue turned by delta, of which 1 is a whole turn.

    image: [..., 3] of red, green and blue, any dtype, which it keeps. delta: a scalar. As `tf.image.adjust_hue`. Raises
    ValueError unless the rank is 3 or more and the last size 3, TypeError for strings and booleans.

    >>> red = gc.constant([[[1., 0., 0.]]])
    >>> gc.image.adjust_hue(red, 1. / 3.).eval()
    array([[[0., 1., 0.]]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "adjust_hue"):
        picture, given = _single(image)
        return convert_image_dtype(apply(AdjustHue, picture, cast(delta, float32)), given)


@public("image.adjust_saturation")
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """The picture with its saturation times a factor: 0 makes it grey.

    image: [..., 3] of red, green and blue, any dtype, which it keeps. saturation_factor: a scalar. As
    `tf.image.adjust_saturation`. Raises ValueError unless the rank is 3 or more and the last size 3, TypeError for
    strings and booleans.

    >>> image = gc.constant([[[1., 0.5, 0.5]]])
    >>> gc.image.adjust_saturation(image, 0.5).eval()
    array([[[1.  , 0.75, 0.75]]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "adjust_saturation"):
        picture, given = _single(image)
        return convert_image_dtype(apply(AdjustSaturation, picture, cast(saturation_factor, float32)), given)


@public("image.random_brightness")
def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_brightness` by a random delta in [-max_delta, max_delta), one for all of it.

    The picture keeps its dtype. As `tf.image.random_brightness`. Raises ValueError for a max_delta below 0.

    >>> image = gc.image.random_brightness(gc.fill([2, 2, 1], 0.5), max_delta=0.1, seed=1).eval()
    >>> bool(abs(image - 0.5).max() <= 0.1)
    True
    """
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


@public("image.random_contrast")
def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_contrast` by a random factor in [lower, upper).

    The picture keeps its dtype. As `tf.image.random_contrast`. Raises ValueError unless 0 <= lower < upper.

    >>> image = gc.constant([[[0.2], [0.4]]])
    >>> low, high = gc.image.random_contrast(image, 0.5, 1.5, seed=1).eval().ravel()
    >>> bool(0.1 <= high - low <= 0.3)
    True
    """
    _check_range(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


@public("image.random_hue")
def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_hue` by a random delta in [-max_delta, max_delta).

    The picture keeps its dtype. As `tf.image.random_hue`. Raises ValueError for a max_delta outside [0, 0.5].

    >>> gc.image.random_hue(gc.fill([2, 2, 3], 0.5), 0.2)[0, 0].eval()           # grey has no hue
    array([0.5, 0.5, 0.5], dtype=float32)
    """
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


@public("image.random_saturation")
def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_saturation` by a random factor in [lower, upper).

    The picture keeps its dtype. As `tf.image.random_saturation`. Raises ValueError unless 0 <= lower < upper.

    >>> gc.image.random_saturation(gc.fill([2, 2, 3], 0.5), 0.5, 2.)[0, 0].eval()
    array([0.5, 0.5, 0.5], dtype=float32)
    """
    _check_range(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


def _check_range(lower: Any, upper: Any) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


@public("image.rgb_to_hsv")
def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value of colours, all from 0 to 1.

    images: floats [..., 3] of red, green and blue from 0 to 1. As `tf.image.rgb_to_hsv`. Raises ValueError unless the
    last size is 3, TypeError for a dtype that is not floating point.

    >>> gc.image.rgb_to_hsv([[1., 0., 0.], [0., 0.5, 0.], [0.5, 0.5, 0.5]]).eval()
    array([[0.    , 1.    , 1.    ],
           [0.3333, 1.    , 0.5   ],
           [0.    , 0.    , 0.5   ]], dtype=float32)
    """
    made: Tensor = apply(RGBToHSV, images, name=name)
    return made


@public("image.hsv_to_rgb")
def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Colours of hue, saturation and value: the way back from `rgb_to_hsv`. As `tf.image.hsv_to_rgb`.

    images: floats [..., 3], whose dtype the result has. Raises ValueError unless the last size is 3, TypeError for a
    dtype that is not floating point.

    >>> gc.image.hsv_to_rgb([[0., 1., 1.], [1. / 3., 1., 0.5]]).eval()
    array([[1. , 0. , 0. ],
           [0. , 0.5, 0. ]], dtype=float32)
    """
    made: Tensor = apply(HSVToRGB, images, name=name)
    return made


@public("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """How bright each colour looks, in one channel: 0.2989 red + 0.587 green + 0.114 blue.

    images: [..., 3], of any dtype, which the result [..., 1] has. As `tf.image.rgb_to_grayscale`. Raises ValueError for
    two channels, or more than three, TypeError for strings and booleans.

    >>> gc.image.rgb_to_grayscale([[1., 0., 0.], [1., 1., 1.]]).eval()
    array([[0.2989],
           [0.9999]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "rgb_to_grayscale") as scope:
        images = convert_to_tensor(images, name="images")
        weights = np.array([0.2989, 0.5870, 0.1140], np.float32)
        gray = reduce_sum(convert_image_dtype(images, float32) * weights, [-1], keepdims=True)
        return convert_image_dtype(gray, images.dtype, name=scope)


@public("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """The one channel of pictures [..., 1] three times: [..., 3]. As `tf.image.grayscale_to_rgb`.

    images: of any dtype, which they keep. Raises ValueError unless the last size is 1.

    >>> gc.image.grayscale_to_rgb([[0.25], [0.5]]).eval()
    array([[0.25, 0.25, 0.25],
           [0.5 , 0.5 , 0.5 ]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "grayscale_to_rgb"):
        images = convert_to_tensor(images, name="images")
        rank = images.spec.rank
        if rank is None or rank < 1:
            raise ValueError(f"grayscale_to_rgb: 'images' must have a known rank of at least 1, but is {images!r}")
        if images.shape.as_list()[-1] not in (None, 1):
            raise ValueError(f"grayscale_to_rgb: the last axis of 'images' must be of size 1, but its shape is "
                             f"{images.shape}")
        colours: Tensor = tile(images, [*[1] * (rank - 1), 3])
        colours.set_shape([*images.shape.as_list()[:-1], 3])
        return colours


_TO_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_FROM_YIQ = [[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_TO_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_FROM_YUV = [[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]


@public("image.rgb_to_yiq")
def rgb_to_yiq(images: Any) -> Tensor:
    """Colours [..., 3] as luma and chroma of NTSC. As `tf.image.rgb_to_yiq`.

    images: floats, whose dtype the result has. Raises ValueError for two channels, or more than three, TypeError for
    strings and booleans.

    >>> gc.image.rgb_to_yiq([[1., 0., 0.]]).eval()
    array([[0.299 , 0.5959, 0.2115]], dtype=float32)
    """
    return _mixed(images, _TO_YIQ)


@public("image.yiq_to_rgb")
def yiq_to_rgb(images: Any) -> Tensor:
    """The way back from `rgb_to_yiq`. As `tf.image.yiq_to_rgb`.

    images: floats [..., 3], whose dtype the result has. Raises ValueError for two channels, or more than three,
    TypeError for strings and booleans.

    >>> gc.image.yiq_to_rgb(gc.image.rgb_to_yiq([[0.25, 0.5, 0.75]])).eval()
    array([[0.25, 0.5 , 0.75]], dtype=float32)
    """
    return _mixed(images, _FROM_YIQ)


@public("image.rgb_to_yuv")
def rgb_to_yuv(images: Any) -> Tensor:
    """Colours [..., 3] as luma and chroma of PAL. As `tf.image.rgb_to_yuv`.

    images: floats, whose dtype the result has. Raises ValueError for two channels, or more than three, TypeError for
    strings and booleans.

    >>> gc.image.rgb_to_yuv([[1., 0., 0.]]).eval()
    array([[ 0.299 , -0.1471,  0.615 ]], dtype=float32)
    """
    return _mixed(images, _TO_YUV)


@public("image.yuv_to_rgb")
def yuv_to_rgb(images: Any) -> Tensor:
    """The way back from `rgb_to_yuv`. As `tf.image.yuv_to_rgb`.

    images: floats [..., 3], whose dtype the result has. Raises ValueError for two channels, or more than three,
    TypeError for strings and booleans.

    >>> gc.image.yuv_to_rgb(gc.image.rgb_to_yuv([[0.25, 0.5, 0.75]])).eval()
    array([[0.25, 0.5 , 0.75]], dtype=float32)
    """
    return _mixed(images, _FROM_YUV)


def _mixed(images: Any, matrix: list[list[float]]) -> Tensor:
    images = convert_to_tensor(images, name="images")
    return reduce_sum(expand_dims(images, -1) * np.array(matrix, images.dtype.numpy), [-2])


@public("image.per_image_standardization", "image.per_image_whitening")
def per_image_standardization(image: Any) -> Tensor:
    """Each picture with mean 0 and variance 1: (x - mean) / max(deviation, 1 / sqrt(number of elements)), in float32.

    image: [height, width, channels] or a batch of them; one without contrast becomes 0. As
    `tf.image.per_image_standardization`. Raises ValueError for a rank below 3, TypeError for strings.

    >>> gc.image.per_image_standardization(gc.constant([[[1.], [3.]]]))[..., 0].eval()
    array([[-1.,  1.]], dtype=float32)
    """
    with get_default_graph().name_scope("per_image_standardization") as scope:
        image = cast(convert_to_tensor(image, name="image"), float32)
        count = cast(reduce_prod(shape(image)[-3:]), float32)
        centered = image - reduce_mean(image, [-1, -2, -3], keepdims=True)
        deviation = sqrt(reduce_mean(square(centered), [-1, -2, -3], keepdims=True))
        return divide(centered, maximum(deviation, rsqrt(count)), name=scope)
