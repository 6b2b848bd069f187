"""Convolutions and transposed ones, of one to three spatial axes, in groups too."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes
from graphc.onnx.importing.windows import Window, padded, window_of

_FORMATS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


@onnx_op("Conv")
def conv(node: Node, x: Any, w: Any, bias: Any = None) -> Any:
    y = convolved(node, x, w)
    return y if bias is None else with_bias(y, bias, node.rank(x))


def with_bias(y: Any, bias: Any, rank: int) -> Any:
    """y [batch, channels, ...] + bias [channels]."""
    return gc.nn.bias_add(y, bias, data_format="NCHW") if rank == 4 else \
        y + gc.reshape(bias, [1, -1] + [1] * (rank - 2))


def convolved(node: Node, x: Any, w: Any, fill: Any = 0) -> Any:
    """The convolution of x [batch, in, spatial...] with w [out, in / group, spatial...]."""
    kernel = static_sizes(w)[2:]
    if None in kernel or not 1 <= len(kernel) <= 3:
        raise node.refuse(f"a convolution with a kernel {kernel}: one to three axes of known sizes are supported")
    window = window_of(node, x, kernel)  # type: ignore[arg-type]
    groups, channels = node.attr("group", 1), static_sizes(x)[1]
    filters = gc.transpose(w, [*range(2, 2 + window.rank), 1, 0])
    if groups == 1 or (window.rank < 3 and channels is not None):
        return _plain(x, filters, window)
    parts = zip(gc.split(x, groups, 1), gc.split(filters, groups, -1), strict=True)
    return gc.concat([_plain(part, own, window) for part, own in parts], 1)


def _plain(x: Any, filters: Any, window: Window) -> Any:
    pads = window.static_pads()
    if window.rank < 3 and pads is not None:
        return _flat(x, filters, window, pads)
    if pads is not None and window.keeps_size(pads):
        return gc.nn.convolution(x, filters, "SAME", dilation_rate=window.dilations,
                                 data_format=_FORMATS[window.rank])
    return gc.nn.convolution(padded(x, window, 0), filters, "VALID", strides=window.strides,
                             dilation_rate=window.dilations, data_format=_FORMATS[window.rank])


def _flat(x: Any, filters: Any, window: Window, pads: list[tuple[int, int]]) -> Any:
    """A convolution of pictures, or of rows as pictures of height 1, with pads that it leaves out by itself."""
    if window.rank == 1:
        x, filters, pads = gc.expand_dims(x, 2), gc.expand_dims(filters, 0), [(0, 0), *pads]
    ones = [1] * (4 - window.rank)
    y = gc.nn.conv2d(x, filters, ones + window.strides, _pairs(pads), data_format="NCHW",
                     dilations=ones + window.dilations)
    return gc.squeeze(y, [2]) if window.rank == 1 else y


def _pairs(pads: list[tuple[int, int]]) -> list[list[int]]:
    """As an op on NCHW takes them."""
    return [[0, 0], [0, 0], *map(list, pads)]


@onnx_op("ConvTranspose")
def conv_transpose(node: Node, x: Any, w: Any, bias: Any = None) -> Any:
    """The gradient of a convolution: all windows' outputs added up, then cut by the pads."""
    kernel = static_sizes(w)[2:]
    if None in kernel or not 1 <= len(kernel) <= 3:
        raise node.refuse(f"a transposed convolution with a kernel {kernel}: one to three axes of known sizes")
    rank = len(kernel)
    strides, dilations = node.attr("strides") or [1] * rank, node.attr("dilations") or [1] * rank
    behind = node.attr("output_padding") or [0] * rank
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]  # type: ignore[operator]
    sizes = sizes_of(x)[2:]
    whole = [(n - 1) * step + span for n, step, span in zip(sizes, strides, spans, strict=True)]
    pads = _transposed_pads(node, whole, sizes, strides, behind)
    groups = node.attr("group", 1)
    if groups == 1 or (rank < 3 and static_sizes(w)[1] is not None):
        left_out = _left_out(pads, behind, strides) if rank < 3 else None
        if left_out is not None:
            y = _added_up_within(x, w, groups, whole, strides, dilations, pads, behind, left_out)
            return y if bias is None else with_bias(y, bias, rank + 2)
        y = _added_up(x, w, groups, whole, strides, dilations)
    else:
        pieces = zip(gc.split(x, groups, 1), gc.split(w, groups, 0), strict=True)
        y = gc.concat([_added_up(part, own, 1, whole, strides, dilations) for part, own in pieces], 1)
    y = _cut(y, whole, pads, behind)
    return y if bias is None else with_bias(y, bias, rank + 2)


