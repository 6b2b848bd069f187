"""The fixer of dictionaries' methods: what Python 2 lists, as fissix' own does, but for sets made of views, and for
other objects that have a method of such a name.

`a.keys() - b` is Python 3 (a list of Python 2 has no minus): it stays a view. What `hparams.values()` gives is a
dictionary in both languages: only what is a view when the program runs becomes a list.
"""
from __future__ import annotations

import builtins
from collections.abc import MappingView
from typing import Any

from fissix.fixes.fix_dict import FixDict

_OF_SETS = frozenset("-&|^")
_LISTED = "__graphc_listed__"


class FixViews(FixDict):  # type: ignore[misc]
    def transform(self, node: Any, results: Any) -> Any:
        setattr(builtins, _LISTED, _listed)
        made = super().transform(node, results)
        if made is not None:
            first, old = next(iter(made.leaves())), next(iter(node.leaves()))
            if first.value == "list" and old.value != "list":
                first.value = _LISTED
        return made

    def in_special_context(self, node: Any, isiter: bool) -> bool:
        beside = (node.prev_sibling, node.next_sibling)
        if any(getattr(sibling, "value", None) in _OF_SETS for sibling in beside):
            return True
        return bool(super().in_special_context(node, isiter))


def _listed(found: Any) -> Any:
    return list(found) if isinstance(found, MappingView) else found
