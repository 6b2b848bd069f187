"""Pictures in files."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op


@onnx_op("ImageDecoder")
def decode(node: Node, data: Any) -> Any:
    """Bytes of a BMP, PNG, JPEG or GIF file as [rows, columns, channels]; other formats are an error when run."""
    pixels = node.attr("pixel_format", "RGB")
    letters = gc.constant([bytes([i]) for i in range(256)], gc.string)
    content = gc.reduce_join(gc.gather(letters, gc.cast(data, gc.int32)))
    picture = gc.cond(                          # the standard's pixels of a JPEG are by the accurate method
        gc.equal(gc.substr(content, 0, 3), b"\xff\xd8\xff"),
        lambda: gc.image.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: gc.image.decode_image(content, channels=3, expand_animations=False))
    if pixels == "Grayscale":
        weights = gc.constant([19595, 38470, 7471], gc.int32)             # of ITU-R 601, in 65536ths
        grey = (gc.reduce_sum(gc.cast(picture, gc.int32) * weights, 2, keepdims=True) + 32768) // 65536
        return gc.cast(grey, gc.uint8)
    return gc.reverse(picture, [2]) if pixels == "BGR" else picture
