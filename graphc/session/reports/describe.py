"""What a Session says of itself: its plans, with their kernels and memory, and its variables."""
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from graphc.picture.notebook import PlanSummary, SessionSummary
from graphc.picture.wording import bytes_text, counted
from graphc.wording import worded

if TYPE_CHECKING:
    from graphc.session.prepared_run import PreparedRun
    from graphc.session.session import Session

PLANS_SHOWN = 20


def title(session: Session) -> str:
    """`gc.Session of a graph of 14 operations: 1 plan, 3 runs, 2 variables of 40 bytes`"""
    name = f"gc.{type(session).__name__}"
    if session._closed:
        return worded(f"{name}, closed")
    used = _used(session)
    parts = [counted(sum(len(p.engines) for p in used), "plan"),
             counted(max((p.used + 1 for p in used), default=0), "run")]
    variables = _variables(session)
    if variables:
        parts.append(f"{counted(len(variables), 'variable')} of {bytes_text(sum(size for _, _, size in variables))}")
    return worded(f"{name} of a graph of {counted(session.graph.version, 'operation')}: {', '.join(parts)}")


def summary(session: Session) -> SessionSummary:
    """The plans that were used last come first."""
    used = sorted(_used(session), key=lambda p: -p.used)
    plans = [plan for prepared in used[:PLANS_SHOWN] for plan in _plans(prepared)]
    return SessionSummary(title(session), tuple(plans), tuple(_variables(session)))


def _used(session: Session) -> list[PreparedRun]:
    return [prepared for prepared in list(session._plans.values()) if prepared.engines]


def _plans(prepared: PreparedRun) -> list[PlanSummary]:
    from graphc.exec.memory_plan import memory_plans
    from graphc.plan.text import kernel_counts

    fetches = (*(t.name for t in prepared.tensors), *(op.name for op in prepared.operations))
    made = []
    for engine in list(prepared.engines.values()):
        kernels: Counter[str] = kernel_counts(engine.plan)
        arenas = tuple((", ".join(str(list(shape)) for shape in plan.shapes) or "any", plan.size)
                       for plan in memory_plans(engine))
        steps = sum(len(body.steps) for body in engine.plan.bodies)
        made.append(PlanSummary(fetches, tuple(t.name for t in prepared.feeds), steps, tuple(kernels.most_common()),
                                arenas))
    return made


def _variables(session: Session) -> list[tuple[str, str, int]]:
    """(name, dtype and shape, bytes) of those that a run has touched."""
    store = session._states_made
    return [] if store is None else [
        (name, f"{'string' if state.of_strings else state.value.dtype} {list(state.value.shape)}", state.value.nbytes)
        for name, state in sorted(store._states.items())]
