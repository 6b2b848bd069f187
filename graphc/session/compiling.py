"""From a kind of run to the engine that does it: compiled, and placed on the CPU or on a GPU."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir.tensor import Operation
from graphc.ops.control import script
from graphc.ops.control.session_objects import ObjectCall
from graphc.passes.shared.sides import Sides
from graphc.session.placement import Chosen
from graphc.session.prepared_run import PreparedRun, drops_ones


def make_engine(session: Any, prepared: PreparedRun, inputs: Sequence[np.ndarray]) -> Any:
    """The engine (exec/engine.py) for a run of this kind on inputs of these ranks, under the session's lock.

    Raises what compile_graph raises, and what Placement.gpu_for does.
    """
    from graphc.exec.engine import Engine
    from graphc.exec.pool import default_threads
    from graphc.passes.snapshot.needed import needed_operations

    placement, threads = session._placement, session._settings.threads
    guessing = script.GUESSING.set(True)
    try:
        with session._graph._lock:
            used = needed_operations(prepared.tensors, prepared.operations, set(prepared.feeds))
            chosen = placement.gpu_for(used)
            if chosen is None:
                compiled = _compiled(session, prepared, inputs)
                chosen = placement.gpu_if_worth(used, compiled.plan, [a.shape for a in inputs],
                                                threads or default_threads())
            found = _on_device(session, prepared, inputs, chosen, used) if chosen is not None else None
            if found is not None:
                return found
            if chosen is not None:
                compiled = _compiled(session, prepared, inputs)
    finally:
        script.GUESSING.reset(guessing)
    placement.log(used, None, {})
    return Engine(compiled.plan, compiled.constants, session._states, _hosts(session, compiled), threads,
                  bfloat16=session._settings.bfloat16)


def _on_device(session: Any, prepared: PreparedRun, inputs: Sequence[np.ndarray], chosen: Chosen,
               used: Sequence[Operation]) -> Any:
    """An engine that uses the GPU; None if the GPU can do nothing of the run."""
    from graphc.exec.cuda.engine import CudaEngine
    from graphc.exec.cuda.split.mixed import MixedEngine
    from graphc.exec.cuda.split.residence import Residence
    from graphc.exec.cuda.support import can_do_all

    compiled = _compiled(session, prepared, inputs, chosen.sides)
    plan, may, place = compiled.plan, partial(chosen.may, compiled.plan), partial(chosen.place, compiled.plan)
    session._placement.tell(plan, used)
    rest = compiled.constants, session._states, _hosts(session, compiled), session._settings.threads
    alone = len(chosen.devices) == 1 and can_do_all(plan) and all(map(may, plan.bodies[0].steps))
    engine: Any = (CudaEngine(chosen.devices[0], plan, *rest) if alone
                   else MixedEngine(chosen.devices, Residence(plan, may, place), *rest))
    engine.reduced, engine.numbers = session._settings.reduced_products, chosen.numbers
    if not any(part.steps for part in engine.parts):
        return None
    session._placement.log(used, chosen, engine.done_there())
    return engine


def _hosts(session: Any, compiled: Any) -> dict[str, Callable[..., Any]]:
    """The Python functions of a plan."""
    return {name: _host(session, compiled.hosts[name] or script.host_function(name)) for name in compiled.plan.hosts}


def _host(session: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a plan; what is done with queues and tables works on those of this session."""
    if not isinstance(function, ObjectCall):
        return function
    if session._objects is None:
        from graphc.session.resources.objects import Objects

        session._objects = Objects() if session._place is None else session._place.objects
    bound: Callable[..., Any] = function.bind(session._objects)
    return bound


def _compiled(session: Any, prepared: PreparedRun, inputs: Sequence[np.ndarray],
              sides: Sides | None = None) -> Any:
    from graphc.passes.snapshot.needed import needed_operations
    from graphc.plan.compile import compile_graph

    if not prepared.engines:
        prepared.by_ones = drops_ones(needed_operations(prepared.tensors, prepared.operations, set(prepared.feeds)))
    ranks, shapes = [a.ndim for a in inputs], [k if isinstance(k, tuple) else None for k in prepared.kind(inputs)]
    try:
        return compile_graph(prepared.tensors, prepared.operations, prepared.feeds, ranks, None, shapes,
                             session._exact_random, prepared.given, prepared.unset, sides)
    except errors.UnimplementedError as error:
        if prepared.by_length or not error.is_length_unknown:
            raise
        prepared.by_length = True
        return _compiled(session, prepared, inputs, sides)
