"""Which steps of a plan the device can do: those that it has a kernel for."""
from __future__ import annotations

from collections.abc import Iterator

from graphc.exec.cuda.calls.all import CALLS, STATE_CHECK, STATE_MARK
from graphc.exec.map_code import LLVM_TYPES
from graphc.plan import plan as p
from graphc.plan.uses import root_of, uses_of


def can_do_all(plan: p.Plan) -> bool:
    """Whether the device can run the plan alone."""
    body = plan.bodies[0]
    dtypes = {*(port.dtype for port in (*plan.inputs, *plan.outputs)), *(state.dtype for state in plan.states)}
    return (len(plan.bodies) == 1 and "str" not in dtypes
            and all(isinstance(step, (p.Map, p.Call)) and not lacking(plan, step) and
                    (_is_noted(step) or not is_the_hosts(plan, body, step)) for step in body.steps))


def is_the_hosts(plan: p.Plan, body: p.Body, step: p.Step) -> bool:
    """Whether it is about what is known of a variable, or about strings that one holds: the host counts these."""
    use = uses_of(step)
    rows = [body.buffers[root_of(body, b)] for b in (*use.reads, *use.writes)]
    return any(row.kind in (p.BufferKind.STATE_INFO, p.BufferKind.PREPARED) or
               (row.kind == p.BufferKind.STATE and plan.states[row.index].dtype == "str") for row in rows)


def _is_noted(step: p.Step) -> bool:
    """Whether an engine for a whole plan does it without the device."""
    return isinstance(step, p.Call) and step.kernel in (STATE_CHECK, STATE_MARK)


def lacks(plan: p.Plan) -> Iterator[tuple[p.Origin, str]]:
    """The user's ops that the device cannot do, with what it lacks for them. Loops, branches and lists, which the host
    walks through, are none of these."""
    for body in plan.bodies:
        for step in body.steps:
            found = lacking(plan, step)
            if found and step.origins and not _is_on_handles(body, step):
                yield plan.origins[step.origins[0]], found


def _is_on_handles(body: p.Body, step: p.Step) -> bool:
    use = uses_of(step)
    return any(body.buffers[b].dtype == "handle" for b in (*use.reads, *use.writes))


def lacking_steps(plan: p.Plan) -> Iterator[str]:
    """What keeps the device from doing a whole saved plan, its prepare body joined (plan/joined.py): the user's ops,
    with their lines, and what is lacking."""
    for what, rows in (("input", plan.inputs), ("output", plan.outputs), ("variable", plan.states)):
        yield from (f"the {what} '{row.name}' holds strings" for row in rows if row.dtype == "str")
    for number in {0, plan.prepare} - {-1}:
        for step in plan.bodies[number].steps:
            found = lacking(plan, step)
            if not isinstance(step, (p.Map, p.Call)):
                found = found or "loops, branches, lists and sizes that depend on data"
            elif not found and not _is_noted(step) and _asks_for_notes(plan.bodies[number], step):
                found = "whether a variable has a value"
            if found:
                yield f"{named(plan, step)}: {found}"


def _asks_for_notes(body: p.Body, step: p.Step) -> bool:
    use = uses_of(step)
    return any(body.buffers[root_of(body, b)].kind == p.BufferKind.STATE_INFO for b in (*use.reads, *use.writes))


def named(plan: p.Plan, step: p.Step) -> str:
    if not step.origins:
        return "a step"
    origin = plan.origins[step.origins[0]]
    return f"{origin.op_type} '{origin.op_name}'" + (f", built at {origin.file}:{origin.line}" if origin.file else "")


def lacking(plan: p.Plan, step: p.Step) -> str:
    """What the device lacks for a step, in words; nothing if it can do it."""
    if isinstance(step, p.Map):
        return _lacking_types(plan.programs[step.program])
    if isinstance(step, p.Call):
        name, *types = step.kernel.split(".")
        if name not in (*CALLS, STATE_CHECK, STATE_MARK) or not LLVM_TYPES.keys() >= {*types}:
            return f"the kernel {step.kernel}"
        return _lacking_types(plan.programs[step.epilogue.program]) if step.epilogue is not None else ""
    return "functions in Python" if isinstance(step, p.Host) else ""


def _lacking_types(program: p.Program) -> str:
    for dtype in (*program.loads, *(i.dtype for i in program.instrs)):
        if dtype not in LLVM_TYPES:
            return f"elements of {dtype}"
    return ""
