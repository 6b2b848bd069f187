"""What functions that initialise variables from a checkpoint need of them."""
from __future__ import annotations

from typing import Any

from graphc.api.state.variable_scope import store
from graphc.api.state.variables import Variable
from graphc.ir.tensor import Operation, Tensor


def stored_variables() -> dict[str, Any]:
    """The variables that get_variable made in the default graph, by their full names."""
    return dict(store().variables)


def set_initializer(variable: Variable, initializer: Operation, initial_value: Tensor) -> None:
    """From now on `initializer` initialises the variable, to `initial_value`."""
    variable._initializer = initializer
    variable._initial_value = initial_value
