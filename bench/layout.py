"""Transposes of networks before and after the layout pass, in both data formats: `python bench/layout.py`.

written   as the user's graph has them, those that gradients made included
format    two more for each op that is channels first: what a compiler would insert that knows channels last only
after     what is left in the Plan's graph, inside fused nodes too
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "passes"))

import graphc as gc
from graphc.plan.compile import compile_graph

from picture_nets import FORMATS, NETS, built


def counts(name: str, data_format: str, training: bool) -> tuple[int, int, int]:
    with gc.Graph().as_default() as graph:
        x, fetches = built(name, data_format, training)
        operations: list[Any] = graph.get_operations()
        written = sum(op.type == "Transpose" for op in operations)
        first = sum(getattr(op.definition, "data_format", "") in ("NCHW", "NCDHW") for op in operations)
        report = compile_graph(fetches, [], [x], [4]).report
    return written, 2 * first, report[-1].transposes_after


def main() -> None:
    print("| net | | written as | written | format | after |")
    print("|---|---|---|---|---|---|")
    for name in NETS:
        for training in (False, True):
            for data_format in FORMATS:
                row = counts(name, data_format, training)
                print(f"| {name} | {'training' if training else 'inference'} | {data_format} | "
                      f"{' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main()
