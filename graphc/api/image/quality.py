"""How much two pictures differ (psnr, ssim), and how much changes within one (total_variation, gradients, edges)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros_like
from graphc.api.array.join import concat, stack
from graphc.api.array.pad import pad
from graphc.api.array.shapes import reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.image.color import convert_image_dtype
from graphc.api.image.crop import picture
from graphc.api.math.binary import pow as power
from graphc.api.math.binary import squared_difference
from graphc.api.math.division import floormod
from graphc.api.math.reduce import reduce_mean, reduce_prod, reduce_sum
from graphc.api.math.unary import abs as absolute
from graphc.api.math.unary import log, square
from graphc.api.nn.activations import relu
from graphc.api.nn.average_pooling import avg_pool
from graphc.api.nn.convolve import conv2d
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

_MSSSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@public("image.total_variation")
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the absolute differences of neighbouring pixels: of a picture a scalar, of a batch [batch].

    images: [height, width, channels] or [batch, height, width, channels]. The result has their dtype. As
    `tf.image.total_variation`. Raises ValueError for another rank, TypeError for strings.

    >>> gc.image.total_variation(gc.constant([[[1.], [4.]], [[1.], [1.]]])).eval()
    np.float32(6.0)
    """
    with get_default_graph().name_scope(name or "total_variation"):
        images = picture(images, "images")
        axes = None if images.spec.rank == 3 else [1, 2, 3]
        down, right = _differences(images)
        return reduce_sum(absolute(down), axes) + reduce_sum(absolute(right), axes)


def _differences(images: Any) -> tuple[Any, Any]:
    if images.spec.rank == 3:
        return images[1:, :, :] - images[:-1, :, :], images[:, 1:, :] - images[:, :-1, :]
    return images[:, 1:, :, :] - images[:, :-1, :, :], images[:, :, 1:, :] - images[:, :, :-1, :]


@public("image.image_gradients")
def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """(dy, dx): the next pixel below and to the right less this one, 0 at the border.

    image: [batch, height, width, channels]. The results have its shape and dtype. As `tf.image.image_gradients`. Raises
    ValueError for another rank, TypeError for strings.

    >>> dy, dx = gc.image.image_gradients(gc.reshape([1., 2., 4., 8.], [1, 2, 2, 1]))
    >>> dy[0, :, :, 0].eval(), dx[0, :, :, 0].eval()
    (array([[3., 6.],
           [0., 0.]], dtype=float32), array([[1., 0.],
           [4., 0.]], dtype=float32))
    """
    image = convert_to_tensor(image, name="image")
    if image.spec.rank != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}.")
    down, right = _differences(image)
    return (concat([down, zeros_like(image[:, -1:, :, :])], 1), concat([right, zeros_like(image[:, :, -1:, :])], 2))


