"""More of the kernels that Plans call, in NumPy (numpy_kernels.py): convolutions and poolings of other kinds."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphc.ir.dtypes import float64
from graphc.ops.nn.ctc import CTCLoss
from graphc.ops.nn.ctc_decode import CTCBeamSearchDecoder, CTCGreedyDecoder
from graphc.ops.random.philox import uniform

from numpy_kernels import Arrays, KernelError, kernel


def _depthwise(d: list[int], attrs: list[int]) -> tuple[tuple[tuple[int, ...], ...], Iterator[tuple]]:
    """The shapes of picture, filter and result; for each tap: where it stands in the result and in the picture."""
    n, h, w, c, kh, kw, oh, ow, top, left = d
    sh, sw, dh, dw = attrs[:4]

    def taps() -> Iterator[tuple]:
        for i in range(kh):
            for j in range(kw):
                ys = [y for y in range(oh) if 0 <= y * sh + i * dh - top < h]
                xs = [x for x in range(ow) if 0 <= x * sw + j * dw - left < w]
                yield i, j, np.ix_(range(n), ys, xs), np.ix_(
                    range(n), [y * sh + i * dh - top for y in ys], [x * sw + j * dw - left for x in xs])

    return ((n, h, w, c), (kh, kw, c), (n, oh, ow, c)), taps()


@kernel
def depthwise_conv2d(x: Arrays, d: list[int], attrs: list[int]) -> None:
    (xs, ws, ys), taps = _depthwise(d, attrs)
    image, weights, y = x[0].reshape(xs), x[1].reshape(ws), np.zeros(ys)
    weights = weights[::-1, ::-1] if attrs[4] else weights
    for i, j, out, inside in taps:
        y[out] += image[inside].astype(np.float64) * weights[i, j]
    x[2][...] = y.ravel()


@kernel
def depthwise_conv2d_input_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    (xs, ws, ys), taps = _depthwise(d, attrs)
    dy, weights, dx = x[0].reshape(ys), x[1].reshape(ws), np.zeros(xs)
    for i, j, out, inside in taps:
        dx[inside] += dy[out].astype(np.float64) * weights[i, j]
    x[2][...] = dx.ravel()


@kernel
def depthwise_conv2d_filter_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    (xs, ws, ys), taps = _depthwise(d, attrs)
    image, dy, dw = x[0].reshape(xs), x[1].reshape(ys), np.zeros(ws)
    for i, j, out, inside in taps:
        dw[i, j] = (image[inside].astype(np.float64) * dy[out]).sum((0, 1, 2))
    x[2][...] = dw.ravel()


def _frames(d: list[int], attrs: list[int]) -> Iterator[tuple[int, int, int]]:
    """Tap, output and frame, where the frame lies in the volume."""
    _, depth, _, _, taps, outputs, pad = d
    for u in range(taps):
        for t in range(outputs):
            if 0 <= t * attrs[0] - pad + u * attrs[1] < depth:
                yield u, t, t * attrs[0] - pad + u * attrs[1]


@kernel
def unfold_depth(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, depth, m, c, taps, outputs, _ = d
    volume, y = x[0].reshape(n, depth, m, c), np.zeros((n, outputs, m, taps, c))
    for u, t, frame in _frames(d, attrs):
        y[:, t, :, u] = volume[:, frame]
    x[1][...] = y.ravel()


@kernel
def fold_depth(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, depth, m, c, taps, outputs, _ = d
    y, volume = x[0].reshape(n, outputs, m, taps, c), np.zeros((n, depth, m, c))
    for u, t, frame in _frames(d, attrs):
        volume[:, frame] += y[:, t, :, u]
    x[1][...] = volume.ravel()


def _cuboids(d: list[int], attrs: list[int]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each window: its place in the result, and the part of the volume."""
    sizes, window, outputs, pads = d[1:4], d[5:8], d[8:11], d[11:14]
    for place in np.ndindex(*outputs):
        starts = [p * s - pad for p, s, pad in zip(place, attrs, pads, strict=True)]
        yield place, tuple(slice(max(0, a), max(0, min(size, a + k)))
                           for a, k, size in zip(starts, window, sizes, strict=True))


