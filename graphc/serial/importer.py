"""GraphDef -> Graph: import_graph_def.

 1. Order: nodes come in any order; they are sorted so that inputs come first. A cycle is a loop of TF 1's own kind.
 2. Names: everything goes under one scope, `name` made unique as a whole ("import", then "import_1"); without a scope
    (name=""), each node's name is made unique on its own.
 3. Each node becomes an operation: attributes become fields, missing ones take their defaults, unknown ones are kept.
Nothing is added to the graph if anything is wrong.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from graphc.api.public import public
from graphc.errors import DataLossError, ResourceExhaustedError, UnimplementedError
from graphc.ir import names
from graphc.ir.graph import Graph, Operation, get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.broadcast_gradients import with_sum_to
from graphc.serial.composed.renamed import RENAMED, with_known_names
from graphc.serial.composed.table import COMPOSED
from graphc.serial.default_attributes import without_new_defaults
from graphc.serial.functions import FunctionReader, numbered_merges
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.graphdef import PRODUCER
from graphc.serial.lowered.branches import ordered
from graphc.serial.lowered.building import Builder
from graphc.serial.lowered.datasets import ITERATORS, is_dataset
from graphc.serial.lowered.frames import region_of
from graphc.serial.lowered.handles import HANDLE_OPS
from graphc.serial.lowered.parts import CALLS, CASES, CONTROL_FLOW, Step, port, source
from graphc.serial.lowered.values import NO_TENSORS, Values
from graphc.serial.resource_variables import with_plain_variables
from graphc.serial.side_files import CONSUMER

# Not one operation each, but known.
_TURNED = {*CALLS, *CASES, *COMPOSED, *RENAMED, *CONTROL_FLOW, *HANDLE_OPS, *ITERATORS}


@public("import_graph_def", "graph_util.import_graph_def")
def import_graph_def(graph_def: GraphDef, input_map: Mapping[str, Any] | None = None,
                     return_elements: Sequence[str] | None = None, name: str | None = None, op_dict: Any = None,
                     producer_op_list: Any = None) -> list[Any] | None:
    """Adds the nodes of `graph_def` to the default graph under the scope `name` ("import" by default; "": none).

    input_map: names of its tensors ("x:0", "x") -> tensors to use in their place. return_elements: names of tensors and
    operations to return, a list; None without. producer_op_list: the ops of the program that made the graph, an OpList;
    attributes that graphc does not know are then dropped where they have the defaults there. op_dict changes nothing:
    it is deprecated. As `tf.import_graph_def`. Raises TypeError if it is no GraphDef, ValueError for names that are not
    in it, UnimplementedError for op types that graphc does not know, DataLossError for a damaged or newer one.

    >>> graph = gc.Graph()
    >>> with graph.as_default():
    ...     y = gc.multiply(gc.placeholder(gc.float32, [], name="x"), 2., name="y")
    >>> [y] = gc.import_graph_def(graph.as_graph_def(), input_map={"x": gc.constant(5.)}, return_elements=["y:0"])
    >>> y.name, y.eval()
    ('import/y:0', np.float32(10.0))
    """
    if not isinstance(graph_def, GraphDef):
        raise TypeError(f"graph_def must be a gc.GraphDef, not {type(graph_def).__name__}; read a file with "
                        "gc.GraphDef.FromString(bytes)")
    check_version(graph_def)
    if producer_op_list is not None:
        graph_def = without_new_defaults(graph_def, producer_op_list)
    known = with_sum_to(with_plain_variables(with_known_names(graph_def)))
    try:
        return _Importer(known, get_default_graph(), dict(input_map or {})).run(name, return_elements)
    except RecursionError:
        raise DataLossError("the graph's loops, branches and functions nest deeper than any program's; the file is "
                            "damaged") from None
    except MemoryError:
        raise ResourceExhaustedError("the graph needs more memory than there is; the file may be damaged") from None


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
        self.values = Values()
        self.full_names: dict[str, str] = {}        # of operations of branches
        self.nodes: dict[str, NodeDef] = {}
        for node in graph_def.node:
            if node.name in self.nodes:
                raise ValueError(f"Node '{node.name}' is not unique in the GraphDef")
            self.nodes[node.name] = node
        self._map(input_map)
        for node in self.nodes.values():
            for name in map(source, node.input):
                if name not in self.nodes and not name.startswith("\0"):
                    raise ValueError(f"Node '{node.name}': Unknown input node '{name}'; the file is incomplete or "
                                     "damaged")
        self.functions = FunctionReader(graph_def.library, graph_def.versions.producer)

    def _map(self, input_map: Mapping[str, Any]) -> None:
        """Makes nodes name what input_map has in place of their inputs."""
        given = {_canonical(key): f"\0given_{i}" for i, key in enumerate(input_map)}
        used: set[str] = set()
        for name, node in self.nodes.items():
            keys = [_canonical(text) for text in node.input]
            if not given.keys().isdisjoint(keys):
                used |= given.keys() & set(keys)
                self.nodes[name] = changed = NodeDef()
                changed.CopyFrom(node)
                changed.input[:] = [("^" if k[0] == "^" else "") + given[k] if k in given else text
                                    for k, text in zip(keys, node.input, strict=True)]
        for (key, value), name in zip(input_map.items(), given.values(), strict=True):
            if key.startswith("^"):
                self.values.operations[name] = _operation(self.graph.as_graph_element(value))
            else:
                self.values.tensors[f"{name}:0"] = self.graph.as_graph_element(value, allow_operation=False)
        unused = [k for k in given if k not in used and source(k) not in self.nodes]
        if unused:
            raise ValueError(f"Attempted to map inputs that were not found in graph_def: {unused}")

    def run(self, name: str | None, return_elements: Sequence[str] | None) -> list[Any] | None:
        check_types(self.graph_def)
        numbered = numbered_merges(self.nodes.values()) | {source(e) for e in return_elements or () if port(e) == 1}
        steps = ordered(region_of(self.nodes))
        with self.graph.undone_on_error(), self.graph.as_default(), self.graph.control_dependencies(None):
            if name == "":
                self._build(steps, set(self.nodes), numbered, self._free_name)
            else:
                with self.graph.name_scope(name or "import") as scope:
                    self._build(steps, {f"{scope}{n}" for n in self.nodes}, numbered, lambda n: f"{scope}{n}")
            return None if return_elements is None else [self._element(e) for e in return_elements]

    def _build(self, steps: Sequence[Step], taken: set[str], numbered: set[str],
               full_name: Callable[[str], str]) -> None:
        self.builder = Builder(self.functions.make, self.functions.inlined, taken, numbered)
        self.builder.build(steps, self.values, full_name)
        for name, operation in self.values.operations.items():
            if operation.graph is not self.graph and not name.startswith("\0"):
                full = self.full_names[name] = full_name(name)
                self.graph.brought_out[full] = partial(self._bring_out, operation, full)

    def _bring_out(self, operation: Operation, full_name: str) -> None:
        graph = self.graph
        with graph.as_default(), graph.control_dependencies(None), graph.name_scope(None):
            self.builder.bring_out(operation, full_name)

    def _free_name(self, name: str) -> str:
        """`name`, or `name_1`, `name_2`, ...: the first that is neither in the graph nor another node's."""
        free, count = name, 0
        while not self.graph.is_free(free) or (count and free in self.nodes):
            count += 1
            free = f"{name}_{count}"
        return free

    def _element(self, text: str) -> Any:
        name, colon, index = str(text).partition(":")
        found = self.values.find(str(text)) if colon and index.isdigit() else self.values.operations.get(name)
        if found is None or isinstance(found, NO_TENSORS):
            near = names.suggestion(name, self.values.operations)
            raise ValueError(f"Requested return_element {text!r} not found in graph_def{near}")
        if name in self.full_names:
            full = self.full_names[name]
            return self.graph.as_graph_element(f"{full}:{index}" if colon else full)
        if isinstance(found, Tensor):                       # what a Switch passes on
            return found if found.graph is self.graph else self.builder.handed_over(found)
        return found


