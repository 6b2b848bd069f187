"""What the ops that make a Summary share. proto/summary.proto has the messages; the bytes are TensorFlow's."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.io.wire import bytes_field
from graphc.ir.dtypes import DType, string
from graphc.ir.elementwise import check_dtype
from graphc.ir.host import Host
from graphc.ir.spec import Spec

VALUE, TAG = 1, 1          # numbers of fields: Summary.value, Summary.Value.tag


class SummaryOp(Host):
    """One string."""

    results = ("summary",)

    def infer(self, *inputs: Spec) -> Spec:
        self.check(*inputs)
        return Spec(string, ())

    def check(self, *inputs: Spec) -> None:
        """Raises TypeError for dtypes that the op does not take. Shapes are looked at when it runs."""

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def check_numbers(op: SummaryOp, tag: Spec, values: Spec) -> None:
    """Raises TypeError unless they are strings and real numbers."""
    check_strings(op.operands[0], tag)
    check_dtype(op, op.operands[1], values.dtype, "number")


def check_strings(name: str, spec: Spec) -> None:
    if spec.dtype != string:
        raise TypeError(f"argument '{name}' must be a string, but has dtype {spec.dtype.name}")


def only_tag(name: str, tag: np.ndarray) -> bytes:
    if tag.size != 1 or tag.ndim > 1:
        raise ValueError(f"{name} must be a scalar, but has shape {tag.shape}")
    return bytes(tag.item())


def value_bytes(tag: bytes, *fields: bytes) -> bytes:
    """Summary.value of one element: its tag (left out if it is empty) and the other fields in their order."""
    return bytes_field(VALUE, (bytes_field(TAG, tag) if tag else b"") + b"".join(fields))


def of_bytes(data: bytes) -> np.ndarray:
    return np.array(data, object)
