"""Summaries of numbers, and of several summaries: ScalarSummary, MergeSummary."""
from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.wire import BYTES, bytes_field, fields, float_field
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import text, texts
from graphc.ops.summary.base import TAG, VALUE, SummaryOp, check_numbers, check_strings, of_bytes, value_bytes

SIMPLE_VALUE = 2           # Summary.Value


@register
class ScalarSummary(SummaryOp):
    """Each number under its tag."""

    operands = ("tags", "values")
    types: ClassVar = {"T": "values"}
    samples: ClassVar = [Sample({}, xs, gradient=False) for xs in (
        (text("loss"), np.array(0.5, np.float32)), (text(""), np.array(0, np.int64)),
        (texts("a", "b"), np.array([1e300, -0.0])))]

    def check(self, *inputs: Spec) -> None:
        check_numbers(self, *inputs)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        tags, values = inputs
        if tags.shape != values.shape:
            shown = f" (tag '{tags.item().decode(errors='replace')}')" if tags.size == 1 else ""
            raise InvalidArgumentError(f"tags and values not the same shape: {list(tags.shape)} != "
                                       f"{list(values.shape)}{shown}")
        numbers = values.astype(np.float32).ravel().tolist()
        made = [_before_number(tag) + _NUMBER(number)
                for tag, number in zip(tags.ravel().tolist(), numbers, strict=True)]
        return of_bytes(b"".join(made))


_NUMBER = struct.Struct("<f").pack


@lru_cache(4096)
def _before_number(tag: bytes) -> bytes:
    """What of a number's Summary.value is the same in every step: all but its last four bytes."""
    return value_bytes(tag, float_field(SIMPLE_VALUE, 0.0))[:-4]


def _summary(*tags: str) -> Any:
    return text(b"".join(value_bytes(t.encode(), float_field(SIMPLE_VALUE, 1.5)) for t in tags))


@register
class MergeSummary(SummaryOp):
    """One summary of what is in all of them. Tags must differ."""

    operands = ("inputs*",)
    samples: ClassVar = [Sample({}, xs, gradient=False) for xs in (
        (_summary("a"), _summary("b", "c")), (_summary("x"),), (text(""), _summary("", "")))]

    def check(self, *inputs: Spec) -> None:
        for spec in inputs:
            check_strings("inputs", spec)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        made: list[bytes] = []
        tags: set[bytes] = set()
        for summary in (s for array in inputs for s in array.ravel().tolist()):
            tag = _only_tag(summary)
            if tag is not None:
                _add(tag, tags)
                made.append(summary)
                continue
            for value in _values(summary):
                _add(_tag(value), tags)
                made.append(bytes_field(VALUE, value))
        return of_bytes(b"".join(made))


def _add(tag: bytes, tags: set[bytes]) -> None:
    if tag and tag in tags:
        raise InvalidArgumentError(f"Duplicate tag {tag.decode(errors='replace')} found in summary inputs")
    tags.add(tag)


_VALUE_KEY, _TAG_KEY = VALUE << 3 | BYTES, TAG << 3 | BYTES


def _only_tag(summary: bytes) -> bytes | None:
    """The tag of the only value of a short summary that begins with it, as scalar summaries do; None of others."""
    size = len(summary)
    if 4 < size < 130 and summary[0] == _VALUE_KEY and summary[1] == size - 2 and summary[2] == _TAG_KEY \
            and summary[3] <= size - 4:
        return summary[4:4 + summary[3]]
    return None


def _values(summary: bytes) -> list[bytes]:
    try:
        return [data for number, kind, data in fields(summary) if (number, kind) == (VALUE, BYTES)]
    except ValueError as error:
        raise InvalidArgumentError(f"Could not parse one of the summary inputs: {error}") from None


def _tag(value: bytes) -> bytes:
    try:
        return next((data for number, kind, data in fields(value) if (number, kind) == (TAG, BYTES)), b"")
    except ValueError as error:
        raise InvalidArgumentError(f"Could not parse one of the summary inputs: {error}") from None
