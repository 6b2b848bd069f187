"""Where a graph of programs runs, several times: in a Session, or saved with its Plan in the C++ runner."""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

import graphc as gc
from graphc.ir.values import as_array
from graphc.serial.freeze import extract_sub_graph

RUNS = {"session": 3, "session with code": 6, "runner": 3}


@contextmanager
def passes(which: str) -> Iterator[None]:
    """which: "fused" (all passes) or "unfused"."""
    before = os.environ.get("GRAPHC_FUSION")
    os.environ["GRAPHC_FUSION"] = "1" if which == "fused" else "0"
    try:
        yield
    finally:
        os.environ.pop("GRAPHC_FUSION")
        if before is not None:
            os.environ["GRAPHC_FUSION"] = before


def run(machine: str, graph: Any, fetches: Sequence[Any], feeds: dict[Any, list[np.ndarray]],
        initialise: Any) -> Iterator[tuple[int, list[np.ndarray]]]:
    """For each run its number in the session and what was fetched."""
    with gc.Session(graph=graph) as session:
        first = 0
        if initialise is not None:
            session.run(initialise)
            first = 1
        if machine == "runner":
            yield from _runner(session, fetches, feeds)
            return
        for i in range(RUNS[machine]):
            found = session.run(list(fetches), {t: values[i] for t, values in feeds.items()})
            yield first + i, [as_array(v) for v in found]


def _runner(session: Any, fetches: Sequence[Any],
            feeds: dict[Any, list[np.ndarray]]) -> Iterator[tuple[int, list[np.ndarray]]]:
    kept = {n.name for n in extract_sub_graph(session.graph_def, [t.op.name for t in fetches]).node}
    used = {t: values for t, values in feeds.items() if t.op.name in kept}
    file = gc.freeze(session, list(fetches), list(used)).SerializeToString(deterministic=True)
    with _native().load(file) as model:
        for i in range(RUNS["runner"]):
            yield i, model.run([np.ascontiguousarray(v[i]).reshape(v[i].shape) for v in used.values()])


@cache
def _native() -> Any:
    from files import build_runner
    from native import Native

    return Native(build_runner() / "libgraphc.so")
