"""Checks a Plan, made by the compiler or read from a file: a bug or a damaged file shows here, with a message.

The invariants are those of plan.py's header, in its numbering; `verify_plan` raises InternalError for the first broken.
Any Plan of the declared types may come in; the time taken grows with its size only.
(kernels/runtime checks them again on every load, and the extents of every access, which need the kernels' registry.)

 1. ids are within their tables
 2. dims: operands come before; every RUNTIME dim is bound by one step
 3. ranks are at most 8; an ALIAS is of a buffer that is none; of a list handle only another one is
 4. CONST, INPUT, PREPARED and COUNTER buffers are not written; STATE only if the body lists it in `writes`; CARRIED
    buffers are an input and an output of a loop's body or of both branches, and no other operand lies in their memory
 5. buffers are written before they are read, slots filled before they are taken
 6. bodies are referred to by larger numbers only
 7. origins exist
 and programs are well formed: arguments come before, dtypes of loads and stores are those of their buffers; ports have
 the dtype and rank of their buffers (of strings: that of their numbers)
"""
from __future__ import annotations

from collections.abc import Iterable

from graphc.errors import InternalError, UnimplementedError
from graphc.ir.dtypes import as_dtype
from graphc.kernels.contracts.all import kernel_of
from graphc.kernels.layout import ListOperation
from graphc.plan import plan as p
from graphc.plan.plan import BufferKind, DimKind

MAX_RANK = 8
READ_ONLY = (BufferKind.CONST, BufferKind.INPUT, BufferKind.PREPARED, BufferKind.COUNTER)
FILLED = (BufferKind.CONST, BufferKind.INPUT, BufferKind.PREPARED, BufferKind.COUNTER, BufferKind.STATE,
          BufferKind.STATE_INFO, BufferKind.CARRIED)


def verify_plan(plan: p.Plan) -> None:
    """See the header."""
    for number, program in enumerate(plan.programs):
        _check_program(number, program)
    for name, shape in [(x.name, x.shape) for x in plan.constants] + [(x.name, x.shape) for x in plan.states]:
        _need(len(shape) <= MAX_RANK, f"{name}: its rank is at most {MAX_RANK}")
    for number, body in enumerate(plan.bodies):
        BodyCheck(plan, number, body).run()
    _need(len(plan.bodies) > 0, "there is a body to run")
    _need(-1 <= plan.prepare < len(plan.bodies), "the prepare body exists")
    check_ports(plan)


def check_ports(plan: p.Plan) -> None:
    """Feeds and fetches are those of body 0, which must be sound otherwise."""
    body = plan.bodies[0]
    for what, ports, ids in (("feeds", plan.inputs, body.inputs), ("fetches", plan.outputs, body.outputs)):
        _need(len(ports) == len(ids), f"body 0 has as many {what} as the plan names")
        for port, number in zip(ports, ids, strict=True):
            buffer = body.buffers[number]
            _need(as_dtype(port.dtype).stored.short == buffer.dtype and len(port.shape) == len(buffer.dims),
                  f"{port.name} has the dtype and rank of its buffer")


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise InternalError(f"the plan is wrong: {what} does not hold")


def _check_program(number: int, program: p.Program) -> None:
    dtypes = list(program.loads)
    for i, instr in enumerate(program.instrs):
        here = len(program.loads) + i
        _need(all(0 <= a < here for a in instr.args), f"program {number}: arguments of value {here} come before it")
        _need(len(instr.args) <= 4, f"program {number}: value {here} has at most 4 arguments")
        _need(len(instr.args) > 0 or instr.op in ("const", "index", "linear"),
              f"program {number}: value {here} has arguments")
        dtypes.append(instr.dtype)
    _need(all(0 <= s < len(dtypes) for s in program.stores), f"program {number}: stored values exist")
    _need(len(program.stores) > 0, f"program {number}: it stores something")


