"""The fixer of dictionaries' methods: what Python 2 lists, as fissix' own does, but for sets made of views.

`a.keys() - b` is Python 3 (a list of Python 2 has no minus): it stays a view.
"""
from __future__ import annotations

from typing import Any

from fissix.fixes.fix_dict import FixDict

_OF_SETS = frozenset("-&|^")


class FixViews(FixDict):  # type: ignore[misc]
    def in_special_context(self, node: Any, isiter: bool) -> bool:
        beside = (node.prev_sibling, node.next_sibling)
        if any(getattr(sibling, "value", None) in _OF_SETS for sibling in beside):
            return True
        return bool(super().in_special_context(node, isiter))
