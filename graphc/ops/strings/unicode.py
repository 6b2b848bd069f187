"""Characters as numbers, and strings in other encodings: UnicodeTranscode, UnicodeEncode, UnicodeDecode."""
from __future__ import annotations

import codecs
import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import DType, int32, int64, string
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import EachString, check_string, strings_of, text, texts

ERRORS = ("strict", "replace", "ignore")
OUTPUTS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}
_MIXED = texts(b"a\xffb\x01", "hé😀", b"\xe2\x82", b"a\xe2\x82b\xf0\x9f\x98c\xed\xa0\x80\xf5\x80", "", "\t\n\x7f")


def check_choices(errors: str, output: str | None = None) -> None:
    if errors not in ERRORS:
        raise ValueError(f"attribute 'errors' must be one of {', '.join(ERRORS)}, but is '{errors}'")
    if output is not None and output not in OUTPUTS:
        raise ValueError(f"attribute 'output_encoding' must be one of {', '.join(OUTPUTS)}, but is '{output}'")


def decoded(value: bytes, encoding: str) -> list[tuple[int, int]]:
    """The characters and where each begins; -1: bytes that are no character."""
    try:
        decode = codecs.lookup(encoding).decode
    except LookupError:
        raise InvalidArgumentError(f"Could not create converter for input encoding: {encoding}") from None
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(value):
        try:
            text, _ = decode(value[at:], "strict")
            end, wrong = len(value), len(value)
        except UnicodeDecodeError as error:
            end, wrong = at + error.start, at + error.end
            text, _ = decode(value[at:end], "strict")
        for c in text:
            found.append((ord(c), at))
            at += len(c.encode(encoding))
        if end < len(value) or wrong > end:
            found.append((-1, end))
        at = max(wrong, at)
    return found


class _Reader:
    """What is done with bytes that are no characters."""

    errors: str
    replacement_char: int
    replace_control_characters: bool

    def read(self, value: bytes, encoding: str) -> list[tuple[int, int]]:
        found = []
        for character, at in decoded(value, encoding):
            if character < 0 and self.errors == "strict":
                raise InvalidArgumentError("Invalid formatting on input string")
            wrong = character < 0 or (self.replace_control_characters and character <= 0x1F)
            if not wrong:
                found.append((character, at))
            elif self.errors != "ignore":
                found.append((self.replacement_char, at))
        return found


@register
class UnicodeTranscode(_Reader, EachString):
    """In another encoding."""

    input_encoding: str = attr("string")
    output_encoding: str = attr("string")
    errors: str = attr("string", "replace")
    replacement_char: int = attr("int", 0xFFFD)
    replace_control_characters: bool = attr("bool", False)
    samples: ClassVar = [
        *(Sample({"input_encoding": "UTF-8", "output_encoding": o, **f}, (_MIXED.reshape(2, 3),), gradient=False)
          for o in OUTPUTS for f in ({}, {"errors": "ignore", "replace_control_characters": True},
                                     {"replacement_char": 63, "replace_control_characters": True})),
        *(Sample({"input_encoding": e, "output_encoding": "UTF-8"}, (x,), gradient=False) for e, x in (
            ("ISO-8859-1", texts(b"\xe9")), ("UTF-16-BE", texts(b"\0a\0", b"\xd8=\xde\0")),
            ("US-ASCII", text(b"a\xff")), ("windows-1252", texts(b"\x93")), ("UTF-8", texts())))]

    def infer(self, *inputs: Spec) -> Spec:
        check_choices(self.errors, self.output_encoding)
        return super().infer(*inputs)

    def each(self) -> Any:
        output, encoding = OUTPUTS[self.output_encoding], self.input_encoding

        def of(value: bytes) -> bytes:
            if not self.replace_control_characters:
                try:
                    return value.decode(encoding).encode(output)
                except (UnicodeError, LookupError):
                    pass                            # `read` knows what stands for what is wrong
            return "".join(chr(c) for c, _ in self.read(value, encoding)).encode(output)

        return of


