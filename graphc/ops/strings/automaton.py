"""Automata that find a regular expression in bytes: tables that kernels walk (kernels/strings/patterns.py).

A state is the list of instructions of the program (program.py) that the next byte is for, those first that are
preferred; what is behind a match in the list is left out, so that the last match that a walk meets is the one that
RE2 and Python's `re` take. A table has a row for each state and a column for each class of bytes that the program does
not tell apart, and one, the last, for the end of the string. An entry is the first element of the row to go on in. Row
0 is of the state in which nothing can match any more, and the states in which the program has matched stand at the end.

Where each state has one instruction at most for a byte (the expression is "one-pass"), the way from the beginning of a
match to its end is known, and with it where the groups are: `Paths`.
"""
from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from graphc.ops.strings.program import Instruction, NoProgram, Program, program_of

MOST_STATES = 256

State = tuple[int, ...]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Automaton:
    """See the header. classes: of each byte; next: the table; end: the column of the end; first, start: entries for a
    walk that begins where the string does, and elsewhere; accepting: entries from this one on are of states that
    match."""

    classes: np.ndarray
    next: np.ndarray
    end: int
    first: int
    start: int
    accepting: int

    @property
    def matches_nothing(self) -> bool:
        """Whether some match may be empty."""
        entries = self.next.ravel()
        return any(max(row, entries[row + self.end]) >= self.accepting for row in (self.first, self.start))


@dataclass(frozen=True)
class Paths:
    """next: as of an automaton with its classes; notes: for each entry the places to note in front of the byte, a bit
    for each number; in the column of the end, those to note behind the last byte."""

    next: np.ndarray
    notes: np.ndarray
    first: int
    start: int


@functools.lru_cache(256)
def finder(pattern: re.Pattern[str]) -> Automaton | None:
    """Of matches that begin where a walk does; None if there is none."""
    return _made(pattern, lambda program: _Search(program, whole=False).run())


@functools.lru_cache(256)
def matcher(pattern: re.Pattern[str]) -> Automaton | None:
    """Of strings that match as a whole: the state behind the end says so."""
    return _made(pattern, lambda program: _Search(program, whole=True).run())


@functools.lru_cache(256)
def paths(pattern: re.Pattern[str]) -> Paths | None:
    """With the classes of `finder`; None if the expression is not one-pass."""
    return _made(pattern, lambda program: _OnePass(program).run())


def _made(pattern: re.Pattern[str], make: Callable[[Program], Made]) -> Made | None:
    try:
        return make(program_of(pattern))
    except NoProgram:
        return None


def _classes(program: Program) -> tuple[np.ndarray, list[int]]:
    """The class of each byte, and a byte of each class."""
    reading = [i for i in program.instructions if i.kind == "byte"]
    firsts = sorted({0, *(i.low for i in reading), *(i.high + 1 for i in reading)} - {256})
    found = np.searchsorted(firsts, np.arange(256), side="right") - 1
    return found.astype(np.uint8), firsts


