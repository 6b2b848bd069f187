"""Hashes of strings, to the bit those of TensorFlow: StringToHashBucket, -Fast and -Strong, Fingerprint."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import DType, int64, uint8
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import EachString, check_scalar, check_string, samples_of_words, strings_of, text
from graphc.ops.strings.hashes import fingerprint64, hash64, siphash

_LONG = strings_of([bytes(range(33, 33 + n % 90)) * (1 + n // 90) for n in (4, 8, 9, 16, 17, 32, 33, 64, 65, 128, 190)],
                   (11,))


def _samples(**fields: Any) -> list[Sample]:
    return [*samples_of_words({"num_buckets": 1000, **fields}), *(
        Sample({"num_buckets": n, **fields}, (_LONG,), gradient=False) for n in (1, 7, 2**62))]


class _Bucket(EachString):
    dtype_of = int64
    num_buckets: int

    def infer(self, *inputs: Spec) -> Spec:
        if self.num_buckets < 1:
            raise ValueError(f"attribute 'num_buckets' must be at least 1, but is {self.num_buckets}")
        return super().infer(*inputs)


@register
class StringToHashBucket(_Bucket):
    """A bucket by a hash that is the same on every machine."""

    operands = ("string_tensor",)
    num_buckets: int = attr("int")
    samples: ClassVar = _samples()

    def each(self) -> Callable[[bytes], Any]:
        return lambda value: hash64(value) % self.num_buckets


@register
class StringToHashBucketFast(_Bucket):
    """A bucket by FarmHash's fingerprint."""

    num_buckets: int = attr("int")
    samples: ClassVar = _samples()

    def each(self) -> Callable[[bytes], Any]:
        return lambda value: fingerprint64(value) % self.num_buckets


@register
class StringToHashBucketStrong(_Bucket):
    """A bucket by SipHash, which nobody can aim at who does not know the key: two numbers."""

    num_buckets: int = attr("int")
    key: tuple[int, ...] = attr("list(int)")
    samples: ClassVar = [*_samples(key=(1, 2)), *_samples(key=(-5, 1 << 62))]

    def infer(self, *inputs: Spec) -> Spec:
        if len(self.key) != 2:
            raise ValueError(f"attribute 'key' must have 2 elements, but is {list(self.key)}")
        return super().infer(*inputs)

    def each(self) -> Callable[[bytes], Any]:
        return lambda value: siphash(value, *self.key) % self.num_buckets


@register
class Fingerprint(Host):
    """For each element of the first axis the 8 bytes of a fingerprint of all that is in it."""

    operands = ("data", "method")
    results = ("fingerprint",)
    types: ClassVar = {"T": "data"}
    samples: ClassVar = [Sample({}, (x, text("farmhash64")), gradient=False) for x in (
        _LONG, strings_of([b"a", b"b", b"c", b""], (2, 2)), np.array([[1, 2], [3, 4]], np.int32),
        np.arange(12.0).reshape(2, 2, 3), np.array([1, 2], np.uint8), np.zeros((0, 2), np.float32),
        np.zeros((2, 0), np.float32), np.array([True, False]))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (uint8,)

    def infer(self, data: Spec, method: Spec) -> Spec:
        check_string(self, method=method)
        check_scalar("method", method)
        if data.shape == ():
            raise ValueError("argument 'data' must have at least one axis, but is a scalar")
        return Spec(uint8, (dims.symbol("rows"), 8) if data.shape is None else (data.shape[0], 8))

    def compute(self, data: np.ndarray, method: np.ndarray) -> np.ndarray:
        if method[()] != b"farmhash64":
            raise InvalidArgumentError(f"Unsupported data fingerprint method: {method[()].decode(errors='replace')}")
        if data.dtype == object:
            prints = np.array([fingerprint64(value) for value in data.ravel()], "<u8").reshape(data.shape)
            if data.ndim == 1:
                return prints.view(np.uint8).reshape(-1, 8)
            data = prints
        rows = [fingerprint64(np.ascontiguousarray(row).tobytes()) for row in data]
        return np.array(rows, "<u8").view(np.uint8).reshape(-1, 8)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None]


