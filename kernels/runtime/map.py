"""The map evaluator: binds and runs typed scalar programs over strided domains. map_bind.py and map_run.py say how."""
from __future__ import annotations

from .map_bind import map_bind, map_set_address, map_words
from .map_chunk import fill_repeated
from .map_cut import largest_tile
from .map_run import map_run, map_run_range

__all__ = ["fill_repeated", "largest_tile", "map_bind", "map_run", "map_run_range", "map_set_address", "map_words"]