class _Search:
    """whole: a match counts at the end of the string only, so that none hides another one."""

    def __init__(self, program: Program, whole: bool) -> None:
        self.instructions, self.begin, self.whole = program.instructions, program.start, whole
        self.classes, self.bytes = _classes(program)
        self.states: dict[State, int] = {(): 0}
        self.rows: list[list[State]] = []

    def run(self) -> Automaton:
        first, start = self._state([self.begin], at_begin=True), self._state([self.begin])
        self.states.setdefault(first, len(self.states))
        self.states.setdefault(start, len(self.states))
        waiting = list(self.states)
        for state in waiting:                # it grows
            row = [*(self._state([i.next for i in map(self.instructions.__getitem__, state)
                                  if i.kind == "byte" and i.low <= byte <= i.high]) for byte in self.bytes),
                   self._ended(state)]
            self.rows.append(row)
            for found in row:
                if found not in self.states:
                    self.states[found] = len(self.states)
                    waiting.append(found)
            if len(waiting) > MOST_STATES:
                raise NoProgram
        order = sorted(self.states, key=self._matches)
        width = len(self.bytes) + 1
        entry = {state: width * i for i, state in enumerate(order)}
        table = np.array([[entry[found] for found in self.rows[self.states[state]]] for state in order], np.int32)
        accepting = width * sum(not self._matches(state) for state in order)
        return Automaton(self.classes, table, width - 1, entry[first], entry[start], accepting)

    def _matches(self, state: State) -> bool:
        return bool(state) and self.instructions[state[-1]].kind == "match"

    def _ended(self, state: State) -> State:
        found = self._state([i if self.instructions[i].kind == "match" else self.instructions[i].next for i in state
                             if self.instructions[i].kind in ("end", "match")], at_end=True)
        return tuple(i for i in found if self.instructions[i].kind == "match")

    def _state(self, starts: Sequence[int], at_begin: bool = False, at_end: bool = False) -> State:
        """What the next byte is for behind these instructions."""
        seen: set[int] = set()
        found: list[int] = []
        waiting = list(reversed(starts))
        while waiting:
            i = waiting.pop()
            if i in seen:
                continue
            seen.add(i)
            instruction = self.instructions[i]
            if instruction.kind in ("byte", "match") or (instruction.kind == "end" and not at_end):
                found.append(i)
                if instruction.kind == "match" and not self.whole:
                    break
            else:
                waiting += _further(instruction, at_begin, at_end)
        return tuple(sorted(found, key=lambda i: (self.instructions[i].kind == "match", i)) if self.whole else found)


def _further(instruction: Instruction, at_begin: bool, at_end: bool) -> list[int]:
    """Where an instruction that reads nothing goes on, the preferred place last. Raises NoProgram if it asks for the
    beginning behind the end."""
    if instruction.kind == "split":
        return [instruction.other, instruction.next]
    if instruction.kind == "begin":
        if at_end:
            raise NoProgram
        return [instruction.next] if at_begin else []
    return [instruction.next]


class _OnePass:
    """A state is one instruction, that behind the byte that was read, and whether the string begins there."""

    def __init__(self, program: Program) -> None:
        self.instructions, self.begin = program.instructions, program.start
        self.bytes = _classes(program)[1]
        self.states: dict[tuple[int, bool], int] = {(self.begin, True): 0}

    def run(self) -> Paths:
        self.states[self.begin, False] = 1
        width = len(self.bytes) + 1
        rows = []
        waiting = list(self.states)
        for state in waiting:                # it grows
            row = self._row(*state)
            for _, target in filter(None, row):
                if (target, False) not in self.states:
                    self.states[target, False] = len(self.states)
                    waiting.append((target, False))
            if len(waiting) > MOST_STATES:
                raise NoProgram
            rows.append(row)
        notes = np.array([[0 if e is None else e[0] for e in row] for row in rows], np.int32)
        table = np.array([[0 if e is None else width * self.states[e[1], False] for e in row] for row in rows],
                         np.int32)
        return Paths(table, notes, 0, width)

    def _row(self, begin: int, at_begin: bool) -> list[tuple[int, int] | None]:
        """For each class, and the end: what is to be noted, and where it goes on. Raises NoProgram if there are two
        ways."""
        row: list[tuple[int, int] | None] = [None] * (len(self.bytes) + 1)
        seen: set[tuple[int, bool]] = set()
        waiting = [(begin, 0, False)]
        while waiting:
            i, notes, at_end = waiting.pop()
            instruction = self.instructions[i]
            if (i, at_end) in seen:
                raise NoProgram
            seen.add((i, at_end))
            if instruction.kind == "match":
                columns = [len(self.bytes)]
            elif instruction.kind == "byte":
                columns = [k for k, byte in enumerate(self.bytes) if instruction.low <= byte <= instruction.high
                           and not at_end]
            else:
                notes |= 1 << instruction.low if instruction.kind == "note" else 0
                at_end = at_end or instruction.kind == "end"
                waiting += [(further, notes, at_end) for further in _further(instruction, at_begin, at_end)]
                continue
            for column in columns:
                if row[column] is not None:
                    raise NoProgram
                row[column] = (notes, instruction.next if instruction.kind == "byte" else begin)
        return row
