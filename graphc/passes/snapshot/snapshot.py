"""Snapshot: the part of the user's graph that a run needs becomes a Flow of immutable Nodes.

 1. needed: the ancestors (inputs and control inputs) of fetches and targets, cut at the feeds, in order of creation.
 2. Each op becomes a Node. Operands that are fields leave the inputs (fields.py): their values are
    taken from the Specs of what was given; an element that is known only while running becomes a symbol, bound by a
    BindSizes node that every user of the symbol comes after. Specs are inferred again, from the feeds on, with their
    ranks. Loops and branches: bodies.py; queues and tables: objects.py.
 3. Variables (docs/adr/0006-variables-and-effects.md) become values. Each write makes a new version; the versions
    that an op depends on, by data or control, decide what it reads: the last of them, or the value at the start of
    the run. An op that writes reads the latest version, so that writes apply one after the other. Only the last
    version is written back, by one WriteState at the end; a fetched Variable object is that version.
 4. Effects on the host keep the order of creation (token edges `after`).
 5. A random op gets its key (random_keys.py), or draws TensorFlow's numbers (random_streams.py).

The user's graph is not changed.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from graphc.errors import FailedPreconditionError, InvalidArgumentError, UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import as_dtype
from graphc.ir.flow_ops import FlowInput, ReadState, WriteState
from graphc.ir.func_graph import full_name
from graphc.ir.infer import explain
from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import OPS, Composite, Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Requirement, Spec
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.identity import Identity, NoOp
from graphc.ops.array.source import Placeholder, PlaceholderWithDefault
from graphc.ops.control.control import StatelessIf, StatelessWhile
from graphc.ops.control.session_objects import ObjectUse, SessionObject
from graphc.ops.random.streams import is_drawn
from graphc.ops.state.state import Assign, IsVariableInitialized, VariableV2
from graphc.passes.shared.internal_ops import StateInitialized
from graphc.passes.shared.number_types import expanded_update
from graphc.passes.shared.required_sizes import as_said, requiring, symbols, with_user_shapes, with_usual_rank
from graphc.passes.snapshot.bodies import convert_control
from graphc.passes.snapshot.fields import with_fields
from graphc.passes.snapshot.needed import all_needed
from graphc.passes.snapshot.objects import object_call
from graphc.passes.snapshot.random_keys import with_key
from graphc.passes.snapshot.random_streams import drawn

Versions = dict[str, int]


def take_snapshot(fetches: Sequence[Tensor], targets: Sequence[Operation], feeds: Sequence[Tensor],
                  feed_ranks: Sequence[int], feed_shapes: Sequence[tuple[int | None, ...] | None] | None = None,
                  exact_random: bool = False, variables: Collection[Tensor] = (),
                  unset: Collection[Tensor] = ()) -> Flow:
    """The Flow of a run. Its inputs are the feeds, its outputs the fetches, both in the order given.

    feed_shapes: the shapes of one run, to find out which op they do not fit, or some of them (None: only the rank is
    known). exact_random: random ops with seeds draw TensorFlow's numbers, from the session that runs them.
    variables: those of the feeds that are variables without a known shape, with their values at the start of the run
    (docs/adr/0031-variables-without-a-shape.md); unset: such variables that have none. Their values at the end of the
    run are further outputs, if it writes them.

    Raises InvalidArgumentError for what does not fit, or a missing feed.
    """
    return Snapshot(feeds, feed_ranks, feed_shapes, exact_random, variables, unset).flow(fetches, targets)


class Snapshot:
    """See the header."""

    def __init__(self, feeds: Sequence[Tensor], feed_ranks: Sequence[int],
                 feed_shapes: Sequence[tuple[int | None, ...] | None] | None = None,
                 exact_random: bool = False, variables: Collection[Tensor] = (),
                 unset: Collection[Tensor] = ()) -> None:
        self.feed_shapes = feed_shapes
        self.exact_random = exact_random
        self.fed = set(feeds) - set(variables)
        self.unset = {t.op.name: t.op for t in unset}
        self.unshaped = {t.op.name for t in (*variables, *unset)}    # variables without a known shape
        self.values: dict[Tensor, Value] = {}
        self.states: dict[str, Spec] = {}
        self.versions: dict[str, list[Value]] = {}
        self.state_of: dict[Tensor, str] = {}        # tensors that stand for a variable: refs, and `v/read`
        self.objects: dict[Tensor, Operation] = {}   # handles, by the op that made the session's object
        self.outside: dict[Tensor, Value] = {}       # of a body: of those, what reads see that no write comes before
        self.seen: dict[Operation, Versions] = {}    # versions that an op depends on
        self.binders: dict[dims.Symbol, Node] = {}
        self.known: set[dims.Symbol] = set()
        self.bound: dict[Value, tuple[Size, ...]] = {}
        self.required: list[tuple[Requirement, tuple[Origin, ...]]] = []
        self.results_needed: dict[Operation, set[int]] = {}      # of branches
        self.effects: list[Node] = []
        self.last_host: Node | None = None
        self.read_inside = False                     # this is the body of a loop or branch
        self.inputs = [self._feed(i, t, rank) for i, (t, rank) in enumerate(zip(feeds, feed_ranks, strict=True))]

    def flow(self, fetches: Sequence[Tensor], targets: Sequence[Operation], written: Sequence[str] = ()) -> Flow:
        """The flow of these fetches. In a body, `written`: variables whose last versions are further outputs."""
        needed = all_needed(fetches, targets, self.fed)
        self.results_needed = needed.results
        for operation in needed.operations:
            self._convert(operation)
        changed = [] if self.read_inside else [s for s, v in self.versions.items() if len(v) > 1]
        written = [*written, *(s for s in changed if s in self.unshaped)]
        outputs = [self._fetched(t) for t in fetches] + [self.versions[s][-1] for s in written]
        writes = [self._write(s) for s in changed if s not in self.unshaped]
        return Flow(tuple(self.inputs), tuple(outputs), (*self.effects, *writes), self.states, self.read_inside,
                    tuple(written), tuple(self.required))

    def of_body(self) -> Snapshot:
        """An empty snapshot for a body of a loop or branch in this one."""
        inner = Snapshot((), (), exact_random=self.exact_random)
        inner.states = self.states
        inner.unshaped, inner.unset = self.unshaped, dict(self.unset)
        inner.read_inside = True
        return inner

    # Feeds, variables

    def _feed(self, index: int, tensor: Tensor, rank: int) -> Node:
        spec = tensor.spec
        if spec.shape is not None and len(spec.shape) != rank:
            raise InvalidArgumentError(f"Cannot feed a value of rank {rank} for Tensor '{tensor.name}', which has "
                                       f"shape {tensor.shape}{built_at(tensor.op)}", tensor.op)
        given = self.feed_shapes[index] if self.feed_shapes is not None else None
        static = spec.static_shape or (None,) * rank
        if given is not None:
            static = tuple(known if size is None else size for size, known in zip(given, static, strict=True))
        shape = tuple(dims.symbol(f"{tensor.op.name}.{axis}") if size is None else size
                      for axis, size in enumerate(static))
        self.known.update(symbol for size in shape for symbol in symbols(size))
        node = make_node(FlowInput(tensor.name, index, spec.dtype, shape), (), (tensor.op.origin,))
        if tensor in self.fed:
            self.values[tensor] = node.value()
        else:
            self.versions[tensor.op.name] = [node.value()]
        return node

    def add_input(self, index: int, name: str, spec: Spec) -> Value:
        """An input of a body."""
        assert spec.shape is not None
        node = make_node(FlowInput(name, index, spec.dtype, spec.shape, spec.value, spec.elements), ())
        self.known.update(symbol for size in spec.shape for symbol in symbols(size))
        self.inputs.append(node)
        return node.value()

    def use_state(self, tensor: Tensor, state: str) -> None:
        """A body's input that stands for a variable: its first version is read inside unless it was given."""
        self.state_of[tensor] = state
        if state not in self.versions:
            spec = self.states[state]
            assert spec.shape is not None
            self.versions[state] = [make_node(ReadState(state, spec.dtype, spec.shape), ()).value()]

    def starts_with_read(self, state: str) -> bool:
        """Whether the first version is the value at the start of the run (and no operand of a body)."""
        return isinstance(self.versions[state][0].node.op, ReadState)

    def read_version(self, state: str, version: int) -> Value:
        if state in self.unset and version in (0, -len(self.versions[state])):
            variable = self.unset[state]
            raise FailedPreconditionError(
                f"{variable.type} '{state}': Attempting to use uninitialized value {state}: run its initializer first, "
                f"session.run(gc.global_variables_initializer()){built_at(variable)}", variable)
        return self.versions[state][version]

    def _variable(self, operation: Operation) -> None:
        tensor, name = operation.outputs[0], operation.name
        spec = tensor.spec
        if name in self.unshaped:
            self.state_of[tensor] = name
            self.versions.setdefault(name, [make_node(_const(False), ()).value()])      # never read: it is unset
            return
        if spec.shape is None or not all(isinstance(s, int) for s in spec.shape):
            raise UnimplementedError(f"Variable '{name}' has the shape {tensor.shape}: one whose shape is not fully "
                                     "known lives in a Session only. For a plan that runs without one (C++) freeze the "
                                     f"graph, or give the variable a shape{built_at(operation)}", operation)
        self.state_of[tensor] = name
        if name not in self.states:
            self.states[name] = Spec(spec.dtype, spec.shape)
            node = make_node(ReadState(name, spec.dtype, spec.shape), (), (operation.origin,))
            self.versions[name] = [node.value()]

    def _write(self, state: str) -> Node:
        value = self.versions[state][-1]
        return make_node(WriteState(state), (value,), value.node.origins)

    def _fetched(self, tensor: Tensor) -> Value:
        if tensor in self.values:
            return self.read(tensor, {})
        state = self.state_of[tensor]
        if isinstance(tensor.op.definition, VariableV2):
            return self.read_version(state, -1)
        if tensor.op not in self.seen:
            return self.read(tensor, {})             # an input of a body
        return self.read_version(state, self.seen[tensor.op].get(state, 0))

    # Ops

    def _convert(self, operation: Operation) -> None:
        seen = self._versions_before(operation)
        self.seen[operation] = seen
        if all(t in self.values for t in operation.outputs) and operation.outputs:
            return                                   # fed
        definition = operation.definition
        if isinstance(definition, VariableV2):
            self._variable(operation)
        elif self._is_read_of_variable(operation):
            self.state_of[operation.outputs[0]] = self.state_of[operation.inputs[0]]
        elif isinstance(definition, IsVariableInitialized):
            self._is_initialized(operation, seen)
        elif definition.refs:
            self._update(operation, seen)
        elif isinstance(definition, (StatelessWhile, StatelessIf)):
            convert_control(self, operation, seen)
        elif isinstance(definition, SessionObject):
            self.objects[operation.outputs[0]] = operation
        elif isinstance(definition, ObjectUse):
            object_call(self, operation, definition, seen)
        elif isinstance(definition, Placeholder):
            self._missing_feed(operation)
        elif isinstance(definition, PlaceholderWithDefault):
            self.values[operation.outputs[0]] = self.read(operation.inputs[0], seen)
        elif isinstance(definition, NoOp):
            return
        else:
            self._plain(operation, seen)

    def _versions_before(self, operation: Operation) -> Versions:
        """The versions of variables that any input or control input depends on."""
        found: Versions = {}
        for before in [*(t.op for t in operation.inputs if t not in self.fed), *operation.control_inputs]:
            other = self.seen.get(before)
            if not other or other is found:
                continue
            if not found:
                found = other
            else:
                found = {**found, **{s: max(v, found.get(s, 0)) for s, v in other.items()}}
        return found

    def _is_read_of_variable(self, operation: Operation) -> bool:
        return (type(operation.definition) is Identity and isinstance(operation.inputs[0].op.definition, VariableV2)
                and operation.inputs[0] in self.state_of)

    def _is_initialized(self, operation: Operation, seen: Versions) -> None:
        state = self._state(operation.inputs[0], operation)
        if seen.get(state, 0) or state in self.unshaped:
            known = bool(seen.get(state, 0)) or state not in self.unset
            node = make_node(_const(known), (), (operation.origin,))
        else:
            node = make_node(StateInitialized(state), (), (operation.origin,))
        self.values[operation.outputs[0]] = node.value()

    def _missing_feed(self, operation: Operation) -> None:
        tensor = operation.outputs[0]
        raise InvalidArgumentError(
            f"You must feed a value for placeholder tensor '{operation.name}' with dtype {tensor.dtype.name} and shape "
            f"{tensor.shape}: add it to feed_dict{built_at(operation)}", operation)

    def _state(self, tensor: Tensor, operation: Operation) -> str:
        if tensor not in self.state_of:
            raise InvalidArgumentError(f"{operation.type} '{operation.name}' needs a variable, but '{tensor.name}' is "
                                       f"fed or no variable{built_at(operation)}", operation)
        return self.state_of[tensor]

    def read(self, tensor: Tensor, seen: Versions) -> Value:
        found = self.values.get(tensor)
        if found is not None:
            return found
        version = seen.get(self.state_of[tensor], 0)
        return self.outside[tensor] if not version and tensor in self.outside else self.read_version(
            self.state_of[tensor], version)

    def _update(self, operation: Operation, seen: Versions) -> None:
        """An op that writes variables: its new values are new versions."""
        definition = operation.definition
        names = list(operation.operand_tensors())
        refs = [operation.inputs[names.index(r)] for r in definition.refs]
        states = [self._state(t, operation) for t in refs]
        operands = [self._old_value(operation, t, seen) if t in refs else self.read(t, seen) for t in operation.inputs]
        assert isinstance(definition, Composite), f"{operation.type} writes variables, so it must be a Composite"
        required = self.node(operation, definition, operands, checked_only=True).requirements

        def emit(op: Op, *inputs: Value) -> Any:
            node = make_node(op, inputs, (operation.origin,))
            return node.value() if len(node.specs) == 1 else tuple(node.value(i) for i in range(len(node.specs)))

        new_values = [requiring(v, required, operation) for v in expanded_update(definition, emit, operands)]
        seen = dict(seen)
        for state, value in zip(states, new_values, strict=True):
            self.versions[state].append(value)
            seen[state] = len(self.versions[state]) - 1
        self.seen[operation] = seen
        self.state_of.update((t, states[0]) for t in operation.outputs)

    def _old_value(self, operation: Operation, ref: Tensor, seen: Versions) -> Value:
        """What stands for a variable that is written: its value before. If that does not matter, of one without a known
        shape, the new one."""
        state, definition = self.state_of[ref], operation.definition
        if isinstance(definition, Assign) and state in self.unshaped and (
                not definition.validate_shape or (state in self.unset and len(self.versions[state]) == 1)):
            return self.read(operation.inputs[1], seen)
        return self.read_version(state, -1)

    def _plain(self, operation: Operation, seen: Versions) -> None:
        definition, operands = with_fields(self, operation, seen)
        if self.exact_random and is_drawn(definition, full_name(operation.graph, operation.name)):
            node = drawn(self, operation, definition, operands, seen)
        else:
            definition = with_key(definition, operation) if definition.effect == Effect.RANDOM else definition
            node = self.node(operation, definition, operands)
        self.results(operation, node)

    def results(self, operation: Operation, node: Node) -> None:
        """The operation's tensors that are not fed are the node's values, with the sizes that the user said."""
        needed = self.results_needed.get(operation)
        for i, tensor in enumerate(operation.outputs):
            if tensor not in self.values and (needed is None or i in needed):
                value = self.values[tensor] = as_said(operation, tensor, node.value(i))
                if value.node is not node:
                    self.finish_node(operation, value.node)

    def _binders_of(self, sizes: Sequence[Size]) -> list[Node]:
        if not self.binders:
            return []
        return list(dict.fromkeys(self.binders[s] for size in sizes for s in symbols(size) if s in self.binders))

    def node(self, operation: Operation, op: Op, operands: Sequence[Value], checked_only: bool = False) -> Node:
        try:
            node = make_node(op, operands, (operation.origin,))
        except (ValueError, TypeError) as error:
            line = (operation.file, operation.line)
            message = explain(op, _named(operation, operands), operation.name, line, str(error))
            raise InvalidArgumentError(message, operation) from None
        node = with_usual_rank(operation, with_user_shapes(operation, node, self.known), self.values)
        if any(spec.shape is None for spec in node.specs):
            raise UnimplementedError(
                f"{operation.type} '{operation.name}': the rank of its result is not known, not even when it is run; "
                "declare it (of a TensorArray: element_shape, or write an element before it is read)"
                f"{built_at(operation)}", operation)
        return node if checked_only else self.finish_node(operation, node)

    def finish_node(self, operation: Operation, node: Node) -> Node:
        """The node after what makes its sizes known, in the order of effects; its own new symbols are noted."""
        op, after = node.op, list(node.after)
        if op.effect in (Effect.HOST, Effect.READ, Effect.WRITE) and self.last_host is not None:
            after.append(self.last_host)
        sizes = [s for spec in node.specs for s in (*(spec.shape or ()), *(spec.value or ()))
                 if isinstance(s, dims.Dim)]
        if self.binders:
            after += [b for b in self._binders_of([*op.sizes(), *sizes]) if b not in after]
        if tuple(after) != node.after:
            node = dataclasses.replace(node, after=tuple(after))
        for symbol in {s for size in sizes for s in symbols(size)} - self.known:
            self.known.add(symbol)                    # made by the op itself: known once it has run
            self.binders[symbol] = node
        if op.effect in (Effect.HOST, Effect.READ, Effect.WRITE):
            self.last_host = node
            self.effects.append(node)
        self.required += [(r, node.origins) for r in node.requirements]
        return node


def _named(operation: Operation, operands: Sequence[Value]) -> dict[str, Any]:
    """The operands of an op that are no fields, for `explain`: what the user called them, with their Specs here."""
    fields, specs = operation.definition.field_operands(), iter(operands)
    found: dict[str, Any] = {}
    for key, given in operation.operand_tensors().items():
        if key not in fields:
            rows = tuple(_Named(t.name, next(specs).spec) for t in (given if isinstance(given, tuple) else (given,)))
            found[key] = rows if isinstance(given, tuple) else rows[0]
    return found


@dataclass(frozen=True)
class _Named:
    name: str
    spec: Spec


def _const(value: Any) -> Op:
    array = np.asarray(value)
    return OPS.make("Const", value=array, dtype=as_dtype(array.dtype))
