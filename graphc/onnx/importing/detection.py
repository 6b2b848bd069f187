"""Boxes that overlap."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, sizes_of, static_sizes

_MANY = (1 << 31) - 1


@onnx_op("NonMaxSuppression")
def non_max_suppression(node: Node, boxes: Any, scores: Any, most: Any = None, overlap: Any = None,
                        least: Any = None) -> Any:
    """[batch, class, box] of the best boxes of each class of each picture; boxes overlap up to a threshold of 0."""
    pictures, classes = static_sizes(scores)[:2]
    if pictures is None or classes is None:
        raise node.refuse("the numbers of pictures and of classes must be known while the graph is built")
    if node.attr("center_point_box", 0):
        middle, half = boxes[..., :2], boxes[..., 2:] * full_like(boxes, 0.5)
        low, high = middle - half, middle + half
        boxes = gc.stack([low[..., 1], low[..., 0], high[..., 1], high[..., 0]], -1)
    count = gc.constant(0) if most is None else _at_most(node, most, sizes_of(boxes)[1])
    limit = gc.constant(0.0) if overlap is None else gc.reshape(overlap, [])
    floor = gc.constant(float("-inf")) if least is None else gc.reshape(least, [])
    found = []
    for i in range(pictures):
        for k in range(classes):
            best = gc.expand_dims(gc.cast(gc.image.non_max_suppression(boxes[i], scores[i, k], count, limit, floor),
                                          gc.int64), 1)
            here = [gc.fill(gc.shape(best), gc.constant(n, gc.int64)) for n in (i, k)]
            found.append(gc.concat([*here, best], 1))
    return gc.concat(found, 0) if len(found) > 1 else found[0]


def _at_most(node: Node, count: Any, boxes: Any) -> Any:
    """A number of boxes as int32: exporters write the greatest int64 for "all"."""
    known = node.maybe_known(count)
    if known is not None:
        return gc.minimum(gc.constant(min(int(known.item()), _MANY)), gc.cast(boxes, gc.int32))
    return gc.cast(gc.minimum(gc.reshape(count, []), gc.cast(boxes, count.dtype)), gc.int32)
