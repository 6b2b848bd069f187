"""Which arguments of a file's functions are variables, and loops and branches that take them.

A handle goes from the node that makes it through calls, loops and branches into functions. Followed from there, each
argument that ever is a handle is known with its variable's dtype. A loop in which variables stand among the carried
values gives them back as they came: they become captured ones, as graphc's own loops have them.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graphc.errors import DataLossError, UnimplementedError
from graphc.serial.attributes import CARRIED
from graphc.serial.graph_pb2 import FunctionDef, GraphDef, NodeDef
from graphc.serial.lowered.parts import CALLS, CASES, source

_LOOPS = ("While", "StatelessWhile")
_BRANCHES = ("If", "StatelessIf")


class VariableArguments:
    """used: the functions that nodes of the graph use, or functions of these. known: of each function, the arguments
    that are variables, with the numbers of their dtypes."""

    def __init__(self, graph_def: GraphDef, variables: Mapping[str, int]) -> None:
        self.functions = {f.signature.name: f for f in graph_def.library.function}
        self.used: set[str] = set()
        self.known: dict[str, dict[str, int]] = {}
        waiting = list(self._passed(graph_def.node, variables))
        while waiting:
            name, found = waiting.pop()
            if name not in self.functions:
                continue
            known = self.known.setdefault(name, {})
            if name in self.used and found.items() <= known.items():
                continue
            if any(known.get(argument, dtype) != dtype for argument, dtype in found.items()):
                raise UnimplementedError(f"function '{name}' is called with variables of several dtypes")
            self.used.add(name)
            known.update(found)
            waiting += self._passed(self.functions[name].node_def, known)

    def _passed(self, nodes: Iterable[NodeDef], variables: Mapping[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
        """Functions that the nodes use, with those of their arguments that are variables."""
        for node in nodes:
            operands = _operands(node)
            for name in (f.name for value in node.attr.values() for f in (value.func, *value.list.func) if f.name):
                arguments = self.functions[name].signature.input_arg if name in self.functions else ()
                yield name, {argument.name: variables[text] for argument, text in zip(arguments, operands, strict=False)
                             if text in variables}

    def rewrite(self, node: NodeDef, variables: Mapping[str, int]) -> None:
        """Says of a loop or branch that it takes variables, not handles. variables: of the graph or function around."""
        places = {i: variables[text] for i, text in enumerate(_operands(node)) if text in variables}
        if not places or node.op not in (*_LOOPS, *_BRANCHES):
            return
        types = node.attr["T" if node.op in _LOOPS else "Tin"].list.type
        body = node.attr["body"].func.name
        if max(places) >= len(types) or (node.op in _LOOPS and body not in self.functions):
            raise DataLossError(f"{node.op} '{node.name}' has {len(types)} types and the body '{body}'; the file is "
                                "damaged")
        for place, dtype in places.items():
            types[place] = dtype  # type: ignore[call-overload]
        if node.op in _LOOPS:
            carried = _carried(self.functions[body])
            if min(places) < carried:
                raise UnimplementedError(f"the loop '{node.name}' changes which variable one of its values is")
            node.attr[CARRIED].i = carried

    def rewrite_signature(self, function: FunctionDef) -> None:
        for argument in function.signature.input_arg:
            if argument.name in self.known[function.signature.name]:
                argument.type = self.known[function.signature.name][argument.name]  # type: ignore[assignment]


def _operands(node: NodeDef) -> list[str]:
    """The nodes or arguments that become arguments of a node's functions."""
    if node.op not in (*CALLS, *CASES, *_LOOPS, *_BRANCHES):
        return []
    names = [source(text) for text in node.input if not text.startswith("^")]
    return names[1:] if node.op in (*CASES, *_BRANCHES) else names


def _carried(body: FunctionDef) -> int:
    """How many results of a loop's body come before those that are its arguments, unchanged."""
    pairs = list(zip(body.signature.output_arg, body.signature.input_arg, strict=False))
    while pairs and body.ret[pairs[-1][0].name] == pairs[-1][1].name:
        pairs.pop()
    return len(pairs)
