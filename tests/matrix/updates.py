"""Ops that write variables, in the same places: the variables after each run, and what the op gives out.

The oracle is the evaluator of graphs in NumPy (exec/reference.py), as the order of reads and writes counts here.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

import graphc as gc
from graphc.exec.reference import run_reference
from graphc.ir.apply import apply
from graphc.ir.op import OPS

from matrix import machines
from matrix.cells import FACTORS, Cell, cell_of
from matrix.check import Failure
from matrix.choose import is_possible
from matrix.contexts import is_taken, place
from matrix.neighbours import BEHINDS, FRONTS, declared
from matrix.pairwise import pairwise, product
from matrix.programs import Pool
from matrix.subjects import matrix_samples, subject
from samples import definition, difference

VARIED = {**{name: FACTORS[name] for name in ("declared", "context", "behind", "passes")},
          "front": ("direct", "elementwise", "reduction", "slice", "index"),
          "machine": ("session", "session with code")}


def cells(op: str, every: bool = False) -> list[Cell]:
    factors = {"sample": tuple(range(len(matrix_samples(op)))), **VARIED}

    def possible(choice: dict[str, Any]) -> bool:
        return is_possible(op, {k: v for k, v in choice.items() if k != "front"}) and _front_fits(op, choice)

    chosen = product(factors, possible) if every else pairwise(factors, possible, turning="sample")
    return [cell_of(op, choice) for choice in chosen]


def _front_fits(op: str, choice: dict[str, Any]) -> bool:
    """The front stands before the operands that are no variables."""
    if "sample" not in choice or "front" not in choice:
        return True
    return all(FRONTS[choice["front"]].takes(x) for x in _arrays(op, choice["sample"], 0)[len(OPS[op].refs):])


def _arrays(op: str, sample: int, run: int) -> Sequence[np.ndarray]:
    found = subject(op, sample, "given", run)
    assert found is not None
    return found


def failures(chosen: Sequence[Cell]) -> list[Failure]:
    found = []
    for cell in chosen:
        try:
            problem = _problem(cell)
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:600]}"
        if problem is not None:
            found.append(Failure(cell, problem))
    return found


def _problem(cell: Cell) -> str | None:
    op, runs = OPS[cell.op], machines.RUNS[cell.machine]
    tolerance = matrix_samples(cell.op)[cell.sample].tolerance
    with gc.Graph().as_default() as graph:
        pool = Pool(runs, graph=graph)
        variables = [gc.Variable(v) for v in _arrays(cell.op, cell.sample, 0)[:len(op.refs)]]
        fetches = _placed(cell, pool, variables)
        initialise = gc.global_variables_initializer()
    states: dict[str, np.ndarray] = {}
    run_reference(initialise, states=states)
    with gc.Session(graph=graph) as session, machines.passes(cell.passes):
        session.run(initialise)
        for run in range(runs):
            feeds = {t: values[run] for t, values in pool.feeds.items()}
            expected = run_reference(fetches, feeds, states, run + 1)
            results = session.run(fetches, feeds)
            after = session.run([v.op.outputs[0] for v in variables])
            pairs = [("result", a, b) for a, b in zip(results, expected, strict=True)]
            pairs += [(v.op.name, a, states[v.op.name]) for v, a in zip(variables, after, strict=True)]
            for name, a, b in pairs:
                problem = difference(np.asarray(a), np.asarray(b), tolerance * 10)   # of several updates
                if problem is not None:
                    return f"run {run}, {name}: {problem}"
    return None


def _placed(cell: Cell, pool: Pool, variables: Sequence[Any]) -> list[Any]:
    op, front, behind = OPS[cell.op], FRONTS[cell.front], BEHINDS[cell.behind]
    count = len(variables)

    def fed(i: int) -> Any:
        shape = declared(front.feed(_arrays(cell.op, cell.sample, 0)[i]), cell.declared)
        return pool.placeholder(lambda run: front.feed(_arrays(cell.op, cell.sample, run)[i]), shape, f"operand {i}")

    def core(inner: list[Any]) -> list[Any]:
        operands = [front.tensor(x, pool.extra) for x in inner]
        refs = [v.op.outputs[0] for v in variables]
        instance = definition(op, matrix_samples(cell.op)[cell.sample])
        updated = apply(op, *refs, *operands, **{f.name: getattr(instance, f.name) for f in fields(op)})
        first = updated[0] if isinstance(updated, tuple) else updated
        return [behind.tensor(gc.identity(first), first.shape.ndims or 0, pool.extra)]

    def limit(name: str, of: Any) -> Any:
        return pool.placeholder(lambda run: of(is_taken(cell.context, run)), (), name)

    value = _arrays(cell.op, cell.sample, 0)[0]
    start = behind.array(value)
    known = list(start.shape) if cell.behind != "slice" else [None, *start.shape[1:]]
    starts = [pool.placeholder(lambda run: np.ones_like(start), known, "start")] if cell.context != "top" else []
    rest = [fed(i) for i in range(count, len(_arrays(cell.op, cell.sample, 0)))]
    return place(cell.context, core, rest, starts, lambda old, new: new, pool.extra, limit)
