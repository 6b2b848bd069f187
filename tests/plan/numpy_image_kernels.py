"""The kernels on boxes and pictures, by the ops' references: they do what the ops mean, and no more, and the references
are compared with other formulas elsewhere. See numpy_kernels.py."""
from __future__ import annotations

import numpy as np

from graphc.ir.dtypes import as_dtype
from graphc.ops.image.boxes import DrawBoundingBoxesV2
from graphc.ops.image.crop_and_resize import CropAndResize, CropAndResizeGradBoxes, CropAndResizeGradImage
from graphc.ops.image.glimpse import ExtractGlimpse
from graphc.ops.image.suppress_classes import CombinedNonMaxSuppression
from graphc.ops.image.suppression import Similarity, overlap_of, picked

from numpy_kernels import Arrays, KernelError, kernel


def _check_indices(index: np.ndarray, size: int) -> None:
    if np.any((index < 0) | (index >= size)):
        raise KernelError("index out of range")


@kernel
def interpolate(x: Arrays, d: list[int], attrs: list[int]) -> None:
    source, low, high, part, out = x
    _check_indices(low, d[1])
    _check_indices(high, d[1])
    below, above = (source.reshape(d[:3])[:, index] for index in (low, high))
    out[...] = (below + (above - below) * part[:, None]).ravel()


@kernel
def blend(x: Arrays, d: list[int], attrs: list[int]) -> None:
    source, index, weight, out = x
    _check_indices(index, d[1])
    taken = source.reshape(d[:3]).astype(np.float64)[:, index.reshape(d[3:])]
    taken[:, weight.reshape(d[3:]) == 0] = 0
    out[...] = (taken * weight.reshape(*d[3:], 1)).sum(2).ravel()


@kernel
def crop_boxes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    image, box, index, outside, out = x
    _check_indices(index, d[0])
    op = CropAndResize((d[5], d[6]), ("bilinear", "nearest")[attrs[0]], float(outside[0]))
    out[...] = op.reference(image.reshape(d[:4]), box.reshape(-1, 4), index).ravel()


@kernel
def crop_boxes_image_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    grads, box, index, out = x
    _check_indices(index, d[0])
    op = CropAndResizeGradImage(tuple(d[:4]), as_dtype(out.dtype), ("bilinear", "nearest")[attrs[0]])
    out[...] = op.reference(grads.reshape(d[4], d[5], d[6], d[3]), box.reshape(-1, 4), index).ravel()


@kernel
def crop_boxes_box_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    grads, image, box, index, out = x
    _check_indices(index, d[0])
    made = CropAndResizeGradBoxes().reference(grads.reshape(d[4], d[5], d[6], d[3]), image.reshape(d[:4]),
                                              box.reshape(-1, 4), index)
    out[...] = made.ravel()


@kernel
def draw_boxes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    image, box, color, out = x
    made = DrawBoundingBoxesV2().reference(image.reshape(d[:4]), box.reshape(d[0], d[4], 4), color.reshape(d[5:]))
    out[...] = made.ravel()


@kernel
def glimpse(x: Arrays, d: list[int], attrs: list[int]) -> None:
    image, out = x[0].reshape(d[:4]), x[2].reshape(d[0], d[4], d[5], d[3])
    seen = [ExtractGlimpse((d[4], d[5]), bool(attrs[0]), bool(attrs[1]), False, "zero").reference(
        np.full_like(image, fill) if fill else image, x[1].reshape(-1, 2)) for fill in (0, 1)]
    out[...] = np.where(seen[1] != 0, seen[0], out)


def _suppressed(x: Arrays, d: list[int], similarity: Similarity) -> None:
    _, score, overlap, least, sigma, out, kept, count = x
    found, scores = picked(similarity, score, d[1], float(overlap[0]), float(least[0]), float(sigma[0]))
    out[...], kept[...], count[0] = 0, 0, len(found)
    out[:len(found)], kept[:len(found)] = found, scores


@kernel
def suppress_boxes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    box = x[0].reshape(-1, 4)
    if not 0 <= x[2][0] <= 1:
        raise KernelError("overlap")
    _suppressed(x, d, lambda i, j: overlap_of(box[i], box[j]))


@kernel
def suppress_overlaps(x: Arrays, d: list[int], attrs: list[int]) -> None:
    table = x[0].reshape(d[0], d[0])
    _suppressed(x, d, lambda i, j: table[i, j])


@kernel
def suppress_classes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, boxes, kinds, classes, each, most = d
    op = CombinedNonMaxSuppression(each, most, clip_boxes=bool(attrs[0]))
    made = op.reference(x[0].reshape(batch, boxes, kinds, 4), x[1].reshape(batch, boxes, classes), x[2][0], x[3][0])
    for target, result in zip(x[4:], made, strict=True):
        target[...] = result.ravel()
