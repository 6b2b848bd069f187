"""Parts of pictures, pictures with borders, turned and mirrored ones. One picture has three axes, a batch four."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.join import stack
from graphc.api.array.pad import pad
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import shape
from graphc.api.array.slicing import slice_
from graphc.api.array.transpose import reverse, transpose
from graphc.api.control.case import case
from graphc.api.control.cond import cond
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.comparison import equal, less
from graphc.api.math.division import floormod
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float64, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


def picture(image: Any, name: str = "image", batches: bool = True) -> Tensor:
    """The picture as a tensor. Raises ValueError unless its rank is known, and 3 (or 4)."""
    image = convert_to_tensor(image, name=name)
    rank = image.spec.rank
    if rank is None:
        raise ValueError(f"'{name}' must have a known rank, but is {image!r}; give it one: {name}.set_shape(...)")
    if rank not in ((3, 4) if batches else (3,)):
        raise ValueError(f"'{name}' (shape {image.shape}) must have either 3 or 4 dimensions." if batches else
                         f"'{name}' (shape {image.shape}) must be three-dimensional.")
    return image


def sizes(image: Tensor) -> tuple[Any, Any]:
    """Rows and columns: numbers if they are known, else scalars."""
    static = image.shape.as_list()
    dynamic = shape(image) if None in static[-3:-1] else None
    found = [static[axis] if static[axis] is not None else dynamic[axis] for axis in (-3, -2)]  # type: ignore[index]
    return found[0], found[1]


def _require(holds: Any, message: str) -> None:
    """Raises ValueError if it is known not to hold; else the slice or padding that follows refuses it when run."""
    if isinstance(holds, (bool, np.bool_)) and not holds:
        raise ValueError(message)


def _vector(image: Tensor, first: Any, rows: Any, columns: Any, last: Any) -> Any:
    values = [rows, columns, last] if image.spec.rank == 3 else [first, rows, columns, last]
    if not any(is_tensor_like(v) for v in values):
        return np.array(values, np.int32)
    return stack([v if is_tensor_like(v) else np.int32(v) for v in values])


@public("image.crop_to_bounding_box")
def crop_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any,
                         target_width: Any) -> Tensor:
    """The part of a picture, or of a batch of them, of target_height x target_width with its upper left corner there.

    image: [height, width, channels] or [batch, height, width, channels], as for the functions below, of any dtype,
    which it keeps (ValueError for another rank). As `tf.image.crop_to_bounding_box`. Raises ValueError if it is known
    not to be inside; else the run ends with InvalidArgumentError.

    >>> image = gc.reshape(gc.range(9), [3, 3, 1])
    >>> gc.image.crop_to_bounding_box(image, 1, 0, 2, 2)[..., 0].eval()
    array([[3, 4],
           [6, 7]], dtype=int32)
    """
    with get_default_graph().name_scope("crop_to_bounding_box"):
        image = picture(image)
        height, width = sizes(image)
        _require(offset_width >= 0, "offset_width must be >= 0.")
        _require(offset_height >= 0, "offset_height must be >= 0.")
        _require(target_width > 0, "target_width must be > 0.")
        _require(target_height > 0, "target_height must be > 0.")
        _require(width >= target_width + offset_width, "width must be >= target + offset.")
        _require(height >= target_height + offset_height, "height must be >= target + offset.")
        return slice_(image, _vector(image, 0, offset_height, offset_width, 0),
                      _vector(image, -1, target_height, target_width, -1))


@public("image.pad_to_bounding_box")
def pad_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any,
                        target_width: Any) -> Tensor:
    """The picture with its upper left corner there, on zeros of target_height x target_width.

    image: [height, width, channels] or a batch of them, of any dtype (ValueError for another rank). As
    `tf.image.pad_to_bounding_box`. Raises ValueError if it is known not to fit; else the run ends with
    InvalidArgumentError.

    >>> gc.image.pad_to_bounding_box(gc.ones([1, 2, 1]), 1, 1, 3, 4)[..., 0].eval()
    array([[0., 0., 0., 0.],
           [0., 1., 1., 0.],
           [0., 0., 0., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope("pad_to_bounding_box"):
        image = picture(image)
        height, width = sizes(image)
        below, right = target_height - offset_height - height, target_width - offset_width - width
        _require(offset_height >= 0, "offset_height must be >= 0")
        _require(offset_width >= 0, "offset_width must be >= 0")
        _require(right >= 0, "width must be <= target - offset")
        _require(below >= 0, "height must be <= target - offset")
        before, after = _vector(image, 0, offset_height, offset_width, 0), _vector(image, 0, below, right, 0)
        plain = not is_tensor_like(before) and not is_tensor_like(after)
        return pad(image, np.stack([before, after], 1) if plain else stack([before, after], axis=1))


@public("image.resize_with_crop_or_pad", "image.resize_image_with_crop_or_pad")
def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """The middle of the picture: cut where it is too large, with zeros around it where it is too small.

    image: [height, width, channels] or a batch of them, of any dtype. As `tf.image.resize_image_with_crop_or_pad`.
    Raises ValueError for another rank, and for a target that is not positive.

    >>> image = gc.reshape(gc.range(1, 7), [2, 3, 1])
    >>> gc.image.resize_image_with_crop_or_pad(image, 4, 1)[..., 0].eval()
    array([[0],
           [2],
           [5],
           [0]], dtype=int32)
    """
    with get_default_graph().name_scope("resize_image_with_crop_or_pad"):
        image = picture(image)
        _require(target_width > 0, "target_width must be > 0.")
        _require(target_height > 0, "target_height must be > 0.")
        height, width = sizes(image)

        def larger(x: Any, y: Any) -> Any:
            return maximum(x, y) if is_tensor_like(x) or is_tensor_like(y) else max(x, y)

        def smaller(x: Any, y: Any) -> Any:
            return minimum(x, y) if is_tensor_like(x) or is_tensor_like(y) else min(x, y)

        wider, higher = target_width - width, target_height - height
        cropped = crop_to_bounding_box(image, larger(-higher // 2, 0), larger(-wider // 2, 0),
                                       smaller(target_height, height), smaller(target_width, width))
        return pad_to_bounding_box(cropped, larger(higher // 2, 0), larger(wider // 2, 0), target_height, target_width)


@public("image.central_crop")
def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle of the picture, with that part of its rows and columns.

    central_fraction: a number in (0, 1], else ValueError. image: [height, width, channels] or a batch of them, of any
    dtype (ValueError for another rank). As `tf.image.central_crop`.

    >>> image = gc.reshape(gc.range(16), [4, 4, 1])
    >>> gc.image.central_crop(image, 0.5)[..., 0].eval()
    array([[ 5,  6],
           [ 9, 10]], dtype=int32)
    """
    with get_default_graph().name_scope("central_crop"):
        image = convert_to_tensor(image, name="image")
        if not 0.0 < central_fraction <= 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if central_fraction == 1.0:
            return image
        image = picture(image)
        starts, counts = [], []
        for n in sizes(image):
            if is_tensor_like(n):
                whole = cast(n, float64)
                start = cast((whole - whole * central_fraction) / 2.0, int32)
            else:
                start = int((n - n * central_fraction) / 2.0)
            starts.append(start)
            counts.append(n - start * 2)
        return slice_(image, _vector(image, 0, *starts, 0), _vector(image, -1, *counts, -1))


@public("image.flip_left_right")
def flip_left_right(image: Any) -> Tensor:
    """The picture's mirror image; of a batch, each one's. As `tf.image.flip_left_right`.

    image: [height, width, channels] or a batch of them, of any dtype. Raises ValueError for another rank, or an unknown
    one.

    >>> image = gc.reshape(gc.range(6), [2, 3, 1])
    >>> gc.image.flip_left_right(image)[..., 0].eval()
    array([[2, 1, 0],
           [5, 4, 3]], dtype=int32)
    """
    with get_default_graph().name_scope("flip_left_right"):
        image = picture(image)
        return reverse(image, [image.spec.rank - 2])  # type: ignore[operator]


@public("image.flip_up_down")
def flip_up_down(image: Any) -> Tensor:
    """The picture upside down; of a batch, each one. As `tf.image.flip_up_down`.

    image: [height, width, channels] or a batch of them, of any dtype. Raises ValueError for another rank, or an unknown
    one.

    >>> image = gc.reshape(gc.range(6), [2, 3, 1])
    >>> gc.image.flip_up_down(image)[..., 0].eval()
    array([[3, 4, 5],
           [0, 1, 2]], dtype=int32)
    """
    with get_default_graph().name_scope("flip_up_down"):
        image = picture(image)
        return reverse(image, [image.spec.rank - 3])  # type: ignore[operator]


@public("image.random_flip_left_right")
def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Each picture mirrored with probability 1/2, drawn in each run. As `tf.image.random_flip_left_right`.

    image: [height, width, channels] or a batch of them, of any dtype. Raises ValueError for another rank, or an unknown
    one.

    >>> image = gc.constant([[[1.], [2.]]])
    >>> flipped = gc.image.random_flip_left_right(image, seed=1)[0, :, 0]
    >>> {tuple(float(x) for x in flipped.eval()) for _ in range(20)} == {(1., 2.), (2., 1.)}
    True
    """
    return _random_flip(image, -2, seed, "random_flip_left_right")


@public("image.random_flip_up_down")
def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Each picture upside down with probability 1/2, drawn in each run. As `tf.image.random_flip_up_down`.

    image: [height, width, channels] or a batch of them, of any dtype. Raises ValueError for another rank, or an unknown
    one.

    >>> image = gc.constant([[[1.]], [[2.]]])
    >>> flipped = gc.image.random_flip_up_down(image, seed=1)[:, 0, 0]
    >>> {tuple(float(x) for x in flipped.eval()) for _ in range(20)} == {(1., 2.), (2., 1.)}
    True
    """
    return _random_flip(image, -3, seed, "random_flip_up_down")


def _random_flip(image: Any, axis: int, seed: Any, scope: str) -> Tensor:
    with get_default_graph().name_scope(scope):
        image = picture(image)
        rank: Any = image.spec.rank
        if rank == 3:
            chosen = less(random_uniform([], 0, 1.0, seed=seed), 0.5)
            result: Tensor = cond(chosen, lambda: reverse(image, [rank + axis]), lambda: image)
            return result
        drawn = random_uniform(stack([shape(image)[0], 1, 1, 1]), 0, 1.0, seed=seed)
        # TF mixes by sums of products; where_v2 keeps integers exact, and NaN in its place.
        return where_v2(less(drawn, 0.5), reverse(image, [rank + axis]), image)


@public("image.rot90")
def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """The picture turned counter-clockwise k times by 90 degrees; of a batch, each one.

    k: an int, or an int32 scalar. As `tf.image.rot90`. Raises ValueError unless the rank of image is 3 or 4; TypeError
    for a list as k.

    >>> image = gc.reshape(gc.range(6), [2, 3, 1])
    >>> gc.image.rot90(image)[..., 0].eval()
    array([[2, 5],
           [1, 4],
           [0, 3]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "rot90"):
        image = picture(image)
        rank: Any = image.spec.rank
        rows, columns = rank - 3, rank - 2

        def swapped(x: Tensor) -> Tensor:
            return transpose(x, [1, 0, 2] if rank == 3 else [0, 2, 1, 3])

        turns = [lambda: image, lambda: reverse(swapped(image), [rows]), lambda: reverse(image, [rows, columns]),
                 lambda: swapped(reverse(image, [rows]))]
        if not is_tensor_like(k):
            return turns[int(k) % 4]()
        k = floormod(convert_to_tensor(k, int32, name="k"), 4)
        result: Tensor = case([(equal(k, i), turns[i]) for i in (1, 2, 3)], default=turns[0], exclusive=True)
        return result


@public("image.transpose", "image.transpose_image")
def transpose_image(image: Any, name: str | None = None) -> Tensor:
    """Rows and columns exchanged; of a batch, of each picture. As `tf.image.transpose_image`.

    image: [height, width, channels] or a batch of them, of any dtype. Raises ValueError for another rank, or an unknown
    one.

    >>> image = gc.reshape(gc.range(6), [2, 3, 1])
    >>> gc.image.transpose_image(image)[..., 0].eval()
    array([[0, 3],
           [1, 4],
           [2, 5]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "transpose_image"):
        image = picture(image)
        return transpose(image, [1, 0, 2] if image.spec.rank == 3 else [0, 2, 1, 3])
