"""The page that `graphc inspect --html` writes of a saved model: graph, costs, steps, and the memory over time."""
from __future__ import annotations

import collections
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.memory_plan import MemoryPlan, PlacedBuffer, memory_plans
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import Graph
from graphc.model_report import model_inputs, model_outputs, step_costs
from graphc.picture.memory import Rectangle, memory_svg
from graphc.picture.nodes import Input, Node, described, nodes_of, shape_text
from graphc.picture.page import page, rows
from graphc.plan import plan as p
from graphc.serial.graph_pb2 import GraphDef

SECONDS = 20.0             # of the run that shows the memory
LARGEST_INPUTS = 1 << 30   # bytes of the zeros that it is fed
Shapes = Mapping[str, Sequence[int | None]]


def of_graph(path: str, size: int, graph: Graph, plans: Mapping[str, tuple[p.Plan, Mapping[str, Any]]],
             shapes: Shapes) -> str:
    """HTML. plans: with the values of their constants, by signature. shapes: of inputs, where the graph leaves them
    open (1 otherwise). Raises NotFoundError for one of no input, InvalidArgumentError for one that does not fit."""
    operations = graph.get_operations()
    constants = sorted((op for op in operations if op.type == "Const"), key=lambda op: -op.get_attr("value").nbytes)
    parameters = sum(op.get_attr("value").size for op in constants if op.get_attr("dtype").is_floating)
    _check_names(shapes, [port.name for plan, _ in plans.values() for port in plan.inputs])
    sections = [_ports(graph), _types([op.type for op in operations]),
                "<h2>Largest constants</h2>" + rows(("constant", "shape", "bytes"), [
                    (op.name, f"{shape_text(op.outputs[0])} {op.outputs[0].dtype.name}",
                     f"{op.get_attr('value').nbytes:,}") for op in constants[:20]], numbers=(2,))]
    for signature, (plan, values) in plans.items():
        sections.append(_plan(signature, plan, values, shapes))
    return page(os.path.basename(path), f"{size:,} bytes, {len(operations):,} nodes, {parameters:,} parameters",
                nodes_of(operations), sections)


def of_nodes(path: str, size: int, graph_def: GraphDef, missing: Mapping[str, Sequence[str]], why: str) -> str:
    """HTML of a file that cannot be imported: what its nodes alone tell. missing: op types with their nodes."""
    nodes = [Node(node.name, node.op, tuple(_inputs(node.input)),
                  details={"missing": "graphc does not know this op"} if node.op in missing else {})
             for node in graph_def.node]
    sections = [f"<h2>It cannot be run</h2><p>{escape(why)}</p>", _types([node.type for node in nodes])]
    return page(os.path.basename(path), f"{size:,} bytes, {len(nodes):,} nodes", nodes, sections)


def _inputs(texts: Sequence[str]) -> Iterator[Input]:
    for text in texts:
        yield Input(text.removeprefix("^").partition(":")[0], "", control=text.startswith("^"))


def _ports(graph: Graph) -> str:
    lines = [("input", t.op.name, described(t)) for t in model_inputs(graph)]
    lines += [("output", op.name, described(op.outputs[0])) for op in model_outputs(graph)]
    return "<h2>Inputs and outputs</h2>" + rows(("", "name", "shape"), lines)


def _types(types: Sequence[str]) -> str:
    counts = sorted(collections.Counter(types).items(), key=lambda item: (-item[1], item[0]))
    return "<h2>Operations</h2>" + rows(("type", "how many"), [(t, str(n)) for t, n in counts], numbers=(1,))


def _plan(signature: str, plan: p.Plan, values: Mapping[str, Any], shapes: Shapes) -> str:
    sizes = [_shape(port, shapes) for port in plan.inputs]
    costs = step_costs(plan, sizes)
    fed = ", ".join(f"{port.name} {list(shape)}" for port, shape in zip(plan.inputs, sizes, strict=True))
    total = f"{len(costs)} steps, {sum(c.flops for c in costs):,} FLOPs, {sum(c.bytes for c in costs):,} bytes moved"
    lines = [(f"{c.body}:{c.number}", c.text, f"{c.flops:,}", f"{c.bytes:,}", ", ".join(c.origins)) for c in costs]
    name, steps = escape(repr(signature)), rows(("step", "what it does", "FLOPs", "bytes", "of"), lines, (2, 3))
    return (f"<h2>Plan {name}</h2><p>{escape(total)} a run, for {escape(fed or 'no inputs')}; bodies of loops and "
            f"branches count once.</p>{steps}<h2>Memory of plan {name}</h2>{_memory(plan, values, sizes)}")


