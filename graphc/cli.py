"""The command `graphc`: inspect, run, dump and convert saved models, and run TensorFlow 1 programs.

    graphc inspect model.pb
    graphc inspect folder        (a SavedModel)
    graphc inspect --html model.pb -o model.html      (the graph, its costs and its memory, to look at in a browser)
    graphc run model.pb --feed x=x.npy --fetch logits --out y.npy     (graphc/commands/run.py)
    graphc dump model.pb
    graphc convert saved_model/ -o model.pb      (graphc/convert: any model as a .pb that graphc-run runs)
    graphc tune model.pb --shape x=1,224,224,3   (graphc/commands/tune.py: the quickest ways on this machine)
    graphc runner --only-for model.pb            (graphc/commands/runner.py: a small C++ runner for it)
    graphc gpu model.pb --shapes x=32,784        (graphc/commands/gpu.py: code for graphc-run on a GPU)
    graphc tf1 script.py         (graphc/tf1: a TensorFlow 1 program, unchanged)

Exit status 0; 1 with one message on stderr if the user's file, names or arrays do not fit; 2 for a wrong command line;
130 if it was interrupted.
"""
from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc import errors
from graphc.commands import gpu as gpu_command
from graphc.commands import runner as runner_command
from graphc.commands import tune as tune_command
from graphc.convert import command as convert_command
from graphc.convert.command import shape_argument
from graphc.ir.graph import Graph
from graphc.plan.plan import Plan
from graphc.tf1 import command as tf1_command


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"]:               # the flags of graphc-run, read as graphc-run reads them
        from graphc.commands import run

        return _uninterrupted("run", lambda: run.main(words[1:]))
    options = _parser().parse_args(words)
    if options.name == "tf1":              # the program's own interruptions
        return _carried_out(options)
    return _uninterrupted(options.name, lambda: _carried_out(options))


def _carried_out(options: argparse.Namespace) -> int:
    try:
        return int(options.command(options) or 0)
    except BrokenPipeError:
        return 0
    except (errors.OpError, ValueError, TypeError, OSError) as error:
        print(f"graphc {options.name}: {_words_of(error)}", file=sys.stderr)
        return 1


def _uninterrupted(name: str, command: Callable[[], int]) -> int:
    try:
        return command()
    except KeyboardInterrupt:
        print(f"graphc {name}: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _words_of(error: Exception) -> str:
    """The message; of what the system says about a file, in the words of `graphc run`."""
    if isinstance(error, OSError) and not isinstance(error, errors.OpError) and error.filename is not None:
        return f"cannot read or write {error.filename2 or error.filename}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="graphc", description="Inspect, run, dump and convert saved models; run "
                                                                "TensorFlow 1 programs.")
    commands = parser.add_subparsers(dest="name", required=True)
    for name, command, text in (("inspect", _inspect, "inputs, outputs, ops, sizes, FLOPs; a SavedModel's signatures"),
                                ("dump", _dump, "nodes and plans as text")):
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
    commands.add_parser("run", help="run on .npy files: `graphc run --help`", add_help=False)
    convert_command.add(commands)
    runner_command.add(commands)
    tune_command.add(commands)
    gpu_command.add(commands)
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


if __name__ == "__main__":
    sys.exit(main())
