"""Fourier transforms on the device: the steps of the columns, the turn, the steps of the rows, each a kernel; of real
numbers one more between them and half as many complex ones."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work, size_of
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.code import fourier as code
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.work import Work


@dataclass(frozen=True)
class Step:
    """words: what the kernel is told behind the numbers of a row and of a transform, and the roots; radix 0: the
    turn."""

    radix: int
    words: tuple[int, ...]

    def kernel(self, ends: code.Ends) -> KernelBuilder:
        made = {0: code.turn, 2: code.step_of_two, 4: code.step_of_four}.get(self.radix, code.step_of_odd)
        return made(ends)


def _steps(length: int, line: int) -> Iterator[Step]:
    """Of the columns of a matrix of `length` lines of `line` numbers."""
    parts, run = length, line
    while parts > 1:
        radix = 4 if parts % 4 == 0 else next(d for d in range(2, parts + 1) if parts % d == 0)
        yield Step(radix, (parts, run, *([radix] if radix % 2 else [])))
        parts //= radix
        run *= radix


def fft(call: Call) -> list[Work]:
    (x, roots, y), (outer, first, second, inner), (inverse, real), dtype = (
        call.operands, call.dims, call.attrs, call.types[0])
    n, size = first * second, size_of(dtype)
    row = n * inner
    if not outer * inner:
        return []
    narrow = 2 * outer * (row + 1) < NARROW
    turn = [Step(0, (first, second))] if min(first, second) > 1 else []
    steps = [*_steps(first, second * inner), *turn, *_steps(second, first)]
    if not steps and not real:                                 # rows of one number
        return list(map_work(call, ProgramBuilder(dtype).program(0), (2 * outer * inner,), 0, [(x, (1,)), (y, (1,))]))
    launches = len(steps) + real
    rooms = [call.scratch(2 * outer * row * size) for _ in range(min(launches - 1, 2))]
    places = [x, *(rooms[number % 2] for number in range(launches - 1)), y]
    before = real * inverse                                    # launches in front of the steps
    work: list[Work] = []
    if before:
        work += _halves(call, inverse, narrow, places[0], places[1], roots)
    for number, step in enumerate(steps):
        ends = code.Ends(dtype, inverse == 1 and number == 0, inverse == 1 and number + 1 == len(steps), narrow)
        threads = outer * row // (step.radix if step.radix in (2, 4) else 1)
        work += launch(call, step.kernel(ends), threads, *places[before + number:before + number + 2], roots, threads,
                       row, n, n * (1 + real), *step.words)
    if real > before:
        work += _halves(call, inverse, narrow, places[-2], places[-1], roots)
    return work


def _halves(call: Call, inverse: int, narrow: bool, x: int, y: int, roots: int) -> list[Work]:
    outer, n, *_ = call.dims
    threads = outer * (n // 2 + 1)
    return launch(call, code.halves(call.types[0], inverse == 1, narrow), threads, x, y, roots, threads, n, n // 2 + 1)
