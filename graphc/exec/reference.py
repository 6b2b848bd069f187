"""Runs a user's Graph by the ops' NumPy `reference`: the truth that tests compare everything else with.

No pass and no Plan is involved. Every TF input is evaluated, also the ones that are fields (shapes, axes): the fields
are made again from their values, so that nothing symbolic is left. Ops run once, in the order of their creation, as
far as the fetches need them. Variables live in `states`, from a variable's op name to its value: a read gives the value
at the start of the run unless it follows, by data or control inputs, a write; then that of the last such write. Slow;
for small graphs.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import FailedPreconditionError, InvalidArgumentError
from graphc.ir.apply import field_value
from graphc.ir.graph import Graph
from graphc.ir.half import reference
from graphc.ir.op import Effect, Op
from graphc.ir.tensor import Operation, Tensor, split_operands
from graphc.ir.values import as_array
from graphc.ops.array.identity import Identity
from graphc.ops.array.source import Placeholder
from graphc.ops.control.control import StatelessIf, StatelessWhile, bodies
from graphc.ops.random.philox import inner_iteration
from graphc.ops.state.state import Assign, IsVariableInitialized, VariableV2

CONTROL_TYPES = (StatelessWhile, StatelessIf)


def run_reference(fetches: Any, feeds: Mapping[Tensor, Any] | None = None,
                  states: MutableMapping[str, np.ndarray] | None = None, run: int = 0) -> Any:
    """The values of `fetches` (a Tensor, an Operation, or a list of them; an Operation gives None).

    run: the number of this run of a session, which random ops count by. `states` is updated by writes.
    """
    listed = list(fetches) if isinstance(fetches, (list, tuple)) else [fetches]
    graph = listed[0].graph
    given = {t: np.asarray(v, t.dtype.numpy if t.dtype.numpy is not None else object) for t, v in (feeds or {}).items()}
    evaluator = _Evaluator(given, {} if states is None else states, run, 0)
    evaluator.evaluate(graph, [f.op if isinstance(f, Tensor) else f for f in listed])
    found = [evaluator.fetched(f) if isinstance(f, Tensor) else None for f in listed]
    return found if isinstance(fetches, (list, tuple)) else found[0]


def apply_reference(op: Op, arrays: Sequence[Any], run: int = 0, iteration: int = 0) -> tuple[Any, ...]:
    """The results of one op on arrays for its operands that are no fields. Random ops get the counters."""
    more = {"run": run, "iteration": iteration} if op.effect is Effect.RANDOM else {}
    results = reference(op, arrays, **more)
    found = results if isinstance(results, tuple) else (results,)
    return tuple(as_array(r) if isinstance(r, bytes) else r for r in found)


class _Evaluator:
    def __init__(self, values: dict[Tensor, Any], states: MutableMapping[str, np.ndarray], run: int,
                 iteration: int) -> None:
        self.values = values
        self.given = set(values)
        self.states = states
        self.start = dict(states)
        self.run = run
        self.iteration = iteration
        self.done: set[Operation] = set()
        # For each op: of each variable, the value after the last write that the op follows.
        self.seen: dict[Operation, dict[str, np.ndarray]] = {}

    def evaluate(self, graph: Graph, targets: Sequence[Operation]) -> None:
        for operation in sorted(_needed(targets, self.values), key=lambda op: op.number):
            self._execute(operation)

    def fetched(self, tensor: Tensor) -> np.ndarray:
        if _is_variable(tensor) and tensor.op.name in self.states:
            return self.states[tensor.op.name]    # the value at the end of the run
        value: np.ndarray = self.values[tensor]
        return value

    def _execute(self, operation: Operation) -> None:
        seen: dict[str, np.ndarray] = {}
        for before in [*(t.op for t in operation.inputs), *operation.control_inputs]:
            seen.update(self.seen.get(before, {}))
        self.seen[operation] = seen
        definition = operation.definition
        if isinstance(definition, Placeholder):
            raise InvalidArgumentError(f"You must feed a value for placeholder '{operation.name}'", operation)
        if isinstance(definition, VariableV2):
            return      # read at each consumer
        if isinstance(definition, CONTROL_TYPES):
            earlier = dict(self.states)
            read = _read_by(operation)
            results = self._control(definition, [self._value(t, seen) if t in read else None for t in operation.inputs])
            seen.update({n: v for n, v in self.states.items() if v is not earlier.get(n)})
        elif isinstance(definition, IsVariableInitialized):
            name = _captured_variable(operation.inputs[0])
            results = (np.asarray(name in seen or name in self.start),)
        else:
            # What writes a variable reads the last value written, so that writes apply one after the other.
            written = {operation.operand_tensors()[name] for name in definition.refs}
            op, arrays = _concrete(definition, [self._value(t, self.states if t in written else seen)
                                                for t in operation.inputs])
            results = apply_reference(op, arrays, self.run, self.iteration)
            if op.refs:
                self._write(operation, results, seen)
        for tensor, value in zip(operation.outputs, results, strict=False):
            self.values.setdefault(tensor, value)

    def _value(self, tensor: Tensor, seen: Mapping[str, np.ndarray]) -> Any:
        name = _captured_variable(tensor)
        if name is None and _is_read(tensor) and tensor not in self.given:
            tensor = tensor.op.inputs[0]      # `v/read` stands for the variable: who uses it reads
            name = tensor.op.name
        behind = _captured(tensor) if name is None and isinstance(tensor.op.definition, Placeholder) else None
        if behind is not None and _is_read(behind):
            # In a body a `v/read` from outside has its value there, unless the body wrote the variable before.
            return seen.get(behind.op.inputs[0].op.name, self.values[tensor])
        if name is None or (_is_variable(tensor) and tensor in self.values):
            return self.values[tensor]
        if name in seen:
            return seen[name]
        if name in self.start:
            return self.start[name]
        consumers = tensor.consumers()
        if consumers and all(isinstance(op.definition, (Assign, IsVariableInitialized)) for op in consumers):
            return None
        return _UNINITIALISED if name not in self.states else self.states[name]

    def _write(self, operation: Operation, results: tuple[Any, ...], seen: dict[str, np.ndarray]) -> None:
        operands = operation.operand_tensors()
        for ref, value in zip(operation.definition.refs, results, strict=False):
            variable = operands[ref]
            while variable.op.definition.refs:
                variable = variable.op.inputs[0]
            name = _captured_variable(variable)
            assert name is not None
            self.states[name] = seen[name] = as_array(value).copy()

    def _control(self, definition: Any, inputs: list[Any]) -> tuple[Any, ...]:
        if isinstance(definition, StatelessIf):
            branch = definition.then_branch if inputs[0] else definition.else_branch
            return self._body(branch, inputs[1:], self.iteration)
        carried, iteration = len(definition.body.outputs), 0
        while self._body(definition.cond, inputs, inner_iteration(self.iteration, iteration))[0]:
            inputs[:carried] = self._body(definition.body, inputs, inner_iteration(self.iteration, iteration))
            iteration += 1
        return tuple(inputs[:carried])

    def _body(self, graph: Any, inputs: Sequence[Any], iteration: int) -> tuple[Any, ...]:
        inner = _Evaluator(dict(zip(graph.inputs, inputs, strict=False)), self.states, self.run, iteration)
        inner.evaluate(graph, [t.op for t in graph.outputs])
        return tuple(inner.fetched(t) for t in graph.outputs)


def _needed(targets: Sequence[Operation], given: Collection[Tensor]) -> set[Operation]:
    """The ops that the targets need, where the given tensors' values are known."""
    needed: set[Operation] = set()
    waiting = list(targets)
    while waiting:
        operation = waiting.pop()
        fed = operation.outputs and all(t in given for t in operation.outputs)
        if operation in needed or fed:
            continue
        needed.add(operation)
        waiting += [t.op for t in _read_by(operation) if t not in given]
        waiting += operation.control_inputs
    return needed