def _memory(plan: p.Plan, values: Mapping[str, Any], sizes: Sequence[tuple[int, ...]]) -> str:
    found = memory_of(plan, values, sizes)
    if isinstance(found, str):
        return f"<p>Not shown: {escape(found)}</p>"
    steps = len(plan.bodies[0].steps)
    parts = ["<p>Each rectangle is a buffer of body 0: from the step that first uses it to the last one, at its place "
             f"in the arena, which takes {found.size:,} bytes; {found.least:,} are alive at the same time. Inputs, "
             "outputs, constants and variables lie elsewhere.</p>"]
    for segment, size in enumerate(found.arenas):
        if size:
            shown = [Rectangle(_buffer_title(plan, b), b.first, b.last, b.offset, b.size)
                     for b in found.buffers if b.segment == segment]
            parts.append(f'<div class="memory">{memory_svg(shown, steps, size)}</div>')
    return "".join(parts)


def _buffer_title(plan: p.Plan, placed: PlacedBuffer) -> str:
    """`MatMul: %4 f32, 12,800 bytes, steps 2 to 3`"""
    body, first = plan.bodies[0], placed.first
    origins = [plan.origins[o].op_name for o in body.steps[first].origins] if first < len(body.steps) else []
    return (f"{origins[-1] if origins else 'buffer'}: %{placed.buffer} {body.buffers[placed.buffer].dtype}, "
            f"{placed.size:,} bytes, steps {first} to {placed.last}")


def memory_of(plan: p.Plan, values: Mapping[str, Any], sizes: Sequence[tuple[int, ...]]) -> MemoryPlan | str:
    """Where the buffers lie when the plan runs on zeros of these sizes; why there is nothing to show otherwise."""
    from graphc.exec.engine import Engine

    if plan.hosts:
        return "the plan calls Python functions, which this command does not"
    if sum(_bytes(port.dtype, shape) for port, shape in zip(plan.inputs, sizes, strict=True)) > LARGEST_INPUTS:
        return f"inputs of more than {LARGEST_INPUTS:,} bytes"
    cancel = np.zeros(1, np.int64)
    timer = threading.Timer(SECONDS, cancel.fill, [1])
    timer.start()
    try:
        states = {state.name: _zeros(state.dtype, state.shape) for state in plan.states}
        engine = Engine(plan, values, states)
        engine.run([_zeros(port.dtype, shape) for port, shape in zip(plan.inputs, sizes, strict=True)],
                   cancel=int(cancel.ctypes.data))
        found = memory_plans(engine)
    except errors.OpError as error:
        return f"a run on zeros ended with {type(error).__name__}: {error}"
    finally:
        timer.cancel()
    return found[0] if found else "the runtime keeps each buffer in a place of its own (GRAPHC_GUARD)"


def _shape(port: p.Port, shapes: Shapes) -> tuple[int, ...]:
    """The sizes of an input: those that are given, 1 where nothing is known."""
    given = shapes.get(port.name, shapes.get(port.name.removesuffix(":0")))
    if given is None:
        return tuple(1 if s < 0 else s for s in port.shape)
    if len(given) != len(port.shape) or any(s not in (-1, g) and g is not None
                                            for s, g in zip(port.shape, given, strict=True)):
        wanted = ",".join("?" if s < 0 else str(s) for s in port.shape)
        shape = ",".join("?" if g is None else str(g) for g in given)
        raise errors.InvalidArgumentError(f"--shape: {shape} does not fit the input '{port.name}' of shape {wanted}")
    return tuple((1 if s < 0 else s) if g is None else g for s, g in zip(port.shape, given, strict=True))


def _check_names(shapes: Shapes, names: Sequence[str]) -> None:
    for name in shapes:
        if name not in names and f"{name}:0" not in names:
            raise errors.NotFoundError(f"--shape: there is no input '{name}'; there are {', '.join(names) or 'none'}")


def _zeros(dtype: str, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    if dtype == "str":
        return np.full(tuple(shape), b"", object)
    return np.zeros(tuple(shape), as_dtype(dtype).stored.numpy)


def _bytes(dtype: str, shape: Sequence[int]) -> int:
    return int(np.prod([*shape, 8 if dtype == "str" else as_dtype(dtype).stored.numpy.itemsize], dtype=object))
