"""Frozen graphs: variables become constants, and only what the outputs need is kept.

convert_variables_to_constants makes what TensorFlow makes; `freeze` adds the compiled Plans, so that the runner can
run it.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.errors import InvalidArgumentError
from graphc.ir import names
from graphc.ir.graph import Graph, Operation
from graphc.ir.tensor import Tensor
from graphc.serial.frozen_tables import with_constant_tables
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.graphdef import as_graph_def, note_constants_aside
from graphc.serial.importer import import_graph_def
from graphc.serial.saved_plans import add_compiled, fill_constant
from graphc.serial.signatures import Signature, check_native, compile_signature, listed

_VARIABLES = ("VariableV2", "Variable")


@public("graph_util.convert_variables_to_constants")
def convert_variables_to_constants(sess: Any, input_graph_def: GraphDef, output_node_names: Sequence[str],
                                   variable_names_whitelist: Collection[str] | None = None,
                                   variable_names_blacklist: Collection[str] | None = None) -> GraphDef:
    """The part of the graph that the outputs need, a GraphDef, its variables replaced by their values in `sess`.

    variable_names_whitelist: only these variables; variable_names_blacklist: all but these. As
    `tf.graph_util.convert_variables_to_constants`. Raises InvalidArgumentError for an unknown name,
    FailedPreconditionError for a variable that was never initialised.

    >>> w = gc.Variable([1., 2.], name="w")
    >>> y = gc.identity(3. * w, name="y")
    >>> session = gc.get_default_session()
    >>> session.run(w.initializer)
    >>> graph_def = gc.graph_util.convert_variables_to_constants(session, session.graph_def, ["y"])
    >>> [(node.name, node.op) for node in graph_def.node]
    [('w', 'Const'), ('w/read', 'Identity'), ('mul/x', 'Const'), ('mul', 'Mul'), ('y', 'Identity')]
    """
    kept = extract_sub_graph(input_graph_def, output_node_names)
    chosen = [n.name for n in kept.node if n.op in _VARIABLES
              and (variable_names_whitelist is None or n.name in variable_names_whitelist)
              and (variable_names_blacklist is None or n.name not in variable_names_blacklist)]
    values = dict(zip(chosen, sess.run([f"{name}:0" for name in chosen]) if chosen else [], strict=True))
    made = GraphDef(versions=kept.versions, library=kept.library)
    for node in kept.node:
        target = made.node.add()
        if node.name in values:
            fill_constant(target, node.name, np.asarray(values[node.name]))
        else:
            target.CopyFrom(node)
    note_constants_aside(made)
    return made


@public("graph_util.extract_sub_graph")
def extract_sub_graph(graph_def: GraphDef, dest_nodes: Iterable[str]) -> GraphDef:
    """The nodes of a GraphDef that dest_nodes, names, need, in their order. As `tf.graph_util.extract_sub_graph`.

    Raises InvalidArgumentError for a name that is not in it, TypeError if dest_nodes is a string.

    >>> y, z = gc.identity(gc.constant(1., name="x"), name="y"), gc.constant(2., name="z")
    >>> part = gc.graph_util.extract_sub_graph(gc.get_default_graph().as_graph_def(), ["y"])
    >>> [node.name for node in part.node]
    ['x', 'y']
    """
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list of names, not a string")
    nodes = {n.name: n for n in graph_def.node}
    needed: set[str] = set()
    waiting = [_node_name(d) for d in dest_nodes]
    for name in waiting:
        if name not in nodes:
            raise InvalidArgumentError(f"{name} is not in graph{names.suggestion(name, nodes)}")
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in needed:
            needed.add(name)
            waiting += [_node_name(i) for i in nodes[name].input]
    made = GraphDef(versions=graph_def.versions, library=graph_def.library)
    made.node.extend(n for n in graph_def.node if n.name in needed)
    note_constants_aside(made)
    return made


def _node_name(text: str) -> str:
    return text.removeprefix("^").partition(":")[0]


@public("freeze")
def freeze(session: Any, outputs: Any, inputs: Any = None, signature: str = "serving_default") -> GraphDef:
    """A GraphDef that computes `outputs` without variables, with its compiled Plan inside: what `graphc-run` runs.

    Lookup tables that are filled once (`HashTable`) become constants, too.

    outputs, inputs: tensors, operations or names, one or a list. inputs: what the caller will feed; by default the
    placeholders that the outputs need, in the order in which they were made (those with a default keep it). What stands
    in a list twice is kept once. (graphc's own) Raises FailedPreconditionError for an uninitialised variable or table,
    InvalidArgumentError for a needed placeholder not in inputs.

    >>> x = gc.placeholder(gc.float32, [None, 2], name="x")
    >>> w = gc.Variable([[1.], [2.]], name="w")
    >>> y = gc.matmul(x, w, name="y")
    >>> session = gc.get_default_session()
    >>> session.run(w.initializer)
    >>> frozen = gc.freeze(session, y)
    >>> path = gc.train.write_graph(frozen, ".", "model.pb", as_text=False)
    >>> with gc.Graph().as_default(), gc.Session() as other:
    ...     [again] = gc.import_graph_def(gc.load_graph_def(path), return_elements=["y:0"])
    ...     other.run(again, {"import/x:0": [[10., 100.]]})
    array([[210.]], dtype=float32)
    """
    graph: Graph = session.graph
    fetches = list(dict.fromkeys(_tensor(graph, o) for o in listed(outputs)))
    given = None if inputs is None else list(dict.fromkeys(_tensor(graph, i) for i in listed(inputs)))
    frozen = convert_variables_to_constants(session, as_graph_def(graph), [t.op.name for t in fetches])
    frozen = with_constant_tables(session, frozen)
    add_plan(frozen, [t.name for t in fetches], None if given is None else [t.name for t in given], signature)
    return frozen


def add_plan(graph_def: GraphDef, outputs: Sequence[str], inputs: Sequence[str] | None = None,
             signature: str = "serving_default") -> None:
    """Compiles the graph for these feeds and fetches and puts the Plan into graph_def, in place of one of the same
    signature."""
    add_signatures(graph_def, {signature: Signature(list(outputs), None if inputs is None else list(inputs))})


def add_signatures(graph_def: GraphDef, signatures: Mapping[str, Signature], native: bool = False) -> None:
    """The same for signatures that name what is in graph_def. native: refuses what only Python can run."""
    graph = Graph()
    with graph.as_default():
        import_graph_def(graph_def, name="")
    compiled = {name: compile_signature(graph, signature) for name, signature in signatures.items()}
    if native:
        check_native(compiled, functions_are_set=False)
    add_compiled(graph_def, compiled)


def _tensor(graph: Graph, value: Any) -> Tensor:
    element = graph.as_graph_element(value)
    if isinstance(element, Operation):
        if not element.outputs:
            raise InvalidArgumentError(
                f"'{element.name}' ({element.type}) has no value that could be an output", element
            )
        return element.outputs[0]
    assert isinstance(element, Tensor)
    return element