@register
class UnicodeEncode(Host):
    """A string of each row of characters; `input_splits` says where the rows begin."""

    operands = ("input_values", "input_splits")
    results = ("output",)
    types: ClassVar = {"Tsplits": "input_splits"}
    output_encoding: str = attr("string")
    errors: str = attr("string", "replace")
    replacement_char: int = attr("int", 0xFFFD)
    samples: ClassVar = [
        Sample({"output_encoding": o, "errors": e}, (np.array(v, np.int32), np.array(s, t)), gradient=False)
        for o in OUTPUTS for e in ("replace", "ignore") for v, s, t in (
            ([72, 233, 0x1F600, 0xD800, 0x110000, -1], [0, 2, 2, 6], np.int64), ([], [0], np.int32),
            ([], [0, 0], np.int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def infer(self, values: Spec, splits: Spec) -> Spec:
        check_choices(self.errors, self.output_encoding)
        if values.dtype != int32:
            raise TypeError(f"argument 'input_values' has dtype {values.dtype.name}, but must be int32; cast it "
                            "(gc.cast)")
        check_dtype(self, "input_splits", splits.dtype, "index")
        check_rank("input_values", values, 1)
        check_rank("input_splits", splits, 1)
        if splits.shape is not None and splits.shape[0] == 0:
            raise ValueError("argument 'input_splits' must have at least one element")
        return Spec(string, (own_symbol(self, "rows") if splits.shape is None else splits.shape[0] - 1,))

    def compute(self, values: np.ndarray, splits: np.ndarray) -> np.ndarray:
        ends = splits.tolist()
        if ends[:1] != [0] or ends[-1] != values.size or any(a > b for a, b in itertools.pairwise(ends)):
            raise InvalidArgumentError(f"input_splits must grow from 0 to {values.size}, but are {ends}")
        rows = [values[a:b].tolist() for a, b in itertools.pairwise(ends)]
        return strings_of((self._encoded(row) for row in rows), (len(rows),))

    def _encoded(self, characters: list[int]) -> bytes:
        made = []
        for c in characters:
            if 0 <= c <= 0x10FFFF and not 0xD800 <= c <= 0xDFFF:
                made.append(chr(c))
            elif self.errors == "strict":
                raise InvalidArgumentError("Code point is out of range for Unicode, or a noncharacter.")
            elif self.errors == "replace":
                made.append(chr(self.replacement_char))
        return "".join(made).encode(OUTPUTS[self.output_encoding])

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None]


class _Decode(_Reader, Host):
    operands = ("input",)
    input_encoding: str
    Tsplits: DType

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        check_choices(self.errors)
        check_string(self, input=x)
        check_dtype(self, "Tsplits", self.Tsplits, "index")
        rows = None if x.shape is None else 1
        for size in x.shape or ():
            rows = rows * size  # type: ignore[operator]
        count = own_symbol(self, "count")
        splits = own_symbol(self, "splits") if rows is None else rows + 1
        return (Spec(self.Tsplits, (splits,)), Spec(int32, (count,)), Spec(int64, (count,)))[:len(self.results)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.Tsplits, int32, int64)[:len(self.results)]

    def compute(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        rows = [self.read(value, self.input_encoding) for value in x.ravel().tolist()]
        splits = np.cumsum([0, *map(len, rows)])
        flat = np.array([pair for row in rows for pair in row], np.int64).reshape(-1, 2)
        made = (splits.astype(self.Tsplits.numpy), flat[:, 0].astype(np.int32), np.ascontiguousarray(flat[:, 1]))
        return made[:len(self.results)]

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None]


def _decode_samples(*types: DType) -> list[Sample]:
    return [*(Sample({"input_encoding": "UTF-8", "Tsplits": t, **f}, (_MIXED.reshape(2, 3),), gradient=False)
              for t in types for f in ({}, {"errors": "ignore", "replace_control_characters": True},
                                                {"replacement_char": 63})),
            *(Sample({"input_encoding": e}, (x,), gradient=False) for e, x in (
                ("UTF-16-BE", texts(b"\0a\0b")), ("UTF-8", text("é!")), ("UTF-8", texts())))]


@register
class UnicodeDecode(_Decode):
    """The characters of all strings, and where those of each begin."""

    results = ("row_splits", "char_values")
    input_encoding: str = attr("string")
    errors: str = attr("string", "replace")
    replacement_char: int = attr("int", 0xFFFD)
    replace_control_characters: bool = attr("bool", False)
    Tsplits: DType = attr("type", int64)
    samples: ClassVar = _decode_samples(int64, int32)


@register
class UnicodeDecodeWithOffsets(_Decode):
    """The characters of all strings, where those of each begin, and the byte in its string at which each begins."""

    results = ("row_splits", "char_values", "char_to_byte_starts")
    input_encoding: str = attr("string")
    errors: str = attr("string", "replace")
    replacement_char: int = attr("int", 0xFFFD)
    replace_control_characters: bool = attr("bool", False)
    Tsplits: DType = attr("type", int64)
    samples: ClassVar = _decode_samples(int64)     # TensorFlow 2.21 dies of int32
