"""export_model: a graph with its variables and several signatures as one GraphDef, which the C++ library runs and
trains.

Each signature is compiled into a Plan; all of them share the variables, whose values go into the file, together with
the number of runs of the session: the library goes on with exactly the numbers that the session would have computed.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.errors import DataLossError, FailedPreconditionError, InvalidArgumentError, UnimplementedError
from graphc.ir.dtypes import string
from graphc.ir.graph import Graph
from graphc.ir.tensor import Tensor
from graphc.serial.broadcast_gradients import with_broadcast_gradient_args
from graphc.serial.freeze import extract_sub_graph
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import as_graph_def
from graphc.serial.saved_plans import VariableValue, add_compiled
from graphc.serial.signatures import Signature, check_native, compile_signature, named_elements
from graphc.serial.tensors import read_array
from graphc.train.saving.saveables import VariableSaveable, all_saveable_objects, saveables_of


@public("export_model")
def export_model(session: Any, signatures: Mapping[str, Signature], var_list: Any = None) -> GraphDef:
    """The graph with its variables as they are now, compiled for these signatures: what graphc-run and graphc.h run and
    train. (graphc's own)

        gc.export_model(session, {"train": gc.Signature([loss, train_op], [x, labels]), "predict": gc.Signature(y, x)})

    var_list: the variables of checkpoints, as gc.train.Saver has it; by default all global ones. A variable that has no
    value yet has none in the file: a signature may initialise it. Counts as a run of the session. Raises
    UnimplementedError that lists what the C++ library cannot run, InvalidArgumentError for a placeholder that is needed
    but no input, ValueError for a tensor of another graph, NotFoundError for a name that is not in it, TypeError if
    signatures is no dictionary.

    >>> x = gc.placeholder(gc.float32, [None, 2], "x")
    >>> w = gc.Variable([[1.], [2.]], name="w")
    >>> y = gc.matmul(x, w, name="y")
    >>> gc.global_variables_initializer().run()
    >>> model = gc.export_model(gc.get_default_session(), {"predict": gc.Signature(y, x)})
    >>> gc.io.write_graph(model, ".", "model.pb", as_text=False)
    './model.pb'
    """
    if not isinstance(signatures, Mapping) or not signatures:
        raise TypeError("export_model: argument 'signatures' must be a dictionary {name: gc.Signature(...)}")
    graph: Graph = session.graph
    with graph.as_default():
        compiled = {name: compile_signature(graph, one, session._exact_random) for name, one in signatures.items()}
        check_native(compiled, functions_are_set=True)
        keys = _keys(var_list)
    states = {s.name: (s.dtype, s.shape) for one in compiled.values() for s in one.plan.states}
    for name in keys:
        ref = graph.get_tensor_by_name(f"{name}:0")
        states.setdefault(name, (ref.dtype.base_dtype.unquantized.short, tuple(ref.shape.as_list())))
    variables = [VariableValue(name, dtype, shape, _value(session, name), *keys.get(name, ("", "")))
                 for name, (dtype, shape) in sorted(states.items())]
    needed = [e.name for one in signatures.values() for _, e in named_elements(graph, one.fetches)]
    made = extract_sub_graph(as_graph_def(graph), [*needed, *states])
    with_broadcast_gradient_args(made)
    add_compiled(made, compiled, variables, next(session._runs) + 1)
    return made


def _keys(var_list: Any) -> dict[str, tuple[str, str]]:
    """By names of variables: their names in checkpoints, and their parts of partitioned tensors."""
    found = {}
    for one in saveables_of(all_saveable_objects() if var_list is None else var_list):
        if not isinstance(one, VariableSaveable):
            raise UnimplementedError(f"export_model: '{one.name}' is in checkpoints, but is no variable, and the C++ "
                                     "library saves variables only; give the variables as var_list")
        for spec in one.specs:
            if spec.tensor.dtype.base_dtype == string:
                raise UnimplementedError(f"export_model: variable '{spec.tensor.op.name}' holds strings, which the C++ "
                                         "library does not have; give the other variables as var_list")
            found[spec.tensor.op.name] = (spec.name, spec.slice_spec)
    return found


def _value(session: Any, name: str) -> np.ndarray[Any, Any] | None:
    states = session._states
    return states.read(name) if states.initialised(name) else None


@public("load_state")
def load_state(session: Any, graph_def: GraphDef) -> None:
    """Gives the session's variables the values that a file of export_model has for them; the graph must have been
    imported under the same names. (graphc's own)

    Raises FailedPreconditionError if the file lists no variables, InvalidArgumentError for one that the graph does not
    have, DataLossError for a value that is not there or does not fit.

    >>> w = gc.Variable([1., 2.], name="w")
    >>> total, session = gc.reduce_sum(w), gc.get_default_session()
    >>> gc.global_variables_initializer().run()
    >>> model = gc.export_model(session, {"total": gc.Signature(total, [])})
    >>> w.assign([0., 0.]).eval()
    array([0., 0.], dtype=float32)
    >>> gc.load_state(session, model)
    >>> w.eval()
    array([1., 2.], dtype=float32)
    """
    if not graph_def.state.variables:
        raise FailedPreconditionError("load_state: the graph lists no variables; save it with gc.export_model")
    nodes = {node.name: node for node in graph_def.node if node.op == "Const"}
    known = {op.name: op.outputs[0] for op in session.graph.get_operations() if op.type in ("VariableV2", "Variable")}
    values = {}
    for variable in graph_def.state.variables:
        if variable.name not in known:
            raise InvalidArgumentError(f"load_state: the session's graph has no variable '{variable.name}'; import the "
                                       "graph with name=''")
        if variable.value:
            values[variable.name] = _fitting(known[variable.name], nodes.get(variable.value))
    for name, value in values.items():
        session._states.assign(name, value)


def _fitting(variable: Tensor, node: NodeDef | None) -> np.ndarray[Any, Any]:
    value = None if node is None else read_array(node.attr["value"].tensor)
    wanted = variable.dtype.base_dtype
    if value is None or value.dtype != wanted.as_numpy_dtype or not variable.shape.is_compatible_with(value.shape):
        raise DataLossError(f"the file has no value of dtype {wanted.name} and shape {variable.shape} for variable "
                            f"'{variable.op.name}': it is damaged; export it again")
    return value
