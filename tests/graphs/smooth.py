"""Gradients against differences, in float64, by the NumPy evaluator, which computes whatever gradient the graph holds.

The program is made anew in float64; x moves along a random direction. Where differences of two step sizes do not agree,
the function is not smooth there, and nothing is compared.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.exec.reference import run_reference
from graphc.ir.dtypes import DType, float32, float64
from graphc.ir.op import OPS, Effect

from programs import Apply, Block, BuildError, Built, Call, Gradients, Input, Program, blocks, build, everywhere

STEP = 1e-5
TOLERANCE = 1e-4
# Gradients that are not derivatives, on purpose: results that only the first of has one, and stops.
NOT_DERIVATIVES = frozenset(("StopGradient", "PreventGradient", "PyFunc"))


def smooth(program: Program) -> bool:
    """Whether the program's gradients are derivatives: all of its ops are tested as differentiable by their samples."""
    for s in everywhere(program.statements):
        if isinstance(s, Apply):
            op = OPS[s.op]
            if s.op in NOT_DERIVATIVES or op.refs or op.effect is not Effect.PURE:
                return False
            if len(op.results) > 1 or not any(x.gradient for x in op.samples):
                return False
        elif isinstance(s, Call):
            return False
    return True


def doubled(program: Program) -> Program:
    """The program in float64."""
    def one(s: Any) -> Any:
        if isinstance(s, Input):
            return dataclasses.replace(s, values=tuple(
                v.astype(np.float64) if v.dtype == np.float32 else v for v in s.values))
        if isinstance(s, Apply):
            return dataclasses.replace(s, attributes={
                k: float64 if isinstance(v, DType) and v == float32 else v for k, v in s.attributes.items()})
        parts = {n: Block(tuple(map(one, b.statements)), b.results) for n in ("test", "body", "then", "otherwise")
                 if isinstance(b := getattr(s, n, None), Block)}
        return dataclasses.replace(s, **parts) if blocks(s) else s

    return dataclasses.replace(program, statements=tuple(map(one, program.statements)))


def problems(program: Program) -> list[str]:
    """What is wrong with the top level's gradients, in words. The first set only."""
    gradients = [s for s in program.statements if isinstance(s, Gradients)]
    if not gradients or not smooth(program):
        return []
    try:
        built = build(doubled(program))
    except BuildError:     # a literal dtype of a body, say: nothing is compared
        return []
    found = []
    for s in gradients:
        for x, g in zip(s.xs, s.outputs, strict=True):
            try:
                problem = _problem(built, s, x, g)
            except Exception:      # a program that does not run is another comparison's business
                continue
            if problem is not None:
                found.append(f"gradient of {' + '.join(s.ys)} for {x}: {problem}")
    return found


def _problem(built: Built, s: Gradients, x: str, g: str) -> str | None:
    elements, states = built.elements, built.variables()
    feeds: dict[Any, Any] = built.feeds(0)
    ys = [elements[y] for y in s.ys]
    tensors = [y._as_graph_element() if hasattr(y, "_ref") else y for y in ys]
    source = elements[x]._as_graph_element() if hasattr(elements[x], "_ref") else elements[x]
    value, gradient = run_reference([source, elements[g]], feeds, dict(states))
    if not value.size or value.dtype != np.float64 or source in tensors:
        return None
    direction = np.random.default_rng(0).normal(size=value.shape)

    def total(step: float) -> float:
        made = run_reference(tensors, {**feeds, source: value + step * direction}, dict(states))
        return float(sum(np.sum(v) for v in made))

    with np.errstate(all="ignore"):
        wide, narrow = ((total(h) - total(-h)) / (2 * h) for h in (STEP, STEP / 2))
        one_sided = (total(STEP) - total(0)) / STEP
        analytic = float(np.sum(gradient * direction))
    size = max(1.0, abs(narrow), float(np.sum(np.abs(gradient * direction))) * 0.1, abs(total(0)) * 1e-3)
    if not np.isfinite([wide, narrow, analytic]).all() or abs(wide - narrow) > 0.1 * TOLERANCE * size \
            or abs(one_sided - narrow) > 0.01 * size:
        return None
    if abs(analytic - narrow) > TOLERANCE * size:
        return f"{analytic} by gradients, {narrow} by differences"
    return None
