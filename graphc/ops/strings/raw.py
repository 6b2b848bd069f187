"""Bytes in memory as numbers, and tensors as messages: DecodeRaw, DecodePaddedRaw, SerializeTensor."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import DType, as_dtype, bool_, float32, float64, int8, int16, int32, int64, string, uint8, uint16
from graphc.ir.elementwise import check_kind
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, operand_field, register
from graphc.ir.spec import Spec
from graphc.ir.values import as_array
from graphc.ops.strings.base import check_string, text, texts

TYPES = (float32, float64, int32, int16, uint16, int8, uint8, int64, bool_)
_BYTES = texts(bytes(range(16)), b"\1\0\1\0\0\1\1\1\1\1\1\0\0\0\1\1")


class _Raw(Host):
    results = ("output",)
    out_type: DType
    little_endian: bool

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.out_type,)

    def check(self, x: Spec) -> None:
        check_string(self, **{self.operands[0]: x})
        if self.out_type not in TYPES:
            raise TypeError(f"attribute 'out_type' must be one of {', '.join(t.name for t in TYPES)}, but is "
                            f"{self.out_type.name}")

    def numbers(self, values: Sequence[bytes]) -> np.ndarray:
        """The rows of numbers that these bytes are, all of one length."""
        order = np.dtype(self.out_type.numpy).newbyteorder("<" if self.little_endian else ">")
        if self.out_type == bool_:
            flat = np.frombuffer(b"".join(values), np.uint8) != 0
        else:
            flat = np.frombuffer(b"".join(values), order).astype(self.out_type.numpy)
        return flat.reshape(len(values), -1) if flat.size else np.zeros((len(values), 0), self.out_type.numpy)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


@register
class DecodeRaw(_Raw):
    """The numbers that the bytes of each string are; all strings must be of one length."""

    operands = ("bytes",)
    out_type: DType = attr("type")
    little_endian: bool = attr("bool", True)
    samples: ClassVar = [Sample({"out_type": t, "little_endian": e}, (x,), gradient=False)
                         for t in TYPES for e in (True, False) for x in (_BYTES, _BYTES[0:1].reshape(()), texts(""))]

    def infer(self, x: Spec) -> Spec:
        self.check(x)
        return Spec(self.out_type, None if x.shape is None else (*x.shape, own_symbol(self, "length")))

    def compute(self, x: np.ndarray) -> np.ndarray:
        values, size = x.ravel().tolist(), self.out_type.size
        for i, value in enumerate(values):
            if len(value) != len(values[0]):
                raise InvalidArgumentError(f"DecodeRaw requires input strings to all be the same size, but element {i} "
                                           f"has size {len(value)} != {len(values[0])}")
        if values and len(values[0]) % size:
            raise InvalidArgumentError(f"Input to DecodeRaw has length {len(values[0])} that is not a multiple of "
                                       f"{size}, the size of {self.out_type.name}")
        found = self.numbers(values)
        return found.reshape(*x.shape, found.shape[1] if values else 0)


@register
class DecodePaddedRaw(_Raw):
    """The numbers that the first `fixed_length` bytes of each string are; zeros after its end."""

    operands = ("input_bytes", "fixed_length")
    fixed_length: dims.Size = operand_field("int")
    out_type: DType = attr("type")
    little_endian: bool = attr("bool", True)
    samples: ClassVar = [
        Sample({"out_type": t, "little_endian": e, "fixed_length": n}, (texts("ab", "abcdefghij", "").reshape(s),),
               gradient=False) for t in (int16, float64, uint8, int8) for e in (True, False) for n in (8, 16)
        for s in ((3,), (1, 3))]

    def infer(self, x: Spec) -> Spec:
        self.check(x)
        length, size = self.fixed_length, self.out_type.size
        if isinstance(length, int):
            if length <= 0:
                raise ValueError(f"argument 'fixed_length' must be greater than zero, but is {length}")
            if length % size:
                raise ValueError(f"argument 'fixed_length' must be a multiple of {size}, the size of "
                                 f"{self.out_type.name}, but is {length}")
        return Spec(self.out_type, None if x.shape is None else (*x.shape, length // size))

    def compute(self, x: np.ndarray) -> np.ndarray:
        length, size = int(self.fixed_length), self.out_type.size
        if length <= 0 or length % size:
            raise InvalidArgumentError(f"fixed_length is {length}, but must be a multiple of {size} greater than zero")
        found = self.numbers([v[:length].ljust(length, b"\0") for v in x.ravel().tolist()])
        return found.reshape(*x.shape, length // size)


@register
class SerializeTensor(Host):
    """The tensor as the bytes of a TensorProto."""

    operands = ("tensor",)
    results = ("serialized",)
    types: ClassVar = {"T": "tensor"}
    takes_halves = True
    samples: ClassVar = [Sample({}, (x,), gradient=False) for x in (
        np.array([[1, 2]], np.int32), np.float32(1.5), np.zeros((0, 2), np.float32), np.array(True),
        np.arange(300, dtype=np.int64), texts("a", "bc", ""), text("x" * 200), np.array([1.5, -2]))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "element")
        return Spec(string, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def compute(self, x: np.ndarray) -> np.ndarray:
        """TensorProto (proto/graph.proto): dtype = 1, tensor_shape = 2 of Dim = 2 of size = 1, contents = 4 or 8."""
        shape = b"".join(_field(2, _size(n)) for n in x.shape)
        made = b"\x08" + _varint(as_dtype(x.dtype).number) + _field(2, shape)
        if x.dtype == object:
            made += b"".join(_field(8, value) for value in x.ravel().tolist())
        elif x.size:
            made += _field(4, np.ascontiguousarray(x.astype(x.dtype.newbyteorder("<"))).tobytes())
        return as_array(made)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None]


def _size(n: int) -> bytes:
    return b"\x08" + _varint(n) if n else b""


def _varint(n: int) -> bytes:
    return bytes(_groups(n))


def _groups(n: int) -> Iterator[int]:
    while n > 127:
        yield n & 127 | 128
        n >>= 7
    yield n


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