def check_types(graph_def: GraphDef) -> None:
    """Raises UnimplementedError that names every op type that graphc does not know, with how often it is there and the
    node that comes first."""
    unknown = unknown_types(graph_def)
    if unknown:
        raise UnimplementedError("the graph uses op types that graphc does not know: " + ", ".join(
            f"{kind} ({len(nodes)}: '{nodes[0]}'{', ...' if len(nodes) > 1 else ''}){names.suggestion(kind, OPS)}"
            for kind, nodes in sorted(unknown.items())))


def unknown_types(graph_def: GraphDef) -> dict[str, list[str]]:
    """The op types of a graph and its functions that graphc does not know: the names of their nodes. What only data
    sets use is left out: it may be cut off."""
    found: dict[str, list[str]] = {}
    of_data = _only_of_data(graph_def)
    functions = ((f"{f.signature.name}/", f.node_def) for f in graph_def.library.function
                 if f.signature.name not in of_data)
    for scope, nodes in (("", graph_def.node), *functions):
        for node in nodes:
            if node.op not in OPS and node.op not in _TURNED and not is_dataset(node.op):
                found.setdefault(node.op, []).append(f"{scope}{node.name}")
    return found


def _only_of_data(graph_def: GraphDef) -> set[str]:
    """The functions that data sets use, and nothing else."""
    bodies = {f.signature.name: f.node_def for f in graph_def.library.function}
    named = {True: _functions_of(n for n in graph_def.node if _is_of_data(n)),
             False: _functions_of(n for n in graph_def.node if not _is_of_data(n))}
    for of_data, found in named.items():
        waiting = list(found)
        while waiting:
            nodes = bodies.get(waiting.pop(), ())
            new = _functions_of(n for n in nodes if of_data or not _is_of_data(n)) - found
            found |= new
            waiting += new
            if not of_data:
                named[True] |= _functions_of(n for n in nodes if _is_of_data(n))
    return named[True] - named[False]


def _is_of_data(node: NodeDef) -> bool:
    return is_dataset(node.op) or node.op == "OneShotIterator"


def _functions_of(nodes: Iterable[NodeDef]) -> set[str]:
    values = [value for node in nodes for value in node.attr.values()]
    return {f.name for value in values for f in ([value.func] if value.HasField("func") else value.list.func)}


def _operation(element: Any) -> Operation:
    return element.op if isinstance(element, Tensor) else element


def _canonical(text: str) -> str:
    """"x" means "x:0"; control inputs stay."""
    return text if text.startswith("^") or ":" in text else f"{text}:0"
