"""What a plan calls, one line a step: GRAPHC_TRACE=1 and RunMetadata show it, so that anyone can check what runs."""
from __future__ import annotations

from graphc.plan import plan as p


def describe(plan: p.Plan) -> list[str]:
    """A line for every step of every body, with the user's ops that it comes from. Bodies of loops run many times."""
    lines = []
    for number, body in enumerate(plan.bodies):
        for step in body.steps:
            names = ", ".join(plan.origins[o].op_name for o in step.origins if 0 <= o < len(plan.origins))
            lines.append(f"[{number}:{body.name}] {_step(plan, step)}" + (f"  <- {names}" if names else ""))
    return lines


def _step(plan: p.Plan, step: p.Step) -> str:
    if isinstance(step, p.Map):
        return f"map({_program(plan, step)})"
    if isinstance(step, p.Call):
        behind = f" then map({_program(plan, step.epilogue)})" if step.epilogue is not None else ""
        return f"{step.kernel}{behind}"
    if isinstance(step, p.Host):
        return f"host {plan.hosts[step.host]}"
    if isinstance(step, p.While):
        return f"while body {step.cond}: body {step.body}"
    if isinstance(step, p.If):
        return f"if: body {step.then} else: body {step.orelse}"
    return type(step).__name__.lower()


def _program(plan: p.Plan, step: p.Map) -> str:
    instrs = [i.op for i in plan.programs[step.program].instrs if i.op not in ("const", "index", "linear")]
    return " ".join(instrs) or "copy"
