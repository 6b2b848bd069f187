"""Runs cells, many in one graph, and says which ones fail and why.

What fails in a graph of many is run again on its own, so that a failure names one cell.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import graphc as gc
from graphc.ir.op import OPS

from matrix import machines
from matrix.cells import Cell
from matrix.programs import Pool, Program, make

TOGETHER = 10     # programs of one graph


@dataclass(frozen=True)
class Failure:
    cell: Cell
    problem: str

    def __str__(self) -> str:
        return f"{self.cell}\n    {self.problem}"


def failures(cells: Iterable[Cell]) -> list[Failure]:
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.passes, cell.machine), []).append(cell)
    return [failure for group in groups.values() for i in range(0, len(group), TOGETHER)
            for failure in together(group[i:i + TOGETHER])]


def together(cells: Sequence[Cell]) -> Iterator[Failure]:
    """What fails with all cells in one graph; they have the same passes and machine."""
    found = _problems(cells)
    if len(cells) == 1:
        yield from found
        return
    alone = [failure for cell in cells if found for failure in _problems([cell])]
    yield from alone
    if found and not alone:
        yield Failure(found[0].cell, f"{found[0].problem}\n    only together with {[str(c) for c in cells]}")


def _problems(cells: Sequence[Cell]) -> list[Failure]:
    """What is wrong when the cells share a graph. An error of the run counts for the first one."""
    found: list[Failure] = []
    programs: list[Program] = []
    pool = Pool(machines.RUNS[cells[0].machine], graph=gc.Graph())
    with pool.graph.as_default():
        for cell in cells:
            try:
                programs.append(make(cell, pool))
            except Exception as error:
                found.append(Failure(cell, f"while building: {_said(error)}"))
        initialise = gc.global_variables_initializer() if gc.global_variables() else None
    if not programs:
        return found
    wrong: dict[Cell, str] = {}
    fetches = [t for program in programs for t in program.fetches]
    run = -1
    try:
        with machines.passes(cells[0].passes):
            for run, (number, values) in enumerate(machines.run(cells[0].machine, pool.graph, fetches, pool.feeds,
                                                                initialise)):
                position = 0
                for program in programs:
                    mine = values[position:position + len(program.fetches)]
                    position += len(program.fetches)
                    problem = program.check(mine, run, number)
                    if problem is not None and program.cell not in wrong:
                        wrong[program.cell] = f"run {run}: {problem}"
    except Exception as error:
        wrong.setdefault(programs[0].cell, f"run {run + 1}: {_said(error)}")
    return found + [Failure(cell, problem) for cell, problem in wrong.items()]


def _said(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text[:600]}"


def report(found: Sequence[Failure], count: int) -> str:
    lines = [f"{len(found)} of {count} programs fail"]
    lines += [str(failure) for failure in found[:12]]
    if len(found) > 12:
        lines.append(f"... and {len(found) - 12} more")
    return "\n".join([*lines, "to see the first one alone:", found[0].cell.program])


def show(*chosen: object, **levels: object) -> None:
    """Prints what is wrong with one cell."""
    from matrix import updates

    cell = Cell(*chosen, **levels)  # type: ignore[arg-type]
    for failure in updates.failures([cell]) if OPS[cell.op].refs else _problems([cell]):
        print(failure)
