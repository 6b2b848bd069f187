"""The kernels that Plans call, in NumPy, under the contract of their declarations: flat operands, dims, attributes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.dtypes import as_dtype
from graphc.kernels.contracts.all import KERNELS as KERNEL_DECLARATIONS
from graphc.ops.image.boxes import DrawBoundingBoxesV2
from graphc.ops.image.crop_and_resize import CropAndResize, CropAndResizeGradBoxes, CropAndResizeGradImage
from graphc.ops.image.glimpse import ExtractGlimpse
from graphc.ops.image.suppress_classes import CombinedNonMaxSuppression
from graphc.ops.image.suppression import Similarity, overlap_of, picked
from graphc.passes.batch_norm import ChannelMoments, ChannelProducts
from graphc.passes.cross_entropy import WeightedCrossEntropy, WeightedSparseCrossEntropy
from graphc.passes.layer_norm_ops import LayerNorm, LayerNormGrad
from graphc.passes.softmax_grad import LogSoftmaxGrad, SoftmaxGrad

Arrays = list[np.ndarray]
KERNELS: dict[str, Callable[[Arrays, list[int], list[int]], None]] = {}


class KernelError(Exception):
    pass


def kernel(function: Callable[[Arrays, list[int], list[int]], None]) -> Callable[[Arrays, list[int], list[int]], None]:
    KERNELS[function.__name__] = function
    return function


@kernel
def matmul(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, m, n, k, a_batch, b_batch = d
    a, b, c = x
    for i in range(batch):
        left = a[i * a_batch:i * a_batch + m * k].reshape((k, m) if attrs[0] else (m, k))
        right = b[i * b_batch:i * b_batch + k * n].reshape((n, k) if attrs[1] else (k, n))
        wide = np.float64 if c.dtype.kind == "f" else c.dtype
        product = (left.T if attrs[0] else left).astype(wide) @ (right.T if attrs[1] else right).astype(wide)
        c[i * m * n:(i + 1) * m * n] = product.ravel()


def _taps(d: list[int], attrs: list[int]):
    """For each kernel position: slices of the output and of the input that it joins."""
    n, h, w, _, kh, kw, _, oh, ow = d
    sh, sw, dh, dw, top, left = attrs
    for i in range(kh):
        for j in range(kw):
            ys = [y for y in range(oh) if 0 <= y * sh + i * dh - top < h]
            xs = [x for x in range(ow) if 0 <= x * sw + j * dw - left < w]
            if ys and xs:
                yield i, j, np.ix_(range(n), ys, xs), np.ix_(
                    range(n), [y * sh + i * dh - top for y in ys], [x * sw + j * dw - left for x in xs])


def _conv_shapes(d: list[int]) -> tuple[tuple[int, ...], ...]:
    n, h, w, c, kh, kw, oc, oh, ow = d
    return (n, h, w, c), (kh, kw, c, oc), (n, oh, ow, oc)


@kernel
def conv2d(x: Arrays, d: list[int], attrs: list[int]) -> None:
    xs, ws, ys = _conv_shapes(d)
    image, weights, y = x[0].reshape(xs), x[1].reshape(ws), np.zeros(ys)
    for i, j, out, inside in _taps(d, attrs):
        y[out] += image[inside].astype(np.float64) @ weights[i, j]
    x[2][...] = y.ravel()


@kernel
def conv2d_input_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    xs, ws, ys = _conv_shapes(d)
    dy, weights, dx = x[0].reshape(ys), x[1].reshape(ws), np.zeros(xs)
    for i, j, out, inside in _taps(d, attrs):
        dx[inside] += dy[out].astype(np.float64) @ weights[i, j].T
    x[2][...] = dx.ravel()


@kernel
def conv2d_filter_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    xs, ws, ys = _conv_shapes(d)
    image, dy, dw = x[0].reshape(xs), x[1].reshape(ys), np.zeros(ws)
    for i, j, out, inside in _taps(d, attrs):
        dw[i, j] += np.einsum("nyxc,nyxo->co", image[inside].astype(np.float64), dy[out])
    x[2][...] = dw.ravel()


def _windows(d: list[int], attrs: list[int]):
    _, h, w, _, kh, kw, oh, ow = d
    sh, sw, top, left = attrs
    for y in range(oh):
        for x in range(ow):
            rows = slice(max(0, y * sh - top), max(0, min(h, y * sh - top + kh)))
            cols = slice(max(0, x * sw - left), max(0, min(w, x * sw - left + kw)))
            yield y, x, rows, cols


@kernel
def max_pool(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, _, _, oh, ow = d
    image, y = x[0].reshape(n, h, w, c), x[1].reshape(n, oh, ow, c)
    for i, j, rows, cols in _windows(d, attrs):
        y[:, i, j] = image[:, rows, cols].max((1, 2), initial=-np.inf)


@kernel
def max_pool_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, _, _, oh, ow = d
    image, dy, dx = x[0].reshape(n, h, w, c), x[2].reshape(n, oh, ow, c), x[3].reshape(n, h, w, c)
    dx[...] = 0
    for i, j, rows, cols in _windows(d, attrs):
        part = image[:, rows, cols]
        flat = part.reshape(n, part.shape[1] * part.shape[2], c)
        if flat.size:
            best = flat.argmax(1)
            wide = part.shape[2]
            for b in range(n):
                for k in range(c):
                    dx[b, rows.start + best[b, k] // wide, cols.start + best[b, k] % wide, k] += dy[b, i, j, k]


@kernel
def max_pool_grad_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, _, _, oh, ow = d
    image, ddx, ddy = x[0].reshape(n, h, w, c), x[2].reshape(n, h, w, c), x[3].reshape(n, oh, ow, c)
    for i, j, rows, cols in _windows(d, attrs):
        count = (rows.stop - rows.start) * (cols.stop - cols.start)
        flat, given = image[:, rows, cols].reshape(n, count, c), ddx[:, rows, cols].reshape(n, count, c)
        if flat.size:
            ddy[:, i, j] = np.take_along_axis(given, flat.argmax(1)[:, None], 1)[:, 0]


@kernel
def avg_pool(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, _, _, oh, ow = d
    image, y = x[0].reshape(n, h, w, c), x[1].reshape(n, oh, ow, c)
    for i, j, rows, cols in _windows(d, attrs):
        y[:, i, j] = image[:, rows, cols].astype(np.float64).mean((1, 2))


@kernel
def avg_pool_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, _, _, oh, ow = d
    dy, dx = x[0].reshape(n, oh, ow, c), x[1].reshape(n, h, w, c)
    dx[...] = 0
    for i, j, rows, cols in _windows(d, attrs):
        count = (rows.stop - rows.start) * (cols.stop - cols.start)
        dx[:, rows, cols] += (dy[:, i, j] / count)[:, None, None]


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x.astype(np.float64) - x.max(-1, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@kernel
def softmax(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = np.exp(_log_softmax(x[0].reshape(d))).ravel()


@kernel
def attention(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, inner, rows, cols, depth, columns, *steps = d
    q, k, v = (part.reshape(outer, inner, *shape).astype(np.float64) for part, shape in
               zip(x, ((rows, depth), (cols, depth), (cols, columns)), strict=False))
    masked, scale = KERNEL_DECLARATIONS["attention"].attr_values(attrs)
    scores = q @ k.swapaxes(-1, -2) * scale
    if masked:
        strides = [step * x[3].itemsize for step in (*steps, 1)]
        scores = scores + np.lib.stride_tricks.as_strided(x[3], scores.shape, strides)
    x[4][...] = (np.exp(_log_softmax(scores)) @ v).ravel()


@kernel
def channel_moments(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for result, made in zip(x[1:], ChannelMoments().reference(x[0].reshape(d)), strict=True):
        result[...] = made


@kernel
def channel_products(x: Arrays, d: list[int], attrs: list[int]) -> None:
    made = ChannelProducts().reference(x[0].reshape(d), x[1].reshape(d), x[2])
    for result, values in zip(x[3:], made, strict=True):
        result[...] = values


@kernel
def log_softmax(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = _log_softmax(x[0].reshape(d)).ravel()


@kernel
def softmax_cross_entropy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    logs, labels = _log_softmax(x[0].reshape(d)), x[1].reshape(d).astype(np.float64)
    x[2][...] = -(labels * logs).sum(-1)
    x[3][...] = (np.exp(logs) - labels).ravel()


@kernel
def sparse_softmax_cross_entropy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    logs, labels = _log_softmax(x[0].reshape(d)), x[1]
    if ((labels < 0) | (labels >= d[1])).any():
        raise KernelError("label out of range")
    x[2][...] = -logs[np.arange(d[0]), labels]
    x[3][...] = (np.exp(logs) - np.eye(d[1])[labels]).ravel()


@kernel
def weighted_softmax_cross_entropy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    product, x[3][...] = WeightedCrossEntropy().reference(x[0].reshape(d), x[1].reshape(d), x[2])
    x[4][...] = product.ravel()


@kernel
def weighted_sparse_softmax_cross_entropy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if ((x[0] < 0) | (x[0] >= d[1])).any():
        raise KernelError("label out of range")
    product, x[2][...] = WeightedSparseCrossEntropy().reference(x[3].reshape(d), x[0], x[1])
    x[3][...] = product.ravel()


@kernel
def softmax_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = SoftmaxGrad().reference(x[0].reshape(d), x[1].reshape(d)).ravel()


@kernel
def log_softmax_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = LogSoftmaxGrad().reference(x[0].reshape(d), x[1].reshape(d)).ravel()


@kernel
def layer_norm(x: Arrays, d: list[int], attrs: list[int]) -> None:
    centred, scaled, shifted, epsilon = KERNEL_DECLARATIONS["layer_norm"].attr_values(attrs)
    others = [*([x[1]] if scaled else []), *([x[2]] if shifted else [])]
    op = LayerNorm(2, 1, bool(centred), bool(scaled), epsilon, bool(shifted))
    x[3][...] = op.reference(x[0].reshape(d), *others).ravel()


@kernel
def layer_norm_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    centred, scaled, added, summed, epsilon = KERNEL_DECLARATIONS["layer_norm_grad"].attr_values(attrs)
    others = [*([x[2]] if scaled else []), *([x[3].reshape(d)] if added else [])]
    op = LayerNormGrad(2, 1, bool(centred), bool(scaled), epsilon, bool(added), bool(summed))
    for result, made in zip(x[4:], op.reference(x[0].reshape(d), x[1].reshape(d), *others), strict=True):
        result[...] = made.ravel()


@kernel
def gather(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, axis, inner, count = d
    indices = x[1][:count]
    if ((indices < 0) | (indices >= axis)).any():
        raise KernelError("index out of range")
    x[2][...] = x[0].reshape(outer, axis, inner)[:, indices].ravel()


@kernel
def scatter_add(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, axis, inner, count = d
    out = x[2].reshape(outer, axis, inner)
    out[...] = 0
    updates = x[0].reshape(outer, count, inner)
    for i, index in enumerate(x[1][:count]):
        if not 0 <= index < axis:
            raise KernelError("index out of range")
        out[:, index] += updates[:, i]


def _tuple_rows(indices: np.ndarray, sizes: list[int], depth: int, number: int) -> tuple[int, ...]:
    place = tuple(int(i) for i in indices[number * depth:(number + 1) * depth])
    if any(not 0 <= i < n for i, n in zip(place, sizes, strict=False)):
        raise KernelError("index out of range")
    return (*place, *(0,) * (7 - depth))


@kernel
def gather_nd(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, count, inner, *sizes = d
    params, out = x[0].reshape(batch, *sizes, inner), x[2].reshape(batch * count, inner)
    for j in range(batch * count):
        out[j] = params[(j // count, *_tuple_rows(x[1], sizes, attrs[0], j))]


@kernel
def scatter_nd(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, count, inner, *sizes = d
    updates, table = x[1].reshape(batch * count, inner), x[2].reshape(batch, *sizes, inner)
    change = (lambda a, b: b, np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum)[attrs[1]]
    for j in range(batch * count):
        place = (j // count, *_tuple_rows(x[0], sizes, attrs[0], j))
        made = change(table[place], updates[j])
        table[place] = np.trunc(made) if table.dtype.kind in "iu" and attrs[1] == 4 else made


@kernel
def absent(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = [not (y == x[1][:d[1]]).any() for y in x[0][:d[0]]]


@kernel
def checked_indices(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for j in range(d[0]):
        _tuple_rows(x[0], d[1:], attrs[0], j)
    x[1][...] = x[0]


@kernel
def first_equal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = [list(x[0]).index(index) for index in x[0]]


@kernel
def sum_equal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    sums = np.zeros(d, x[0].dtype)
    np.add.at(sums, x[1], x[0].reshape(d))
    x[2][...] = sums[x[1]].ravel()


@kernel
def argmax(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = _extreme(x[0], np.fmax, "min").reshape(d).argmax(1).ravel()


@kernel
def argmin(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = _extreme(x[0], np.fmin, "max").reshape(d).argmin(1).ravel()


def _extreme(x: np.ndarray, of_two: Any, bound: str) -> np.ndarray:
    """x without NaNs, which no place is that of."""
    return of_two(x, getattr(np.finfo(x.dtype), bound)) if x.dtype.kind == "f" else x


@kernel
def nonzero(x: Arrays, d: list[int], attrs: list[int]) -> None:
    found = np.flatnonzero(x[0][:d[0]])
    if len(found) != d[1]:
        raise KernelError("number of elements")
    x[1][...] = found


@kernel
def top_k(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, n, k = d
    row = x[0].reshape(rows, n)
    order = n - 1 - np.argsort(row[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :k]
    x[1][...] = np.take_along_axis(row, order, 1).ravel()
    x[2][...] = order.ravel()


@kernel
def in_top_k(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, classes, k = d
    for i, (row, target) in enumerate(zip(x[0].reshape(rows, classes), x[1], strict=True)):
        greater, inside = 0, 0 <= target < classes and bool(np.isfinite(row[target]))
        for value in row:
            if not inside or greater > k:
                break
            inside = bool(np.isfinite(value))
            greater += int(value > row[target])
        x[2][i] = inside and greater < k


@kernel
def unique(x: Arrays, d: list[int], attrs: list[int]) -> None:
    first: list[int] = []
    for i, value in enumerate(x[0]):
        same = [place for place, j in enumerate(first) if x[0][j] == value]
        x[1][i] = same[0] if same else len(first)
        if not same:
            first.append(i)
    x[2][...] = 0
    x[2][:len(first)] = first
    x[3][0] = len(first)


@kernel
def bincount(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _, weighted, size = d
    if (x[0] < 0).any():
        raise KernelError("a value is refused")
    x[2][...] = 0
    inside = x[0] < size
    np.add.at(x[2], x[0][inside], x[1][inside] if weighted else 1)


@kernel
def search_sorted(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, n, count = d
    for i, (row, values) in enumerate(zip(x[0].reshape(rows, n), x[1].reshape(rows, count), strict=True)):
        for j, value in enumerate(values):
            before = [not value < r for r in row] if attrs[0] else [r < value for r in row]
            x[2][i * count + j] = sum(before)


@kernel
def segment_count(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if (np.diff(x[0]) < 0).any() or (x[0] < 0).any():
        raise KernelError("ids do not ascend")
    x[1][0] = x[0][-1] + 1 if d[0] else 0


@kernel
def segment(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, inner, rows = d
    how, ascending = attrs
    data, ids, out = x[0].reshape(n, inner), x[1], x[2].reshape(rows, inner)
    if (ids >= rows).any() or (ascending and ((np.diff(ids) < 0).any() or (ids < 0).any())):
        raise KernelError("an id is refused")
    bounds = (np.finfo if out.dtype.kind == "f" else np.iinfo)(out.dtype)
    neutral = {3: 1, 4: bounds.max, 5: bounds.min}.get(how, 0)
    out[...] = 0 if ascending and how != 3 else neutral
    for i in np.unique(ids[ids >= 0]):
        part = data[ids == i]
        function = {3: np.multiply, 4: np.minimum, 5: np.maximum}.get(how, np.add)
        total = function.reduce(part, 0, dtype=part.dtype)
        by = {1: len(part), 2: len(part) ** 0.5}.get(how, 1)
        out[i] = total if by == 1 else np.trunc(total / by) if out.dtype.kind != "f" else total / by


@kernel
def copy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][:d[0]] = x[0][:d[0]]


@kernel
def invert_permutation(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if sorted(x[0][:d[0]]) != list(range(d[0])):
        raise KernelError("no permutation")
    x[1][x[0][:d[0]]] = range(d[0])


@kernel
def checked(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if d[1] and np.any(x[0][:d[0]] < 0 if attrs[0] else x[0][:d[0]] == 0):
        raise KernelError("a value is refused")
    x[1][:d[0]] = x[0][:d[0]]


@kernel
def sizes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    start, count = attrs
    x[0][start:start + count] = d[:count]


@kernel
def state_mark(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[0][...] = (1, x[0][1] + 1)


@kernel
def state_check(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if not x[0][0]:
        raise KernelError("uninitialised")


def _scan(x: Arrays, d: list[int], attrs: list[int], function: np.ufunc, neutral: int) -> None:
    exclusive, reverse = attrs
    a = x[0].reshape(d)
    a = a[:, ::-1] if reverse else a
    total = function.accumulate(a, 1, dtype=a.dtype)
    if exclusive and d[1]:
        total = np.concatenate([np.full_like(total[:, :1], neutral), total[:, :-1]], 1)
    x[1][...] = (total[:, ::-1] if reverse else total).ravel()


@kernel
def cumsum(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _scan(x, d, attrs, np.add, 0)


@kernel
def cumprod_complex(x: Arrays, d: list[int], attrs: list[int]) -> None:
    kind = np.complex64 if x[0].dtype == np.float32 else np.complex128
    _scan([v.view(kind) for v in x], d, attrs, np.multiply, 1)


@kernel
def cumprod(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _scan(x, d, attrs, np.multiply, 1)


# Boxes: the kernels do what the ops mean, and no more; their references are compared with other formulas elsewhere.

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


def _check_indices(index: np.ndarray, size: int) -> None:
    if np.any((index < 0) | (index >= size)):
        raise KernelError("index out of range")


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
