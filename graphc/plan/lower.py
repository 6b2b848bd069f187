"""From a Flow to a body of a Plan.

 1. The flow's inputs become INPUT buffers, and the symbols of their shapes INPUT dims.
 2. The nodes are ordered (plan/schedule.py).
 3. Results get their memory (plan/placement.py): an output or a variable is written directly by the step that computes
    it where that is right; everything else lies in the arena. Aliases are buffers of their own over the same memory.
 4. Node by node: guards for what inference could not prove, then steps. Inputs, constants and variables are read where
    they lie.
 5. At the end: copies into the outputs and variables that no step could write directly, then a mark on every written
    variable.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from graphc.errors import InternalError, OpError, UnimplementedError, built_at
from graphc.ir import dims, dtypes
from graphc.ir.access import Access, Text
from graphc.ir.dims import Size
from graphc.ir.flow_ops import FlowInput, ReadState, WriteState
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias, Effect, Elementwise, Reduction, View
from graphc.ir.spec import Requirement, Shape, Spec
from graphc.ops.array.source import Const
from graphc.passes.shared.control_flow import Branch, ControlOp, Loop
from graphc.passes.shared.fused import Fused
from graphc.passes.shared.internal_ops import BindSizes, Prepared, StateInitialized
from graphc.passes.shared.required_sizes import symbols
from graphc.plan.builder import BodyBuilder
from graphc.plan.lower_fused import FusedLowering, single
from graphc.plan.placed import Placed
from graphc.plan.plan import Body, BufferKind, Call, If, Map, While
from graphc.plan.plan_builder import PlanBuilder
from graphc.plan.scalar_program import check_held


def lower_body(owner: PlanBuilder, flow: Flow, name: str, placed: Placed | None = None) -> int:
    """Writes `flow` as a body of the plan; returns its number."""
    number = owner.begin_body()
    owner.bodies[number] = BodyLowering(owner, flow, name, placed or Placed(flow)).run()
    return number


class BodyLowering:
    """See the header."""

    def __init__(self, owner: PlanBuilder, flow: Flow, name: str, placed: Placed) -> None:
        self.flow = flow
        self.b = BodyBuilder(owner, name)
        self.access: dict[Value, Access] = {}
        self.state_buffers: dict[str, Access] = {}
        self.info_buffers: dict[str, Access] = {}
        self.saved: list[tuple[Access, int | str]] = []
        self.required: set[tuple[str, Size, Size]] = set()
        self.placed, self.placement = placed, placed.placement
        self.consumers, self.order = placed.consumers, placed.order

    def run(self) -> Body:
        self._inputs()
        self._outputs()
        self._copies(self.placement.early)
        self._set_aside()
        for node in (*self.flow.inputs, *self.order):
            with self._blaming(node):
                self._check_dtypes(node)
                self._node(node)
        self._copies(self.placement.late)
        for saved, target in self.saved:
            to = self.output_buffers[target] if isinstance(target, int) else self._state(target)
            self.b.copy(self.b.reshape(saved, to.shape), to)
        self._finish_states()
        self._require_the_rest()
        return self.b.finish()

    @contextmanager
    def _blaming(self, node: Node) -> Iterator[None]:
        """Steps made and errors raised inside are those of the user's ops behind `node`."""
        self.b.origins = self.b.plan.origins(node.origins)
        try:
            yield
        except OpError as error:
            if error.op is None and node.origins:
                origin = node.origins[0]
                message = f"{origin.op_type} '{origin.op_name}': {error}{built_at(origin)}"
                raise type(error)(message, origin) from None
            raise

    # Ends of the flow

    def _inputs(self) -> None:
        for index, node in enumerate(self.flow.inputs):
            for axis, size in enumerate(node.specs[0].shape or ()):
                self.b.dims.define_input(size, index, axis)
        kept = set(self.placement.kept.values())
        for index, node in enumerate(self.flow.inputs):
            spec = node.specs[0]
            assert spec.shape is not None
            kind = BufferKind.CARRIED if index in kept else BufferKind.INPUT
            access = self.b.buffer(kind, spec.dtype, spec.shape, index)
            self.b.inputs.append(access.buffer)
            self.access[node.value()] = access

    def _outputs(self) -> None:
        self.output_buffers = []
        for index, value in enumerate(self.flow.outputs):
            spec = value.spec
            assert spec.shape is not None
            if index in self.placement.kept:
                access = self.access[self.flow.inputs[self.placement.kept[index]].value()]
            else:
                access = self.b.buffer(BufferKind.OUTPUT, spec.dtype, spec.shape, index)
            self.b.outputs.append(access.buffer)
            self.output_buffers.append(access)

    def _copies(self, copies: Sequence[tuple[Value, int | str]]) -> None:
        """Values into outputs (by number) and variables (by name) that their steps did not write."""
        for value, target in copies:
            with self._blaming(value.node):
                check_held(value.spec.dtype)
            self._make(value)
            to = self.output_buffers[target] if isinstance(target, int) else self._state(target)
            self.b.copy(self.access[value], to)

    def _set_aside(self) -> None:
        """Old values of written variables that are wanted at the end: saved before anything is written."""
        for value, target in self.placement.aside:
            root = self.placement.root(value)
            self._make(root)
            saved = self.b.temporary(root.spec.dtype, root.spec.shape or ())
            self.b.copy(self.access[root], saved)
            self.saved.append((saved, target))

    def _make(self, value: Value) -> None:
        """Makes sure of the access of a source or alias that is needed before its turn."""
        if value not in self.access:
            for node in self.placement.chain(value):
                self.b.origins = self.b.plan.origins(node.origins)
                self._node(node)

    def _finish_states(self) -> None:
        for state in self.placement.written:
            self.b.origins = ()
            self.b.writes.add(self._state_number(state))
            self.b.call("state_mark", [self._info(state)])

    # Variables

    def _state_number(self, state: str) -> int:
        return self.b.plan.state(state, self.flow.states[state])

    def _state(self, state: str) -> Access:
        if state not in self.state_buffers:
            spec = self.flow.states[state]
            assert spec.shape is not None
            self.state_buffers[state] = self.b.buffer(BufferKind.STATE, spec.dtype, spec.shape,
                                                      self._state_number(state))
        return self.state_buffers[state]

    def _info(self, state: str) -> Access:
        if state not in self.info_buffers:
            self.info_buffers[state] = self.b.buffer(BufferKind.STATE_INFO, dtypes.int64, (2,),
                                                     self._state_number(state))
        return self.info_buffers[state]

    # Nodes

    def _check_dtypes(self, node: Node) -> None:
        """Raises UnimplementedError for values that no step can hold."""
        for spec in (*node.specs, *(v.spec for v in node.inputs)):
            check_held(spec.dtype)

    def _node(self, node: Node) -> None:
        if node.specs and node.value() in self.access:
            return
        self._require(node.requirements)
        for kind, lower in LOWERINGS:
            if isinstance(node.op, kind):
                lower(self, node)
                return
        outputs = [self._result(node.value(i)) for i in range(len(node.specs))]
        node.op.lower(self.b, [self.access[v] for v in node.inputs], outputs)

    def _require(self, requirements: Iterable[Requirement]) -> None:
        for r in requirements:
            if (r.relation, r.a, r.b) not in self.required:
                self.required.add((r.relation, r.a, r.b))
                self.b.require(r.relation, r.a, r.b, r.message)

    def _require_the_rest(self) -> None:
        """What ops require that have no steps, as their values are not needed: if anything makes the sizes known."""
        for requirement, origins in self.flow.required:
            if all(self.b.dims.is_known(s) for size in (requirement.a, requirement.b) for s in symbols(size)):
                self.b.origins = self.b.plan.origins(origins)
                self._require((requirement,))

    def _result(self, value: Value) -> Access:
        """The memory that `value` is computed into."""
        spec = value.spec
        if spec.shape is None:
            raise UnimplementedError("the rank of the result is unknown when the run is compiled")
        target = self.placement.target.get(value)
        if target is None:
            made = self._memory(value, spec.shape)
        else:
            whole = self.output_buffers[target] if isinstance(target, int) else self._state(target)
            if isinstance(target, str):
                self._require_shape(value, whole)
            made = self.b.reshape(whole, spec.shape)
        self.access[value] = made
        return made

    def _memory(self, value: Value, shape: Shape) -> Access:
        """A buffer of the arena: that of an operand which the step may overwrite, or one of its own."""
        before = self.placement.takes_over(value) if self.placed.in_place else None
        # As the step reads it: through a Reshape what it is made of has other sizes.
        read = None if before is None else self.placement.operand_written(value)
        given = None if read is None else self.access[read]
        if (given is None or not given.is_contiguous or given.rank != len(shape)
                or self.b.buffers[self._root(given.buffer)].kind != BufferKind.ARENA):
            return self.b.temporary(value.spec.dtype, shape)
        self._require_shape(value, given)
        return self.b.reshape(given, shape)

    def _require_shape(self, value: Value, whole: Access) -> None:
        if value.spec.rank == whole.rank:
            for a, b in zip(value.spec.shape or (), whole.shape, strict=True):
                if not dims.same(a, b):
                    self.b.require("equal", a, b, "shape of what is changed in place and of its new value")

    def _constant(self, node: Node) -> None:
        assert isinstance(node.op, Const)
        if node.op.dtype == dtypes.string:
            users = self.consumers.get(node.value(), ())
            if users and node.value() not in self.flow.outputs and all(map(_is_script, users)):
                self.access[node.value()] = Text(node.op.value)  # type: ignore[assignment]
                return
        self.access[node.value()] = self.b.constant(node.op.value, _constant_name(node))

    def _input(self, node: Node) -> None:
        raise InternalError(f"{node} is no input of the flow")

    def _read_state(self, node: Node) -> None:
        assert isinstance(node.op, ReadState)
        self.b.call("state_check", [self._info(node.op.state)])
        self.access[node.value()] = self._state(node.op.state)

    def _prepared(self, node: Node) -> None:
        assert isinstance(node.op, Prepared)
        self.access[node.value()] = self.b.buffer(BufferKind.PREPARED, node.op.dtype, node.op.shape, node.op.index)

    def _initialized(self, node: Node) -> None:
        assert isinstance(node.op, StateInitialized)
        flag = self._info(node.op.state).select(0, 0)
        self.b.map(lambda s, x: s("not_equal", x, s.constant(0, dtypes.int64)), [flag], [self._result(node.value())])

    def _write_state(self, node: Node) -> None:
        """Done by placement: by the producing step, or by a copy at the end."""

    def _bind(self, node: Node) -> None:
        assert isinstance(node.op, BindSizes)
        self.b.bind(self.b.reshape(self.access[node.inputs[0]], (len(node.op.symbols),)), node.op.symbols)

    def _alias(self, node: Node) -> None:
        shape = node.specs[0].shape
        assert shape is not None
        self.access[node.value()] = self.b.reshape(self.access[node.inputs[0]], shape)

    def _loop(self, node: Node) -> None:
        op = node.op
        assert isinstance(op, Loop)
        cond, body = self._bodies(node, op)
        operands = self._operands(node, op)
        self.b.into_slots(self._wanted(node), lambda slots, binds: While(
            cond, body, operands, op.carried, slots, binds, origins=self.b.origins))

    def _branch(self, node: Node) -> None:
        op = node.op
        assert isinstance(op, Branch)
        then, orelse = self._bodies(node, op)
        pred, *operands = self._operands(node, op)
        self.b.into_slots(self._wanted(node), lambda slots, binds: If(
            pred, then, orelse, tuple(operands), slots, binds, origins=self.b.origins))

    def _bodies(self, node: Node, op: ControlOp) -> tuple[int, ...]:
        return tuple(lower_body(self.b.plan, placed.flow, f"{_name(node)}/{part}", placed)
                     for part, placed in zip(op.flow_fields, self.placed.bodies(op), strict=True))

    def _operands(self, node: Node, op: ControlOp) -> tuple[int, ...]:
        """The buffers of a loop's or branch's operands. What it would change in memory that is this body's own, and is
        not where its result goes, it gets a copy of."""
        operands = [self.b.contiguous(self.access[v]) for v in node.inputs]
        for output, given in self.placed.kept_by(op).items():
            position = given + op.first_operand
            root = self.b.buffers[self._root(operands[position].buffer)]
            target = self.placement.target.get(node.value(output))
            stays = isinstance(target, int) and self.placement.kept.get(target) == root.index
            if root.kind == BufferKind.CARRIED and not stays:
                copied = self.b.temporary(operands[position].dtype, operands[position].shape)
                self.b.copy(operands[position], copied)
                operands[position] = copied
        return tuple(x.buffer for x in operands)

    def _wanted(self, node: Node) -> list[Access | Spec]:
        """The results' memory; of a result that nothing uses just its Spec."""
        values = [node.value(i) for i in range(len(node.specs))]
        return [self._result(v) if v in self.consumers or v in self.flow.outputs else v.spec for v in values]

    def _single(self, node: Node) -> None:
        self._map(node, single(node))

    def _fused(self, node: Node) -> None:
        assert isinstance(node.op, Fused)
        if node.op.kernel is not None:
            self._epilogue(node, node.op)
        else:
            self._map(node, node.op)

    def _map(self, node: Node, op: Fused) -> None:
        inputs = [self.access[v] for v in (node.inputs if isinstance(node.op, Fused) else op.arguments)]
        self.b.step(self._evaluated(node, op, dict(zip(op.arguments, inputs, strict=True)), op.results_of))

    def _evaluated(self, node: Node, op: Fused, leaves: dict[Value, Access], results: Sequence[Value]) -> Map:
        """The map that computes `results` of op. One that may not be written in place is computed aside."""
        values = [node.value(op.results_of.index(v)) for v in results]
        part = replace(op, results_of=tuple(results), kernel=None)
        while True:
            outputs = [self.access.get(v) or self._result(v) for v in values]
            lowering = FusedLowering(self.b, part, leaves)
            scalars, stores = lowering.evaluate(outputs)
            clash = next((v for v, store in zip(values, stores, strict=True)
                          if any(self._root(x.buffer) == self._root(store.buffer)
                                 and (store.dtype.is_complex or not _same_places(x, store))
                                 for x in lowering.loads)), None)
            if clash is None:
                return self.b.make_map(lowering.program, lowering.domain, len(op.axes), lowering.loads, scalars, stores)
            self.placement.give_up(clash)
            self.access.pop(clash)

    def _root(self, buffer: int) -> int:
        row = self.b.buffers[buffer]
        return row.index if row.kind == BufferKind.ALIAS else buffer

    def _epilogue(self, node: Node, op: Fused) -> None:
        """The kernel's call with the members as its epilogue. The kernel writes into a result's memory if it may."""
        assert op.kernel is not None
        leaves = dict(zip(op.arguments, (self.access[v] for v in node.inputs), strict=True))
        result = op.kernel.value()
        shape = result.spec.shape
        assert shape is not None
        others = [v for v in op.results_of if v != result]
        outputs = [self._result(node.value(op.results_of.index(v))) for v in others]
        if len(others) < len(op.results_of):
            own = self._result(node.value(op.results_of.index(result)))
        else:
            # No map of complex numbers is done in place: a part would be written before the other one is read.
            fit = [o for o in outputs if o.dtype == result.spec.dtype and not o.dtype.is_complex
                   and self._is_private(o, leaves)]
            own = fit[0] if fit else self.b.temporary(result.spec.dtype, shape)
        leaves[result] = self.b.reshape(own, shape)
        op.kernel.op.lower(self.b, [leaves[v] for v in op.kernel.inputs], [leaves[result]])
        call = self.b.steps[-1]
        if isinstance(call, Call) and call.epilogue is None and call.operands[-1] == leaves[result].buffer:
            self.b.steps.pop()
            self.b.step(replace(call, epilogue=self._evaluated(node, op, leaves, others)))
        else:                                  # an op made of maps (a fill and a copy): what follows is one more
            self.b.step(self._evaluated(node, op, leaves, others))

    def _is_private(self, output: Access, leaves: dict[Value, Access]) -> bool:
        return all(self._root(a.buffer) != self._root(output.buffer) for a in leaves.values())


