"""Variables without a known shape (docs/adr/0031-variables-without-a-shape.md): a run is fed their values, and gives
those that it writes beside what is fetched. So their ranks choose the plan, as those of feeds do."""
from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.ir.tensor import Operation, Tensor
from graphc.ops.state.state import VariableV2
from graphc.session.prepared_run import PreparedRun


def with_variables(session: Any, prepared: PreparedRun,
                   inputs: list[np.ndarray]) -> tuple[PreparedRun, list[np.ndarray]]:
    """The run with the values of these variables as further feeds; itself if it needs none."""
    if prepared.variables is None:
        from graphc.passes.snapshot.needed import needed_operations

        with session.graph._lock:
            needed = needed_operations(prepared.tensors, prepared.operations, set(prepared.feeds))
        prepared.variables = _unshaped(needed)
    if not prepared.variables:
        return prepared, inputs
    values = [session._states.unshaped.get(t.op.name) for t in prepared.variables]
    has = tuple(v is not None for v in values)
    if has not in prepared.with_values:
        prepared.with_values[has] = _fed(prepared, has)
    return prepared.with_values[has], [*inputs, *(v for v in values if v is not None)]


def _unshaped(operations: Iterable[Operation]) -> tuple[Tensor, ...]:
    return tuple(op.outputs[0] for op in operations
                 if isinstance(op.definition, VariableV2) and not op.outputs[0].shape.is_fully_defined())


def _fed(prepared: PreparedRun, has: tuple[bool, ...]) -> PreparedRun:
    """A run of the same kind that is given those variables that have a value."""
    assert prepared.variables is not None
    made = copy.copy(prepared)
    given = [t for t, there in zip(prepared.variables, has, strict=True) if there]
    made.feeds = [*prepared.feeds, *given]
    made.given = frozenset(given)
    made.unset = tuple(t for t, there in zip(prepared.variables, has, strict=True) if not there)
    made.engines = {}
    return made


def keep_written(session: Any, prepared: PreparedRun, engine: Any, values: list[np.ndarray]) -> None:
    """After a run that has gone well."""
    fetched = len(prepared.tensors)
    for port, value in zip(engine.plan.outputs[fetched:], values[fetched:], strict=True):
        session._states.unshaped[port.name] = value
