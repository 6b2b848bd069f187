"""Ops with regular expressions that kernels compute (kernels/strings/patterns.py): those that have an automaton,
matches that are never empty, and groups that are known from the way through a match. The others are Python's."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import OpError
from graphc.exec.strings.calls import Call, Native, Words, address_of_bytes, count_of
from graphc.exec.strings.table import TABLE, address_of
from graphc.ir.dtypes import bool_
from graphc.kernels.strings import tables as t
from graphc.ops.strings.automaton import Automaton, Paths, finder, matcher, paths
from graphc.ops.strings.re2 import compiled, decoded, encoded
from graphc.ops.strings.regex import rewriter

KEPT = 256                                   # patterns


class _Pattern:
    """A PATTERN (kernels/strings/tables.py), and the arrays that it points to."""

    def __init__(self, automaton: Automaton, ways: Paths | None = None) -> None:
        self.kept = [automaton.classes, automaton.next, *([ways.next, ways.notes] if ways is not None else [])]
        classes, table, *further = [address_of(array) for array in self.kept]
        self.words = Words(classes, table, automaton.end, automaton.first, automaton.start, automaton.accepting,
                           *(further or (0, 0)), *((ways.first, ways.start) if ways is not None else (-1, -1)))
        self.address = self.words.address


@dataclass(frozen=True)
class _Rewrite:
    """growth: how many times as large a string becomes at most. places: where a kernel notes groups."""

    pattern: _Pattern
    parts: Words
    count: int
    growth: int
    places: Words
    kept: Sequence[bytes]


@functools.lru_cache(KEPT)
def _matched_by(pattern: bytes) -> _Pattern | None:
    found = _or_none(lambda: matcher(compiled(pattern)))
    return None if found is None else _Pattern(found)


@functools.lru_cache(KEPT)
def _rewritten_by(pattern: bytes, rewrite: bytes, everywhere: bool) -> _Rewrite | None:
    regex = _or_none(lambda: compiled(pattern))
    automaton = None if regex is None else finder(regex)
    if regex is None or automaton is None or automaton.matches_nothing:
        return None
    written, complete, most = rewriter(decoded(rewrite))
    ways = paths(regex) if most else None
    if most > regex.groups or not (complete or everywhere) or (most and ways is None):
        return None
    texts = [encoded(part) if isinstance(part, str) else b"" for part in written]
    words = [word for part, text in zip(written, texts, strict=True)
             for word in ((address_of_bytes(text), len(text)) if isinstance(part, str) else (0, part))]
    growth = 1 + sum(map(len, texts)) + sum(isinstance(part, int) for part in written)
    return _Rewrite(_Pattern(automaton, ways), Words(*words), len(written), growth,
                    Words(*[0] * t.PATTERN_PLACES), texts)


def _or_none(make: Callable[[], Any]) -> Any:
    """What is wrong with a pattern is Python's to say."""
    try:
        return make()
    except OpError:
        return None


def regex_replace(op: Any) -> Native:
    def run(call: Call) -> bool:
        how = _rewritten_by(*_given(op, call, "pattern", "rewrite"), op.replace_global)
        if how is None:
            return False
        shape, given = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape)
        return call.making("replaced", given, count, how.pattern.address, op.replace_global, how.parts.address,
                           how.count, how.growth, how.places.address, target) == count

    return run


def regex_full_match(op: Any) -> Native:
    def run(call: Call) -> bool:
        pattern = _matched_by(*_given(op, call, "pattern"))
        if pattern is None:
            return False
        shape, given = call.place(0)
        count, target = count_of(shape), call.reserve(0, shape, bool_)
        return call.kernel("matched", given, count, pattern.address, target) == count

    return run


def _given(op: Any, call: Call, *names: str) -> list[bytes]:
    """Fields of the op, or scalar operands behind the first one."""
    if hasattr(op, names[0]):
        return [encoded(getattr(op, name)) for name in names]
    return [TABLE.strings_at((), call.scalar(1 + i)).item() for i in range(len(names))]
