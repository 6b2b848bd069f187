"""Loops and branches around a core: what is called how often, and with which of its operands carried by a loop.

`place` calls core(operands) inside the context's bodies and merges what it returns with what the iterations before
returned (at first `starts`): merge(old, new). A run in which the branch is not taken gives `starts`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.ops.random.philox import inner_iteration

from matrix.neighbours import Extra

Core = Callable[[list[Any]], list[Any]]
Merge = Callable[[list[Any], list[Any]], list[Any]]


@dataclass(frozen=True)
class Context:
    """executions: how often the core runs if its branch is taken; iteration: the number that random ops count
    by in the last of them; branches: whether a fed value decides if it runs at all."""

    executions: int
    iteration: int
    branches: bool


CONTEXTS = {
    "top": Context(1, 0, False),
    "loop": Context(3, 2, False),
    "branch": Context(1, 0, True),
    "branch in loop": Context(2, 1, True),
    "loop in loop": Context(4, inner_iteration(1, 1), False),
    "loop in branch": Context(3, 2, True),
}


def is_taken(context: str, run: int) -> bool:
    """Whether the branch is taken in this run: in runs 0, 1, 3, 4, ..."""
    return not CONTEXTS[context].branches or run % 3 != 2


def place(context: str, core: Core, operands: list[Any], starts: list[Any], merge: Merge, extra: Extra,
          limit: Callable[[str, Callable[[bool], np.ndarray]], Any]) -> list[Any]:
    """The core's results inside the context. limit(name, of): a placeholder that is fed of(whether it is taken)."""
    def once(_: Any, inner: list[Any], old: list[Any]) -> list[Any]:
        return merge(old, core(inner))

    def loop(count: int, step: Any, inner: list[Any], old: list[Any]) -> list[Any]:
        return _loop(extra(f"count {count}", np.array(count, np.int32)), step, inner, old)

    if context == "top":
        return once(None, operands, starts)
    if context == "loop":
        return loop(3, once, operands, starts)
    if context == "branch":
        return _branch(limit("taken", np.array), once, operands, starts)
    if context == "branch in loop":
        taken = limit("taken at most", lambda taken: np.array(2 if taken else 0, np.int32))
        return loop(3, lambda k, inner, old: _branch(k < taken, once, inner, old), operands, starts)
    if context == "loop in loop":
        return loop(2, lambda k, inner, old: loop(2, once, inner, old), operands, starts)
    if context == "loop in branch":
        return _branch(limit("taken", np.array), lambda _, inner, old: loop(3, once, inner, old), operands, starts)
    raise ValueError(context)


def _branch(taken: Any, step: Any, operands: list[Any], old: list[Any]) -> list[Any]:
    return gc.cond(taken, lambda: step(None, operands, old), lambda: [gc.identity(t) for t in old], strict=True)


def _loop(count: Any, step: Any, operands: Sequence[Any], old: list[Any]) -> list[Any]:
    """Every other operand is a loop variable, the rest is captured."""
    carried = [i for i, t in enumerate(operands) if i % 2 == 0 and t.dtype.numpy is not None]

    def body(k: Any, *variables: Any) -> list[Any]:
        inner, kept = list(operands), variables[len(old):]
        for i, t in zip(carried, kept, strict=True):
            inner[i] = t
        return [k + 1, *step(k, inner, list(variables[:len(old)])), *kept]

    first = [gc.constant(0), *old, *(operands[i] for i in carried)]
    found = gc.while_loop(lambda k, *_: k < count, body, first, shape_invariants=[t.shape for t in first])
    return list(found[1:1 + len(old)])
