"""Bytes as letters of Base64 (the kind for addresses: - and _) and back."""
from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, ClassVar

from graphc.errors import InvalidArgumentError
from graphc.ir.op import Sample, attr, register
from graphc.ops.strings.base import EachString, samples_of_words, text, texts

_LETTERS = re.compile(rb"[A-Za-z0-9_-]*")


@register
class EncodeBase64(EachString):
    """In Base64, with = at the end if `pad`."""

    pad: bool = attr("bool", False)
    samples: ClassVar = samples_of_words({}, {"pad": True})

    def each(self) -> Callable[[bytes], Any]:
        if self.pad:
            return base64.urlsafe_b64encode
        return lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")


@register
class DecodeBase64(EachString):
    """From Base64, with = at the end or without."""

    samples: ClassVar = [Sample({}, (x,), gradient=False) for x in (
        texts("YQ", "YQ==", "", "aGVsbG8gd29ybGQ", "__79", "YWI=", "-_8", "YR==").reshape(2, 4), text("YWJj"), texts())]

    def each(self) -> Callable[[bytes], Any]:
        return _decoded


def _decoded(value: bytes) -> bytes:
    letters = value
    if len(value) % 4 == 0:
        letters = value[:-2] if value.endswith(b"==") else value[:-1] if value.endswith(b"=") else value
    if not _LETTERS.fullmatch(letters):
        raise InvalidArgumentError(f"Invalid character found in base64: {value!r}")
    if len(letters) % 4 == 1:
        raise InvalidArgumentError(f"Base64 string length (without =) cannot be 1 modulo 4: {value!r}")
    return base64.urlsafe_b64decode(letters + b"=" * (-len(letters) % 4))
