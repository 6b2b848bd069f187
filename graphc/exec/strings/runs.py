"""Runs with strings: what each holds in the table (exec/strings/table.py) from beginning to end.

A variable's value may be replaced while a run that read it is outside of the lock, in a Python function. So a run holds
what the variables held whenever it got the lock, and the variables it writes hold their new values before it gives the
lock back.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from graphc.errors import InternalError
from graphc.exec.states import State
from graphc.exec.strings.table import TABLE, Held
from graphc.ir.host import STRINGS
from graphc.plan.plan import Plan


class _Running(threading.local):
    """held: the strings of the run that this thread is in."""

    held: Held | None = None


RUNNING = _Running()


def begin_run() -> tuple[Held | None, Held]:
    """What the run that this one is inside of holds, if any, and what this one does, until `end_run`."""
    outer, held = RUNNING.held, Held(TABLE)
    RUNNING.held = held
    return outer, held


def end_run(outer: Held | None, held: Held) -> None:
    RUNNING.held = outer
    held.give_back()
    TABLE.collect()


def held_by_run() -> Held:
    """What the run of this thread holds. Raises InternalError outside of one."""
    if RUNNING.held is None:
        raise InternalError("a Python function gives strings outside of a run")
    return RUNNING.held


class Strings:
    """What of a plan is strings: inputs and outputs, by number, and variables."""

    def __init__(self, plan: Plan, cells: Sequence[State]) -> None:
        written = {state for body in plan.bodies for state in body.writes}
        self.inputs = frozenset(i for i, port in enumerate(plan.inputs) if port.dtype == "str")
        self.outputs = frozenset(i for i, port in enumerate(plan.outputs) if port.dtype == "str")
        self.cells = [c for c in cells if c.of_strings]
        self.written = [c for i, c in enumerate(cells) if c.of_strings and i in written]
        self.called = any(name.startswith(STRINGS) for name in plan.hosts)

    def run_on_variables(self, run: Callable[[int], int], call: int) -> int:
        """run(call), under the lock of the variables."""
        self.reads_variables()
        try:
            return run(call)
        finally:
            self.wrote_variables()

    def reads_variables(self) -> None:
        held = RUNNING.held
        if held is not None:
            held.others += [c.held for c in self.cells if c.held is not None and c.held not in held.others]

    def wrote_variables(self) -> None:
        for cell in self.written:
            cell.hold()


def strings_in(plan: Plan, cells: Sequence[State]) -> Strings | None:
    """None if a run has no strings but those of constants."""
    found = Strings(plan, cells)
    return found if found.inputs or found.outputs or found.cells or found.called else None
