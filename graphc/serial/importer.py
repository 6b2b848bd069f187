"""GraphDef -> Graph: import_graph_def.

 1. Order: nodes come in any order; they are sorted so that inputs come first. A cycle is a loop of TF 1's own kind.
 2. Names: everything goes under one scope, `name` made unique as a whole ("import", then "import_1"); without a scope
    (name=""), each node's name is made unique on its own.
 3. Each node becomes an operation: attributes become fields, missing ones take their defaults, unknown ones are kept.
Nothing is added to the graph if anything is wrong.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.api.public import public
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir import names
from graphc.ir.graph import Graph, Operation, get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.attributes import known_names
from graphc.serial.broadcast_gradients import with_sum_to
from graphc.serial.functions import CALLS, CASES, FunctionReader
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import PRODUCER
from graphc.serial.nodes import KEEP_FUNCTIONAL, LOWERED_LOOP_OPS, make_definition, sorted_nodes
from graphc.serial.side_files import CONSUMER

_SCALAR_MEANS_UNKNOWN = 24      # producers older than this wrote an unknown shape of a Placeholder as a scalar's


@public("import_graph_def", "graph_util.import_graph_def")
def import_graph_def(graph_def: GraphDef, input_map: Mapping[str, Any] | None = None,
                     return_elements: Sequence[str] | None = None, name: str | None = None, op_dict: Any = None,
                     producer_op_list: Any = None) -> list[Any] | None:
    """Adds the nodes of `graph_def` to the default graph under the scope `name` ("import"), as `tf.import_graph_def`.

    input_map: names of its tensors ("x:0", "x") -> tensors to use in their place. return_elements: names of tensors and
    operations to return. op_dict and producer_op_list change nothing: they are deprecated. Raises TypeError if it is no
    GraphDef, ValueError for names that are not in it, UnimplementedError for op types that graphc does not know,
    DataLossError for a damaged or newer one.
    """
    if not isinstance(graph_def, GraphDef):
        raise TypeError(f"graph_def must be a gc.GraphDef, not {type(graph_def).__name__}; read a file with "
                        "gc.GraphDef.FromString(bytes)")
    check_version(graph_def)
    return _Importer(with_sum_to(graph_def), get_default_graph(), dict(input_map or {})).run(name, return_elements)


def check_version(graph_def: GraphDef) -> None:
    """Raises DataLossError if the graph needs a newer reader."""
    needed = graph_def.versions.min_consumer
    if graph_def.HasField("side_file") and needed == CONSUMER:
        return
    if needed > PRODUCER:
        raise DataLossError(
            f"the graph needs a reader of GraphDef version {needed}, but this graphc reads up to {PRODUCER}: it was "
            "made by newer software; update graphc, or save the graph with an older one"
        )


class _Importer:
    def __init__(self, graph_def: GraphDef, graph: Graph, input_map: dict[str, Any]) -> None:
        self.graph_def = graph_def
        self.graph = graph
        self.nodes: dict[str, NodeDef] = {}
        for node in graph_def.node:
            if node.name in self.nodes:
                raise ValueError(f"Node '{node.name}' is not unique in the GraphDef")
            self.nodes[node.name] = node
        self.input_map = {_canonical(key): value for key, value in input_map.items()}
        self.used: set[str] = set()
        self.made: dict[str, Operation] = {}
        self.functions = FunctionReader(graph_def.library)

    def run(self, name: str | None, return_elements: Sequence[str] | None) -> list[Any] | None:
        order = sorted_nodes(self.nodes)
        check_types({node.op for node in order} | self.functions.op_types())
        with self.graph.undone_on_error(), self.graph.as_default(), self.graph.control_dependencies(None):
            return self._add_all(order, name, return_elements)

    def _add_all(self, order: Sequence[NodeDef], name: str | None,
                 return_elements: Sequence[str] | None) -> list[Any] | None:
        if name == "":
            taken = {node.name for node in order}
            for node in order:
                self._add(node, self._free_name(node.name, taken))
        else:
            with self.graph.name_scope(name or "import") as scope:
                for node in order:
                    self._add(node, f"{scope}{node.name}")
        unused = [key for key in self.input_map if key not in self.used and key.removeprefix("^").partition(":")[0]
                  not in self.nodes]
        if unused:
            raise ValueError(f"Attempted to map inputs that were not found in graph_def: {unused}")
        return None if return_elements is None else [self._element(e) for e in return_elements]

    def _free_name(self, name: str, taken: set[str]) -> str:
        """`name`, or `name_1`, `name_2`, ...: the first that is neither in the graph nor another node's."""
        free, count = name, 0
        while not self.graph.is_free(free) or (count and free in taken):
            count += 1
            free = f"{name}_{count}"
        return free

    def _add(self, node: NodeDef, full: str) -> None:
        try:
            operation = self._create(node, full)
        except (DataLossError, UnimplementedError) as error:
            raise type(error)(f"{node.op} '{node.name}' of the GraphDef: {error}") from error
        self.made[node.name] = operation

    def _create(self, node: NodeDef, full: str) -> Operation:
        inputs = [self._tensor(text, node) for text in node.input if not text.startswith("^")]
        controls = [self._operation(text[1:], node) for text in node.input if text.startswith("^")]
        if node.op in (*CALLS, *CASES):
            return self.functions.called(node, inputs, f"{full}/", controls)
        op = OPS[node.op]
        fields = self.functions.fields(op, node)
        if (
            node.op == "Placeholder"
            and fields.get("shape") == ()
            and 0 < self.graph_def.versions.producer < _SCALAR_MEANS_UNKNOWN
        ):
            fields["shape"] = None
        definition = make_definition(op, fields, inputs)
        self.graph.mark_name(full)
        operation = self.graph.create(definition, inputs, name=f"{full}/", control_inputs=controls, device=node.device)
        operation.extra_attributes.update((k, v) for k, v in node.attr.items() if k not in known_names(op))
        return operation

    def _tensor(self, text: str, node: NodeDef) -> Tensor:
        key = _canonical(text)
        if key in self.input_map:
            self.used.add(key)
            value = self.input_map[key]
            found = self.graph.as_graph_element(value, allow_operation=False)
            assert isinstance(found, Tensor)
            return found
        source, _, index = key.partition(":")
        outputs = self.functions.outputs_of(self._operation(source, node))
        if int(index) >= len(outputs):
            raise ValueError(
                f"Node '{node.name}': input '{text}' does not exist, as '{source}' has {len(outputs)} outputs"
            )
        return outputs[int(index)]

    def _operation(self, name: str, node: NodeDef) -> Operation:
        if name not in self.made:
            raise ValueError(f"Node '{node.name}': Unknown input node '{name}'; the file is incomplete or damaged")
        return self.made[name]

    def _element(self, text: str) -> Any:
        source, colon, index = str(text).partition(":")
        outputs = self.functions.outputs_of(self.made[source]) if source in self.made else []
        if source not in self.made or (colon and (not index.isdigit() or int(index) >= len(outputs))):
            near = names.suggestion(source, self.made)
            raise ValueError(f"Requested return_element {text!r} not found in graph_def{near}")
        return outputs[int(index)] if colon else self.made[source]








def check_types(types: set[str]) -> None:
    """Raises UnimplementedError that names every op type that graphc does not know."""
    unknown = sorted(t for t in types if t not in OPS and t not in (*CALLS, *CASES))
    if not unknown:
        return
    loops = [t for t in unknown if t in LOWERED_LOOP_OPS]
    hint = f"; loops and branches are imported in functional form only: {KEEP_FUNCTIONAL}" if loops else ""
    raise UnimplementedError("the graph uses op types that graphc does not know: "
                             f"{', '.join(t + names.suggestion(t, OPS) for t in unknown)}{hint}")


def _canonical(text: str) -> str:
    """"x" means "x:0"; control inputs stay."""
    return text if text.startswith("^") or ":" in text else f"{text}:0"
