"""What is done with an opened model: which signatures, frozen or with variables, and the file.

A variable that no signature writes becomes a constant; if one is written (a training step), all of them stay variables,
as all signatures must see the same ones.
"""
from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import graphc as gc
from graphc.convert.choosing import by_name, chosen
from graphc.convert.formats import OpenedModel, Wishes
from graphc.convert.readers import open_model
from graphc.errors import InvalidArgumentError
from graphc.serial.freeze import add_signatures, convert_variables_to_constants
from graphc.serial.frozen_tables import with_constant_tables
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import load_plan
from graphc.serial.signatures import Signature, check_native, compile_signature

if TYPE_CHECKING:
    from graphc.plan.plan import Port


@dataclass(frozen=True)
class Request:
    """What `graphc convert` is asked. signatures: by name, as text (choosing.py); none: the file's own, else one of all
    that nothing takes. keep_variables: even if no signature writes them."""

    path: str
    target: str
    signatures: Mapping[str, str | None]
    wishes: Wishes
    keep_variables: bool = False


def convert(request: Request) -> list[str]:
    """Writes the file; gives lines that say what is in it. Raises UnimplementedError that lists what the C++ library
    cannot run, before anything is written."""
    if request.target.endswith((".pbtxt", ".prototxt")):
        raise InvalidArgumentError(f"{request.target}: the text form holds no compiled Plans; the target must be a .pb")
    opened = open_model(request.path, request.wishes)
    with opened.session:
        made = converted(opened, chosen(opened, request.signatures, request.wishes.shapes), request.keep_variables)
    folder, name = os.path.split(request.target)
    gc.train.write_graph(made, folder, name, as_text=False)
    return described(made)


def converted(opened: OpenedModel, signatures: Mapping[str, Signature], keep_variables: bool) -> GraphDef:
    """The graph of these signatures with its Plans."""
    session, graph = opened.session, opened.session.graph
    compiled = {name: compile_signature(graph, one) for name, one in signatures.items()}
    if keep_variables or any(body.writes for one in compiled.values() for body in one.plan.bodies):
        check_native(compiled, functions_are_set=False)
        return gc.export_model(session, signatures, opened.variables)
    named = {name: by_name(graph, one) for name, one in signatures.items()}
    needed = {name.partition(":")[0] for one in named.values() for given in (one.fetches, one.inputs or {})
              for name in given.values()}
    frozen = convert_variables_to_constants(session, graph.as_graph_def(), sorted(needed))
    frozen = with_constant_tables(session, frozen)
    add_signatures(frozen, named, native=True)
    return frozen


def described(graph_def: GraphDef) -> list[str]:
    """What each signature takes and gives, and the variables."""
    lines = []
    for saved in graph_def.plans:
        plan = load_plan(saved)
        inputs, outputs = (", ".join(map(_port_text, ports)) or "nothing" for ports in (plan.inputs, plan.outputs))
        lines.append(f"{saved.signature}: {inputs} -> {outputs}")
    if graph_def.state.variables:
        lines.append(f"{len(graph_def.state.variables)} variables")
    return lines


def _port_text(port: Port) -> str:
    return f"{port.name} {port.dtype}[{', '.join('?' if size < 0 else str(size) for size in port.shape)}]"
