"""A Plan as text, whole: what `graphc dump` prints. Sizes are shown as expressions, buffers as b0, b1, ..."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.plan import plan as p

_INFIX = {p.DimKind.ADD: "+", p.DimKind.SUB: "-", p.DimKind.MUL: "*", p.DimKind.FLOORDIV: "//", p.DimKind.MOD: "%",
          p.DimKind.EQUAL: "==", p.DimKind.LESS: "<"}
_RELATIONS = {p.GuardKind.EQUAL: "==", p.GuardKind.LESS_EQUAL: "<=", p.GuardKind.LESS: "<"}


def plan_text(plan: p.Plan) -> str:
    """One line for each buffer, guard and step of each body, with the user's ops behind a step."""
    lines = [f"input  {x.name} {_port(x)}" for x in plan.inputs] + [f"output {x.name} {_port(x)}" for x in plan.outputs]
    lines += [f"const  c{i} {c.name} {c.dtype}{list(c.shape)}" for i, c in enumerate(plan.constants)]
    lines += [f"state  s{i} {s.name} {s.dtype}{list(s.shape)}" for i, s in enumerate(plan.states)]
    lines += [f"host   h{i} {name}" for i, name in enumerate(plan.hosts)]
    for i, program in enumerate(plan.programs):
        lines.append(f"program p{i}: {program_text(program)}")
    for i, body in enumerate(plan.bodies):
        title = " (prepare)" if i == plan.prepare else ""
        lines.append(f"body {i} {body.name}{title}:")
        lines += [f"  {line}" for line in _BodyText(plan, body).lines()]
    return "\n".join(lines)


def _port(port: p.Port) -> str:
    return f"{port.dtype}[{', '.join('?' if s < 0 else str(s) for s in port.shape)}]"


def program_text(program: p.Program) -> str:
    """"v2 = add v0 v1; store v2"."""
    parts = []
    for i, instr in enumerate(program.instrs, len(program.loads)):
        arguments = " ".join(f"v{a}" for a in instr.args) or (repr(instr.value) if instr.op != "linear" else "")
        parts.append(f"v{i}:{instr.dtype} = {instr.op} {arguments}".rstrip())
    return "; ".join([*parts, f"store {' '.join(f'v{v}' for v in program.stores)}"])


class _BodyText:
    def __init__(self, plan: p.Plan, body: p.Body) -> None:
        self.plan = plan
        self.body = body
        self.dims: list[str] = []
        for number, dim in enumerate(body.dims):
            self.dims.append(self._dim(number, dim))

    def lines(self) -> Iterator[str]:
        for i, buffer in enumerate(self.body.buffers):
            index = "" if buffer.kind == p.BufferKind.ARENA else f" {buffer.index}"
            yield f"b{i} = {buffer.kind.name.lower()}{index} {buffer.dtype}[{self._sizes(buffer.dims)}]"
        for i, slot in enumerate(self.body.slots):
            yield f"slot{i} = {slot.dtype} of rank {slot.rank}"
        for guard in self.body.guards:
            yield f"guard {self.dims[guard.a]} {_RELATIONS[guard.kind]} {self.dims[guard.b]}: {guard.message}"
        for step in self.body.steps:
            names = ", ".join(self.plan.origins[o].op_name for o in step.origins)
            yield self._step(step) + (f"    <- {names}" if names else "")

    def _dim(self, number: int, dim: p.Dim) -> str:
        a = [self.dims[o] for o in dim.operands] if dim.kind >= p.DimKind.ADD else []
        if dim.kind == p.DimKind.CONST:
            return str(dim.value)
        if dim.kind == p.DimKind.INPUT:
            return f"in{dim.operands[0]}.{dim.operands[1]}"
        if dim.kind == p.DimKind.RUNTIME:
            return f"run{number}"
        if dim.kind in _INFIX:
            return f"({a[0]} {_INFIX[dim.kind]} {a[1]})"
        return f"{dim.kind.name.lower()}({', '.join(a)})"

    def _sizes(self, dims: Sequence[int]) -> str:
        return ", ".join(self.dims[d] for d in dims)

    def _access(self, access: p.Access) -> str:
        offset = "" if self.dims[access.offset] == "0" else f"+{self.dims[access.offset]}"
        return f"b{access.buffer}{offset}({self._sizes(access.strides)})"

    def _map(self, step: p.Map) -> str:
        reduced = f" reducing {step.reduced}" if step.reduced else ""
        return (
            f"map p{step.program} over [{self._sizes(step.domain)}]{reduced}: "
            f"{' '.join(map(self._access, step.loads))} -> "
            f"{' '.join(map(self._access, step.stores))}"
        )

    def _step(self, step: p.Step) -> str:
        if isinstance(step, p.Map):
            return self._map(step)
        if isinstance(step, p.Call):
            text = f"call {step.kernel} {_buffers(step.operands)} dims [{self._sizes(step.dims)}]"
            text += f" attrs {list(step.attrs)}" if step.attrs else ""
            return text + (f" then {self._map(step.epilogue)}" if step.epilogue is not None else "")
        if isinstance(step, p.Bind):
            return f"bind b{step.buffer} -> {self._sizes(step.dims)}"
        if isinstance(step, p.Take):
            return f"take slot{step.slot} -> b{step.buffer}"
        if isinstance(step, p.Host):
            return f"host h{step.host} {_buffers(step.operands)} -> {_slots(step.slots)}"
        if isinstance(step, p.While):
            return (f"while body {step.cond}: body {step.body}, {step.carried} carried, {_buffers(step.operands)} -> "
                    f"{_slots(step.slots)}")
        if isinstance(step, p.If):
            results = f"{_buffers(step.operands)} -> {_slots(step.slots)}"
            return f"if b{step.pred}: body {step.then} else: body {step.orelse}, {results}"
        if isinstance(step, p.Push):
            return f"push b{step.value} on b{step.source} -> b{step.result}"
        if isinstance(step, p.Pop):
            return f"pop b{step.source} -> b{step.result}, slot{step.slot}"
        if isinstance(step, p.Length):
            return f"length b{step.source} -> b{step.buffer}"
        raise TypeError(f"no text for {type(step).__name__}")


def _buffers(numbers: Sequence[int]) -> str:
    return " ".join(f"b{n}" for n in numbers)


def _slots(numbers: Sequence[int]) -> str:
    return " ".join(f"slot{n}" for n in numbers)
