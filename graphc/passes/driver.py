"""The driver: the pipeline pass by pass, each in loops and branches too, verified after each.

A pass that fails stops the compilation. GRAPHC_DUMP=<pass|all> prints what each did.
"""
from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence

from graphc.ir.names import suggestion
from graphc.ir.node import Flow, Node
from graphc.ir.op import Op
from graphc.ir.verify import verify
from graphc.passes.report import PassReport, count_transposes
from graphc.passes.shared.control_flow import ControlOp, everything
from graphc.passes.shared.rewriter import Replacement, rewrite

Pass = Callable[[Flow], Flow]


def run_pipeline(flow: Flow, pipeline: Sequence[tuple[str, Pass]]) -> tuple[Flow, list[PassReport]]:
    """Every pass in order, the flow verified after each. GRAPHC_DUMP=<pass|all> prints what each did."""
    dump = os.environ.get("GRAPHC_DUMP", "")
    if dump not in ("", "all", *(name for name, _ in pipeline)):
        raise ValueError(f"GRAPHC_DUMP={dump} names no pass; there are all, {', '.join(name for name, _ in pipeline)}"
                         f"{suggestion(dump, [name for name, _ in pipeline])}")
    reports = []
    verify(flow, "snapshot")
    before, transposes = counted(flow)
    for name, run in pipeline:
        start = time.perf_counter()
        changed = everywhere(flow, run)
        if changed is not flow:
            verify(changed, name)
        after, left = (before, transposes) if changed is flow else counted(changed)
        flow = changed
        report = PassReport(name, len(before), len(after), (time.perf_counter() - start) * 1e3, transposes, left)
        before, transposes = after, left
        reports.append(report)
        if dump in (name, "all"):
            print(report, file=sys.stderr)
            if dump == name:
                from graphc.ir.text import flow_text

                print(flow_text(flow), file=sys.stderr)
    return flow, reports


def counted(flow: Flow) -> tuple[list[Node], int]:
    nodes = everything(flow)
    return nodes, count_transposes(nodes)


def everywhere(flow: Flow, run: Callable[[Flow], Flow]) -> Flow:
    """`run` on the flow and, before that, on those inside its loops and branches and on its prepare flow."""
    done: set[Op] = set()

    def inside(node: Node) -> Replacement:
        if not isinstance(node.op, ControlOp) or node.op in done:
            return None
        op = node.op.with_flows(lambda inner: everywhere(inner, run))
        done.add(op)
        return None if op.flows == node.op.flows else dataclasses.replace(node, op=op)

    if flow.nested:
        flow = rewrite(flow, [inside])
    if flow.prepare is not None:
        prepared = run(flow.prepare)
        if prepared is not flow.prepare:
            flow = dataclasses.replace(flow, prepare=prepared)
    return run(flow)
