"""Builds a graph of an ONNX GraphProto: nodes in order of need, each by its rule or by its function body.

What depends on constants only is built in the model's own graph even where it stands in the body of a loop or branch,
so that its value can be found out. Names are ONNX's with what graphc's names must not hold replaced.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

import graphc as gc
from graphc.errors import DataLossError, InvalidArgumentError, OpError, UnimplementedError
from graphc.onnx.importing.functions import FunctionBodies
from graphc.onnx.importing.order import all_nodes, domain_of, free_names, in_order
from graphc.onnx.importing.rules import Node, rule_for
from graphc.onnx.narrow import FORMATS, PASS_NARROW, TAKE_NARROW, Narrow
from graphc.onnx.reading import TensorReader

Values = dict[str, Any]           # what names stand for: tensors, lists of them (sequences), None (an empty optional)
NESTING_LIMIT = 32
SHAPE_LIMIT = 64                  # elements
_ATTRIBUTES = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings", 9: "tensors",
               10: "graphs", 11: "sparse_tensor", 13: "tp"}       # AttributeProto.AttributeType: its field


def scope_name(name: str) -> str:
    """A name as graphc can have it."""
    made = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name).strip("/") or "node"
    made = re.sub(r"/+", "/", made)
    return made if re.match(r"[A-Za-z0-9.]", made) else f"_{made}"[1:].lstrip("_\\-/") or "node"


class GraphBuilder:
    """Builds in the graph that is the default one."""

    def __init__(self, model: Any, reader: TensorReader) -> None:
        self.model, self.reader = model, reader
        self.root = gc.get_default_graph()
        self.bodies = FunctionBodies(model)
        self.placeholders: dict[Any, str] = {}
        self.narrow: dict[Any, Narrow] = {}           # tensors that hold numbers of 8 bits and fewer (narrow.py)
        self._versions = {domain_of(opset.domain): opset.version for opset in model.opset_import}
        self._constants: set[Any] = set()
        self._found: dict[Any, np.ndarray] = {}
        self._depth = 0

    # What is to be built.

    def check_supported(self) -> None:
        """Raises UnimplementedError that lists all ops that have no rule and no function body, with their counts."""
        missing: Counter[str] = Counter()
        for node in all_nodes(self.model.graph.node):
            self._count_missing(node, missing, set())
        if missing:
            listed = ", ".join(f"{name} ({count})" for name, count in sorted(missing.items()))
            raise UnimplementedError(f"the model uses operators that graphc does not have: {listed}")

    def _count_missing(self, node: Any, missing: Counter[str], open_functions: set[Any]) -> None:
        version = self._version(node)
        function = self.bodies.of_model(node)
        if function is not None:
            key = (node.domain, node.op_type)
            if key in open_functions:
                raise DataLossError(f"the model's function {node.op_type!r} calls itself")
            for inner in all_nodes(function.node):
                self._count_missing(inner, missing, open_functions | {key})
        elif rule_for(domain_of(node.domain), node.op_type, version) is None and not self.bodies.has_one(node, version):
            prefix = f"{node.domain}." if domain_of(node.domain) else ""
            missing[f"{prefix}{node.op_type}"] += 1
        else:
            self.bodies.check(node, version)

    # Building.

    def build_graph(self, graph: Any, outer: Values) -> Values:
        """All nodes of a GraphProto whose inputs stand in `outer`; the values of all its names."""
        values = dict(outer)
        given = {info.name for info in graph.input if info.name in outer}
        for proto in graph.initializer:
            if proto.name not in given:
                values[proto.name] = self.marked(self.constant(self.reader.array(proto), proto.name), proto.data_type)
        for proto in graph.sparse_initializer:
            if proto.values.name not in given:
                values[proto.values.name] = self.constant(self.reader.sparse(proto), proto.values.name)
        self.build_nodes(graph.node, values, f"graph {graph.name!r}")
        return values

    def build_nodes(self, nodes: Sequence[Any], values: Values, where: str) -> None:
        """Adds the outputs of the nodes to `values`."""
        self._depth += 1
        if self._depth > NESTING_LIMIT:
            raise InvalidArgumentError(f"graphs and functions are nested more than {NESTING_LIMIT} deep at {where}")
        for node in in_order(nodes, values, where):
            self._build_node(node, values)
        self._depth -= 1

    def nested(self, graph: Any, inputs: Sequence[Any], outer: Values, in_body: bool = True) -> list[Any]:
        """The outputs of a nested graph for these inputs; in_body: in the body of a loop or branch, which do not pass
        narrow numbers on."""
        if len(graph.input) != len(inputs):
            raise InvalidArgumentError(f"the nested graph {graph.name!r} has {len(graph.input)} inputs, but is given "
                                       f"{len(inputs)}")
        given = {**outer, **{info.name: x for info, x in zip(graph.input, inputs, strict=True)}}
        values = self.build_graph(graph, given)
        made = self.take(values, [info.name for info in graph.output], f"the nested graph {graph.name!r}")
        narrow = [self.narrow[x] for x in made if isinstance(x, gc.Tensor) and x in self.narrow]
        if narrow and in_body:
            raise UnimplementedError(f"the nested graph {graph.name!r} has an output of {narrow[0].name}: dequantize "
                                     "it or cast it inside")
        return made

    def take(self, values: Values, names: Iterable[str], what: str) -> list[Any]:
        """The values of outputs. Raises DataLossError for a name that nothing makes."""
        names = list(names)
        for name in names:
            if name not in values:
                raise DataLossError(f"{what} has the output {name!r}, which no node makes")
        return [values[name] for name in names]

    def constant(self, array: np.ndarray, name: str) -> Any:
        """An array as a tensor of the model's own graph."""
        with self.root.as_default(), self.root.control_dependencies(None):
            made = gc.constant(array, name=scope_name(name))
        self._constants.add(made)
        self._found[made] = array
        return made

    def marked(self, x: Any, number: int) -> Any:
        """x; if it holds narrow numbers, they are remembered."""
        if number in FORMATS:
            self.narrow[x] = FORMATS[number]
        return x

    def _narrow_of(self, node: Node, inputs: list[Any]) -> Any:
        """The format of narrow numbers among the inputs. Raises UnimplementedError if the op would compute with them.
        """
        found = [self.narrow[x] for x in inputs if isinstance(x, gc.Tensor) and x in self.narrow]
        if found and (node.op not in TAKE_NARROW or domain_of(node.domain)):
            raise node.refuse(f"graphc does not compute with {found[0].name}: dequantize it or cast it before")
        return found[0] if found and node.op in PASS_NARROW else None

    def _build_node(self, proto: Any, values: Values) -> None:
        node = Node(proto, self._version(proto), self, self._attributes(proto))
        inputs = [self._settled(values[name]) if name else None for name in proto.input]
        while inputs and inputs[-1] is None:
            inputs.pop()
        self.scope_values = values
        narrow = self._narrow_of(node, inputs)
        constant = all(x is None or self._is_constant(x) for x in inputs) and not free_names(proto) \
            and not proto.op_type.startswith(("Random", "Bernoulli", "Multinomial"))
        with self.root.as_default() if constant else nullcontext():
            with gc.name_scope(scope_name(proto.name or proto.op_type)):
                outputs = self._outputs(node, inputs, values)
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        if len(outputs) < len(proto.output):
            raise node.refuse(f"it has {len(proto.output)} outputs, but graphc makes {len(outputs)} of them")
        for name, output in zip(proto.output, outputs, strict=False):
            if name:
                values[name] = output
            if narrow is not None:
                self.narrow[output] = narrow
            if constant and isinstance(output, gc.Tensor):
                self._constants.add(output)

    def _outputs(self, node: Node, inputs: list[Any], values: Values) -> Any:
        function = self.bodies.of_model(node.proto)
        rule = rule_for(domain_of(node.domain), node.op, node.version) if function is None else None
        try:
            if rule is not None:
                return rule(node, *inputs)
            body = function or self.bodies.of_package(node.proto, node.version, inputs)
            if body is None:
                raise node.refuse("graphc has no such op")
            return self._call(body, node, inputs)
        except OpError:
            raise
        except (ValueError, TypeError) as error:
            if str(node) in str(error):
                raise
            raise type(error)(f"{node}: {error}") from error

    def _call(self, body: Any, node: Node, inputs: list[Any]) -> tuple[Any, ...]:
        """The outputs of a function: its nodes with the call's attributes and inputs."""
        if len(inputs) > len(body.input):
            raise node.invalid(f"{len(inputs)} inputs for a function that has {len(body.input)}")
        given = inputs + [None] * (len(body.input) - len(inputs))
        values = dict(zip(body.input, given, strict=True))
        versions, self._versions = self._versions, {**self._versions,
                                                    **{domain_of(o.domain): o.version for o in body.opset_import}}
        try:
            self.build_nodes(self.bodies.with_attributes(body, node.proto), values, f"function {body.name!r}")
        finally:
            self._versions = versions
        wanted = [name if node.wants(i) else "" for i, name in enumerate(body.output)]
        return tuple(self.take({"": None, **values}, wanted, f"function {body.name!r}"))

    def version_of(self, domain: str) -> int:
        """Of an operator set; of one that the model does not use, the one that its ops here are written for."""
        return self._versions.get(domain, 17)

    def _version(self, proto: Any) -> int:
        domain = domain_of(proto.domain)
        if domain not in self._versions:
            raise DataLossError(f"node {proto.name!r} ({proto.op_type}): the model does not say which version of the "
                                f"domain {domain or 'ai.onnx'!r} it uses")
        return self._versions[domain]

    def _attributes(self, proto: Any) -> dict[str, Any]:
        return {a.name: self._attribute(a, proto) for a in proto.attribute}

    def _attribute(self, attribute: Any, proto: Any) -> Any:
        if attribute.ref_attr_name or attribute.type not in _ATTRIBUTES:
            raise UnimplementedError(f"node {proto.name!r} ({proto.op_type}): attribute {attribute.name!r} has a type "
                                     "that graphc does not read")
        value = getattr(attribute, _ATTRIBUTES[attribute.type])
        if attribute.type == 3:
            return value.decode("utf-8", "replace")
        if attribute.type == 4:
            if value.data_type in FORMATS and proto.op_type != "Constant":
                raise UnimplementedError(f"node {proto.name!r} ({proto.op_type}): an attribute with numbers of "
                                         f"{FORMATS[value.data_type].name}")
            return self.reader.array(value)
        if attribute.type == 11:
            return self.reader.sparse(value)
        if attribute.type == 8:
            return list(value)
        if attribute.type == 9:
            return [self.reader.array(t) for t in value]
        return list(value) if attribute.type in (6, 7, 10) else value

    # What is known of values while the graph is built.

    def _settled(self, x: Any) -> Any:
        """A small tensor of integers that depends on constants or known sizes only as a constant: it may be a shape."""
        if not isinstance(x, gc.Tensor) or x.op.type == "Const" or x.dtype.is_floating:
            return x
        if x not in self._constants and gc.get_static_value(x) is None:
            return x
        count = x.shape.num_elements() if x.shape.ndims is not None else None
        if count is not None and count > SHAPE_LIMIT:
            return x
        value = self.value_of(x)
        if value is None or x.dtype == gc.string:
            return x
        made = self.constant(value, f"{x.op.name}_value")
        if x in self.narrow:
            self.narrow[made] = self.narrow[x]
        return made

    def _is_constant(self, x: Any) -> bool:
        return all(map(self._is_constant, x)) if isinstance(x, list) else x in self._constants

    def value_of(self, x: Any) -> np.ndarray | None:
        """The value of a tensor that depends on constants or known sizes only, else None."""
        if x in self._found:
            return self._found[x]
        value = gc.get_static_value(x)
        if value is None and x in self._constants:
            with gc.Session(graph=self.root) as session:
                value = np.asarray(session.run(x))
        if value is not None:
            self._found[x] = value
        return value

    def inputs_behind(self, x: Any, numbers: bool = False) -> list[str]:
        """The names of the model's inputs of which a tensor is made; numbers: of those of integers only."""
        found, seen, waiting = [], set(), [x]
        while waiting:
            tensor = waiting.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            if tensor in self.placeholders and (not numbers or tensor.dtype.is_integer or tensor.dtype.is_bool):
                found.append(self.placeholders[tensor])
            waiting.extend(tensor.op.inputs)
            waiting.extend(outer for outer, inner in getattr(tensor.graph, "captures", {}).items() if inner is tensor)
        return sorted(found)
