"""Which results are computed right where they are wanted: in an output of the body, or in a variable's own memory.

A result may go into an output if it is a step's (no input, constant, variable), maybe seen through Aliases; the first
output that wants it gets it, the others are copies. The output's memory exists once its sizes are known: what the
Aliases come after (they may have sizes that only running tells) must come before the step, else the output is a copy.

A new value may go into its variable's memory if its step comes after every reader of the old value, or is the last
reader itself and a map that reads each element where it writes it (plan/lower.py checks that part and gives up if
not). Else it is computed aside and copied at the end. An output that wants the old value copies it before anything
runs. An op that overwrites its first operand (rows of a table) writes there, too: then whatever computes that operand
writes into the variable's memory in turn.

Results of a body that change some rows of what came in as an input, or pass it on, may stay in its memory (`kept`):
so a loop copies a table once, not in every iteration, and a loop or branch inside another one not at all. The same
holds as for variables: all that reads the old value comes first, and no output wants it.

A run that fails leaves every variable as it was: nothing is written into a variable's memory before the last step that
may fail. The order lets such writes wait (`soft_edges`, `checks`); where they cannot, the value is computed aside.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from graphc.ir import dtypes
from graphc.ir.dims import Size, same
from graphc.ir.flow_ops import FlowInput, ReadState, WriteState
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Alias, Effect, Elementwise, Reduction
from graphc.ops.array.source import Const
from graphc.passes.shared.control_flow import ControlOp
from graphc.passes.shared.fused import Fused
from graphc.passes.shared.internal_ops import BindSizes, Prepared

Consumers = dict[Value, list[Node]]
Copy = tuple[Value, int | str]


def consumers_of(nodes: Iterable[Node]) -> Consumers:
    """The nodes that use each value."""
    found: Consumers = {}
    for node in nodes:
        for value in dict.fromkeys(node.inputs):
            found.setdefault(value, []).append(node)
    return found


class Placement:
    """target: value -> output number or variable name that its step writes; early, late: copies before and after;
    aside: old values of variables (and where they go) that are saved first and copied at the end. kept: output -> input
    in whose memory it stays.

    may_stay(output, input): whether the flow's caller allows that. kept_by: `kept` of a loop's or branch's bodies."""

    def __init__(self, flow: Flow, nodes: Sequence[Node], consumers: Consumers,
                 may_stay: Callable[[int, int], bool] = lambda output, given: False,
                 kept_by: Callable[[ControlOp], Mapping[int, int]] = lambda op: {}) -> None:
        self.flow = flow
        self.consumers = consumers
        self.target: dict[Value, int | str] = {}
        self.early: list[Copy] = []
        self.late: list[Copy] = []
        self.aside: list[Copy] = []
        self.writes: dict[str, Value] = {n.op.state: n.inputs[0] for n in flow.effects if isinstance(n.op, WriteState)}
        self.written = list(self.writes)
        self.kept_by = kept_by
        self.staying = self._find_staying(may_stay)
        self.kept: dict[int, int] = {}
        self.checks = [node for node in nodes if may_fail(node)] if self.writes else []
        self.reads: dict[str, Node] = {}
        self.inner_readers: dict[str, list[Node]] = {}     # loops and branches that read a variable themselves
        for node in nodes:
            for state in node.op.states_read if isinstance(node.op, ControlOp) else ():
                self.inner_readers.setdefault(state, []).append(node)
        for value in consumers:
            if isinstance(value.node.op, ReadState):
                self.reads[value.node.op.state] = value.node
        for value in flow.outputs:
            root = self.root(value).node
            if isinstance(root.op, ReadState):
                self.reads[root.op.state] = root

    def root(self, value: Value) -> Value:
        """What `value` is an Alias of."""
        while isinstance(value.node.op, Alias):
            value = value.node.inputs[0]
        return value

    def chain(self, value: Value) -> list[Node]:
        """The nodes from the root to `value`."""
        nodes = [value.node]
        while isinstance(nodes[-1].op, Alias):
            nodes.append(nodes[-1].inputs[0].node)
        return nodes[::-1]

    def readers(self, state: str) -> list[Node]:
        """The nodes that read the old value of a variable."""
        read = self.reads.get(state)
        found = self._users(read.value()) if read is not None else []
        return [*found, *self.inner_readers.get(state, ())]

    def _users(self, value: Value) -> list[Node]:
        """The nodes that read a value, maybe through Aliases."""
        found: list[Node] = []
        waiting = [value]
        while waiting:
            for node in self.consumers.get(waiting.pop(), ()):
                if isinstance(node.op, Alias):
                    waiting.append(node.value())
                elif not isinstance(node.op, WriteState):
                    found.append(node)
        return found

    def sizes_from(self, value: Value) -> list[Node]:
        """What the Aliases from the root to `value` come after, the root itself aside: it makes their sizes known."""
        root, *aliases = self.chain(value)
        return [node for alias in aliases for node in alias.after if node is not root]

    def soft_edges(self) -> list[tuple[Node, Node]]:
        """(reader of the old value, step that makes the new one), (what makes an output's sizes known, its step)."""
        readers = [(reader, made.node) for state, value in self.writes.items()
                   for reader in self.readers(state) for made in self.writing(value)]
        sizes = [(node, self.root(value).node) for value in self.flow.outputs for node in self.sizes_from(value)]
        keeping = [(user, chain[-1].node) for _, given, chain in self.staying if chain
                   for user in self._users(self.flow.inputs[given].value())]
        return [*readers, *((a, b) for a, b in sizes if not _is_source(b)), *keeping]

    def writers(self) -> list[Node]:
        """The steps that might write a variable's memory."""
        made = [v.node for value in self.writes.values() for v in self.writing(value)]
        return [node for node in dict.fromkeys(made) if not _is_source(node)]

    def writing(self, value: Value) -> list[Value]:
        """What may be computed in a variable's memory, the last one first: the root of its new value and, if that
        overwrites an operand that nothing else needs, this one, and so on."""
        found = [self.root(value)]
        while (before := self.overwritten(found[-1])) is not None:
            if (_is_source(before.node) or len(self._users(before)) != 1 or self._is_result(before)
                    or _has_other_sizes(before, self.operand_written(found[-1]))):
                break
            found.append(before)
        return found

    def overwritten(self, value: Value) -> Value | None:
        """What the operand is an Alias of whose memory the step that computes `value` may write."""
        operand = self.operand_written(value)
        return None if operand is None else self.root(operand)

    def operand_written(self, value: Value) -> Value | None:
        """The operand whose memory the step that computes `value` may write, if it reads it nowhere else."""
        op, inputs = value.node.op, [self.root(v) for v in value.node.inputs]
        position = op.overwrites
        if isinstance(op, ControlOp) and value.index in self.kept_by(op):
            position = self.kept_by(op)[value.index] + op.first_operand
        elif value.index > 0:
            return None
        if position is None or inputs.count(inputs[position]) > 1:
            return None
        return value.node.inputs[position]

    def takes_over(self, value: Value) -> Value | None:
        """The operand in whose memory, of the arena, a step computes `value`: nothing else needs that operand."""
        before = self.overwritten(value) if not isinstance(value.node.op, ControlOp) else None
        if before is None or before in self.target or _is_source(before.node) or self._is_result(before):
            return None
        return before if len(self._users(before)) == 1 else None

    def _is_result(self, value: Value) -> bool:
        """Whether an output is that value, maybe through Aliases."""
        return any(self.root(output) == value for output in self.flow.outputs)

    def _find_staying(self, may_stay: Callable[[int, int], bool]) -> list[tuple[int, int, list[Value]]]:
        """(output, input, what is computed in the memory of that input to make the output, the last one first)"""
        numbers = {node.value(): i for i, node in enumerate(self.flow.inputs)}
        roots = [self.root(value) for value in self.flow.outputs]
        found = []
        for output, (value, root) in enumerate(zip(self.flow.outputs, roots, strict=True)):
            chain = [] if root in numbers else self.writing(value)
            given = self.overwritten(chain[-1]) if chain else root
            if (given in numbers and may_stay(output, numbers[given]) and roots.count(given) == (not chain)
                    and given.spec.dtype not in (dtypes.variant, dtypes.string)
                    and given.spec.dtype == value.spec.dtype and _same_sizes(given.spec.shape, value.spec.shape)):
                found.append((output, numbers[given], chain))
        return found

    def _keep(self, position: dict[Node, int]) -> None:
        """Decides what stays in the memory of the inputs, for this order of steps."""
        for output, given, chain in self.staying:
            users = self._users(self.flow.inputs[given].value())
            late = chain and any(position[user] > position[chain[-1].node] for user in users)
            if not late and not any(value in self.target for value in chain):
                self.kept[output] = given
                self.target.update((value, output) for value in chain)

    def decide(self, order: Sequence[Node]) -> None:
        """Sets target, early and late for this order of steps."""
        position = {node: i for i, node in enumerate(order)}
        safe = max((position[node] for node in self.checks), default=-1)
        self._keep(position)
        for state, value in self.writes.items():
            root = self.root(value)
            if _is_source(root.node):
                if isinstance(root.node.op, ReadState) and root.node.op.state in self.writes:
                    self.aside.append((value, state))
                else:
                    self.late.append((value, state))
            elif (root not in self.target and not _has_other_sizes(root, value)
                  and (position[root.node] > safe or self._is_written_behind(root, safe, position))
                  and self._after_readers(state, root.node, position)):
                self.target[root] = state
                for before in self.writing(value)[1:]:
                    if (before in self.target or position[before.node] <= safe
                            or not self._after_readers(state, before.node, position)):
                        break
                    self.target[before] = state
            else:
                self.late.append((value, state))
        for number, value in enumerate(self.flow.outputs):
            if number in self.kept:
                continue
            root = self.root(value)
            sizes = self.sizes_from(value)
            if isinstance(root.node.op, ReadState) and root.node.op.state in self.writes:
                (self.aside if sizes else self.early).append((value, number))
            elif (_is_source(root.node) or root in self.target
                  or any(position[node] > position[root.node] for node in sizes)):
                self.late.append((value, number))
            else:
                self.target[root] = number

    def give_up(self, value: Value) -> None:
        """`value` cannot be written into its variable after all."""
        state = self.target.pop(value)
        if isinstance(state, str) and self.root(self.writes[state]) != value:
            return                                  # what overwrites it copies it first
        wanted = self.writes[state] if isinstance(state, str) else value
        self.late.insert(0, (wanted, state))

    def _after_readers(self, state: str, writer: Node, position: dict[Node, int]) -> bool:
        last = position[writer]
        for reader in self.readers(state):
            if position[reader] > last:
                return False
            if reader is writer and not isinstance(writer.op, ControlOp) and not self._reads_in_map(state, writer) \
                    and self.overwritten(writer.value()) != self.reads[state].value():
                return False
        return True

    def _is_written_behind(self, value: Value, safe: int, position: dict[Node, int]) -> bool:
        """Whether a loop or branch is the last step that may fail: its results are copied once it is through."""
        return (isinstance(value.node.op, ControlOp) and position[value.node] == safe
                and all(isinstance(size, int) for spec in value.node.specs for size in spec.shape or ()))

    def _reads_in_map(self, state: str, writer: Node) -> bool:
        """Whether only a map, not a kernel, reads the variable in this step."""
        if not isinstance(writer.op, Fused):
            return isinstance(writer.op, (Elementwise, Reduction))
        if writer.op.kernel is None:
            return True
        old = self.reads[state].value()
        given = dict(zip(writer.op.arguments, writer.inputs, strict=True))
        return all(self.root(given[v]) != old for v in writer.op.kernel.inputs)


def may_fail(node: Node) -> bool:
    """Whether the step may end the run because of the values that it sees: data, variables, Python functions."""
    op = node.op.kernel.op if isinstance(node.op, Fused) and node.op.kernel is not None else node.op
    if isinstance(op, ControlOp):
        return any(may_fail(inner) for flow in op.flows for inner in flow.nodes())
    return op.checks_data or op.effect == Effect.HOST or isinstance(op, (ReadState, BindSizes))


def _is_source(node: Node) -> bool:
    return isinstance(node.op, (FlowInput, ReadState, Prepared, Const))


def _has_other_sizes(root: Value, alias: Value | None) -> bool:
    """Whether an Alias of as many axes as its root gives them other sizes: what is computed in the memory of something
    of as many axes must have its sizes (lower.py)."""
    if alias is None or alias == root or alias.spec.rank != root.spec.rank:
        return False
    return not _same_sizes(root.spec.shape, alias.spec.shape)


def _same_sizes(a: Sequence[Size] | None, b: Sequence[Size] | None) -> bool:
    return a is not None and b is not None and len(a) == len(b) and all(map(same, a, b))
