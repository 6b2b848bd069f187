"""report_uninitialized_variables: which variables have no value in a session yet."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.api.state.state import is_variable_initialized
from graphc.api.state.variables import Variable, global_variables, local_variables
from graphc.ir.stacks import default_sessions


class UninitializedReport:
    """What `report_uninitialized_variables` returns. It can be fetched; it is no input for other ops."""

    def __init__(self, variables: Sequence[Variable], name: str) -> None:
        self.names = [v.op.name for v in variables]
        self.flags = [is_variable_initialized(v, name=f"{name}/{v.op.name}") for v in variables]

    def _fetch_parts(self) -> tuple[list[Any], Callable[..., np.ndarray]]:
        return list(self.flags), self._named

    def _named(self, *flags: Any) -> np.ndarray:
        return np.array([n.encode() for n, done in zip(self.names, flags, strict=True) if not done], dtype=object)

    def eval(self, feed_dict: Any = None, session: Any = None) -> np.ndarray:
        """The names in `session`, by default the default one."""
        session = session or default_sessions.get()
        if session is None:
            raise ValueError("cannot eval: there is no default session; use `with gc.Session():` or pass session=...")
        return session.run(self, feed_dict)  # type: ignore[no-any-return]


@public("report_uninitialized_variables")
def report_uninitialized_variables(var_list: Sequence[Variable] | None = None,
                                   name: str = "report_uninitialized_variables") -> UninitializedReport:
    """The names (bytes, as an object array) of the variables that have no value when it is fetched, as
    `tf.report_uninitialized_variables`. var_list: by default all global and local ones."""
    variables = [*global_variables(), *local_variables()] if var_list is None else list(var_list)
    return UninitializedReport(variables, name)
