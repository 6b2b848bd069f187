"""compile_graph: from the user's graph to a Plan; the one entrance of the compiler."""
from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from graphc.ir.node import Flow
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.array.transpose import Transpose
from graphc.passes.attention.attention import attention
from graphc.passes.driver import Pass, run_pipeline
from graphc.passes.fusion.fuse import fuse
from graphc.passes.pipeline import PIPELINE, UNFUSED
from graphc.passes.report import PassReport
from graphc.passes.shared.sides import Sides
from graphc.passes.snapshot.snapshot import take_snapshot
from graphc.plan.lower import lower_body
from graphc.plan.placed import Placed
from graphc.plan.plan import Plan, Port
from graphc.plan.plan_builder import PlanBuilder
from graphc.plan.verify import verify_plan


@dataclass(frozen=True)
class Compiled:
    """A Plan with what it needs beside it.

    constants: arrays by the plan's constants' names, in their order. states: the Spec of each of the plan's states, in
    their order. report: what each pass did, for people; its last row, "lower", goes from nodes to steps of the Plan.
    hosts: the Python functions by the plan's names for them, None if this process does not have one.
    """

    plan: Plan
    constants: dict[str, np.ndarray[Any, Any]]
    states: dict[str, Spec]
    report: tuple[PassReport, ...]
    hosts: dict[str, Callable[..., Any] | None]


def compile_graph(fetches: Sequence[Tensor], targets: Sequence[Operation] = (), feeds: Sequence[Tensor] = (),
                  feed_ranks: Sequence[int] | None = None,
                  pipeline: Sequence[tuple[str, Pass]] | None = None,
                  feed_shapes: Sequence[tuple[int | None, ...] | None] | None = None,
                  exact_random: bool = False, variables: Collection[Tensor] = (),
                  unset: Collection[Tensor] = (), sides: Sides | None = None) -> Compiled:
    """The Plan that computes `fetches` (its outputs) and runs `targets`, given `feeds` (its inputs) of these ranks.

    feed_ranks may be left out if every feed's rank is known; feed_shapes: of feeds that will always have this shape
    (None: any). exact_random: of a session that draws TensorFlow's numbers. variables, unset: see take_snapshot; the
    variables among the feeds that are written are further outputs, under their names. pipeline: other passes than the
    usual ones; by default PIPELINE (passes/pipeline.py), or UNFUSED if the environment says GRAPHC_FUSION=0. sides:
    None, or, of a plan for GPUs, where the user's ops were placed (passes/shared/sides.py); such a plan prepares
    nothing before the run, and no loop in it changes an operand in place. Raises InvalidArgumentError,
    UnimplementedError for what the user's graph lacks.
    """
    if feed_ranks is None:
        feed_ranks = [len(t.spec.shape or ()) for t in feeds]
    if pipeline is None:
        pipeline = _pipeline_for(sides)
    with uncollected():
        start = time.perf_counter()
        flow = take_snapshot(fetches, targets, feeds, feed_ranks, feed_shapes, exact_random, variables, unset)
        return _compile(flow, start, fetches, targets, feeds, pipeline, sides is None)


def _pipeline_for(sides: Sides | None) -> Sequence[tuple[str, Pass]]:
    """The usual passes. Of a plan that a GPU takes part in all work is done in the run, and there are none of
    the kernels that these passes call."""
    passes = UNFUSED if os.environ.get("GRAPHC_FUSION") == "0" else PIPELINE
    if sides is None:
        return passes
    others: dict[str, Pass] = {"fuse": partial(fuse, sides=sides), "attention": partial(attention, sides=sides)}
    return [(name, others.get(name, pass_)) for name, pass_ in passes if name not in _OF_THE_CPU]


_OF_THE_CPU = ("prepare", "batch_norm", "moments", "resize", "layer_norm", "softmax_grad", "cross_entropy",
               "attention_strides")


def _compile(flow: Flow, start: float, fetches: Sequence[Tensor], targets: Sequence[Operation],
             feeds: Sequence[Tensor], pipeline: Sequence[tuple[str, Pass]], in_place: bool) -> Compiled:
    written = flow.written
    taken = (time.perf_counter() - start) * 1e3
    flow, reports = run_pipeline(flow, pipeline)
    reports.insert(0, _snapshot_report([*(t.op for t in fetches), *targets], reports, taken))
    begin = time.perf_counter()
    compiled = lower_flow(flow, [t.name for t in feeds], [*(t.name for t in fetches), *written], in_place)
    steps = sum(len(body.steps) for body in compiled.plan.bodies)
    last = reports[-1]
    reports.append(PassReport("lower", last.nodes_after, steps, (time.perf_counter() - begin) * 1e3,
                              last.transposes_after, last.transposes_after))
    return Compiled(compiled.plan, compiled.constants, compiled.states, tuple(reports), compiled.hosts)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's search for cycles, which would go through the many objects of a large graph again and again;
    nodes and plans have none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def pass_table(fetches: Sequence[Tensor | Operation], feeds: Sequence[Tensor] = ()) -> str:
    """What each pass does to the graph that computes `fetches`: nodes and transposes before and after, milliseconds.

    feeds: tensors that are fed. Compiles again, and runs nothing. Raises what `compile_graph` raises. (graphc's own)

    >>> x = gc.placeholder(gc.float32, [None, 3])
    >>> print(gc.pass_table([gc.reduce_sum(2. * x + 0.)], [x]))
    snapshot                      7 ->      6 nodes    0 ->   0 transposes      ... ms
    ...
    all                                                                         ... ms
    """
    tensors = [f for f in fetches if isinstance(f, Tensor)]
    report = compile_graph(tensors, [f for f in fetches if isinstance(f, Operation)], feeds).report
    total = sum(row.milliseconds for row in report)
    return "\n".join([*map(str, report), f"{'all':24} {total:63.2f} ms"])


def _snapshot_report(operations: Sequence[Operation], reports: Sequence[PassReport], milliseconds: float) -> PassReport:
    """What the snapshot did to the user's graph; it prunes, and drops operands that are fields."""
    every = operations[0].graph.get_operations() if operations else []
    transposes = sum(isinstance(op.definition, Transpose) for op in every)
    first = reports[0] if reports else None
    nodes, left = (first.nodes_before, first.transposes_before) if first else (0, 0)
    return PassReport("snapshot", len(every), nodes, milliseconds, transposes, left)


def lower_flow(flow: Flow, input_names: Sequence[str], output_names: Sequence[str], in_place: bool = True) -> Compiled:
    """The Plan of a Flow, verified. in_place: see Placed."""
    owner = PlanBuilder()
    lower_body(owner, flow, "main", Placed(flow, in_place=in_place))
    if flow.prepare is not None:
        owner.prepare = lower_body(owner, flow.prepare, "prepare")
    plan = owner.finish([_port(n, node.specs[0]) for n, node in zip(input_names, flow.inputs, strict=True)],
                        [_port(n, value.spec) for n, value in zip(output_names, flow.outputs, strict=True)])
    verify_plan(plan)
    states = {s.name: flow.states[s.name] for s in plan.states}
    return Compiled(plan, owner.constants, states, (), owner.hosts)


def _port(name: str, spec: Spec) -> Port:
    return Port(name, spec.dtype.unquantized.short, tuple(s if isinstance(s, int) else -1 for s in spec.shape or ()))
