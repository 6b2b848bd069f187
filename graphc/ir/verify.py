"""Invariants of a Flow; `verify` raises InternalError, naming the pass after which one is broken.

 1. an output index exists: Value(n, i) has i < len(n.specs)
 2. inputs of the flow are listed in it: a _FlowInput node that is used is one of flow.inputs, with its own index
 3. no node needs itself (the flow has no cycle)
 4. the specs are what the op infers: equal dtypes and ranks, and no size that is known to differ
 5. all ranks are known
 6. effects happen: a WRITE or HOST node that anything depends on is one of flow.effects
 7. a variable is written at most once, and with its own dtype and rank
 8. a symbol that an op makes known (BindSizes, or one with a result of unknown size) is used only after that op
 9. fields are known: no operand field is None

Flows inside loops and branches are checked as well. 1, 4, 5 and 9 are checked for a node when it first appears: nodes
are immutable, and most live through many passes. What says of itself that its specs are inferred is not inferred again.
"""
from __future__ import annotations

import weakref
from collections.abc import Sequence

from graphc.errors import InternalError
from graphc.ir import dims
from graphc.ir.flow_ops import FlowInput, WriteState
from graphc.ir.node import Flow, Node, Value
from graphc.ir.op import Effect
from graphc.ir.spec import Spec

_checked: weakref.WeakSet[Node] = weakref.WeakSet()


def verify(flow: Flow, after: str) -> list[Node]:
    """Checks `flow`; returns its nodes in topological order. `after`: the pass that made it, for the message."""
    try:
        _check_acyclic(flow)
        nodes = list(flow.nodes())
        _check_ends(flow, nodes)
        for node in nodes:
            if node not in _checked:
                _check_node(node)
                _checked.add(node)
        _check_states(flow, nodes)
        _check_symbols(nodes)
        for node in flow.nested:
            for inner in getattr(node.op, "flows", ()):
                verify(inner, f"{after}, inside {node}")
    except InternalError as error:
        raise InternalError(f"after pass '{after}': {error}") from None
    return nodes


def _check_acyclic(flow: Flow) -> None:
    """3, by a walk of its own: Flow.nodes() would not notice."""
    state: dict[Node, bool] = {}     # False: being walked, True: done
    for root in [*(v.node for v in flow.outputs), *flow.effects]:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in state:
                stack.pop()
                state[node] = True
                continue
            state[node] = False
            for needed in (*(v.node for v in node.inputs), *node.after):
                if state.get(needed) is False:
                    raise InternalError(f"{needed} needs itself")
                if needed not in state:
                    stack.append(needed)


def _check_ends(flow: Flow, nodes: Sequence[Node]) -> None:
    given = set(flow.inputs)
    for i, node in enumerate(flow.inputs):
        if not isinstance(node.op, FlowInput) or node.op.index != i:
            raise InternalError(f"input {i} of the flow is {node}")
    for value in flow.outputs:
        _check_value(value)
    effects = set(flow.effects)
    for node in nodes:
        if isinstance(node.op, FlowInput) and node not in given:
            raise InternalError(f"{node} is used, but is no input of the flow")
        if node.op.effect in (Effect.WRITE, Effect.HOST) and node not in effects:
            raise InternalError(f"{node} has an effect, but is none of the flow's effects")


def _check_value(value: Value) -> None:
    if not 0 <= value.index < len(value.node.specs):
        raise InternalError(f"{value.node} has no result {value.index}")


def _check_node(node: Node) -> None:
    for value in node.inputs:
        _check_value(value)
    for name in node.op.field_operands():
        if getattr(node.op, name) is None:
            raise InternalError(f"field {name} of {node} is not known")
    for spec in node.specs:
        if spec.shape is None:
            raise InternalError(f"the rank of {node} is not known")
    if node.inferred:
        return
    inferred = node.op.infer(*(v.spec for v in node.inputs))
    specs = inferred if isinstance(inferred, tuple) else (inferred,)
    if len(specs) != len(node.specs):
        raise InternalError(f"{node} has {len(node.specs)} results, its op {len(specs)}")
    for spec, expected in zip(node.specs, specs, strict=True):
        if contradicts(spec, expected):
            raise InternalError(f"{node} says {spec}, its op infers {expected}")


def contradicts(a: Spec, b: Spec) -> bool:
    """Whether no tensor can have both specs."""
    if a.dtype != b.dtype:
        return True
    if a.shape is None or b.shape is None or a.shape == b.shape:
        return False
    return len(a.shape) != len(b.shape) or any(dims.different(x, y) for x, y in zip(a.shape, b.shape, strict=True))


def _check_states(flow: Flow, nodes: Sequence[Node]) -> None:
    written: set[str] = set()
    for node in nodes:
        if not isinstance(node.op, WriteState):
            continue
        state = node.op.state
        if state in written:
            raise InternalError(f"variable '{state}' is written twice")
        written.add(state)
        if state not in flow.states:
            raise InternalError(f"variable '{state}' is written, but not declared")
        if contradicts(node.inputs[0].spec, flow.states[state]):
            raise InternalError(f"variable '{state}' of {flow.states[state]} gets {node.inputs[0].spec}")


def _check_symbols(nodes: Sequence[Node]) -> None:
    """8. For each symbol made known by a node, every node that mentions it must come after that node."""
    makers: dict[dims.Symbol, Node] = {}
    for node in nodes:
        for size in getattr(node.op, "symbols", ()):
            for atom in dims.atoms(size):
                if isinstance(atom, dims.Symbol):
                    makers[atom] = node
    if not makers:
        return
    behind: dict[Node, frozenset[Node]] = {}
    made: dict[dims.Dim, list[Node]] = {}              # who makes known what is in a size: many nodes have the same
    wanted = set(makers.values())
    for node in nodes:
        before: frozenset[Node] = frozenset()
        for needed in (*(v.node for v in node.inputs), *node.after):
            theirs = behind[needed] | ({needed} & wanted)
            before = theirs if not before else before | theirs
        behind[node] = before
        for size in (*node.op.sizes(), *(s for spec in node.specs for s in spec.shape or ())):
            if not isinstance(size, dims.Dim):
                continue
            if size not in made:
                made[size] = [makers[a] for a in dims.atoms(size) if isinstance(a, dims.Symbol) and a in makers]
            for maker in made[size]:
                if maker is not node and maker not in before:
                    raise InternalError(f"{node} uses the size {size} before {maker} makes it known")
