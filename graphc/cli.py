"""The command `graphc`: inspect, run, dump and convert saved models, and run TensorFlow 1 programs.

    graphc inspect model.pb
    graphc inspect folder        (a SavedModel)
    graphc inspect --html model.pb -o model.html      (the graph, its costs and its memory, to look at in a browser)
    graphc run model.pb --feed x=x.npy --fetch logits --out y.npy
    graphc dump model.pb
    graphc convert saved_model/ -o model.pb      (graphc/convert: any model as a .pb that graphc-run runs)
    graphc tf1 script.py         (graphc/tf1: a TensorFlow 1 program, unchanged)

Exit status 0; 1 with one message on stderr if the user's file, names or arrays do not fit.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.convert import command as convert_command
from graphc.convert.command import shape_argument
from graphc.ir.graph import Graph
from graphc.ir.names import suggestion
from graphc.plan.plan import Plan
from graphc.tf1 import command as tf1_command


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options) or 0)
    except BrokenPipeError:
        return 0
    except (errors.OpError, ValueError, TypeError, OSError) as error:
        print(f"graphc {options.name}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="graphc", description="Inspect, run, dump and convert saved models; run "
                                                                "TensorFlow 1 programs.")
    commands = parser.add_subparsers(dest="name", required=True)
    for name, command, text in (("inspect", _inspect, "inputs, outputs, ops, sizes, FLOPs; a SavedModel's signatures"),
                                ("run", _run, "run on .npy files"), ("dump", _dump, "nodes and plans as text")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("model", help="a GraphDef: .pb, or .pbtxt in text form"
                         + ("; or the folder of a SavedModel" if name == "inspect" else ""))
        sub.set_defaults(command=command)
        if name == "inspect":
            sub.add_argument("--html", action="store_true",
                             help="write one page: the graph, to click and zoom, its costs, its memory over time")
            sub.add_argument("-o", "--output", metavar="FILE.html",
                             help="with --html: where; default: beside the model")
            sub.add_argument("--shape", action="append", default=[], metavar="NAME=32,28,28,1",
                             help="with --html: sizes of an input for costs and memory; default: 1 where they are open")
        if name == "run":
            sub.add_argument(
                "--feed", action="append", default=[], metavar="NAME=FILE.npy", help="an input; may be repeated"
            )
            sub.add_argument("--fetch", action="append", default=[], metavar="NAME",
                             help="an output; may be repeated; default: all outputs")
            sub.add_argument("--out", action="append", default=[], metavar="FILE.npy",
                             help="where to save it, one for each --fetch; default: print")
    convert_command.add(commands)
    tf1_command.add(commands)
    return parser


def _load(path: str) -> tuple[Any, Graph]:
    graph_def = gc.load_graph_def(path)
    return graph_def, _imported(graph_def)


def _imported(graph_def: Any) -> Graph:
    graph = Graph()
    with graph.as_default():
        gc.import_graph_def(graph_def, name="")
    return graph


def _plans(graph_def: Any, graph: Graph) -> dict[str, Plan]:
    return {signature: plan for signature, (plan, _) in _plans_with_constants(graph_def, graph).items()}


def _plans_with_constants(graph_def: Any, graph: Graph) -> dict[str, tuple[Plan, dict[str, Any]]]:
    """The saved plans that belong to these nodes; one made now if there is none. With the values of their constants."""
    from graphc.model_report import model_outputs
    from graphc.plan.compile import compile_graph
    from graphc.serial.plan_proto import graph_hash, load_plan

    hashed = graph_hash(graph_def)
    saved = {plan.signature: load_plan(plan) for plan in graph_def.plans if plan.graph_hash == hashed}
    if saved or not model_outputs(graph):
        values = {op.name: op.get_attr("value") for op in graph.get_operations() if op.type == "Const"}
        return {signature: (plan, values) for signature, plan in saved.items()}
    feeds = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
    fetches = [t for op in model_outputs(graph) for t in op.outputs]
    try:
        compiled = compile_graph(fetches, (), feeds)
        return {"compiled now": (compiled.plan, compiled.constants)}
    except errors.OpError as error:
        print(f"graphc: it cannot be compiled for all of its outputs: {error}", file=sys.stderr)
        return {}


def _write_page(options: argparse.Namespace, graph_def: Any, size: int) -> None:
    from graphc import model_page
    from graphc.io.whole_files import written
    from graphc.serial.importer import unknown_types

    try:
        graph = _imported(graph_def)
    except (errors.OpError, ValueError, TypeError) as error:
        text = model_page.of_nodes(options.model, size, graph_def, unknown_types(graph_def), str(error))
    else:
        plans = _plans_with_constants(graph_def, graph)
        text = model_page.of_graph(options.model, size, graph, plans, dict(map(shape_argument, options.shape)))
    path = options.output or f"{os.path.splitext(options.model)[0]}.html"
    with written(path) as file:
        file.write(text.encode())
    print(f"wrote {path}: {len(text):,} bytes; open it in a browser")


def _inspect(options: argparse.Namespace) -> None:
    from graphc.model_report import report, report_of_nodes
    from graphc.serial.importer import unknown_types

    if (options.output or options.shape) and not options.html:
        raise ValueError("-o and --shape belong to --html: graphc inspect --html model.pb -o model.html")
    if os.path.isdir(options.model):
        if options.html:
            raise ValueError("--html takes one graph: convert the SavedModel first (graphc convert saved_model/ -o "
                             "model.pb), then graphc inspect --html model.pb")
        from graphc.saved_model.report import report as saved_model_report

        print(saved_model_report(options.model))
        return
    graph_def, size = gc.load_graph_def(options.model), os.path.getsize(options.model)
    if options.html:
        _write_page(options, graph_def, size)
        return
    try:
        graph = _imported(graph_def)
    except (errors.OpError, ValueError, TypeError) as error:
        print(report_of_nodes(options.model, size, graph_def, unknown_types(graph_def), str(error)))
        return
    print(report(options.model, size, graph, _plans(graph_def, graph)))


def _dump(options: argparse.Namespace) -> None:
    from graphc.plan.text import plan_text

    graph_def, graph = _load(options.model)
    for op in graph.get_operations():
        inputs = ", ".join([*(t.name for t in op.inputs), *(f"^{c.name}" for c in op.control_inputs)])
        results = ", ".join(f"{t.dtype.name}{t.shape}" for t in op.outputs)
        print(f"{op.name} = {op.type}({inputs}) -> {results}")
    for signature, plan in _plans(graph_def, graph).items():
        print(f"\nplan '{signature}'\n{plan_text(plan)}")


def _run(options: argparse.Namespace) -> None:
    from graphc.io.whole_files import written
    from graphc.model_report import model_outputs

    graph_def, graph = _load(options.model)
    feeds = dict(_feed(graph, text) for text in options.feed)
    fetches = [_element(graph, name) for name in options.fetch] or [op.outputs[0] for op in model_outputs(graph)]
    if options.out and len(options.out) != len(fetches):
        raise ValueError(f"{len(options.out)} times --out for {len(fetches)} outputs: give one for each --fetch")
    with gc.Session(graph=graph) as session:
        if graph_def.state.variables:
            gc.load_state(session, graph_def)
        values = session.run(fetches, feeds)
    for i, (tensor, value) in enumerate(zip(fetches, values, strict=True)):
        if options.out:
            strings = tensor.dtype == gc.string         # of one length, as .npy files have them
            path = options.out[i]
            with written(path if path.endswith(".npy") else f"{path}.npy") as file:
                np.save(file, np.asarray(value).astype(np.bytes_) if strings else value)
        else:
            print(f"{tensor.name} {np.asarray(value).dtype}{np.shape(value)}\n{value}")


def _element(graph: Graph, name: str) -> gc.Tensor:
    """The tensor called "name" or "name:1"."""
    operations = {op.name: op for op in graph.get_operations()}
    if ":" not in name and name in operations and operations[name].outputs:
        return operations[name].outputs[0]
    if ":" not in name:
        raise errors.NotFoundError(f"there is no output named '{name}' in the model{suggestion(name, operations)}; "
                                   "`graphc inspect` lists them")
    return graph.get_tensor_by_name(name)


def _feed(graph: Graph, text: str) -> tuple[gc.Tensor, np.ndarray]:
    name, equals, path = text.partition("=")
    if not equals:
        raise ValueError(f"--feed takes NAME=FILE.npy, not '{text}'")
    return _element(graph, name), np.load(path, allow_pickle=False)


if __name__ == "__main__":
    sys.exit(main())
