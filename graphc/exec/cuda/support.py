"""Which plans run on the device: those whose every step it has a kernel for."""
from __future__ import annotations

from graphc.exec.cuda.calls.all import CALLS, STATE_CHECK, STATE_MARK
from graphc.exec.map_code import LLVM_TYPES
from graphc.plan import plan as p

_CONTROL = {p.While: "loops", p.If: "branches", p.Host: "functions in Python", p.Bind: "sizes that depend on data",
            p.Take: "sizes that depend on data", p.Push: "lists of tensors", p.Pop: "lists of tensors",
            p.Length: "lists of tensors", p.List: "lists of tensors"}


def why_not(plan: p.Plan) -> tuple[p.Origin | None, str] | None:
    """(the op, what the device lacks for it), None if the plan can run there."""
    ports = [port.name for port in (*plan.inputs, *plan.outputs) if port.dtype == "str"]
    if ports:
        return None, f"{ports[0]}: strings"
    for step in plan.bodies[0].steps:
        lacking = _lacking(plan, step)
        if lacking:
            return (plan.origins[step.origins[0]] if step.origins else None), lacking
    return (None, "weights that are prepared before the run") if plan.prepare >= 0 else None


def _lacking(plan: p.Plan, step: p.Step) -> str:
    if isinstance(step, p.Map):
        return _lacking_types(plan.programs[step.program])
    if isinstance(step, p.Call):
        name = step.kernel.partition(".")[0]
        if name not in CALLS and name not in (STATE_CHECK, STATE_MARK):
            return f"the kernel {step.kernel}"
        return _lacking_types(plan.programs[step.epilogue.program]) if step.epilogue is not None else ""
    return _CONTROL.get(type(step), type(step).__name__)


def _lacking_types(program: p.Program) -> str:
    for dtype in (*program.loads, *(i.dtype for i in program.instrs)):
        if dtype not in LLVM_TYPES:
            return f"elements of {dtype}"
    return ""
