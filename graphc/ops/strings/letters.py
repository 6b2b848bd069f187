"""Ops on the letters of each string: its length and parts, white space, case."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import DType, int32, string
from graphc.ir.elementwise import check_dtype
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, broadcast_shapes, require_equal
from graphc.ops.strings.base import WORDS, EachString, check_string, samples_of_words, strings_of, text, texts

UNITS = ("BYTE", "UTF8_CHAR")


def _check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise ValueError(f"attribute 'unit' must be one of {', '.join(UNITS)}, but is '{unit}'")


def starts(value: bytes) -> list[int]:
    """Where the characters of a string in UTF-8 begin, and its length: at all bytes but those that go on with one."""
    return [*(i for i, byte in enumerate(value) if byte & 0xC0 != 0x80), len(value)]


@register
class StringLength(EachString):
    """The number of bytes, or of characters in UTF-8."""

    dtype_of = int32
    unit: str = attr("string", "BYTE")
    samples: ClassVar = samples_of_words({}, {"unit": "UTF8_CHAR"})

    def infer(self, *inputs: Spec) -> Spec:
        _check_unit(self.unit)
        return super().infer(*inputs)

    def each(self) -> Callable[[bytes], Any]:
        return len if self.unit == "BYTE" else lambda value: len(starts(value)) - 1


@register
class StringStrip(EachString):
    """Without white space in front and after."""

    samples: ClassVar = samples_of_words()

    def each(self) -> Callable[[bytes], Any]:
        return lambda value: value.strip(b" \t\n\v\f\r")


_CASES = [*samples_of_words({}), *(Sample({"encoding": "utf-8"}, (x,), gradient=False) for x in (
    texts("A\u0130\u03a3", b"A\xffB", "straße ŉ", ""), WORDS[:3].reshape(3, 1), text("É"), WORDS[:0]))]


class _Case(EachString):
    encoding: str

    def infer(self, *inputs: Spec) -> Spec:
        if self.encoding not in ("", "utf-8"):
            raise ValueError("attribute 'encoding': only utf-8 or '' (no encoding) is supported, received "
                             f"{self.encoding}")
        return super().infer(*inputs)

    def changed(self, in_bytes: Callable[[bytes], bytes], in_text: Callable[[str], str]) -> Callable[[bytes], bytes]:
        if not self.encoding:
            return in_bytes
        return lambda value: in_text(value.decode("utf-8", "replace")).encode()


@register
class StringLower(_Case):
    """In small letters: those of ASCII, or with encoding="utf-8" all."""

    encoding: str = attr("string", "")
    samples: ClassVar = _CASES

    def each(self) -> Callable[[bytes], Any]:
        return self.changed(bytes.lower, str.lower)


@register
class StringUpper(_Case):
    """In capitals: those of ASCII, or with encoding="utf-8" all."""

    encoding: str = attr("string", "")
    samples: ClassVar = _CASES

    def each(self) -> Callable[[bytes], Any]:
        return self.changed(bytes.upper, str.upper)


@register
class Substr(Host):
    """`len` bytes (or characters) of each string from `pos` on, which counts from the end if it is negative."""

    operands = ("input", "pos", "len")
    results = ("output",)
    types: ClassVar = {"T": "pos"}
    unit: str = attr("string", "BYTE")
    samples: ClassVar = [Sample({"unit": u}, (x, np.array(p, t), np.array(n, t)), gradient=False) for u in UNITS
                         for x, p, n, t in (
        (WORDS[[0, 2, 4]], 1, 2, np.int32), (WORDS[[0, 2, 4]], [-2, 5, 0], [1, 9, 0], np.int64),
        (texts("hello", "world").reshape(2, 1), [1, -4, 4], [2, 0, 3], np.int32), (text("hél"), 0, 2, np.int64),
        (text("many"), [0, 1], [2, 2], np.int32), (WORDS[:0], 3, 2, np.int32))]

    def infer(self, x: Spec, pos: Spec, length: Spec) -> Spec:
        _check_unit(self.unit)
        check_string(self, input=x)
        check_dtype(self, "pos", pos.dtype, "index")
        if length.dtype != pos.dtype:
            raise TypeError(f"argument 'len' has dtype {length.dtype.name}, but 'pos' has {pos.dtype.name}; cast one "
                            "of them (gc.cast)")
        if pos.shape is not None and length.shape is not None:
            if len(pos.shape) != len(length.shape):
                raise ValueError(f"pos and len must have the same shape, but are {pos.shown()} and {length.shown()}")
            for a, b in zip(pos.shape, length.shape, strict=True):
                require_equal(a, b, "pos and len must have the same shape")
        return Spec(string, broadcast_shapes(x.shape, pos.shape))

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def compute(self, x: np.ndarray, pos: np.ndarray, length: np.ndarray) -> np.ndarray:
        x, pos, length = np.broadcast_arrays(x, pos, length)
        part = self._bytes if self.unit == "BYTE" else self._characters
        return strings_of(map(part, x.ravel().tolist(), pos.ravel().tolist(), length.ravel().tolist()), x.shape)

    def _bytes(self, value: bytes, pos: int, length: int) -> bytes:
        begin = _begin(value, pos, len(value))
        return value[begin:] if length < 0 else value[begin:begin + length]      # as TensorFlow's: unsigned there

    def _characters(self, value: bytes, pos: int, length: int) -> bytes:
        places = starts(value)
        begin = _begin(value, pos, len(places) - 1)
        return value[places[begin]:places[min(begin + max(length, 0), len(places) - 1)]]

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None, None]


def _begin(value: bytes, pos: int, length: int) -> int:
    if not -length <= pos <= length:
        raise InvalidArgumentError(f"pos {pos} out of range for string {value!r} of length {length}")
    return pos if pos >= 0 else pos + length


