"""Executes a Plan in NumPy, step by step: an oracle that shares no code with the runtime.

Every buffer is a flat array; a map's accesses become strided views of it. Kernels stand in tests/plan/numpy_kernels.py.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy_array_kernels  # noqa: F401  (this and the next ones: kernels)
import numpy_fractional_pool  # noqa: F401  (kernels)
import numpy_image_kernels  # noqa: F401
import numpy_linalg_kernels  # noqa: F401
import numpy_math_kernels  # noqa: F401
import numpy_sparse_kernels  # noqa: F401  (kernels)

from graphc.exec.strings.table import TABLE, Held
from graphc.ir.dtypes import as_dtype
from graphc.ir.host import strings_of
from graphc.kernels.layout import ListOperation
from graphc.ops.random.philox import inner_iteration
from graphc.plan.plan import (
    Access,
    Bind,
    Body,
    BufferKind,
    Call,
    DimKind,
    GuardKind,
    Host,
    If,
    Length,
    List,
    Map,
    Plan,
    Pop,
    Push,
    SlotBind,
    Step,
    Take,
    While,
)

import numpy_draws  # noqa: F401
import numpy_nn_kernels  # noqa: F401
from numpy_kernels import KERNELS, KernelError
from numpy_lists import run_list
from numpy_scalars import evaluate

DIMS = {
    DimKind.ADD: lambda a, b: a + b, DimKind.SUB: lambda a, b: a - b, DimKind.MUL: lambda a, b: a * b,
    DimKind.FLOORDIV: lambda a, b: a // b, DimKind.MOD: lambda a, b: a % b, DimKind.MIN: min, DimKind.MAX: max,
    DimKind.EQUAL: lambda a, b: int(a == b), DimKind.LESS: lambda a, b: int(a < b),
    DimKind.SELECT: lambda a, b, c: b if a else c,
}
GUARDS = {GuardKind.EQUAL: lambda a, b: a == b, GuardKind.LESS_EQUAL: lambda a, b: a <= b,
          GuardKind.LESS: lambda a, b: a < b}


def _broadcast(a: int, b: int) -> int:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    raise GuardError(f"{a} and {b} do not broadcast")


DIMS[DimKind.BROADCAST] = _broadcast


class GuardError(Exception):
    pass


def numpy_dtype(short: str) -> Any:
    return object if short == "handle" else as_dtype(short).numpy


@dataclass
class NumpyModel:
    """A Plan with its constants and states. run(inputs) gives the outputs; states change as the Plan says."""

    plan: Plan
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    states: dict[str, np.ndarray] = field(default_factory=dict)
    hosts: dict[str, Any] = field(default_factory=dict)
    runs: int = 0
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = {}
        self.info = {}
        for row in self.plan.states:
            given = self.states.get(row.name)
            self.memory[row.name] = (np.zeros(int(np.prod(row.shape)), numpy_dtype(row.dtype)) if given is None
                                     else np.array(given, numpy_dtype(row.dtype)).ravel())
            self.info[row.name] = np.array([given is not None, 0], np.int64)
        self.prepared: list[np.ndarray] | None = None
        self.held = Held(TABLE)

    def state(self, name: str) -> np.ndarray:
        row = next(s for s in self.plan.states if s.name == name)
        return self.memory[name].reshape(row.shape)

    def run(self, *inputs: Any) -> list[np.ndarray]:
        if self.plan.prepare >= 0:
            self.prepared = Frame(self, self.plan.bodies[self.plan.prepare], [], 0).run()
        arrays = [self.numbers(np.asarray(x, object)) if port.dtype == "str" else np.asarray(x, numpy_dtype(port.dtype))
                  for x, port in zip(inputs, self.plan.inputs, strict=True)]
        outputs = Frame(self, self.plan.bodies[0], arrays, 0).run()
        self.runs += 1
        return [TABLE.strings(a) if port.dtype == "str" else a
                for a, port in zip(outputs, self.plan.outputs, strict=True)]

    def numbers(self, array: np.ndarray) -> np.ndarray:
        """The numbers of strings, which the model keeps in the table."""
        return TABLE.numbers(array, self.held) if array.dtype == object else array


class Frame:
    """One run of one body."""

    def __init__(self, model: NumpyModel, body: Body, inputs: list[np.ndarray], iteration: int) -> None:
        self.model, self.body, self.inputs = model, body, inputs
        self.counter = np.array([model.runs, iteration], np.int64)
        self.dims: list[int | None] = [None] * len(body.dims)
        self.memory: dict[int, np.ndarray] = {}
        self.slots: dict[int, np.ndarray] = {}
        for i, buffer in zip(range(len(inputs)), body.inputs, strict=True):
            assert inputs[i].ndim == len(body.buffers[buffer].dims), "rank of an input"

    def run(self) -> list[np.ndarray]:
        self.bind()
        for step in self.body.steps:
            self.step(step)
        return [self.flat(o).reshape(self.shape(o)).copy() for o in self.body.outputs]

    # Sizes and memory

    def bind(self) -> None:
        """Evaluates what is known now, and checks the guards of which both sides are."""
        for i, dim in enumerate(self.body.dims):
            if self.dims[i] is not None or dim.kind == DimKind.RUNTIME:
                continue
            if dim.kind == DimKind.CONST:
                self.dims[i] = dim.value
            elif dim.kind == DimKind.INPUT:
                self.dims[i] = self.inputs[dim.operands[0]].shape[dim.operands[1]]
            else:
                operands = [self.dims[o] for o in dim.operands]
                if None not in operands:
                    self.dims[i] = int(DIMS[dim.kind](*operands))
        for guard in self.body.guards:
            a, b = self.dims[guard.a], self.dims[guard.b]
            if a is not None and b is not None and not GUARDS[guard.kind](a, b):
                raise GuardError(f"{guard.message}: {a} and {b}")

    def size(self, dim: int) -> int:
        value = self.dims[dim]
        assert value is not None, f"dim {dim} of body {self.body.name} is not known yet"
        return value

    def shape(self, buffer: int) -> tuple[int, ...]:
        return tuple(self.size(d) for d in self.body.buffers[buffer].dims)

    def flat(self, number: int) -> np.ndarray:
        """The memory of a buffer."""
        buffer = self.body.buffers[number]
        if buffer.kind == BufferKind.ALIAS:
            memory = self.flat(buffer.index)
            if buffer.dtype != "handle" and buffer.dtype != self.body.buffers[buffer.index].dtype:
                memory = memory.view(numpy_dtype(buffer.dtype))        # the same bits, as other numbers
            assert memory.size == int(np.prod(self.shape(number))), f"alias {number} has another number of elements"
            wanted = numpy_dtype(buffer.dtype)
            return memory if memory.dtype == wanted else memory.view(wanted)
        if number not in self.memory:
            self.memory[number] = self._allocate(number)
        return self.memory[number]

    def _allocate(self, number: int) -> np.ndarray:
        buffer, model = self.body.buffers[number], self.model
        if buffer.kind == BufferKind.INPUT:
            array = self.inputs[buffer.index]
            assert array.shape == self.shape(number), f"input {buffer.index}: {array.shape} for {self.shape(number)}"
            return np.ascontiguousarray(array).ravel()
        if buffer.kind == BufferKind.CARRIED:
            return np.ascontiguousarray(self.inputs[buffer.index]).ravel().copy()
        if buffer.kind == BufferKind.CONST:
            return np.ascontiguousarray(model.numbers(model.constants[model.plan.constants[buffer.index].name])).ravel()
        if buffer.kind == BufferKind.STATE:
            return model.memory[model.plan.states[buffer.index].name]
        if buffer.kind == BufferKind.STATE_INFO:
            return model.info[model.plan.states[buffer.index].name]
        if buffer.kind == BufferKind.PREPARED:
            assert model.prepared is not None
            return model.prepared[buffer.index].ravel()
        if buffer.kind == BufferKind.COUNTER:
            return self.counter
        count = int(np.prod(self.shape(number)))
        if buffer.dtype == "handle":
            memory = np.empty(count, object)
            memory[:] = [()] * count
            return memory
        # Garbage, so that reading what was never written shows.
        return np.frombuffer(np.full(count * 16, 0x7B, np.uint8).tobytes(), numpy_dtype(buffer.dtype))[:count].copy() \
            if buffer.dtype != "bool" else np.ones(count, bool)

    def view(self, access: Access, domain: tuple[int, ...]) -> np.ndarray:
        memory = self.flat(access.buffer)
        offset, strides = self.size(access.offset), [self.size(s) for s in access.strides]
        shape = domain[:len(strides)]
        if 0 not in shape:
            low = offset + sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
            high = offset + sum(max(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True))
            assert 0 <= low and high < memory.size, f"access {access} leaves its buffer of {memory.size} elements"
        else:
            offset = 0
        return np.lib.stride_tricks.as_strided(memory[offset:], shape, [s * memory.itemsize for s in strides])

    # Steps

    def step(self, step: Step) -> None:
        self.model.trace.append(step.kernel if isinstance(step, Call) else type(step).__name__)
        getattr(self, f"do_{type(step).__name__.lower()}")(step)

    def do_map(self, step: Map) -> None:
        program = self.model.plan.programs[step.program]
        domain = tuple(self.size(d) for d in step.domain)
        loads = [self.view(a, domain) for a in step.loads]
        values = evaluate(program, loads, domain, step.reduced)
        for access, value in zip(step.stores, values, strict=True):
            target = self.view(access, domain)
            target[...] = value

    def do_call(self, step: Call) -> None:
        kernel = step.kernel.split(".")[0]
        operands = [self.flat(o) for o in step.operands]
        KERNELS[kernel](operands, [self.size(d) for d in step.dims], list(step.attrs))
        if step.epilogue is not None:
            self.do_map(step.epilogue)

    def do_bind(self, step: Bind) -> None:
        for dim, value in zip(step.dims, self.flat(step.buffer), strict=True):
            self.dims[dim] = int(value)
        self.bind()

    def do_take(self, step: Take) -> None:
        array = self.slots[step.slot]
        assert array.shape == self.shape(step.buffer), f"slot of {array.shape} into {self.shape(step.buffer)}"
        self.flat(step.buffer)[...] = array.ravel()

    def value(self, buffer: int) -> np.ndarray:
        return self.flat(buffer).reshape(self.shape(buffer)).copy()

    def fill(self, slots: tuple[int, ...], binds: tuple[SlotBind, ...], arrays: list[np.ndarray]) -> None:
        for slot, array in zip(slots, arrays, strict=True):
            row = self.body.slots[slot]
            assert array.ndim == row.rank, f"slot {slot} of rank {row.rank} gets {array.shape}"
            self.slots[slot] = np.asarray(array, numpy_dtype(row.dtype))
        for bind in binds:
            self.dims[bind.dim] = self.slots[bind.slot].shape[bind.axis]
        self.bind()

    def do_host(self, step: Host) -> None:
        name = self.model.plan.hosts[step.host]
        taken, made = strings_of(name)
        results = self.model.hosts[name](*(TABLE.strings(self.value(o)) if i in taken else self.value(o)
                                           for i, o in enumerate(step.operands)))
        if made:
            listed = results if isinstance(results, tuple) else (results,)
            results = tuple(self.model.numbers(r) if i in made else r for i, r in enumerate(listed))
        results = results if isinstance(results, (tuple, list)) else [] if results is None else [results]
        self.fill(step.slots, step.binds, [np.asarray(r) for r in results])

    def do_while(self, step: While) -> None:
        bodies = self.model.plan.bodies
        values = [self.value(o) for o in step.operands]
        carried, captured = values[:step.carried], values[step.carried:]
        iteration = 0
        around = int(self.counter[1])
        while Frame(self.model, bodies[step.cond], [*carried, *captured], inner_iteration(around, iteration)).run()[0]:
            carried = Frame(self.model, bodies[step.body], [*carried, *captured],
                            inner_iteration(around, iteration)).run()
            iteration += 1
            if iteration > 10_000:
                raise KernelError("the loop does not end")
        self.fill(step.slots, step.binds, carried)

    def do_if(self, step: If) -> None:
        body = step.then if self.flat(step.pred)[0] else step.orelse
        results = Frame(self.model, self.model.plan.bodies[body], [self.value(o) for o in step.operands],
                        int(self.counter[1])).run()
        self.fill(step.slots, step.binds, results)

    def do_push(self, step: Push) -> None:
        self.flat(step.result)[0] = (*self.flat(step.source)[0], self.value(step.value))

    def do_pop(self, step: Pop) -> None:
        top = self.flat(step.source)[0]
        if not top:
            raise KernelError("pop from an empty list")
        self.flat(step.result)[0] = top[:-1]
        self.fill((step.slot,), step.binds, [top[-1]])

    def do_length(self, step: Length) -> None:
        self.flat(step.buffer)[0] = len(self.flat(step.source)[0])

    def do_list(self, step: List) -> None:
        values = [self.flat(o)[0] if self.body.buffers[o].dtype == "handle" else self.value(o) for o in step.operands]
        row = self.body.slots[step.slots[0]]
        found = run_list(ListOperation(step.operation), values, row)
        if isinstance(found, tuple):
            handle = np.empty((), object)
            handle[()] = found
            found = handle
        self.fill(step.slots, step.binds, [found])
