"""The snapshot of loops and branches: their FuncGraphs become Flows (passes/shared/control_flow.py).

Sizes. A body has symbols of its own: each unknown size of an operand becomes one, equal sizes the same. A carried
value's size is taken to stay what it was, until the body's result cannot be proved to have it: then it is a symbol of
that value alone, and the body is taken again.

Variables. A body's first version of a variable is its value at the start of the run, read inside, or, if something
outside or the body itself has written it, an operand. Variables that a body writes become carried values or results. A
`v/read` from outside that nothing orders after a write of the body has its value there, in every iteration.

Inputs that no body uses are dropped.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import InternalError, UnimplementedError, built_at
from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import bool_
from graphc.ir.func_graph import FuncGraph
from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.records import dataclass
from graphc.ir.spec import Elements, Spec, joined_elements
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.identity import Identity
from graphc.ops.array.source import Const
from graphc.ops.control.control import StatelessIf, StatelessWhile
from graphc.passes.shared.control_flow import Branch, BranchWithEffects, Loop, LoopWithEffects
from graphc.passes.shared.internal_ops import OtherRank
from graphc.passes.shared.required_sizes import symbols, with_user_shapes
from graphc.passes.shared.rewriter import Rewriter
from graphc.passes.snapshot.needed import inputs_needed

if TYPE_CHECKING:
    from graphc.passes.snapshot.snapshot import Snapshot, Versions

ROUNDS = 20


@dataclass(frozen=True)
class Operand:
    """What input `position` of the FuncGraphs stands for. position -1: a variable that a body writes.

    value: of the graph around. None: the variable `state` is read inside the body, or, without one, nothing is.
    """

    position: int
    value: Value | None
    state: str | None
    carried: bool = False
    outside: Value | None = None      # of a `v/read`: its value in the graph around
    maker: Operation | None = None    # of a handle: the op that makes the session's object


@dataclass(frozen=True)
class Body:
    flow: Flow
    written: tuple[str, ...]
    used: frozenset[int]          # numbers of the given inputs that matter


class Bodies:
    """Takes the bodies of one operation. `sizes`: what an unknown size outside is called inside. results: of a branch,
    the numbers of those that are needed; nothing stands in the place of the others."""

    def __init__(self, outer: Snapshot, graphs: Sequence[FuncGraph], results: Collection[int] | None = None) -> None:
        self.outer, self.graphs, self.results = outer, graphs, results
        self.sizes: dict[Size, Size] = {}
        self.varying: dict[tuple[int, int], Size] = {}
        self.elements: dict[int, tuple[Elements, ...]] = {}      # of carried lists, in the sizes around

    def take(self, operands: Sequence[Operand]) -> tuple[list[Operand], list[Body], list[str]]:
        """The operands that are left (values only, carried ones first), the bodies on them, the variables written."""
        written: dict[str, None] = {}
        while True:
            given = self._with_written(operands, list(written))
            self._name_sizes([o.value.spec for o in given if o.value is not None])
            bodies = [self._body(graph, given, list(written)) for graph in self.graphs]
            more = [s for b in bodies for s in b.written if s not in written]
            if not more:
                break
            written.update(dict.fromkeys(more))
        values = [o for o in given if o.value is not None]
        used = frozenset().union(*(b.used for b in bodies))
        kept = [o for i, o in enumerate(values) if o.carried or i in used]
        numbers = [i for i, o in enumerate(values) if o.carried or i in used]
        return kept, [replace(b, flow=with_inputs(b.flow, numbers)) for b in bodies], list(written)

    def _with_written(self, operands: Sequence[Operand], written: Sequence[str]) -> list[Operand]:
        """Variables that are written come by value, once each, as a carried operand after the others."""
        states = [Operand(-1, self.outer.read_version(s, -1), s, True) for s in written]
        rest = [replace(o, value=o.outside) if o.state in written else o for o in operands]
        return [*(o for o in rest if o.carried), *states, *(o for o in rest if not o.carried)]

    def _body(self, graph: FuncGraph, given: Sequence[Operand], written: Sequence[str]) -> Body:
        inner = self.outer.of_body()
        values = [o for o in given if o.value is not None]
        for index, operand in enumerate(values):
            assert operand.value is not None
            spec = self.inner_spec(operand, index)
            name = graph.inputs[operand.position].name if operand.position >= 0 else str(operand.state)
            value = inner.add_input(index, name, spec)
            if operand.state is not None:
                inner.unset.pop(operand.state, None)
            if operand.state in written and operand.position >= 0:
                inner.outside[graph.inputs[operand.position]] = value
            elif operand.state is not None:
                inner.versions[operand.state] = [value]
            if operand.position >= 0 and operand.state is None:
                inner.values[graph.inputs[operand.position]] = value
        for operand in given:
            if operand.maker is not None:
                inner.objects[graph.inputs[operand.position]] = operand.maker
            if operand.position >= 0 and operand.state is not None:
                inner.use_state(graph.inputs[operand.position], operand.state)
        inner.fed = set(graph.inputs)
        flow = self._with_all_places(graph, inner.flow(self._fetched(graph), (), tuple(written)))
        changed = tuple(s for s, v in inner.versions.items() if len(v) > 1)
        return Body(flow, changed, frozenset(used_inputs(flow)))

    def _fetched(self, graph: FuncGraph) -> list[Tensor]:
        return [t for i, t in enumerate(graph.outputs) if self.results is None or i in self.results]

    def _with_all_places(self, graph: FuncGraph, flow: Flow) -> Flow:
        if self.results is None or len(self.results) == len(graph.outputs):
            return flow
        given, nothing = iter(flow.outputs), _nothing()
        results = [next(given) if i in self.results else nothing for i in range(len(graph.outputs))]
        return replace(flow, outputs=(*results, *given))

    def inner_spec(self, operand: Operand, index: int) -> Spec:
        """The Spec of an operand inside."""
        assert operand.value is not None
        spec = operand.value.spec
        if spec.shape is None:
            raise InternalError(f"the rank of {operand.value.node} is not known")
        shape = tuple(self.varying[index, axis] if (index, axis) in self.varying
                      else self.inner_size(size) for axis, size in enumerate(spec.shape))
        value = None
        if not operand.carried and spec.value is not None and all(
                isinstance(v, int) or v in self.sizes for v in spec.value):
            value = tuple(self.inner_size(v) for v in spec.value)
        elements = self.elements.get(index, spec.elements)
        return Spec(spec.dtype, shape, value, tuple(e.renamed(self._size_of_elements) for e in elements))

    def _size_of_elements(self, size: Size) -> Size | None:
        """What a size around is called inside, if an operand has it."""
        return size if isinstance(size, int) else self.sizes.get(size)

    def outer_elements(self, inside: Spec) -> Spec:
        """A list of a body as it is known around it."""
        return replace(inside, elements=tuple(e.renamed(self.outer_size) for e in inside.elements))

    def inner_size(self, size: Size) -> Size:
        return size if isinstance(size, int) else self.sizes[size]

    def _name_sizes(self, operands: Sequence[Spec]) -> None:
        """Names the sizes of the operands again: a name that only a size that varies had is dropped."""
        self.sizes.clear()
        for index, spec in enumerate(operands):
            for axis, size in enumerate(spec.shape or ()):
                if isinstance(size, dims.Dim) and (index, axis) not in self.varying:
                    self.sizes.setdefault(size, dims.symbol(f"inner.{len(self.sizes)}"))

    def outer_size(self, size: Size) -> Size | None:
        """A size of a body in the terms of the graph around it, None if it is made inside."""
        if isinstance(size, int):
            return size
        known: dict[Any, Size] = {}
        for outside, inside in self.sizes.items():
            if isinstance(inside, dims.Dim):
                known[next(iter(dims.atoms(inside)))] = outside
        if not all(a in known for a in dims.atoms(size) if isinstance(a, dims.Symbol)):
            return None
        return dims.substitute(size, known)


def convert_control(outer: Snapshot, operation: Operation, seen: Versions) -> None:
    """Adds the node of a While or If operation to the snapshot."""
    if isinstance(operation.definition, StatelessWhile):
        _loop(outer, operation, operation.definition, seen)
    else:
        assert isinstance(operation.definition, StatelessIf)
        _branch(outer, operation, operation.definition, seen)


def _operands(outer: Snapshot, operation: Operation, first: int, carried: int, seen: Versions,
              graphs: Sequence[FuncGraph]) -> list[Operand]:
    found, needed = [], inputs_needed(operation, graphs, outer.results_needed.get(operation))[first:]
    for position, tensor in enumerate(operation.inputs[first:]):
        if tensor in outer.objects:
            found.append(Operand(position, None, None, maker=outer.objects[tensor]))
            continue
        if not needed[position]:
            found.append(Operand(position, None, None))
            continue
        state = None if tensor in outer.values else outer.state_of[tensor]
        if position < carried:
            found.append(Operand(position, outer.read(tensor, seen), None, True))
            continue
        value = outer.read(tensor, seen)
        outside = value if type(tensor.op.definition) is Identity or tensor in outer.outside else None
        if state is not None and not seen.get(state, 0) and outer.starts_with_read(state):
            found.append(Operand(position, None, state, outside=outside))
        else:
            found.append(Operand(position, value, state, outside=outside))
    return found


def _loop(outer: Snapshot, operation: Operation, definition: StatelessWhile, seen: Versions) -> None:
    carried = len(definition.body.outputs)
    graphs = definition.cond, definition.body
    operands = _operands(outer, operation, 0, carried, seen, graphs)
    bodies = Bodies(outer, graphs)
    for _ in range(ROUNDS):
        kept, (cond, body), written = bodies.take(operands)
        varying = {i: f"loop variable {i}" for i in range(carried)}
        varying |= {carried + i: f"variable {s}" for i, s in enumerate(written) if s in outer.unshaped}
        if not _widen(operation, bodies, kept, body.flow, varying):
            break
    else:
        raise InternalError(f"the shapes carried by {operation.name} do not settle")
    specs = [Spec(v.spec.dtype, tuple(
        dims.symbol(f"{operation.name}:{i}.{axis}") if (i, axis) in bodies.varying else size
        for axis, size in enumerate(v.spec.shape or ())), None, bodies.elements.get(i, v.spec.elements))
        for i, v in enumerate(o.value for o in kept if o.carried) if v is not None]
    if cond.written:
        raise UnimplementedError(f"the condition of '{operation.name}' writes the variables {', '.join(cond.written)}; "
                                 f"write them in its body{built_at(operation)}", operation)
    test = replace(cond.flow, outputs=cond.flow.outputs[:1])     # variables go through the body only
    kind = LoopWithEffects if test.effects or body.flow.effects else Loop
    op = kind(tuple(specs), test, body.flow, carried + len(written))
    _add(outer, operation, op, [o.value for o in kept if o.value is not None], written, seen, carried)


def _widen(operation: Operation, bodies: Bodies, operands: Sequence[Operand], body: Flow,
           carried: Mapping[int, str]) -> bool:
    """Makes sizes that an iteration changes sizes of their own, and elements of lists what all have in common. Whether
    there were any. carried: what may vary, by the number of the input."""
    changed = False
    for i, what in carried.items():
        entering, leaving = body.inputs[i].specs[0], body.outputs[i].spec
        if len(entering.shape or ()) != len(leaving.shape or ()):
            raise _ranks_differ(operation, f"{what} has", entering, leaving, "after one iteration")
        for axis, (given, size) in enumerate(zip(entering.shape or (), leaving.shape or (), strict=True)):
            if not dims.same(size, given) and (i, axis) not in bodies.varying:
                bodies.varying[i, axis] = dims.symbol(f"varying{i}.{axis}")
                changed = True
        first = operands[i].value
        assert first is not None
        before = replace(first.spec, elements=bodies.elements.get(i, first.spec.elements))
        elements = joined_elements(before, bodies.outer_elements(leaving))
        if elements != before.elements:
            bodies.elements[i] = elements
            changed = True
    return changed


def _ranks_differ(operation: Operation, what: str, a: Spec, b: Spec, when: str) -> UnimplementedError:
    return UnimplementedError(
        f"{operation.type} '{operation.name}': {what} rank {len(a.shape or ())} and rank {len(b.shape or ())} {when}; "
        f"one that depends on the run is not supported: reshape to one rank{built_at(operation)}", operation)


def _branch(outer: Snapshot, operation: Operation, definition: StatelessIf, seen: Versions) -> None:
    pred = outer.read(operation.inputs[0], seen)
    graphs = definition.then_branch, definition.else_branch
    if outer.unset and isinstance(pred.node.op, Const):    # the other branch may read what has no value
        graphs = (graphs[0], graphs[0]) if pred.node.op.value else (graphs[1], graphs[1])
    operands = _operands(outer, operation, 1, 0, seen, graphs)
    bodies = Bodies(outer, graphs, outer.results_needed[operation])
    kept, (then, orelse), written = bodies.take(operands)
    flows = _of_one_rank(then.flow, orelse.flow, (operation.origin,))
    then, orelse = (replace(b, flow=flow) for b, flow in zip((then, orelse), flows, strict=True))
    specs = []
    for i, (a, b) in enumerate(zip(then.flow.outputs, orelse.flow.outputs, strict=True)):
        shape = []
        for axis, (x, y) in enumerate(zip(a.spec.shape or (), b.spec.shape or (), strict=True)):
            left, right = bodies.outer_size(x), bodies.outer_size(y)
            together = left is not None and right is not None and dims.same(left, right)
            shape.append(left if together and left is not None else dims.symbol(f"{operation.name}:{i}.{axis}"))
        elements = joined_elements(*(bodies.outer_elements(value.spec) for value in (a, b)))
        specs.append(Spec(a.spec.dtype, tuple(shape), None, elements))
    kind = BranchWithEffects if then.flow.effects or orelse.flow.effects else Branch
    results = len(definition.then_branch.outputs)
    op = kind(tuple(specs), then.flow, orelse.flow)
    _add(outer, operation, op, [pred, *(o.value for o in kept if o.value is not None)], written, seen, results)


def _of_one_rank(then: Flow, orelse: Flow, origins: tuple[Origin, ...]) -> tuple[Flow, Flow]:
    """The flows of two branches with results of the same ranks: the higher one of each pair. The branch whose result
    has another may not be taken: as a rule it stands for what never happens, such as the default of a tf.case."""
    sides = [list(then.outputs), list(orelse.outputs)]
    for i, pair in enumerate(zip(*sides, strict=True)):
        ranks = [len(value.spec.shape or ()) for value in pair]
        if ranks[0] != ranks[1]:
            low = ranks.index(min(ranks))
            said = (f"result {i} has rank {ranks[0]} and rank {ranks[1]} in its two branches, and this run takes the "
                    "lower one, which is not supported: reshape both to one rank. Its rank and the plan's")
            sides[low][i] = make_node(OtherRank(max(ranks), said), (pair[low],), origins).value()
    return replace(then, outputs=tuple(sides[0])), replace(orelse, outputs=tuple(sides[1]))


def _nothing() -> Value:
    """What stands in the place of a result that nobody reads."""
    return make_node(OPS.make("Const", value=np.zeros((), np.bool_), dtype=bool_), ()).value()


def _add(outer: Snapshot, operation: Operation, op: Any, inputs: Sequence[Value], written: Sequence[str],
         seen: Versions, results: int) -> None:
    node = Node(op, tuple(inputs), op.result_specs, (), (operation.origin,))
    node = with_user_shapes(operation, node, outer.known, outer.results_needed.get(operation))
    if node.specs != op.result_specs:
        node = replace(node, op=replace(op, result_specs=node.specs))
    node = outer.finish_node(operation, node)
    outer.results(operation, node)
    if written:
        seen = dict(seen)
        for i, state in enumerate(written):
            outer.versions[state].append(node.value(results + i))
            seen[state] = len(outer.versions[state]) - 1
        outer.seen[operation] = seen


def with_inputs(flow: Flow, numbers: Sequence[int]) -> Flow:
    """The flow with these of its inputs only, numbered again in that order."""
    if list(numbers) == list(range(len(flow.inputs))):
        return flow
    rewriter = Rewriter(())
    inputs = []
    for index, number in enumerate(numbers):
        old = flow.inputs[number]
        inputs.append(replace(old, op=replace(old.op, index=index)))  # type: ignore[call-arg]
        rewriter.keep(old, inputs[-1])
    return rewriter.run(replace(flow, inputs=tuple(inputs)))


def used_inputs(flow: Flow) -> set[int]:
    """Numbers of the inputs that a node or output uses, or whose size is the only one to define a symbol in use."""
    inputs = {node: i for i, node in enumerate(flow.inputs)}
    nodes = [n for n in flow.nodes() if n not in inputs]
    values = [*(v for n in nodes for v in n.inputs), *flow.outputs]
    used = {inputs[v.node] for v in values if v.node in inputs}
    mentioned: set[dims.Symbol] = set()
    for node in nodes:
        for size in (*node.op.sizes(), *(s for spec in node.specs for s in (*(spec.shape or ()), *(spec.value or ())))):
            mentioned.update(symbols(size))
        for requirement in node.requirements:
            mentioned.update(symbols(requirement.a), symbols(requirement.b))
    for index in sorted(used):
        mentioned -= {s for size in flow.inputs[index].specs[0].shape or () for s in symbols(size)}
    for node, index in reversed(inputs.items()):           # what is captured costs no iteration anything
        defined = {s for size in node.specs[0].shape or () for s in symbols(size)}
        if index not in used and defined & mentioned:
            used.add(index)
            mentioned -= defined
    return used