class BodyCheck:
    """One body. `written` and `filled` hold what the steps so far have written, `step` counts them."""

    def __init__(self, plan: p.Plan, number: int, body: p.Body) -> None:
        self.plan, self.number, self.body = plan, number, body
        self.written: set[int] = set()
        self.filled: set[int] = set()
        self.bound: set[int] = set()
        self.states = set(body.writes)
        self.step = 0
        self.first_known = [0] * len(body.dims)         # number of the step before which a dim is known

    def need(self, holds: bool, what: str) -> None:
        # What is asked of every operand of every step makes the text only if it does not hold.
        _need(holds, f"body {self.number} ({self.body.name}): {what}")

    def run(self) -> None:
        self._ports()
        self._buffers()
        for slot in self.body.slots:
            self.need(0 <= slot.rank <= MAX_RANK, f"slots: their rank is at most {MAX_RANK}")
        self._find_binds()
        self._dims()
        for guard in self.body.guards:
            self._dim_ids((guard.a, guard.b), "guard")
        for i, step in enumerate(self.body.steps):
            self.step = i
            self._step(i, step)
        runtime = {i for i, d in enumerate(self.body.dims) if d.kind == DimKind.RUNTIME}
        self.need(self.bound == runtime, f"every RUNTIME dim is bound once (unbound: {sorted(runtime - self.bound)})")
        for output in self.body.outputs:
            self.need(self._root(output) in self.written or self._is_carried(output),
                      f"output buffer {output} is written")

    def _find_binds(self) -> None:
        """Of each RUNTIME dim the step that binds it; that it is bound once is checked step by step."""
        for i, step in enumerate(self.body.steps):
            bound = step.dims if isinstance(step, p.Bind) else [b.dim for b in getattr(step, "binds", ())]
            self._dim_ids(bound, f"step {i}")
            for d in bound:
                self.first_known[d] = i + 1

    def _dims(self) -> None:
        for i, dim in enumerate(self.body.dims):
            self.need(len(dim.operands) <= 3, f"dim {i}: it has at most 3 operands")
            if dim.kind == DimKind.INPUT:
                self.need(len(dim.operands) == 2, f"dim {i}: it has 2 operands")
                argument, axis = dim.operands
                self.need(0 <= argument < len(self.body.inputs), f"dim {i}: input {argument} exists")
                rank = len(self.body.buffers[self.body.inputs[argument]].dims)
                self.need(0 <= axis < rank, f"dim {i}: input {argument} has an axis {axis}")
            elif dim.kind not in (DimKind.CONST, DimKind.RUNTIME):
                count = 3 if dim.kind == DimKind.SELECT else 2
                self.need(len(dim.operands) == count, f"dim {i}: it has {count} operands")
                self.need(all(0 <= o < i for o in dim.operands), f"dim {i}: its operands come before it")
                self.first_known[i] = max(self.first_known[o] for o in dim.operands)

    def _buffers(self) -> None:
        counts = {BufferKind.INPUT: len(self.body.inputs), BufferKind.OUTPUT: len(self.body.outputs),
                  BufferKind.CONST: len(self.plan.constants), BufferKind.STATE: len(self.plan.states),
                  BufferKind.STATE_INFO: len(self.plan.states)}
        for i, buffer in enumerate(self.body.buffers):
            self.need(len(buffer.dims) <= MAX_RANK, f"buffer {i}: its rank is at most {MAX_RANK}")
            self._dim_ids(buffer.dims, f"buffer {i}")
            if buffer.kind in counts:
                self.need(0 <= buffer.index < counts[buffer.kind], f"buffer {i}: its index {buffer.index} exists")
            if buffer.kind == BufferKind.ALIAS:
                self.need(0 <= buffer.index < len(self.body.buffers), f"buffer {i}: it is an alias of a buffer")
                of = self.body.buffers[buffer.index]
                self.need(of.kind != BufferKind.ALIAS and ("handle" not in (of.dtype, buffer.dtype)
                                                           or of.dtype == buffer.dtype),
                          f"buffer {i}: it is an alias of a buffer of its kind that is no alias")

    def _ports(self) -> None:
        for ids, kind in ((self.body.inputs, BufferKind.INPUT), (self.body.outputs, BufferKind.OUTPUT)):
            for i, number in enumerate(ids):
                self.need(0 <= number < len(self.body.buffers), f"{kind.name} {i} exists")
                buffer = self.body.buffers[number]
                self.need(buffer.kind == BufferKind.CARRIED or (buffer.kind == kind and buffer.index == i),
                          f"{kind.name} {i} is a buffer of its kind and index")
        for i, buffer in enumerate(self.body.buffers):
            if buffer.kind == BufferKind.CARRIED:
                self.need(self.number > 0 and i in self.body.inputs and self.body.inputs.index(i) == buffer.index
                          and self.body.outputs.count(i) == 1, f"CARRIED buffer {i} is an input and an output inside")

    def _dim_ids(self, ids: Iterable[int], where: str) -> None:
        ids, count = tuple(ids), len(self.body.dims)
        if ids and not (0 <= min(ids) and max(ids) < count):
            self.need(False, f"{where}: its dims exist")

    def _root(self, buffer: int) -> int:
        row = self.body.buffers[buffer]
        return row.index if row.kind == BufferKind.ALIAS else buffer

    def _exists(self, buffer: int, where: str) -> None:
        if not 0 <= buffer < len(self.body.buffers):
            self.need(False, f"{where}: buffer {buffer} exists")

    def _reads(self, buffer: int, where: str) -> None:
        self._exists(buffer, where)
        root = self._root(buffer)
        kind = self.body.buffers[root].kind
        if not (root in self.written or kind in FILLED or self.body.buffers[root].dtype == "handle"):
            self.need(False, f"{where}: buffer {buffer} is written before it is read")
        self._sizes_known(buffer, where)

    def _writes(self, buffer: int, where: str) -> None:
        self._exists(buffer, where)
        root = self._root(buffer)
        row = self.body.buffers[root]
        if row.kind in READ_ONLY:
            self.need(False, f"{where}: it writes no {row.kind.name} buffer")
        if row.kind in (BufferKind.STATE, BufferKind.STATE_INFO):
            self.need(row.index in self.states, f"{where}: the body lists state {row.index} in writes")
        self.written.add(root)
        self._sizes_known(buffer, where)

    def _is_carried(self, buffer: int) -> bool:
        return self.body.buffers[self._root(buffer)].kind == BufferKind.CARRIED

    def _sizes_known(self, buffer: int, where: str) -> None:
        for d in self.body.buffers[buffer].dims:
            if self.first_known[d] > self.step:
                self.need(False, f"{where}: the sizes of buffer {buffer} are known")

    def _step(self, i: int, step: p.Step) -> None:
        where = f"step {i} ({type(step).__name__})"
        self.need(all(0 <= o < len(self.plan.origins) for o in step.origins), f"{where}: its origins exist")
        if isinstance(step, p.Map):
            self._map(step, where)
        elif isinstance(step, p.Call):
            self._call(step, where)
        elif isinstance(step, p.Bind):
            self._reads(step.buffer, where)
            self._bind(step.dims, where)
        elif isinstance(step, p.Take):
            self.need(step.slot in self.filled, f"{where}: slot {step.slot} is filled before")
            self._exists(step.buffer, where)
            self.need(self.body.slots[step.slot].dtype == self.body.buffers[step.buffer].dtype
                      and self.body.slots[step.slot].rank == len(self.body.buffers[step.buffer].dims),
                      f"{where}: slot {step.slot} and its buffer have one dtype and rank")
            self._writes(step.buffer, where)
        elif isinstance(step, p.Push):
            self._reads(step.source, where)
            self._reads(step.value, where)
            self._writes(step.result, where)
        elif isinstance(step, p.Pop):
            self._reads(step.source, where)
            self._writes(step.result, where)
            self._slots((step.slot,), step.binds, where)
        elif isinstance(step, p.Length):
            self._reads(step.source, where)
            self._writes(step.buffer, where)
        else:
            self._nested(step, where)

    def _map(self, step: p.Map, where: str) -> None:
        self.need(0 <= step.program < len(self.plan.programs), f"{where}: its program exists")
        program = self.plan.programs[step.program]
        self.need(len(step.loads) == len(program.loads) and len(step.stores) == len(program.stores),
                  f"{where}: it has an access for each load and store")
        self._dim_ids(step.domain, where)
        self.need(len(step.domain) <= MAX_RANK and 0 <= step.reduced <= len(step.domain),
                  f"{where}: its domain is sound")
        values = [*program.loads, *(i.dtype for i in program.instrs)]
        for access, dtype in [*zip(step.loads, program.loads, strict=True),
                              *zip(step.stores, (values[s] for s in program.stores), strict=True)]:
            self._dim_ids((access.offset, *access.strides), where)
            self._exists(access.buffer, where)
            self.need(self.body.buffers[access.buffer].dtype == dtype, f"{where}: buffer {access.buffer} is of {dtype}")
        for access in step.loads:
            self._reads(access.buffer, where)
            self.need(len(access.strides) == len(step.domain), f"{where}: a load has a stride for each axis")
        for access in step.stores:
            self._writes(access.buffer, where)
            self.need(len(access.strides) in (len(step.domain), len(step.domain) - step.reduced),
                      f"{where}: a store has a stride for each axis, or each outer one")

    def _call(self, step: p.Call, where: str) -> None:
        where = f"{where} {step.kernel}"
        self._dim_ids(step.dims, where)
        kernel = kernel_of(step.kernel)
        if kernel is None:
            raise UnimplementedError(f"the plan calls the kernel {step.kernel}, which this version of graphc "
                                     "does not have: use the version that saved it, or save the graph again")
        for given, declared, what in ((step.operands, kernel.operands, "operands"), (step.dims, kernel.dims, "dims"),
                                      (step.attrs, kernel.attrs, "attributes")):
            self.need(len(given) == len(declared), f"{where}: it has {len(declared)} {what}")
        inputs = step.operands[:len(step.operands) - kernel.outputs]
        for buffer, operand in zip(step.operands, kernel.operands, strict=True):
            if operand.role != "out":
                self._reads(buffer, where)
        for buffer in step.operands[len(inputs):]:
            self._writes(buffer, where)
            self.need(self._root(buffer) not in {self._root(x) for x in inputs},
                      f"{where}: it does not write its inputs")
        if step.epilogue is not None:
            self.need(step.epilogue.reduced == 0, f"{where}: its epilogue reduces nothing")
            self._map(step.epilogue, where)

    def _bind(self, dims: Iterable[int], where: str) -> None:
        for d in dims:
            known = 0 <= d < len(self.body.dims) and self.body.dims[d].kind == DimKind.RUNTIME
            self.need(known and d not in self.bound,
                      f"{where}: dim {d} is a RUNTIME dim not bound before")
            self.bound.add(d)

    def _slots(self, slots: Iterable[int], binds: Iterable[p.SlotBind], where: str) -> None:
        for slot in slots:
            self.need(0 <= slot < len(self.body.slots), f"{where}: slot {slot} exists")
            self.filled.add(slot)
        for bind in binds:
            self.need(bind.slot in self.filled and 0 <= bind.axis < self.body.slots[bind.slot].rank,
                      f"{where}: it binds axes of its slots")
            self._bind((bind.dim,), where)

    def _nested(self, step: p.Step, where: str) -> None:
        assert isinstance(step, (p.Host, p.While, p.If, p.List))
        for buffer in step.operands:
            self._reads(buffer, where)
        if isinstance(step, p.If):
            self._reads(step.pred, where)
        bodies = (step.cond, step.body) if isinstance(step, p.While) else \
            (step.then, step.orelse) if isinstance(step, p.If) else ()
        for body in bodies:
            self.need(self.number < body < len(self.plan.bodies), f"{where}: body {body} has a larger number")
            self.need(len(self.plan.bodies[body].inputs) == len(step.operands),
                      f"{where}: body {body} takes its operands")
        if isinstance(step, (p.While, p.If)):
            self._carried(step, where)
        if isinstance(step, p.Host):
            self.need(0 <= step.host < len(self.plan.hosts), f"{where}: its function exists")
        if isinstance(step, p.List):
            self.need(0 <= step.operation < len(ListOperation) and len(step.slots) == 1,
                      f"{where}: its operation exists and has one result")
        self._slots(step.slots, step.binds, where)

    def _carried(self, step: p.While | p.If, where: str) -> None:
        first, second = (self.plan.bodies[b] for b in ((step.cond, step.body) if isinstance(step, p.While)
                                                       else (step.then, step.orelse)))
        kept = kept_outputs(second)
        allowed = kept if isinstance(step, p.If) else {i: i for i in kept}
        self.need(kept == allowed and kept_outputs(first) == (kept if isinstance(step, p.If) else {}),
                  f"{where}: its bodies change in place what they may")
        roots = [self._root(o) for o in step.operands]
        self.need(all(not self._is_carried(step.operands[i]) or roots.count(roots[i]) == 1 for i in kept.values()),
                  f"{where}: no other operand lies in memory that its body changes")


def kept_outputs(body: p.Body) -> dict[int, int]:
    """Which outputs of a body lie in the memory of which inputs."""
    count = len(body.buffers)
    return {i: body.buffers[b].index for i, b in enumerate(body.outputs)
            if 0 <= b < count and body.buffers[b].kind == BufferKind.CARRIED}
