"""Boxes in pictures: crops, drawn ones, and random ones."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.gather import gather
from graphc.api.array.identity import identity
from graphc.api.array.join import concat, stack
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.comparison import greater_equal, less, less_equal, logical_and
from graphc.api.math.reduce import argmax, reduce_any
from graphc.api.math.unary import floor, rint, sqrt
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.image.boxes import DrawBoundingBoxes, DrawBoundingBoxesV2
from graphc.ops.image.crop_and_resize import CropAndResize


@public("image.crop_and_resize")
def crop_and_resize(image: Any, boxes: Any, box_ind: Any = None, crop_size: Any = None, method: str = "bilinear",
                    extrapolation_value: float = 0, name: str | None = None, box_indices: Any = None) -> Tensor:
    """The boxes (y1, x1, y2, x2) of pictures, all in one size: float32 [boxes, crop height, crop width, channels].

    image: [batch, height, width, channels]; boxes: float32[boxes, 4], 0 to 1 being the first to the last row or column
    (y1 > y2 turns the crop upside down); box_ind (box_indices): int32[boxes], the pictures' numbers; crop_size:
    (height, width). Outside of a picture stands extrapolation_value. method: "bilinear" or "nearest" (ValueError).
    image: real numbers. As `tf.image.crop_and_resize`. A number of no picture is an InvalidArgumentError when run.
    Raises ValueError for other shapes, and boxes and numbers of two lengths; TypeError for strings.

    >>> image = gc.reshape(gc.range(9.), [1, 3, 3, 1])
    >>> gc.image.crop_and_resize(image, [[0., 0., 0.5, 1.], [1., 0., 0., 1.]], [0, 0], [2, 3])[..., 0].eval()
    array([[[0., 1., 2.],
            [3., 4., 5.]],
    <BLANKLINE>
           [[6., 7., 8.],
            [0., 1., 2.]]], dtype=float32)
    """
    box_ind = box_indices if box_ind is None else box_ind
    if box_ind is None or crop_size is None:
        raise TypeError("crop_and_resize: arguments 'box_ind' and 'crop_size' must be given")
    made: Tensor = apply(CropAndResize, image, _single(boxes), convert_to_tensor(box_ind, int32), crop_size,
                         method=method, extrapolation_value=float(extrapolation_value), name=name)
    return made


def _single(value: Any) -> Tensor:
    return convert_to_tensor(value, float32)


@public("image.draw_bounding_boxes")
def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None, colors: Any = None) -> Tensor:
    """The pictures with the frames of boxes drawn on them.

    images: floats [batch, height, width, 1, 3 or 4]; boxes: float32[batch, n, (y1, x1, y2, x2)], from 0 to 1. colors:
    [m, channels], taken in turn; ten colours by default. The result is float32. As `tf.image.draw_bounding_boxes`.
    Raises ValueError for other ranks, or another number of channels.

    >>> images = gc.zeros([1, 4, 5, 1])
    >>> gc.image.draw_bounding_boxes(images, [[[0., 0., 0.7, 0.8]]])[0, :, :, 0].eval()
    array([[1., 1., 1., 1., 0.],
           [1., 0., 0., 1., 0.],
           [1., 1., 1., 1., 0.],
           [0., 0., 0., 0., 0.]], dtype=float32)
    """
    made: Tensor
    if colors is None:
        made = apply(DrawBoundingBoxes, images, _single(boxes), name=name)
    else:
        made = apply(DrawBoundingBoxesV2, images, _single(boxes), _single(colors), name=name)
    return made


@public("image.sample_distorted_bounding_box")
def sample_distorted_bounding_box(image_size: Any, bounding_boxes: Any, seed: Any = None, seed2: Any = None,
                                  min_object_covered: Any = 0.1, aspect_ratio_range: Any = None,
                                  area_range: Any = None, max_attempts: Any = None,
                                  use_image_if_no_bounding_boxes: Any = None,
                                  name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """(begin, size, bboxes) of a random part of a picture, for `gc.slice` and `gc.image.draw_bounding_boxes`.

    image_size: int[3], height, width, channels; bounding_boxes: float32[..., n, 4], from 0 to 1. Of max_attempts (100)
    parts whose width / height lies in aspect_ratio_range (0.75 to 1.33), and whose area is a share in area_range (0.05
    to 1), the first that covers min_object_covered of some box; if there is none, the whole picture. Without boxes
    use_image_if_no_bounding_boxes must say that the whole picture counts as one. begin and size have the dtype of
    image_size, bboxes is float32[1, 1, 4]. As `tf.image.sample_distorted_bounding_box`, but for the numbers of a seed.
    Raises ValueError if there are no boxes and the argument does not say so, or they do not have four numbers.

    >>> begin, size, box = gc.image.sample_distorted_bounding_box([8, 8, 3], gc.zeros([1, 0, 4]), seed=1,
    ...                                                           use_image_if_no_bounding_boxes=True)
    >>> part = gc.slice(gc.zeros([8, 8, 3]), begin, size).eval()
    >>> part.ndim, part.shape[2], box.shape.as_list()
    (3, 3, [1, 1, 4])
    """
    with get_default_graph().name_scope(name or "sample_distorted_bounding_box"):
        sizes = convert_to_tensor(image_size, name="image_size")
        height, width = (cast(sizes[i], float32) for i in range(2))
        boxes = reshape(_single(bounding_boxes), [-1, 4])
        if boxes.shape.as_list()[0] == 0 or use_image_if_no_bounding_boxes:
            if not use_image_if_no_bounding_boxes:
                raise ValueError("No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes "
                                 "if you wish to not provide any bounding boxes.")
            boxes = _with_whole(boxes)
        attempts = 100 if max_attempts is None else int(max_attempts)
        drawn = random_uniform([4, attempts], seed=seed if seed else seed2)
        y, x, high, wide, good = _parts(drawn, height, width, aspect_ratio_range or (0.75, 1.33),
                                        area_range or (0.05, 1.0))
        edges = cast(cast(boxes * stack([height, width, height, width]), int32), float32)
        covered = _covered(edges, y, x, high, wide)
        good = logical_and(good, reduce_any(greater_equal(covered, min_object_covered), [0]))
        found, first = reduce_any(good), argmax(cast(good, int32), 0)
        whole = (0.0, 0.0, height, width)
        y, x, high, wide = (where_v2(found, gather(v, first), w)
                            for v, w in zip((y, x, high, wide), whole, strict=True))
        begin = cast(stack([y, x, 0.0 * y]), sizes.dtype)
        size = cast(stack([high, wide, 0.0 * y - 1.0]), sizes.dtype)
        corners = stack([y / height, x / width, (y + high) / height, (x + wide) / width])
        return begin, size, reshape(corners, [1, 1, 4])


def _with_whole(boxes: Tensor) -> Tensor:
    """The boxes, or one of the whole picture if there are none."""
    more = cast(less(shape(boxes)[0], 1), int32)
    return concat([boxes, identity(np.array([[0, 0, 1, 1]], np.float32))[:more]], 0)


def _parts(drawn: Any, height: Any, width: Any, proportions: Any, areas: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Upper rows, left columns, heights and widths of random parts, and which of them are as they should be."""
    (low, high), (least, most) = proportions, areas
    ratio = drawn[0] * (high - low) + low
    smallest, largest = least * height * width, most * height * width
    rows, limit = rint(sqrt(smallest / ratio)), rint(sqrt(largest / ratio))
    limit = where_v2(less(width, rint(limit * ratio)), floor((width + 0.5 - 1e-7) / ratio), limit)
    limit = minimum(limit, height)
    rows = minimum(rows, limit)
    rows = minimum(rows + floor(drawn[1] * (limit - rows + 1.0)), limit)
    columns = rint(rows * ratio)
    # What rounding took off, or put on.
    rows = where_v2(less(rows * columns, smallest), rows + 1.0, rows)
    columns = rint(rows * ratio)
    rows = where_v2(less(largest, rows * columns), rows - 1.0, rows)
    columns = rint(rows * ratio)
    area = rows * columns
    good = logical_and(logical_and(less_equal(smallest, area), less_equal(area, largest)),
                       logical_and(logical_and(less_equal(columns, width), less_equal(rows, height)),
                                   logical_and(less(0.0, columns), less(0.0, rows))))
    top = floor(drawn[2] * maximum(height - rows, 0.0))
    left = floor(drawn[3] * maximum(width - columns, 0.0))
    return top, left, rows, columns, good


def _covered(boxes: Any, y: Any, x: Any, high: Any, wide: Any) -> Any:
    """How much of each box (row) lies in each part (column); nothing of one without area."""
    y1, x1, y2, x2 = (expand_dims(boxes[:, i], 1) for i in range(4))
    area = (y2 - y1) * (x2 - x1)
    shared = (maximum(minimum(y2, y + high) - maximum(y1, y), 0.0)
              * maximum(minimum(x2, x + wide) - maximum(x1, x), 0.0))
    return where_v2(less(area, 1.0), -1.0, shared / maximum(area, 1.0))
