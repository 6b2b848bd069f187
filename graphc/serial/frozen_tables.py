"""Lookup tables of frozen graphs: what has been filled once becomes constants, as variables do.

A look at a table becomes a binary search and a comparison: numbers are searched for among the keys in ascending order,
strings by their hashes. So a frozen graph needs no initialiser, and the C++ library runs it.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.source import constant, placeholder
from graphc.api.gradients.builder import Builder
from graphc.errors import FailedPreconditionError
from graphc.exec.strings.table import TABLE, Held, address_of
from graphc.ir.dtypes import as_dtype, int64, string
from graphc.ir.graph import Graph
from graphc.ir.tensor import Tensor
from graphc.kernels.strings import tables as t
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import as_graph_def, note_constants_aside

BUCKETS = 2**63 - 1
_TABLES, _FIND, _SIZE = ("HashTableV2", "HashTable"), "LookupTableFind", "LookupTableSize"


def with_constant_tables(session: Any, graph_def: GraphDef) -> GraphDef:
    """The graph with what the session's tables of kind HashTable hold in place of them. Raises FailedPreconditionError
    for one that has not been filled."""
    tables = {n.name: n for n in graph_def.node if n.op in _TABLES}
    if not tables:
        return graph_def
    made = GraphDef(versions=graph_def.versions, library=graph_def.library)
    for node in graph_def.node:
        kind = node.op.removesuffix("V2")
        table = tables.get(node.input[0].partition(":")[0]) if kind in (_FIND, _SIZE) else None
        if table is None:
            made.node.add().CopyFrom(node)
        else:
            made.node.extend(_replaced(node, *_rows(session, table)))
    used = {i.removeprefix("^").partition(":")[0] for n in made.node for i in n.input}
    for name in set(tables) - used:
        made.node.remove(next(n for n in made.node if n.name == name))
    note_constants_aside(made)
    return made


def _rows(session: Any, node: NodeDef) -> tuple[np.ndarray, np.ndarray]:
    """The keys and values of a table."""
    owner = node.attr["shared_name"].s.decode() or node.name
    table = None if session._objects is None else session._objects.named(owner)
    if table is None or not table.initialized:
        raise FailedPreconditionError(f"freeze: the table '{node.name}' is not initialized, and what it holds is "
                                      "to become constants; run gc.tables_initializer() first")
    keys, values = table.export()
    return keys, values


def _replaced(node: NodeDef, keys: np.ndarray, values: np.ndarray) -> list[NodeDef]:
    """Nodes that give what a look at the table, or its size, does, the last one under that node's name."""
    inside, last = f"{node.name}/constant_table/", f"{node.name}/"
    given: dict[str, str] = {}
    with Graph().as_default() as graph, graph.name_scope(inside):
        if node.op.startswith(_SIZE):
            constant(len(keys), int64, name=last)
        else:
            wanted = placeholder(string if keys.dtype == object else as_dtype(keys.dtype))
            default = placeholder(as_dtype(values.dtype), [])
            given = dict(zip((wanted.op.name, default.op.name), node.input[1:3], strict=True))
            _search(wanted, default, keys, values, last)
        nodes = [n for n in as_graph_def(graph).node if n.name not in given]
    for made in nodes:
        made.device = node.device
        made.input[:] = [given.get(name, name) for name in made.input]
    nodes[-1].input.extend(name for name in node.input if name.startswith("^"))
    return nodes


def _search(wanted: Tensor, default: Tensor, keys: np.ndarray, values: np.ndarray, name: str) -> None:
    g = Builder()
    if not len(keys):
        g.broadcast_to(default, g.shape(wanted), name=name)
        return
    flat = g.reshape(wanted, [1, -1])
    key, codes = _codes(keys)
    looked_up = flat if key is None else g.string_to_hash_bucket_strong(flat, num_buckets=BUCKETS, key=key)
    order = np.argsort(codes, kind="stable")
    place = g.lower_bound(codes[order][None], looked_up)
    order = np.append(order, order[-1])            # behind all codes is a place, too, where another key stands
    is_there = g.equal(g.gather_v2(keys[order], place, 0), flat)
    found = g.select_v2(is_there, g.gather_v2(values[order], place, 0), default)
    g.reshape(found, g.shape(wanted), name=name)


def _codes(keys: np.ndarray) -> tuple[tuple[int, int] | None, np.ndarray]:
    """Numbers, all different, that keys are looked up by; of strings hashes, and the hash function's key."""
    if keys.dtype != object:
        return None, keys
    held = Held(TABLE)
    numbers, codes = TABLE.numbers(keys, held), np.empty(len(keys), np.int64)
    for number in range(len(keys) + 1):            # equal hashes are as good as impossible; another key has others
        with TABLE.lock:
            TABLE.native["buckets"](TABLE.address, address_of(numbers), len(keys), t.SIP, number, 0, BUCKETS,
                                    address_of(codes))
        if len(np.unique(codes)) == len(codes):
            return (number, 0), codes
    raise FailedPreconditionError("freeze: a table's keys have equal hashes whatever the hash function's key")