def _read_by(operation: Operation) -> list[Tensor]:
    """The inputs that matter: what a loop or branch captures and no body needs for its outputs is not computed."""
    definition: Any = operation.definition
    if not isinstance(definition, CONTROL_TYPES):
        return list(operation.inputs)
    first = int(isinstance(definition, StatelessIf))
    explicit = 1 if isinstance(definition, StatelessIf) else len(definition.body.outputs)
    used: set[int] = set()
    for graph in bodies(definition):
        read = {t for op in _needed([t.op for t in graph.outputs], set(graph.inputs)) for t in _read_by(op)}
        read.update(graph.outputs)
        used.update(i for i, t in enumerate(graph.inputs, first) if t in read)
    return [t for i, t in enumerate(operation.inputs) if i < explicit or i in used]


def _is_read(tensor: Tensor) -> bool:
    return type(tensor.op.definition) is Identity and _is_variable(tensor.op.inputs[0])


def _is_variable(tensor: Tensor) -> bool:
    return isinstance(tensor.op.definition, VariableV2)


def _captured_variable(tensor: Tensor) -> str | None:
    """The name of the variable that a tensor is, or, in a body, captures; None if it is none."""
    found = _captured(tensor)
    return found.op.name if found is not None and _is_variable(found) else None


def _captured(tensor: Tensor) -> Tensor | None:
    """What a tensor of a body stands for in the graphs around it; itself, if it is no input; None for other inputs."""
    while isinstance(tensor.op.definition, Placeholder):
        outer = [o for o, inner in getattr(tensor.graph, "captures", {}).items() if inner is tensor]
        if not outer:
            return None
        tensor = outer[0]
    return tensor


class _Uninitialised:
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise FailedPreconditionError("Attempting to use uninitialized value")


_UNINITIALISED = _Uninitialised()


def _concrete(definition: Op, arrays: Sequence[Any]) -> tuple[Op, list[Any]]:
    """The op with its field operands made from their values, and the arrays of the operands that are no fields."""
    fields = definition.field_operands()
    operands = split_operands(type(definition), arrays)
    kinds = {f.name: f.metadata["kind"] for f in dataclasses.fields(definition) if f.metadata.get("operand")}
    found = {name: field_value(kinds[name], tuple(int(v) for v in np.ravel(operands[name])), np.shape(operands[name]))
             for name in fields}
    rest: list[Any] = []
    for name, value in operands.items():
        if name.rstrip("*") not in fields:
            rest.extend(value if name.endswith("*") else [value])
    return (dataclasses.replace(definition, **found) if found else definition), rest
