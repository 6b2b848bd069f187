"""Reads of variables that come before their updates, said by control edges, for TensorFlow.

In graphc a read that nothing orders after a write sees the value at the start of the run. TensorFlow's plain variables
are read where they lie: a product of a weight and a gradient may see the weight that the same step has just updated.
TensorFlow's gradients wait for each other to prevent that. Here each update waits for the reads that run with it:

 1. Updates are found: ops that change a variable in place. Each is a bit.
 2. For each node, in order: which updates come before it. For each node, in reverse: which updates, and which ends of
    the graph (nodes that nothing uses), come after it.
 3. A node that reads the variable, with no update before it, and with an end that the update has, too, so that some run
    has both, becomes a control input of the update, unless there is a path already. No cycle arises, as what is waited
    for comes after no update.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

from graphc.serial.graph_pb2 import GraphDef, NodeDef

_VARIABLES = ("VariableV2", "Variable")
_UPDATES = ("Apply", "SparseApply", "AssignAdd", "AssignSub", "Scatter")        # how their names begin
# Ops whose results may lie where their first input does.
_SAME_MEMORY = ("Identity", "StopGradient", "PreventGradient", "Reshape", "Squeeze", "ExpandDims")


def with_reads_before_writes(graph_def: GraphDef) -> None:
    """Adds control inputs to updates of variables, where they are missing. The graph has no cycles."""
    nodes = {node.name: node for node in graph_def.node}
    updated = {name: node.input[0] for name, node in nodes.items() if node.op.startswith(_UPDATES) and node.input
               and node.input[0] in nodes and nodes[node.input[0]].op in _VARIABLES}
    if not updated:
        return
    sources = {name: [s for s in map(_source, node.input) if s in nodes] for name, node in nodes.items()}
    order = list(TopologicalSorter(sources).static_order())
    users: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for source in sources[name]:
            users[source].append(name)
    bits = {name: 1 << i for i, name in enumerate(updated)}
    ends = {name: 1 << i for i, name in enumerate(name for name in order if not users[name])}
    before = _gathered(order, sources, bits)
    behind = _gathered(order[::-1], users, bits)
    ends = _gathered(order[::-1], users, ends)
    readers = _readers(order, nodes, set(updated.values()))
    for update, variable in updated.items():
        for reader in readers[variable]:
            if not before[reader] and not behind[reader] & bits[update] and ends[reader] & ends[update]:
                nodes[update].input.append(f"^{reader}")


def _gathered(order: Sequence[str], neighbours: Mapping[str, Sequence[str]], bits: Mapping[str, int]) -> dict[str, int]:
    """For each node its bit and those of all that come before it in this order."""
    found: dict[str, int] = {}
    for name in order:
        mask = bits.get(name, 0)
        for other in neighbours[name]:
            mask |= found[other]
        found[name] = mask
    return found


def _readers(order: Sequence[str], nodes: Mapping[str, NodeDef], variables: set[str]) -> dict[str, list[str]]:
    """For each variable the nodes that read its memory; what only passes it on does not."""
    readers: dict[str, list[str]] = {name: [] for name in variables}
    for name in order:
        node = nodes[name]
        if node.op in _SAME_MEMORY or node.op in ("Assign", "SaveV2", "IsVariableInitialized"):
            continue
        for variable in dict.fromkeys(_read_by(node, nodes)):
            if variable in readers:
                readers[variable].append(name)
    return readers


def _read_by(node: NodeDef, nodes: Mapping[str, NodeDef]) -> Iterator[str]:
    for text in node.input:
        source = _source(text)
        if text.startswith("^") or source not in nodes or nodes[source].op in _VARIABLES:
            continue                                          # a variable itself is to be changed
        while nodes[source].op in _SAME_MEMORY and nodes[source].input and _source(nodes[source].input[0]) in nodes:
            source = _source(nodes[source].input[0])
        if nodes[source].op in _VARIABLES:
            yield source


def _source(text: str) -> str:
    return text.removeprefix("^").partition(":")[0]
