"""TensorSummaryV2: a whole tensor, with what a plugin of TensorBoard wants to know of it."""
from __future__ import annotations

from typing import ClassVar

import numpy as np

from graphc.io.wire import bytes_field, varint_field
from graphc.ir.dtypes import as_dtype, string
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import text, texts
from graphc.ops.summary.base import SummaryOp, check_strings, of_bytes, only_tag, value_bytes

TENSOR, METADATA = 8, 9                                        # Summary.Value
DTYPE, TENSOR_SHAPE, CONTENT, STRINGS = 1, 2, 4, 8             # TensorProto
DIM, SIZE = 2, 1                                               # TensorShapeProto, TensorShapeProto.Dim
PLUGIN = text(b"\n\x06\n\x04text")


@register
class TensorSummaryV2(SummaryOp):
    """The tensor, and a serialised SummaryMetadata."""

    operands = ("tag", "tensor", "serialized_summary_metadata")
    types: ClassVar = {"T": "tensor"}
    samples: ClassVar = [Sample({}, (text("t"), x, PLUGIN), gradient=False) for x in (
        texts("a", "", "c").reshape(3, 1), text("x"), np.arange(6, dtype=np.int32).reshape(2, 3), np.zeros((0, 2)),
        np.array([True, False]))]

    def check(self, *inputs: Spec) -> None:
        check_strings("tag", inputs[0])
        check_strings("serialized_summary_metadata", inputs[2])

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        tag, metadata = only_tag("tag", inputs[0]), only_tag("serialized_summary_metadata", inputs[2])
        return of_bytes(value_bytes(tag, bytes_field(TENSOR, tensor_bytes(inputs[1])), bytes_field(METADATA, metadata)))


def tensor_bytes(array: np.ndarray) -> bytes:
    """A TensorProto."""
    dtype = string if array.dtype == object else as_dtype(array.dtype)
    shape = b"".join(bytes_field(DIM, varint_field(SIZE, n)) for n in array.shape)
    head = varint_field(DTYPE, dtype.number) + bytes_field(TENSOR_SHAPE, shape)
    if dtype == string:
        return head + b"".join(bytes_field(STRINGS, bytes(v)) for v in array.ravel())
    data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
    return head + (bytes_field(CONTENT, data) if data else b"")
