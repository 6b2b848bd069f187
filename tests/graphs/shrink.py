"""Makes a failing program smaller while it fails in the same way.

One list of steps, from coarse to fine, tried again until none helps: fewer runs and fetches, statements replaced by
what goes into them or by what they computed, bodies in place of loops and branches, constants, smaller sizes.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from programs import Apply, Cond, Gradients, Input, Program, While, blocks, everywhere, pruned
from shrink_steps import STEPS, inputs_of

Fails = Callable[[Program], bool]


def shrink(program: Program, fails: Fails, seconds: float = 30.0) -> Program:
    """fails: whether a program shows the same fault."""
    end = time.monotonic() + seconds
    changed = True
    while changed and time.monotonic() < end:
        changed = False
        for step in STEPS:
            for smaller in _tries(step, program, end):
                if fails(smaller):
                    program, changed = smaller, True
                    break
            if changed:
                break
    return program


def _tries(step: Callable[[Program], Iterator[Program]], program: Program, end: float) -> Iterator[Program]:
    for candidate in step(program):
        if time.monotonic() > end:
            return
        smaller = pruned(candidate)
        if smaller.fetches and smaller.schedule and cost(smaller) < cost(program) and all(
                map(_ends, everywhere(smaller.statements))):
            yield smaller


def _ends(s: Any) -> bool:
    """Whether the statement, if it is a loop, still counts up to its limit."""
    if not isinstance(s, While):
        return True
    made = {o: x for b in blocks(s) for x in b.statements if isinstance(x, Apply) for o in x.outputs}
    step, test = made.get(s.body.results[0]), made.get(s.test.results[0])
    while test is not None and test.op == "LogicalAnd":
        test = made.get(str(test.inputs[0]))
    return (step is not None and step.op == "AddV2" and step.inputs[0] == s.params[0]
            and test is not None and test.op == "Less" and test.inputs[0] == s.params[0])


WEIGHTS = {While: 500, Cond: 400, Gradients: 150, Input: 30}
KINDS = {"constant": 0, "placeholder": 2, "variable": 4}


def cost(program: Program) -> float:
    """What every step must lower, so that shrinking ends."""
    total = 20.0 * (len(program.fetches) + len(program.schedule))
    for s in everywhere(program.statements):
        total += WEIGHTS.get(type(s), 100) + 5 * len(getattr(s, "after", ()))
        total += len(inputs_of(s)) + len(getattr(s, "outputs", ())) * 2
        if isinstance(s, Input):
            static = s.static if s.kind == "placeholder" else ()
            total += KINDS[s.kind] + (3 if static is None else static.count(None)) + sum(map(_plainness, s.values))
    return total


def _plainness(array: np.ndarray) -> float:
    counted = np.arange(1, array.size + 1).reshape(array.shape)
    simple = [bool(np.all(array == 1)), bool(np.all(array == 2)), np.array_equal(array, counted), True]
    return simple.index(True) + 0.1 * array.size + (array.ndim * 0.2)
