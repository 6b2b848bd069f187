"""A Plan as text: `graphc dump` and error reports. One line a step; sizes are formulas, buffers are %number."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from graphc.kernels.contracts.all import attr_values
from graphc.kernels.layout import ListOperation
from graphc.plan import plan as p
from graphc.plan.plan import DimKind

SIGNS = {DimKind.ADD: "+", DimKind.SUB: "-", DimKind.MUL: "*", DimKind.FLOORDIV: "//", DimKind.MOD: "%",
         DimKind.EQUAL: "==", DimKind.LESS: "<"}


def plan_text(plan: p.Plan) -> str:
    """The whole Plan."""
    return "\n".join(_plan(plan)) + "\n"


def _plan(plan: p.Plan) -> Iterator[str]:
    for kind, ports in (("input", plan.inputs), ("output", plan.outputs)):
        for i, port in enumerate(ports):
            yield f"{kind} {i}: {port.name} {_shape(port.dtype, port.shape)}"
    for i, constant in enumerate(plan.constants):
        yield f"constant {i}: {constant.name} {_shape(constant.dtype, constant.shape)}"
    for i, state in enumerate(plan.states):
        yield f"state {i}: {state.name} {_shape(state.dtype, state.shape)}"
    for i, host in enumerate(plan.hosts):
        yield f"host {i}: {host}"
    for i, program in enumerate(plan.programs):
        yield f"program {i}: {program_text(program)}"
    for i, body in enumerate(plan.bodies):
        yield from BodyText(plan, i, body).lines()


def _shape(dtype: str, sizes: Sequence[int]) -> str:
    return f"{dtype}[{', '.join('?' if s < 0 else str(s) for s in sizes)}]"


def program_text(program: p.Program) -> str:
    """A scalar program as one nested expression a store; values used twice are written twice up to a limit."""
    texts = [f"x{i}" for i in range(len(program.loads))]
    for instr in program.instrs:
        if instr.op == "const":
            text = repr(instr.value)
        elif instr.op == "index":
            text = f"index({instr.value})"
        else:
            text = f"{instr.op}({', '.join(texts[a] for a in instr.args)})"
            if instr.op == "cast":
                text = f"{instr.dtype}{text.removeprefix('cast')}"
        texts.append(text if len(text) < 240 else f"{instr.op}(...)")
    return "; ".join(texts[s] for s in program.stores)


def kernel_counts(plan: p.Plan) -> Counter[str]:
    """How often the steps call each kernel; a body of a loop or branch counts once."""
    counts = Counter[str]()
    for body in plan.bodies:
        for step in body.steps:
            epilogue = None
            if isinstance(step, p.Call):
                counts[step.kernel] += 1
                epilogue = step.epilogue
            counts["map"] += sum(isinstance(each, p.Map) for each in (step, epilogue))
    return +counts


class BodyText:
    """Lines of one body."""

    def __init__(self, plan: p.Plan, number: int, body: p.Body) -> None:
        self.plan, self.number, self.body = plan, number, body
        self.sizes: list[str] = []
        for dim in body.dims:
            self.sizes.append(self._dim(dim))

    def _dim(self, dim: p.Dim) -> str:
        if dim.kind == DimKind.CONST:
            return str(dim.value)
        if dim.kind == DimKind.INPUT:
            return f"in{dim.operands[0]}.{dim.operands[1]}"
        if dim.kind == DimKind.RUNTIME:
            return f"r{len(self.sizes)}"
        operands = [self.sizes[o] for o in dim.operands]
        if dim.kind in SIGNS:
            return f"({operands[0]} {SIGNS[dim.kind]} {operands[1]})"
        return f"{dim.kind.name.lower()}({', '.join(operands)})"

    def lines(self) -> Iterator[str]:
        name = " (prepare)" if self.number == self.plan.prepare else ""
        yield f"body {self.number} {self.body.name}{name}:"
        for i, buffer in enumerate(self.body.buffers):
            index = "" if buffer.kind in (p.BufferKind.ARENA, p.BufferKind.COUNTER) else f" {buffer.index}"
            yield f"  %{i} = {buffer.kind.name.lower()}{index} {buffer.dtype}[{self._sizes(buffer.dims)}]"
        for guard in self.body.guards:
            sign = {p.GuardKind.EQUAL: "==", p.GuardKind.LESS_EQUAL: "<=", p.GuardKind.LESS: "<"}[guard.kind]
            yield f"  guard {self.sizes[guard.a]} {sign} {self.sizes[guard.b]}: {guard.message}"
        for step in self.body.steps:
            yield f"  {self.step(step)}{self._origins(step)}"

    def _sizes(self, ids: Sequence[int]) -> str:
        return ", ".join(self.sizes[d] for d in ids)

    def _origins(self, step: p.Step) -> str:
        names = [self.plan.origins[o].op_name for o in step.origins]
        return f"   # {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}" if names else ""

    def _access(self, access: p.Access) -> str:
        strides = "*".join(["", f"({self._sizes(access.strides)})"]) if access.strides else ""
        offset = self.sizes[access.offset]
        return f"%{access.buffer}{'' if offset == '0' else f'+{offset}'}{strides}"

    def _map(self, step: p.Map) -> str:
        outer = len(step.domain) - step.reduced
        reduced = f" | {self._sizes(step.domain[outer:])}" if step.reduced else ""
        domain = f"[{self._sizes(step.domain[:outer])}{reduced}]"
        stores, loads = (", ".join(map(self._access, accesses)) for accesses in (step.stores, step.loads))
        return f"{stores} = map{domain} program {step.program} ({loads})"

    def step(self, step: p.Step) -> str:
        """What the step does, without its origins."""
        if isinstance(step, p.Map):
            return self._map(step)
        if isinstance(step, p.Call):
            attrs = f" {list(attr_values(step.kernel, step.attrs))}" if step.attrs else ""
            epilogue = f" then {self._map(step.epilogue)}" if step.epilogue else ""
            return f"{step.kernel}({_ids(step.operands)}) <{self._sizes(step.dims)}>{attrs}{epilogue}"
        if isinstance(step, p.Bind):
            return f"{self._sizes(step.dims)} = elements of %{step.buffer}"
        if isinstance(step, p.Take):
            return f"%{step.buffer} = slot {step.slot}"
        if isinstance(step, p.Push):
            return f"%{step.result} = push %{step.value} on %{step.source}"
        if isinstance(step, p.Pop):
            return f"%{step.result}, {self._slots((step.slot,), step.binds)} = pop %{step.source}"
        if isinstance(step, p.Length):
            return f"%{step.buffer} = length of %{step.source}"
        assert isinstance(step, (p.Host, p.While, p.If, p.List))
        if isinstance(step, p.Host):
            what = f"host {self.plan.hosts[step.host]}"
        elif isinstance(step, p.List):
            what = f"list {ListOperation(step.operation).name.lower()}"
        elif isinstance(step, p.While):
            what = f"while body {step.cond}: body {step.body}, carried {step.carried}"
        else:
            what = f"if %{step.pred}: body {step.then} else body {step.orelse}"
        return f"{self._slots(step.slots, step.binds)} = {what} ({_ids(step.operands)})"

    def _slots(self, slots: Sequence[int], binds: Sequence[p.SlotBind]) -> str:
        text = ", ".join(f"slot {s}" for s in slots)
        bound = ", ".join(f"{self.sizes[b.dim]} = slot {b.slot} axis {b.axis}" for b in binds)
        return f"{text} ({bound})" if bound else text


def _ids(buffers: Sequence[int]) -> str:
    return ", ".join(f"%{b}" for b in buffers)
