"""The activation of a cell: tanh unless another is given, by its name, too."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.layers import named


def activation_of(given: Any) -> Callable[[Any], Any]:
    """The function given. Raises ValueError for a name that is not known."""
    return named.activation_of(given or gc.tanh)  # type: ignore[return-value]
