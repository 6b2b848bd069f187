"""The fixer of `__nonzero__`: fissix' own renames the method to `__bool__`; classes that have both names stay."""
from __future__ import annotations

from typing import Any

from fissix.fixes.fix_nonzero import FixNonzero


class FixTruth(FixNonzero):  # type: ignore[misc]
    def transform(self, node: Any, results: Any) -> None:
        if not any(leaf.value == "__bool__" for leaf in node.leaves()):
            super().transform(node, results)