def _transposed_pads(node: Node, whole: list[Any], sizes: list[Any], strides: list[int],
                     behind: list[int]) -> list[tuple[Any, Any]]:
    rank, mode = len(whole), node.attr("auto_pad", "NOTSET")
    wanted: list[Any] | None = node.attr("output_shape")
    if wanted is not None:
        wanted = list(wanted)[-rank:]
    elif mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * step for n, step in zip(sizes, strides, strict=True)]
    if wanted is None:
        pads = node.attr("pads") or [0] * 2 * rank
        return list(zip(pads[:rank], pads[rank:], strict=True))
    pairs = []
    for full, extra, size in zip(whole, behind, wanted, strict=True):
        total = full + extra - size
        half = total // 2
        pairs.append((half, total - half) if mode == "SAME_UPPER" else (total - half, half))
    return pairs


def _left_out(pads: list[tuple[Any, Any]], behind: list[int], strides: list[int]) -> list[tuple[int, int]] | None:
    """How many elements at the edges the op need not compute; None where it cannot leave them out."""
    made = []
    for (before, after), extra, step in zip(pads, behind, strides, strict=True):
        if not isinstance(before, int) or not isinstance(after, int) or before < 0 or extra - after >= step:
            return None
        made.append((before, max(after - extra, 0)))
    return made


def _added_up_within(x: Any, w: Any, groups: int, whole: list[Any], strides: list[int], dilations: list[int],
                     pads: list[tuple[int, int]], behind: list[int], left_out: list[tuple[int, int]]) -> Any:
    """Outputs without the pads; rows as pictures of height 1."""
    rank = len(whole)
    filters = gc.transpose(w, [*range(2, 2 + rank), 1, 0])            # [spatial..., out / groups, in]
    sizes = [full - before - after + extra for full, (before, after), extra in zip(whole, pads, behind, strict=True)]
    if rank == 1:
        x, filters, sizes, left_out = gc.expand_dims(x, 2), gc.expand_dims(filters, 0), [1, *sizes], [(0, 0), *left_out]
    shape = shape_vector([sizes_of(x)[0], groups * sizes_of(w)[1], *sizes])
    ones = [1] * (4 - rank)
    y = gc.nn.conv2d_transpose(x, filters, shape, ones + strides, _pairs(left_out), data_format="NCHW",
                               dilations=ones + dilations)
    return gc.squeeze(y, [2]) if rank == 1 else y


def _added_up(x: Any, w: Any, groups: int, whole: list[Any], strides: list[int], dilations: list[int]) -> Any:
    rank = len(whole)
    filters = gc.transpose(w, [*range(2, 2 + rank), 1, 0])            # [spatial..., out / groups, in]
    shape = shape_vector([sizes_of(x)[0], groups * sizes_of(w)[1], *whole])
    return gc.nn.conv_transpose(x, filters, shape, strides, "VALID", data_format=_FORMATS[rank], dilations=dilations)


def _cut(y: Any, whole: list[Any], pads: list[tuple[Any, Any]], behind: list[int]) -> Any:
    """Without `before` elements in front and `after - extra` after; zeros where that is negative."""
    key, added = [slice(None), slice(None)], [[0, 0], [0, 0]]
    for full, (before, after), extra in zip(whole, pads, behind, strict=True):
        if isinstance(before, int) and isinstance(after, int):
            key.append(slice(max(before, 0), full - max(after - extra, 0)))
            added.append([max(-before, 0), max(extra - after, 0)])
        else:
            key.append(slice(before, full - after + extra))
            added.append([0, 0])
    y = y[tuple(key)]
    return gc.pad(y, added, constant_values=full_like(y, 0)) if any(map(any, added)) else y
