"""Stand-in while the rest is brought up."""
from __future__ import annotations

from .memory import function


@function
def verify(image, words, registry, work, error):
    return 0