@public("image.sobel_edges")
def sobel_edges(image: Any) -> Tensor:
    """[batch, height, width, channels, 2]: Sobel's filters for edges between rows, and between columns.

    image: [batch, height, width, channels]; mirrored at the border. The result has its dtype. As
    `tf.image.sobel_edges`. Raises ValueError for another rank, or pictures of less than two rows or columns.

    >>> image = gc.reshape([0., 0., 0., 1., 1., 1., 1., 1., 1.], [1, 3, 3, 1])
    >>> gc.image.sobel_edges(image)[0, :, :, 0, 0].eval()
    array([[0., 0., 0.],
           [4., 4., 4.],
           [0., 0., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope("sobel_edges"):
        image = convert_to_tensor(image, name="image")
        if image.spec.rank != 4:
            raise ValueError(f"sobel_edges expects a 4D tensor [batch_size, h, w, d], not {image.shape}.")
        x = pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")

        def weighted(axis: int) -> Any:
            """1, 2, 1 along an axis."""
            before, at, after = _windows(x, axis)
            return before + 2 * at + after

        rows, columns = _windows(weighted(2), 1), _windows(weighted(1), 2)
        return stack([rows[2] - rows[0], columns[2] - columns[0]], -1)


def _windows(x: Any, axis: int) -> list[Any]:
    """What stands before, at, and after each place but the first and last along an axis."""
    if axis == 1:
        return [x[:, :-2], x[:, 1:-1], x[:, 2:]]
    return [x[:, :, :-2], x[:, :, 1:-1], x[:, :, 2:]]


@public("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio of each pair of pictures [..., height, width, channels], in decibels.

    -10 log10(mean((a - b) ** 2) / max_val ** 2), float32; infinite if they are equal. As `tf.image.psnr`. Raises
    ValueError for a rank below 3, or sizes that differ.

    >>> gc.image.psnr(gc.fill([1, 2, 2, 1], 0.5), gc.fill([1, 2, 2, 1], 0.6), max_val=1.).eval()
    array([20.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "PSNR"):
        a, b, largest = _pair(a, b, max_val)
        mean = reduce_mean(squared_difference(a, b), [-3, -2, -1])
        return 20 * log(largest) / np.float32(np.log(10.0)) - np.float32(10 / np.log(10)) * log(mean)


def _pair(a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    for image in (a, b):
        if image.spec.rank is not None and image.spec.rank < 3:
            raise ValueError(f"Not enough dimensions: a picture has three axes, but the shape is {image.shape}")
    if not a.shape[-3:].is_compatible_with(b.shape[-3:]):
        raise ValueError(f"Shapes {a.shape[-3:]} and {b.shape[-3:]} are incompatible")
    largest = convert_image_dtype(cast(max_val, a.dtype), float32)
    return convert_image_dtype(a, float32), convert_image_dtype(b, float32), largest


@public("image.ssim")
def ssim(img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
         k2: float = 0.03) -> Tensor:
    """The structural similarity of each pair of pictures [..., height, width, channels]: 1 if they are equal.

    max_val: the span of values, 1. or 255. The result is float32, without the three axes of a picture. As
    `tf.image.ssim`. Raises ValueError for pictures smaller than filter_size. Raises ValueError, too, for sizes that
    differ.

    >>> image = gc.reshape(gc.range(144.) / 144., [1, 12, 12, 1])
    >>> gc.image.ssim(image, image, max_val=1.).eval(), gc.image.ssim(image, 1. - image, max_val=1.).eval()
    (array([1.], dtype=float32), array([-0.931], dtype=float32))
    """
    with get_default_graph().name_scope("SSIM"):
        a, b, largest = _pair(img1, img2, max_val)
        whole, _ = _similarity(a, b, largest, filter_size, filter_sigma, k1, k2)
        return reduce_mean(whole, [-1])


@public("image.ssim_multiscale")
def ssim_multiscale(img1: Any, img2: Any, max_val: Any, power_factors: Sequence[float] = _MSSSIM_WEIGHTS,
                    filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03) -> Tensor:
    """The structural similarity of pictures at several scales, each half as large as the one before.

    power_factors: the weight of each scale. The pictures must be large enough for filter_size at the last one. The
    pictures are [..., height, width, channels], the result is float32, without these three axes. As
    `tf.image.ssim_multiscale`. Raises ValueError without a scale, and for pictures that are too small, or whose sizes
    differ.

    >>> image = gc.reshape(gc.range(576.) / 576., [1, 24, 24, 1])
    >>> gc.image.ssim_multiscale(image, 0.5 * image, max_val=1., power_factors=(0.4, 0.6)).eval()
    array([0.7153], dtype=float32)
    """
    if not len(power_factors):
        raise ValueError("power_factors must have a weight for each scale, but is empty")
    with get_default_graph().name_scope("MS-SSIM"):
        a, b, largest = _pair(img1, img2, max_val)
        contrasts: list[Any] = []
        for scale in range(len(power_factors)):
            if scale:
                a, b = _halved(a), _halved(b)
            whole, contrast = _similarity(a, b, largest, filter_size, filter_sigma, k1, k2)
            contrasts.append(relu(contrast))
        every = stack([*contrasts[:-1], relu(whole)], -1)
        return reduce_mean(reduce_prod(power(every, np.array(power_factors, np.float32)), [-1]), [-1])


def _similarity(a: Tensor, b: Tensor, largest: Any, size: int, sigma: float, k1: float, k2: float) -> tuple[Any, Any]:
    """SSIM and its part of contrast and structure, of each channel."""
    for image in (a, b):
        for n in image.shape.as_list()[-3:-1]:
            if n is not None and n < size:
                raise ValueError(f"a picture of shape {image.shape} is smaller than filter_size, {size}: give a "
                                 "smaller one, or larger pictures")
    distance = np.square(np.arange(size) - (size - 1) / 2) * (-0.5 / sigma ** 2)
    line = np.exp(distance) / np.exp(distance).sum()
    kernel = np.outer(line, line).astype(np.float32)[:, :, None, None]
    c1, c2 = (k1 * largest) ** 2, (k2 * largest) ** 2
    mean_a, mean_b = _filtered(a, kernel), _filtered(b, kernel)
    of_both, of_each = mean_a * mean_b * 2.0, square(mean_a) + square(mean_b)
    luminance = (of_both + c1) / (of_each + c1)
    product, squares = _filtered(a * b, kernel) * 2.0, _filtered(square(a) + square(b), kernel)
    contrast = (product - of_both + c2) / (squares - of_each + c2)
    return reduce_mean(luminance * contrast, [-3, -2]), reduce_mean(contrast, [-3, -2])


def _filtered(x: Any, kernel: np.ndarray) -> Any:
    """Each channel by itself: the channels as pictures of their own."""
    sizes = shape(x)
    rank = x.spec.rank
    if rank is None:
        raise ValueError(f"the rank of the pictures must be known, but one is {x!r}; give it one: set_shape(...)")
    swapped = transpose(x, [*range(rank - 3), rank - 1, rank - 3, rank - 2])
    flat = reshape(swapped, concat([[-1], sizes[-3:-1], [1]], 0))
    made = conv2d(flat, kernel, strides=[1, 1, 1, 1], padding="VALID")
    new = shape(made)
    back = reshape(made, concat([sizes[:-3], sizes[-1:], new[1:3]], 0))
    return transpose(back, [*range(rank - 3), rank - 2, rank - 1, rank - 3])


def _halved(x: Any) -> Any:
    """Means of 2 x 2 pixels; an odd last row or column counts twice."""
    sizes = shape(x)
    flat = reshape(x, concat([[-1], sizes[-3:]], 0))
    odd = floormod(sizes[-3:-1], 2)
    after = concat([[0], odd, [0]], 0)
    padded = pad(flat, stack([zeros_like(after), after], 1), mode="SYMMETRIC")
    small = avg_pool(padded, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    return reshape(small, concat([sizes[:-3], shape(small)[1:]], 0))
