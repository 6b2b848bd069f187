"""A regular expression as a program over bytes, of which automata are made (automaton.py).

Characters are their bytes in UTF-8, so bytes that are no characters match nothing, as in re2.py. What has no program
stays with Python's `re`: case that makes no difference, what stands around a place, repetitions of what may be empty,
and what would be very long.
"""
from __future__ import annotations

import re
import re._constants as c  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MOST_INSTRUCTIONS = 2000
MOST_GROUPS = 10                             # those that a rewrite can name
_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_LAST_OF_SIZE = (0x7F, 0x7FF, 0xFFFF, _LAST)
_BEGIN, _END = (c.AT_BEGINNING, c.AT_BEGINNING_STRING), (c.AT_END_STRING,)

Range = tuple[int, int]


class NoProgram(Exception):
    """The pattern is Python's alone."""


@dataclass
class Instruction:
    """kind, and what it does before going on at `next`:

    byte    reads one in low..high
    split   may go on at `other` as well, if what begins at `next` does not match
    note    this is the place with the number `low`: 2 * k, where group k begins, or 2 * k + 1, where it ends
    begin   asks whether the string begins here; end: whether it ends here
    match   is the end of the program
    """

    kind: str
    next: int = -1
    other: int = -1
    low: int = 0
    high: int = 0


@dataclass
class Program:
    """The instruction at `start` is the first one."""

    instructions: list[Instruction]
    start: int


def program_of(pattern: re.Pattern[str]) -> Program:
    """Raises NoProgram."""
    builder = _Builder()
    start = builder.sequence(parser.parse(pattern.pattern), builder.add("match"))
    return Program(builder.instructions, start)


class _Builder:
    """Builds from the end: each part is told where to go on."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.rules: dict[Any, Callable[[Any, int], int]] = {
            c.LITERAL: lambda code, then: self._characters([(code, code)], then),
            c.NOT_LITERAL: lambda code, then: self._characters(_others([(code, code)]), then),
            c.IN: lambda members, then: self._characters(_set(members), then),
            c.BRANCH: self._branch, c.SUBPATTERN: self._group, c.AT: self._place,
            c.MAX_REPEAT: lambda given, then: self._repeated(given, then, greedy=True),
            c.MIN_REPEAT: lambda given, then: self._repeated(given, then, greedy=False),
        }

    def add(self, kind: str, then: int = -1, other: int = -1, low: int = 0, high: int = 0) -> int:
        if len(self.instructions) >= MOST_INSTRUCTIONS:
            raise NoProgram
        self.instructions.append(Instruction(kind, then, other, low, high))
        return len(self.instructions) - 1

    def sequence(self, parts: Any, then: int) -> int:
        for kind, given in reversed(list(parts)):
            if kind not in self.rules:
                raise NoProgram
            then = self.rules[kind](given, then)
        return then

    def either(self, starts: Sequence[int]) -> int:
        """The first of these that matches."""
        *before, start = starts
        for other in reversed(before):
            start = self.add("split", other, start)
        return start

    def _characters(self, ranges: Sequence[Range], then: int) -> int:
        starts = []
        for row in (row for low, high in ranges for row in byte_ranges(low, high)):
            at = then
            for low, high in reversed(row):
                at = self.add("byte", at, low=low, high=high)
            starts.append(at)
        if not starts:
            raise NoProgram
        return self.either(starts)

    def _branch(self, given: Any, then: int) -> int:
        return self.either([self.sequence(parts, then) for parts in given[1]])

    def _group(self, given: Any, then: int) -> int:
        number, flags_on, _, parts = given
        if flags_on:
            raise NoProgram
        if number is None or number >= MOST_GROUPS:
            return self.sequence(parts, then)
        return self.add("note", self.sequence(parts, self.add("note", then, low=2 * number + 1)), low=2 * number)

    def _place(self, place: Any, then: int) -> int:
        if place not in (*_BEGIN, *_END):
            raise NoProgram
        return self.add("begin" if place in _BEGIN else "end", then)

    def _repeated(self, given: tuple[int, Any, Any], then: int, greedy: bool) -> int:
        least, most, parts = given
        if most != 1 and parts.getwidth()[0] == 0:
            raise NoProgram                  # engines differ in how often nothing is repeated
        if most is c.MAXREPEAT:
            loop = self.add("split")
            self._lead(loop, self.sequence(parts, loop), then, greedy)
            then = loop
        else:
            end = then
            for _ in range(most - least):
                optional = self.add("split")
                self._lead(optional, self.sequence(parts, then), end, greedy)
                then = optional
        for _ in range(least):
            then = self.sequence(parts, then)
        return then

    def _lead(self, split: int, once_more: int, on: int, greedy: bool) -> None:
        """Where a split of a repetition goes on."""
        found = self.instructions[split]
        found.next, found.other = (once_more, on) if greedy else (on, once_more)


def _set(members: Sequence[tuple[Any, Any]]) -> list[Range]:
    """The characters of a set, as ranges in order."""
    ranges = []
    for kind, given in members:
        if kind is c.LITERAL:
            ranges.append((given, given))
        elif kind is c.RANGE:
            ranges.append(given)
        elif kind is not c.NEGATE:
            raise NoProgram
    return _others(ranges) if members[0][0] is c.NEGATE else _others(_others(ranges, ()))


def _others(ranges: Sequence[Range], never: Sequence[Range] = (_SURROGATES,)) -> list[Range]:
    """The characters that are in none of the ranges."""
    left, begin = [], 0
    for low, high in sorted([*ranges, *never]):
        if low > begin:
            left.append((begin, low - 1))
        begin = max(begin, high + 1)
    return [*left, (begin, _LAST)] if begin <= _LAST else left


def byte_ranges(low: int, high: int) -> list[list[Range]]:
    """Characters from low to high, surrogates not among them, in UTF-8: for each row a range of its first byte, of its
    second one, ..."""
    rows, begin = [], 0
    for last in _LAST_OF_SIZE:
        first, end = max(low, begin), min(high, last)
        if first <= end:
            rows += _rows(chr(first).encode(), chr(end).encode())
        begin = last + 1
    return rows


def _rows(low: bytes, high: bytes) -> list[list[Range]]:
    """The same, of characters of one size."""
    first, last, rest = low[0], high[0], len(low) - 1
    if not rest:
        return [[(first, last)]]
    if first == last:
        return [[(first, first), *row] for row in _rows(low[1:], high[1:])]
    rows, tail = [], []
    if low[1:] != b"\x80" * rest:
        rows = [[(first, first), *row] for row in _rows(low[1:], b"\xbf" * rest)]
        first += 1
    if high[1:] != b"\xbf" * rest:
        tail = [[(last, last), *row] for row in _rows(b"\x80" * rest, high[1:])]
        last -= 1
    return [*rows, *([[(first, last), *[(0x80, 0xBF)] * rest]] if first <= last else []), *tail]
