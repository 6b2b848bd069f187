"""Pictures turned, moved and seen through projective maps: `tf.contrib.image`."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, zeros
from graphc.api.array.join import concat
from graphc.api.array.shapes import reshape, shape
from graphc.api.math.matmul import matmul
from graphc.api.math.trigonometry import cos, sin
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float16, float32, float64, int32, int64, uint8
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.image.projective import ImageProjectiveTransformV2

_DTYPES = (uint8, int32, int64, float16, float32, float64)


@public("contrib.image.rotate")
def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> Tensor:
    """Pictures turned by an angle in radians, counter-clockwise about their middle; 0 where nothing was.

    images: [n, height, width, channels], [height, width, channels] or [height, width]. angles: one, or n.
    interpolation: "NEAREST" or "BILINEAR". images: uint8, int32, int64, float16, float32 or float64, which they keep.
    As `tf.contrib.image.rotate`. Raises TypeError for other dtypes and ranks, ValueError for another number of angles
    or another interpolation.

    >>> image = gc.constant([[1, 2], [3, 4]])
    >>> gc.contrib.image.rotate(image, np.pi / 2).eval()
    array([[2, 4],
           [1, 3]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "rotate"):
        x, rank = _four_axes(images)
        height, width = (cast(shape(x)[i], float32)[None] for i in (1, 2))
        made = transform(x, angles_to_projective_transforms(angles, height, width), interpolation)
        return _of_rank(made, rank)


@public("contrib.image.translate")
def translate(images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None) -> Tensor:
    """Pictures moved by [dx, dy], or by one such row each; 0 where nothing was.

    images, interpolation: as of `rotate`. As `tf.contrib.image.translate`. Raises TypeError for other dtypes and ranks,
    ValueError for another number of rows or another interpolation.

    >>> gc.contrib.image.translate(gc.constant([[1, 2], [3, 4]]), [1., 0.]).eval()
    array([[0, 1],
           [0, 3]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "translate"):
        return transform(images, translations_to_projective_transforms(translations), interpolation)


@public("contrib.image.transform")
def transform(images: Any, transforms: Any, interpolation: str = "NEAREST", output_shape: Any = None,
              name: str | None = None) -> Tensor:
    """Pictures whose pixel (x, y) is ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of images, or 0 outside.

    k = c0 x + c1 y + 1, for a row [a0, a1, a2, b0, b1, b2, c0, c1] of transforms or one each. images, interpolation: as
    of `rotate`. output_shape: [height, width]. As `tf.contrib.image.transform`. Raises TypeError for other dtypes and
    ranks, ValueError for another number of rows, rows without eight numbers, or another output_shape or interpolation.

    >>> image = gc.constant([[1, 2], [3, 4]])
    >>> gc.contrib.image.transform(image, [0., 1., 0., 1., 0., 0., 0., 0.]).eval()           # x and y exchanged
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    with get_default_graph().name_scope(name or "transform"):
        x, rank = _four_axes(images)
        rows = convert_to_tensor(transforms, float32, name="transforms")
        if rows.shape.ndims not in (1, 2):
            raise TypeError("Transforms should have rank 1 or 2.")
        size = shape(x)[1:3] if output_shape is None else convert_to_tensor(output_shape, int32, name="output_shape")
        if not size.shape.is_compatible_with([2]):
            raise ValueError(f"output_shape must be a 1-D Tensor of 2 elements: new_height, new_width, but has shape "
                             f"{size.shape}")
        made = apply(ImageProjectiveTransformV2, x, rows[None] if rows.shape.ndims == 1 else rows, size,
                     interpolation=interpolation.upper())
        return _of_rank(made, rank)


@public("contrib.image.angles_to_projective_transforms")
def angles_to_projective_transforms(angles: Any, image_height: Any, image_width: Any,
                                    name: str | None = None) -> Tensor:
    """The maps [n, 8], for `transform`, that turn pictures of that size about their middle by angles, one or n.

    angles: float32; the maps are, too. As `tf.contrib.image.angles_to_projective_transforms`. Raises TypeError for
    angles of rank 2 or more.

    >>> gc.contrib.image.angles_to_projective_transforms(np.pi, 2., 2.).eval()
    array([[-1.,  0.,  1., -0., -1.,  1.,  0.,  0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "angles_to_projective_transforms"):
        given = convert_to_tensor(angles, float32, name="angles")
        if given.shape.ndims not in (0, 1):
            raise TypeError("Angles should have rank 0 or 1.")
        turned = given[None] if given.shape.ndims == 0 else given
        right, low = image_width - 1, image_height - 1
        x = (right - (cos(turned) * right - sin(turned) * low)) / 2.0
        y = (low - (sin(turned) * right + cos(turned) * low)) / 2.0
        return concat([cos(turned)[:, None], -sin(turned)[:, None], x[:, None], sin(turned)[:, None],
                       cos(turned)[:, None], y[:, None], zeros([shape(turned)[0], 2])], 1)


@public("contrib.image.translations_to_projective_transforms")
def translations_to_projective_transforms(translations: Any, name: str | None = None) -> Tensor:
    """The maps [n, 8], for `transform`, that move pictures by [dx, dy], or by one such row each.

    translations: float32; the maps are, too. As `tf.contrib.image.translations_to_projective_transforms`. Raises
    TypeError for a rank other than 1 and 2.

    >>> gc.contrib.image.translations_to_projective_transforms([1., 2.]).eval()
    array([[ 1.,  0., -1.,  0.,  1., -2.,  0.,  0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "translations_to_projective_transforms"):
        given = convert_to_tensor(translations, float32, name="translations")
        if given.shape.ndims not in (1, 2):
            raise TypeError("Translations should have rank 1 or 2.")
        moved = given[None] if given.shape.ndims == 1 else given
        count = shape(moved)[0]
        one, zero = ones([count, 1]), zeros([count, 1])
        return concat([one, zero, -moved[:, 0, None], zero, one, -moved[:, 1, None], zeros([count, 2])], 1)


@public("contrib.image.flat_transforms_to_matrices")
def flat_transforms_to_matrices(transforms: Any, name: str | None = None) -> Tensor:
    """Maps [n, 8], or one of them, as matrices [n, 3, 3]. As `tf.contrib.image.flat_transforms_to_matrices`.

    Both are float32. Raises ValueError for a rank other than 1 and 2, or rows without eight numbers.

    >>> gc.contrib.image.flat_transforms_to_matrices([1., 2., 3., 4., 5., 6., 7., 8.]).eval()
    array([[[1., 2., 3.],
            [4., 5., 6.],
            [7., 8., 1.]]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "flat_transforms_to_matrices"):
        given = convert_to_tensor(transforms, float32, name="transforms")
        if given.shape.ndims not in (1, 2):
            raise ValueError(f"Transforms should be 1D or 2D, got: {given}")
        rows = reshape(given, [-1, 8])
        return reshape(concat([rows, ones([shape(rows)[0], 1])], 1), [-1, 3, 3])


@public("contrib.image.matrices_to_flat_transforms")
def matrices_to_flat_transforms(transform_matrices: Any, name: str | None = None) -> Tensor:
    """Matrices [n, 3, 3], or one of them, as maps [n, 8], each divided by its last element.

    Both are float32. As `tf.contrib.image.matrices_to_flat_transforms`. Raises ValueError for a rank other than 2 and
    3, or matrices that are not 3 x 3.

    >>> gc.contrib.image.matrices_to_flat_transforms(2. * gc.eye(3)).eval()
    array([[1., 0., 0., 0., 1., 0., 0., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "matrices_to_flat_transforms"):
        given = convert_to_tensor(transform_matrices, float32, name="transform_matrices")
        if given.shape.ndims not in (2, 3):
            raise ValueError(f"Matrices should be 2D or 3D, got: {given}")
        rows = reshape(given, [-1, 9])
        return (rows / rows[:, 8:9])[:, :8]


@public("contrib.image.compose_transforms")
def compose_transforms(*transforms: Any) -> Tensor:
    """The map that is those maps, [n, 8] or [8], one after the other. As `tf.contrib.image.compose_transforms`.

    All are float32. Raises ValueError if there are none, for a rank other than 1 and 2, or rows without eight numbers.

    >>> one = gc.contrib.image.translations_to_projective_transforms([1., 2.])
    >>> gc.contrib.image.compose_transforms(one, one).eval()
    array([[ 1.,  0., -2.,  0.,  1., -4.,  0.,  0.]], dtype=float32)
    """
    if not transforms:
        raise ValueError("compose_transforms: transforms cannot be empty")
    with get_default_graph().name_scope("compose_transforms"):
        made = flat_transforms_to_matrices(transforms[0])
        for other in transforms[1:]:
            made = matmul(made, flat_transforms_to_matrices(other))
        return matrices_to_flat_transforms(made)


def _four_axes(images: Any) -> tuple[Tensor, int]:
    """The pictures as a batch, and how many axes were given. Raises TypeError."""
    x = convert_to_tensor(images, name="images")
    if x.dtype not in _DTYPES:
        raise TypeError(f"Invalid dtype {x.dtype.name}: pictures are of {', '.join(d.name for d in _DTYPES)}.")
    rank = x.shape.ndims
    if rank is None:
        raise TypeError("image_or_images rank must be statically known")
    if rank not in (2, 3, 4):
        raise TypeError("Images should have rank between 2 and 4.")
    return (x if rank == 4 else x[None] if rank == 3 else x[None, :, :, None]), rank


def _of_rank(x: Tensor, rank: int) -> Tensor:
    return x if rank == 4 else x[0] if rank == 3 else x[0, :, :, 0]
