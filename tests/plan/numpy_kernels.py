"""The kernels that Plans call, in NumPy, under the contract of their declarations: flat operands, dims, attributes.

Here: the register of them all, products, convolutions and what belongs to neural networks; the files beside this one
have the other families.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphc.kernels.contracts.all import KERNELS as KERNEL_DECLARATIONS
from graphc.passes.attention.ops import CHOSEN, MULTIPLIED
from graphc.passes.norms.batch_norm import ChannelMoments, ChannelProducts
from graphc.passes.norms.layer_norm_ops import LayerNorm, LayerNormGrad
from graphc.passes.norms.moments import RowMoments
from graphc.passes.softmax.cross_entropy import WeightedCrossEntropy, WeightedSparseCrossEntropy
from graphc.passes.softmax.softmax_grad import LogSoftmaxGrad, SoftmaxGrad

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
    outer, inner, rows, cols, depth, columns, *steps = d[:9]
    q, k, v = (_seen(part, (outer, inner, *shape), at).astype(np.float64) for part, shape, at in
               zip(x, ((rows, depth), (cols, depth), (cols, columns)), (d[9:13], d[13:17], d[17:21]), strict=False))
    masked, inside, scale = KERNEL_DECLARATIONS["attention"].attr_values(attrs)
    scores = q @ k.swapaxes(-1, -2) * scale
    if masked:
        mask = _seen(x[3], scores.shape, [0, *steps])
        scores = np.where(mask < 0, scores * 0, scores) if masked == MULTIPLIED else scores
        scores = np.where(mask < 0, mask, scores) if masked == CHOSEN else scores + mask
    y = np.exp(_log_softmax(scores)) @ v
    x[4][...] = (y.swapaxes(1, 2) if inside else y).ravel()


def _seen(x: np.ndarray, shape: tuple[int, ...], at: list[int]) -> np.ndarray:
    """Whole rows of x: from element at[0] on, and the steps of the axes before."""
    return np.lib.stride_tricks.as_strided(x[at[0]:], shape, [step * x.itemsize for step in (*at[1:], 1)])


@kernel
def channel_moments(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for result, made in zip(x[1:], ChannelMoments(1).reference(x[0].reshape(d)), strict=True):
        result[...] = made.ravel()


@kernel
def row_moments(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for result, made in zip(x[1:], RowMoments(1).reference(x[0].reshape(d)), strict=True):
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
