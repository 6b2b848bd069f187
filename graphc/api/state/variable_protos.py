"""Variables as the messages by which meta graphs name them (VariableDef); Variable.from_proto is the way back."""
from __future__ import annotations

from typing import Any

from graphc.api.state.variables import Variable


def variable_to_proto(variable: Variable, export_scope: str | None = None) -> Any:
    """Its VariableDef; None if it is not in the scope, which is taken off the names."""
    from graphc.serial.collections_pb2 import VariableDef

    scope = f"{export_scope.rstrip('/')}/" if export_scope else ""
    if not variable.name.startswith(scope):
        return None
    made = VariableDef(variable_name=variable.name.removeprefix(scope), trainable=variable.trainable,
                       initial_value_name=variable.initial_value.name.removeprefix(scope),
                       initializer_name=variable.initializer.name.removeprefix(scope),
                       snapshot_name=variable._as_graph_element().name.removeprefix(scope))
    part = variable._save_slice_info
    if part is not None:
        made.save_slice_info_def.full_name = part.full_name.removeprefix(scope)
        for field in ("full_shape", "var_offset", "var_shape"):
            getattr(made.save_slice_info_def, field).extend(int(n) for n in getattr(part, field))
    return made