def _is_script(node: Node) -> bool:
    """Whether it calls Python on its operands: Assert, Print, py_func."""
    return node.op.effect == Effect.HOST and not isinstance(node.op, (Branch, Loop))


def _name(node: Node) -> str:
    return node.origins[0].op_name if node.origins else node.op.type


def _constant_name(node: Node) -> str | None:
    origin = node.origins[0] if node.origins else None
    return origin.op_name if origin is not None and origin.op_type == "Const" and len(node.origins) == 1 else None


def _same_places(load: Access, store: Access) -> bool:
    """Whether a map reads each element right where it writes it; a row's value may be read at all points of the row."""
    rows = store.rank
    return (load.rank >= rows and dims.same(load.offset, store.offset)
            and all(dims.same(x, y) or dims.same(s, 1)
                    for s, x, y in zip(load.shape[:rows], load.strides, store.strides, strict=False))
            and all(dims.same(x, 0) or dims.same(s, 1)
                    for s, x in zip(load.shape[rows:], load.strides[rows:], strict=True)))


LOWERINGS: tuple[tuple[type, Callable[[BodyLowering, Node], None]], ...] = (
    (Const, BodyLowering._constant),
    (Fused, BodyLowering._fused),
    (Elementwise, BodyLowering._single),
    (Reduction, BodyLowering._single),
    (View, BodyLowering._single),
    (Alias, BodyLowering._alias),
    (ReadState, BodyLowering._read_state),
    (Prepared, BodyLowering._prepared),
    (StateInitialized, BodyLowering._initialized),
    (WriteState, BodyLowering._write_state),
    (BindSizes, BodyLowering._bind),
    (Loop, BodyLowering._loop),
    (Branch, BodyLowering._branch),
    (FlowInput, BodyLowering._input),
)
