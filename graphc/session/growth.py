"""Warns, once, of a program that builds new ops between its runs: each run is then compiled again, and the graph grows
for ever."""
from __future__ import annotations

from graphc.ir.graph import Graph
from graphc.wording import warn

PATIENCE = 20        # new kinds of runs, one after the other, each with new ops


class Growth:
    """What a Session has seen of its graph's size."""

    def __init__(self) -> None:
        self.size = 0
        self.times = 0

    def look(self, graph: Graph) -> None:
        """Before each new kind of run."""
        grown = graph.version - self.size if self.size else 0
        self.size = graph.version
        self.times = self.times + 1 if grown else 0
        if self.times == PATIENCE:
            newest = graph.get_operations()[-1]
            warn(
                f"the graph grows between runs: {PATIENCE} times in a row ops were added before a run, the last one "
                f"'{newest.name}' at {newest.file}:{newest.line}. Each of these runs is compiled again, and memory "
                "grows. Build the ops once, before the loop, and feed what changes")
