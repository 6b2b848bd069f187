"""Which signatures a converted file gets: the user's, as text, the file's own, or one of all that nothing takes.

    NAME                      one of the file's
    NAME=INPUTS:OUTPUTS       tensors by their names, separated by commas: "predict=x,keep_prob:logits,scores:1"

A name without a number is the op's first output; of an op without outputs it is the op, which is run. "^train" runs an
op that has outputs. Inputs may be left out ("init=:init"): then nothing is fed but placeholders that the outputs need.
"""
from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphc.convert.formats import OpenedModel
from graphc.errors import InvalidArgumentError, NotFoundError
from graphc.ir.graph import Graph
from graphc.ir.names import suggestion
from graphc.ir.tensor import Operation, Tensor
from graphc.model_report import model_outputs
from graphc.serial.signatures import Signature, named_elements

DEFAULT = "serving_default"
_SEPARATOR = re.compile(r":(?!\d+(?:[,:]|$))")     # a colon that is not in front of a tensor's number


def chosen(opened: OpenedModel, texts: Mapping[str, str | None],
           shapes: Mapping[str, Sequence[int | None]]) -> dict[str, Signature]:
    graph: Graph = opened.session.graph
    if texts:
        found = {name: _from_file(opened, name) if text is None else parsed(graph, text)
                 for name, text in texts.items()}
    else:
        found = dict(opened.signatures) or {DEFAULT: Signature(_untaken(graph))}
    return _with_shapes(graph, found, shapes)


def parsed(graph: Graph, text: str) -> Signature:
    """Raises InvalidArgumentError if it is not INPUTS:OUTPUTS, NotFoundError for names that the graph does not have."""
    match = _SEPARATOR.search(text)
    if match is None and text.count(":") == 1:
        match = re.search(":", text)
    if match is None or not text[match.end():]:
        raise InvalidArgumentError(f"--signature takes NAME=INPUTS:OUTPUTS, such as predict=x,y:logits, not '{text}'")
    given, wanted = text[:match.start()], text[match.end():]
    return Signature([element(graph, name) for name in wanted.split(",")],
                     [element(graph, name) for name in given.split(",")] if given else None)


def element(graph: Graph, name: str) -> Tensor | Operation:
    plain = name.removeprefix("^")
    operation, colon, _ = plain.partition(":")
    known = {op.name: op for op in graph.get_operations()}
    if operation not in known:
        raise NotFoundError(f"the graph has no op named '{operation}'{suggestion(operation, known)}; `graphc inspect` "
                            "lists a saved graph's")
    if colon:
        return graph.get_tensor_by_name(plain)
    found = known[operation]
    return found if name != plain or not found.outputs else found.outputs[0]


def by_name(graph: Graph, signature: Signature) -> Signature:
    """The same for a graph that has the same names."""
    fetches, inputs = ({name: e.name for name, e in named_elements(graph, given)} if given is not None else None
                       for given in (signature.fetches, signature.inputs))
    return dataclasses.replace(signature, fetches=fetches, inputs=inputs)


def _from_file(opened: OpenedModel, name: str) -> Signature:
    if name not in opened.signatures:
        raise NotFoundError(f"the file has no signature '{name}'{suggestion(name, opened.signatures)}; it has "
                            f"{', '.join(opened.signatures) or 'none: say what it is, NAME=INPUTS:OUTPUTS'}")
    return opened.signatures[name]


def _untaken(graph: Graph) -> list[Any]:
    """Everything that nothing takes, of a graph that only computes."""
    writes = [op.name for op in graph.get_operations() if op.type in ("VariableV2", "Variable", "SaveV2")]
    outputs = [t for op in model_outputs(graph) for t in op.outputs]
    if writes or not outputs:
        raise InvalidArgumentError("it is not clear which of the graph's ops are its results: name them, --output NAME "
                                   "or --signature NAME=INPUTS:OUTPUTS")
    return outputs


def _with_shapes(graph: Graph, signatures: Mapping[str, Signature],
                 shapes: Mapping[str, Sequence[int | None]]) -> dict[str, Signature]:
    """Each shape goes to the signatures that have an input of that name; one at least must."""
    made, used = {}, set()
    for name, signature in signatures.items():
        names = _input_names(graph, signature)
        of_this = {given: tuple(shape) for given, shape in shapes.items() if given in names}
        used |= set(of_this)
        made[name] = dataclasses.replace(signature, shapes=of_this)
    unused = [name for name in shapes if name not in used]
    if unused:
        raise NotFoundError(f"--shape: no signature has an input '{unused[0]}'")
    return made


def _input_names(graph: Graph, signature: Signature) -> set[str]:
    if signature.inputs is None:
        return {n for op in graph.get_operations() if op.type == "Placeholder" for n in (op.name, op.outputs[0].name)}
    return {n for name, e in named_elements(graph, signature.inputs) for n in (name, e.name, e.name.removesuffix(":0"))}
