"""Fourier transforms on the device: the steps of the columns, the turn, the steps of the rows, each a kernel."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import fourier as code
from graphc.exec.cuda.work import Work


@dataclass(frozen=True)
class Step:
    """roots: how many numbers before its roots stand; words: what the kernel is told behind the numbers of a row;
    radix 0: the turn."""

    radix: int
    roots: int
    words: tuple[int, ...]


def _steps(length: int, line: int, roots: int) -> Iterator[Step]:
    """Of the columns of a matrix of `length` lines of `line` numbers."""
    parts, run = length, line
    while parts > 1:
        radix = 4 if parts % 4 == 0 else next(d for d in range(2, parts + 1) if parts % d == 0)
        yield Step(radix, roots, (length, parts, run, *([] if radix == 4 else [radix])))
        parts //= radix
        run *= radix


def fft(call: Call) -> list[Work]:
    (x, roots, y), (outer, first, second), (inverse,), dtype = call.operands, call.dims, call.attrs, call.types[0]
    n, size = first * second, size_of(dtype)
    if not outer:
        return []
    turn = [Step(0, 0, (first, second))] if min(first, second) > 1 else []
    steps = [*_steps(first, second, 2 * n), *turn, *_steps(second, first, 2 * (n + first))]
    if not steps:                                              # rows of one number
        return list(map_work(call, ProgramBuilder(dtype).program(0), (2 * outer,), 0, [(x, (1,)), (y, (1,))]))
    rooms = [call.scratch(2 * outer * n * size) for _ in range(min(len(steps) - 1, 2))]
    places = [x, *(rooms[number % 2] for number in range(len(steps) - 1)), y]
    work: list[Work] = []
    for number, step in enumerate(steps):
        ends = code.Ends(dtype, inverse == 1 and number == 0, inverse == 1 and number + 1 == len(steps),
                         2 * outer * n < NARROW)
        made = {0: code.turn, 4: code.step_of_four}.get(step.radix, code.step_by_definition)
        threads = outer * n // (4 if step.radix == 4 else 1)
        work += launch(call, made(ends), threads, *places[number:number + 2], roots + step.roots * size, threads, n,
                       *step.words)
    return work
