"""The passes, in the order in which they run, and why in that order."""
from __future__ import annotations

from graphc.passes.driver import Pass

PIPELINE: tuple[tuple[str, Pass], ...] = ()
