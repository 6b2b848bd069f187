"""`graphc run`: runs a saved graph on .npy and .npz files, with the flags and words of graphc-run
(runner/src/command/run_command.cpp).

A file's Plan is run as C++ runs it. What C++ cannot run, Python compiles: graphs without a Plan, .pbtxt, other tensors
than those of the signature, ops that are computed in Python.
"""
from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import graphc as gc
from graphc import errors
from graphc.commands.array_files import is_archive, output_files, plain
from graphc.commands.flags import Arguments, UsageError, help_text, parse
from graphc.commands.graph_runs import GraphRuns
from graphc.commands.plan_runs import PlanRuns
from graphc.commands.run_values import Feeds, find_port, named, print_output, print_port, write_files
from graphc.ir.host import STRINGS
from graphc.plan.plan import Plan, Port
from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_proto import graph_hash, load_plan
from graphc.serial.signatures import not_native

PROGRAM = "graphc run"


def main(words: Sequence[str]) -> int:
    """The exit status: 0, 1 with a message on stderr, 2 if the command line means nothing."""
    try:
        arguments = parse(words)
        if "--help" in arguments.given:
            print(help_text(PROGRAM), end="")
        elif "--version" in arguments.given:
            print(f"{PROGRAM} {gc.__version__} ({_isas()})")
        else:
            _run(arguments)
        sys.stdout.flush()
        return 0
    except UsageError as error:
        print(f"{PROGRAM}: {error}\n`{PROGRAM} --help` lists the flags", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except (errors.OpError, ValueError, TypeError, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1


def _isas() -> str:
    from graphc.kernels.toolchain.targets import host_targets

    return ", ".join(target.name for target in host_targets())


def _run(arguments: Arguments) -> None:
    graph_def = gc.load_graph_def(arguments.model)
    model = _model(graph_def, arguments)
    if "--restore" in arguments.given:
        model.restore(arguments.given["--restore"])
    if "--info" in arguments.given:
        return _print_model(graph_def, model)
    wanted = _wanted(arguments, model.outputs)
    feeds = Feeds(arguments, model.inputs)
    steps, shows = arguments.number("--steps", 1), os.environ.get("GRAPHC_TRACE", "0") not in ("", "0")
    for step in range(steps):
        values = model.run(feeds.all_of_step(step), shows)
    if "--save" in arguments.given:
        model.save(arguments.given["--save"])
    if arguments.outs:
        write_files(output_files(arguments.outs, [model.outputs[n].name for n in wanted], [values[n] for n in wanted]))
    else:
        for number in wanted:
            print_output(model.outputs[number], values[number])
    return _bench(model, feeds, arguments.number("--bench", 0))


def _model(graph_def: GraphDef, arguments: Arguments) -> PlanRuns | GraphRuns:
    threads, memory = arguments.number("--threads", 0) or None, arguments.number("--memory", 0)
    plan = _plan(graph_def, arguments)
    names = [name for name, _ in named([*arguments.feeds, *arguments.each])]
    if plan is not None and _is_whole(plan) and _has(plan, names, arguments.fetches):
        return PlanRuns(graph_def, plan, arguments.given.get("--isa", ""), threads, memory, arguments.gpu)
    if memory or "--isa" in arguments.given:
        raise errors.UnimplementedError("--memory and --isa: the file has no Plan that runs without its graph, and a "
                                        "Session knows neither; the environment's GRAPHC_ISA does")
    inputs, outputs = names, arguments.fetches
    if plan is not None:
        inputs, outputs = [port.name for port in plan.inputs], outputs or [port.name for port in plan.outputs]
    return GraphRuns(graph_def, inputs, outputs, threads, arguments.gpu)


def _plan(graph_def: GraphDef, arguments: Arguments) -> Plan | None:
    """The signature's Plan, None if the file has no Plans of its graph. Raises NotFoundError if it has others."""
    hashed = graph_hash(graph_def) if graph_def.plans else 0
    plans = {saved.signature: saved for saved in graph_def.plans if saved.graph_hash == hashed}
    wanted = arguments.given.get("--signature") or next(iter(plans), None)
    if wanted is None:
        return None
    if wanted not in plans:
        raise errors.NotFoundError(f"the file has no signature {wanted}; it has {', '.join(plans) or 'none'}")
    return load_plan(plans[wanted])


def _is_whole(plan: Plan) -> bool:
    """Whether an engine can run it without its graph. What C++ has for ops on strings is made from the graph here."""
    of_strings = any(name.startswith(STRINGS) for name in plan.hosts)
    return not of_strings and not not_native(plan, functions_are_set=False)


def _has(plan: Plan, inputs: Sequence[str], outputs: Sequence[str]) -> bool:
    """Whether all of these names, which are of the graph at least, are the plan's."""
    def among(names: Sequence[str], ports: Sequence[Port]) -> bool:
        return {name.removesuffix(":0") for name in names} <= {port.name.removesuffix(":0") for port in ports}

    return among(inputs, plan.inputs) and among(outputs, plan.outputs)


def _print_model(graph_def: GraphDef, model: PlanRuns | GraphRuns) -> None:
    for saved in graph_def.plans:
        print(f"{'signature':<9} {saved.signature}")
    for what, ports in (("input", model.inputs), ("output", model.outputs), ("variable", model.variables)):
        for port in ports:
            print_port(what, port)
    print(f"{'isa':<9} {_isas()}")


def _wanted(arguments: Arguments, outputs: Sequence[Port]) -> list[int]:
    """Numbers of the outputs that are to be printed or written."""
    wanted = [find_port(outputs, name, "output") for name in arguments.fetches] or list(range(len(outputs)))
    archives = [path for path in arguments.outs if is_archive(path)]
    if archives and len(arguments.outs) > 1:
        raise UsageError(f"--out {archives[0]} is for all outputs: give no other --out")
    if archives:
        names = [plain(outputs[number].name) for number in wanted]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"--out {archives[0]} holds output '{twice}' once: fetch it once")
    elif arguments.outs and len(arguments.outs) != len(wanted):
        raise UsageError(f"{len(arguments.outs)} times --out for {len(wanted)} outputs: give one for each")
    return wanted


def _bench(model: PlanRuns | GraphRuns, feeds: Feeds, runs: int) -> None:
    times = []
    for i in range(runs):
        arrays, start = feeds.all_of_step(i), time.perf_counter()
        model.run(arrays)
        times.append((time.perf_counter() - start) * 1e6)
    if times:
        times.sort()
        print(f"{runs} runs: median {times[runs // 2]:.2f} us, fastest {times[0]:.2f} us, slowest {times[-1]:.2f} us")
