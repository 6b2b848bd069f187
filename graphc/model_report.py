"""What `graphc inspect` says of a saved model: inputs, outputs, ops, sizes, FLOPs."""
from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graphc.exec.memory_plan import element_size
from graphc.ir.dtypes import as_dtype
from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape
from graphc.plan import plan as p
from graphc.plan.costs import sizes_of, step_flops
from graphc.plan.text import BodyText, kernel_counts
from graphc.serial.graph_pb2 import GraphDef, NodeDef
from graphc.serial.tensors import shape_from_proto


def model_inputs(graph: Graph) -> list[Tensor]:
    """The tensors to feed."""
    return [op.outputs[0] for op in graph.get_operations() if op.type in ("Placeholder", "PlaceholderWithDefault")]


def model_outputs(graph: Graph) -> list[Operation]:
    """The operations whose results no other one takes; constants and what has no result are none."""
    return [op for op in graph.get_operations()
            if op.outputs and op.type not in ("Const", "Placeholder", "VariableV2")
            and not any(t.consumers() for t in op.outputs)]


@dataclass(frozen=True)
class Cost:
    """Floating point operations of one run and how many steps it has; kernels: how often each is called."""

    flops: int
    steps: int
    kernels: dict[str, int]
    assumed: bool     # whether unknown sizes were taken as 1


def plan_cost(plan: p.Plan) -> Cost:
    """Counted from the plan's steps; a body of a loop or branch counts once. Unknown sizes count as 1."""
    unknown = any(s < 0 for port in plan.inputs for s in port.shape)
    return Cost(sum(step.flops for step in step_costs(plan)), sum(len(b.steps) for b in plan.bodies),
                dict(kernel_counts(plan)), unknown)


@dataclass(frozen=True)
class StepCost:
    """A step as text, with what it computes and the bytes of its operands."""

    body: int
    number: int            # in its body
    text: str
    flops: int
    bytes: int
    origins: tuple[str, ...]


def step_costs(plan: p.Plan, shapes: Sequence[Sequence[int]] | None = None) -> list[StepCost]:
    """All steps of all bodies. shapes: of the inputs; without them unknown sizes count as 1."""
    costs = []
    for number, body in enumerate(plan.bodies):
        sizes, text = _sizes(plan, body, number, shapes), BodyText(plan, number, body)
        for i, step in enumerate(body.steps):
            names = tuple(plan.origins[o].op_name for o in step.origins)
            moved = sum(_buffer_bytes(body.buffers[b], sizes) for b in buffers_of(step))
            costs.append(StepCost(number, i, text.step(step), step_flops(plan, step, sizes), moved, names))
    return costs


def buffers_of(step: p.Step) -> list[int]:
    """The buffers that a step reads and writes, each once; what bodies of loops and branches do is theirs."""
    accesses: list[p.Access] = []
    for each in (step, step.epilogue if isinstance(step, p.Call) else None):
        if isinstance(each, p.Map):
            accesses += [*each.loads, *each.stores]
    return list(dict.fromkeys([*getattr(step, "operands", ()), *(access.buffer for access in accesses)]))


def _buffer_bytes(buffer: p.Buffer, sizes: list[int]) -> int:
    return element_size(buffer.dtype) * int(np.prod([sizes[d] for d in buffer.dims], dtype=np.int64))


def _sizes(plan: p.Plan, body: p.Body, number: int, shapes: Sequence[Sequence[int]] | None = None) -> list[int]:
    """The values of a body's dims, for these shapes of the plan's inputs; if every unknown size is 1 otherwise."""
    given = shapes if shapes is not None else [[abs(s) for s in port.shape] for port in plan.inputs]

    def leaf(_: int, dim: p.Dim) -> int:
        return given[dim.operands[0]][dim.operands[1]] if dim.kind == p.DimKind.INPUT and number == 0 else 1

    return sizes_of(body, leaf)


def report(path: str, size: int, graph: Graph, plans: dict[str, p.Plan]) -> str:
    """The whole text of `graphc inspect`."""
    operations = graph.get_operations()
    constants = [op for op in operations if op.type == "Const"]
    weights = [op for op in constants if op.get_attr("dtype").is_floating]
    elements = sum(op.get_attr("value").size for op in weights)
    lines = [f"{path}: {size:,} bytes, {len(operations)} nodes, {elements:,} parameters"]
    lines += ["inputs:", *(f"  {t.op.name}: {_tensor(t)}{'  (has a default)' if t.op.inputs else ''}"
                           for t in model_inputs(graph))]
    lines += ["outputs:", *(f"  {op.name}: {_tensor(op.outputs[0])}" for op in model_outputs(graph))]
    counts = collections.Counter(op.type for op in operations)
    lines += ["ops:", *(f"  {count:5d} {kind}" for kind, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))]
    lines += ["largest constants:"] + [f"  {op.get_attr('value').nbytes:12,} bytes  {op.name}: {_tensor(op.outputs[0])}"
                                       for op in sorted(constants, key=lambda o: -o.get_attr("value").nbytes)[:5]]
    for signature, plan in plans.items():
        cost = plan_cost(plan)
        note = ", unknown sizes taken as 1" if cost.assumed else ""
        lines.append(f"plan '{signature}': {', '.join(x.name for x in plan.inputs)} -> "
                     f"{', '.join(x.name for x in plan.outputs)}; {cost.steps} steps, {cost.flops:,} FLOPs a run{note}")
        lines += [
            f"  {count:5d} {kernel}" for kernel, count in sorted(cost.kernels.items(), key=lambda c: (-c[1], c[0]))
        ]
    return "\n".join(lines)


def report_of_nodes(path: str, size: int, graph_def: GraphDef, missing: Mapping[str, Sequence[str]], why: str) -> str:
    """The text of `graphc inspect` for a file that cannot be imported: what its nodes alone tell.

    missing: op types that graphc does not know, with their nodes; why: what importing said.
    """
    nodes = list(graph_def.node)
    used = {text.removeprefix("^").partition(":")[0] for node in nodes for text in node.input}
    inputs = [n for n in nodes if n.op in ("Placeholder", "PlaceholderWithDefault")]
    outputs = [n for n in nodes if n.name not in used and n.op not in ("Const", "NoOp", *(i.op for i in inputs))]
    counts = collections.Counter(n.op for n in (*nodes, *(n for f in graph_def.library.function for n in f.node_def)))
    lines = [f"{path}: {size:,} bytes, {len(nodes)} nodes, {len(graph_def.library.function)} functions",
             "inputs:", *(f"  {n.name}: {_declared(n)}" for n in inputs),
             "outputs:", *(f"  {n.name}: {n.op}" for n in outputs), "ops:"]
    lines += [f"  {count:5d} {kind}{'  (missing)' if kind in missing else ''}"
              for kind, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
    if missing:
        lines += ["missing, and which nodes need them:",
                  *(f"  {kind}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
                    for kind, names in sorted(missing.items()))]
    return "\n".join([*lines, f"it cannot be run: {why}"])


def _declared(node: NodeDef) -> str:
    """The dtype and shape of an input, as its attributes say them."""
    dtype, shape = node.attr["dtype"].type, shape_from_proto(node.attr["shape"].shape) if "shape" in node.attr else None
    try:
        name = as_dtype(int(dtype)).name
    except TypeError:
        name = f"dtype {dtype}"
    return f"{name}{TensorShape(shape)}"


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.dtype.name}{tensor.shape}"