@kernel
def max_pool3d_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    volume, small = (d[0], *d[1:4], d[4]), (d[0], *d[8:11], d[4])
    image, y, dy, dx = x[0].reshape(volume), x[1].reshape(small), x[2].reshape(small), np.zeros(volume)
    for place, part in _cuboids(d, attrs):
        at = (slice(None), *(slice(p, p + 1) for p in place))
        dx[(slice(None), *part)] += np.where(image[(slice(None), *part)] == y[at], dy[at], 0)
    x[3][...] = dx.ravel()


@kernel
def max_pool3d_grad_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    volume, small = (d[0], *d[1:4], d[4]), (d[0], *d[8:11], d[4])
    image, y, ddx, ddy = x[0].reshape(volume), x[1].reshape(small), x[2].reshape(volume), np.zeros(small)
    for place, part in _cuboids(d, attrs):
        at = (slice(None), *place)
        count = int(np.prod([s.stop - s.start for s in part]))
        found = image[(slice(None), *part)].reshape(d[0], count, d[4]) == y[at][:, None]
        given = ddx[(slice(None), *part)].reshape(found.shape)
        if count:
            first = np.take_along_axis(given, found.argmax(1)[:, None], 1)[:, 0]
            ddy[at] = np.where(found.any(1), first, 0)
    x[3][...] = ddy.ravel()


@kernel
def window_sum(x: Arrays, d: list[int], attrs: list[int]) -> None:
    near = np.abs(np.arange(d[1])[:, None] - np.arange(d[1])) <= attrs[0]
    x[1][...] = (x[0].reshape(d).astype(np.float64) @ near).ravel()


