"""The first run of a plan in which ranks of Python functions' results may be guesses.

When a guess turns out wrong the plan is compiled again and the run repeated: variables are put back, random numbers are
the same ones, and what the Python functions returned is used again. Where the graph does not even compile with the
guesses (a product of a rank that is taken for 0), what is guessed runs alone before.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.tensor import Operation
from graphc.ops.control import script
from graphc.session.fetches import Fetches
from graphc.session.prepared_run import PreparedRun

Before = list[tuple[Any, np.ndarray, np.ndarray, Any]]     # (state, value, info, strings)


def first_run(session: Any, prepared: PreparedRun, inputs: list[np.ndarray],
              run: Callable[[Any], Any]) -> tuple[Any, Any]:
    """(the engine whose guesses are right, what `run` of it gave)."""
    kept: dict[str, list[Any]] = {}
    try:
        session._engine(prepared, inputs)
    except (errors.OpError, ValueError, TypeError):
        guessers = _guessers(prepared)              # what uses their results may not fit the guesses: they go first
        if not guessers:
            raise
        alone = PreparedRun(Fetches([op.outputs for op in guessers], lambda tensor: tensor), prepared.feeds)
        _until_right(session, alone, inputs, run, kept, stays=False)
    made = _until_right(session, prepared, inputs, run, kept, stays=True)
    prepared.proven = True
    return made


def _until_right(session: Any, prepared: PreparedRun, inputs: list[np.ndarray], run: Callable[[Any], Any],
                 kept: dict[str, list[Any]], stays: bool) -> tuple[Any, Any]:
    """Runs until the guesses are right. stays: whether variables keep what that run wrote."""
    while True:
        engine = session._engine(prepared, inputs)
        before = written_states(session._states, engine) if engine.guesses() or not stays else []
        try:
            with script.TRIAL.running(kept):
                values = run(engine)
        except errors.OpError as error:
            if not _caused_by_rank(error):
                raise
            put_back(session._states, before)
            prepared.engines.clear()
            continue
        if not stays:
            put_back(session._states, before)
        return engine, values


def _guessers(prepared: PreparedRun) -> list[Operation]:
    """The operations before the fetched ones whose results have ranks that are guesses."""
    from graphc.passes.snapshot.needed import needed_operations

    found = needed_operations(prepared.tensors, prepared.operations, set(prepared.feeds))
    guessed = [(op, getattr(op.definition, "guessed", None)) for op in found]
    return [op for op, ranks in guessed if ranks is not None and ranks.guesses and op.outputs]


def written_states(states: Any, engine: Any) -> Before:
    """The variables that the plan writes, as they are."""
    written = {state for body in engine.plan.bodies for state in body.writes}
    with states.holding(exclusive=False):
        cells = [states.state(s.name, s.dtype, s.shape) for i, s in enumerate(engine.plan.states) if i in written]
        states.bring_home(cells)
        return [(c, c.value.copy(), c.info.copy(), c.held) for c in cells]


def put_back(states: Any, before: Before) -> None:
    """Gives the variables the values that written_states found."""
    with states.holding(exclusive=True):
        for cell, value, info, held in before:
            states.away.discard(cell)                  # what a GPU may have of it is of the run
            cell.value[...] = value
            cell.held = held
            cell.info[:] = (info[0], cell.info[1] + 1)


def _caused_by_rank(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, script.RankDiscovered):
            return True
        error = error.__cause__
    return False
