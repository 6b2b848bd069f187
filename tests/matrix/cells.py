"""What varies in the op matrix, and one choice of everything: a cell."""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

# Each factor's levels. The first is the plainest: it is taken where nothing is left to cover.
FACTORS: dict[str, tuple[str, ...]] = {
    # How the placeholders are declared: with their sizes, with None for each size, without shape.
    "declared": ("known", "unknown", "unranked"),
    # Which sizes are fed: the sample's; some axis of size 1 or 0 in every operand that has it; an axis of size 1 in one
    # operand only, which is broadcast.
    "sizes": ("given", "one", "zero", "stretched"),
    # Operands that are fields (a shape, a slice's begin): constants of the graph, or fed.
    "fields": ("constant", "fed"),
    "context": ("top", "loop", "branch", "branch in loop", "loop in loop", "loop in branch"),
    # Where the op's operands come from: straight from placeholders (or constants, variables), or through another op.
    "front": ("direct", "elementwise", "reduction", "slice", "index", "constant", "variable", "python"),
    # Where its results go.
    "behind": ("direct", "elementwise", "reduction", "slice"),
    "asked": ("values", "gradients"),
    "passes": ("fused", "unfused"),
    # A Session for 3 runs; for 6, so that machine code takes over from the evaluator; the C++ runner for 3.
    "machine": ("session", "session with code", "runner"),
}


@dataclass(frozen=True)
class Cell:
    """One program: sample number `sample` of an op, and one level of each factor."""

    op: str
    sample: int
    declared: str = "known"
    sizes: str = "given"
    fields: str = "constant"
    context: str = "top"
    front: str = "direct"
    behind: str = "direct"
    asked: str = "values"
    passes: str = "fused"
    machine: str = "session"

    def __str__(self) -> str:
        """The choices that are not the plainest."""
        chosen = [f"{name}={getattr(self, name)!r}" for name, levels in FACTORS.items()
                  if getattr(self, name) != levels[0]]
        return ", ".join([repr(self.op), f"sample={self.sample}", *chosen])

    @property
    def program(self) -> str:
        """A program that checks this cell alone and shows what is wrong."""
        return ('import sys; sys.path[:0] = ["tests", "tests/ops", "tests/plan", "tests/runner"]\n'
                "from matrix.check import show\n"
                f"show({self})")


def cell_of(op: str, choice: dict[str, Any]) -> Cell:
    return Cell(op, **{f.name: choice[f.name] for f in fields(Cell) if f.name in choice})