@kernel
def max_pool_argmax(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, h, w, c, kh, kw, oh, ow, top, left = d
    image, y, where = x[0].reshape(n, h, w, c), x[1].reshape(n, oh, ow, c), x[2].reshape(n, oh, ow, c)
    for p, i, j, k in np.ndindex(n, oh, ow, c):
        rows = range(max(i * attrs[0] - top, 0), min(i * attrs[0] - top + kh, h))
        columns = range(max(j * attrs[1] - left, 0), min(j * attrs[1] - left + kw, w))
        best = (rows[0], columns[0])
        for place in ((a, b) for a in rows for b in columns):
            best = place if image[(p, *best, k)] < image[(p, *place, k)] else best
        y[p, i, j, k] = image[(p, *best, k)]
        where[p, i, j, k] = (best[0] * w + best[1]) * c + k + (p * h * w * c if attrs[2] else 0)


def _places(where: np.ndarray, d: list[int], batched: int) -> np.ndarray:
    """Places in the whole batch. Raises KernelError for one outside of its picture."""
    first = np.arange(d[0])[:, None] * d[2]
    inside = where.reshape(d[:2]) - (first if batched else 0)
    if ((inside < 0) | (inside >= d[2])).any():
        raise KernelError("index out of range")
    return inside + first


@kernel
def max_pool_scatter(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = 0
    np.add.at(x[2], _places(x[1], d, attrs[0]).ravel(), x[0])


@kernel
def max_pool_pick(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = x[0][_places(x[1], d, attrs[0]).ravel()]


@kernel
def candidates(x: Arrays, d: list[int], attrs: list[int]) -> None:
    (counter, table, out, tries), (range_max, kind, unique, key) = x, attrs
    found: list[int] = []
    drawn, numbers = 0, uniform(key, int(counter[0]), int(counter[1]), 100_000, float64)
    while len(found) < d[0]:
        u = numbers[drawn]
        value = int(np.exp(u * np.log(range_max + 1))) - 1 if kind == 0 else int(u * range_max) if kind == 1 else int(
            np.searchsorted(table, u, side="right"))
        drawn += 1
        if not unique or value not in found:
            found.append(min(max(value, 0), range_max - 1))
    out[...], tries[0] = found, drawn


@kernel
def ctc_loss(x: Arrays, d: list[int], attrs: list[int]) -> None:
    t, b, c, n = d
    op = CTCLoss(*(bool(a) for a in attrs))
    try:
        loss, gradient = op.reference(x[0].reshape(t, b, c), x[1].reshape(n, 2), x[2], x[3])
    except (IndexError, ValueError) as error:
        raise KernelError(str(error)) from None
    x[4][...], x[5][...] = loss, gradient.ravel()


def _dilation(d: list[int], attrs: list[int], x: Arrays) -> Iterator[tuple]:
    """For each result: its place, the value of the first greatest tap, and that tap in the picture and the filter."""
    n, h, w, c, kh, kw, oh, ow, top, left = d
    image, weights = x[0].reshape(n, h, w, c), x[1].reshape(kh, kw, c)
    for p, i, j, k in np.ndindex(n, oh, ow, c):
        taps = [(i * attrs[0] - top + u * attrs[2], j * attrs[1] - left + v * attrs[3], u, v)
                for u in range(kh) for v in range(kw)]
        inside = [tap for tap in taps if 0 <= tap[0] < h and 0 <= tap[1] < w]
        row, column, u, v = max(inside, key=lambda t: image[p, t[0], t[1], k] + weights[t[2], t[3], k])
        yield (p, i, j, k), image[p, row, column, k] + weights[u, v, k], (p, row, column, k), (u, v, k)


@kernel
def dilation2d(x: Arrays, d: list[int], attrs: list[int]) -> None:
    y = x[2].reshape(d[0], d[6], d[7], d[3])
    for at, value, _, _ in _dilation(d, attrs, x):
        y[at] = value


@kernel
def dilation2d_input_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    dy, dx = x[2].reshape(d[0], d[6], d[7], d[3]), np.zeros(d[:4], x[3].dtype)
    for at, _, place, _ in _dilation(d, attrs, x):
        dx[place] += dy[at]
    x[3][...] = dx.ravel()


@kernel
def dilation2d_filter_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    dy, dw = x[2].reshape(d[0], d[6], d[7], d[3]), np.zeros((d[4], d[5], d[3]), x[3].dtype)
    for at, _, _, tap in _dilation(d, attrs, x):
        dw[tap] += dy[at]
    x[3][...] = dw.ravel()


def _decoded(x: Arrays, op: CTCGreedyDecoder | CTCBeamSearchDecoder, d: list[int], top: int) -> None:
    """The decoder's own reference, its sparse results as paths and counts."""
    try:
        *parts, score = op.reference(x[0].reshape(d), x[1])
    except (IndexError, ValueError) as error:
        raise KernelError(str(error)) from None
    paths, counts = x[2].reshape(top, d[1], d[0]), x[3].reshape(top, d[1])
    paths[...], counts[...], x[4][...] = 0, 0, score.ravel()
    for p in range(top):
        for (batch, place), value in zip(parts[p], parts[top + p], strict=True):
            paths[p, batch, place] = value
            counts[p, batch] += 1


@kernel
def ctc_greedy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _decoded(x, CTCGreedyDecoder(merge_repeated=bool(attrs[0])), d, 1)


@kernel
def ctc_beam(x: Arrays, d: list[int], attrs: list[int]) -> None:
    op = CTCBeamSearchDecoder(beam_width=attrs[0], top_paths=attrs[1], merge_repeated=bool(attrs[2]))
    _decoded(x, op, d, attrs[1])


@kernel
def ctc_sparse(x: Arrays, d: list[int], attrs: list[int]) -> None:
    b, t, found = d
    paths, counts = x[0].reshape(b, t), x[1]
    places = [(batch, i) for batch in range(b) for i in range(counts[batch])]
    if len(places) != found:
        raise KernelError("number of labels")
    x[2][...] = np.array(places, np.int64).ravel()
    x[3][...] = [paths[p] for p in places]
    x[4][...] = b, counts.max(initial=0)
