"""Variables as the messages by which meta graphs name them (VariableDef), and variables made of those."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.api.state.variables import Variable
from graphc.ir.graph import get_default_graph


@dataclass(frozen=True)
class SliceInfo:
    """Which part of a partitioned variable one is, as `tf.Variable.SaveSliceInfo`."""

    full_name: str
    full_shape: tuple[int, ...]
    var_offset: tuple[int, ...]
    var_shape: tuple[int, ...]

    @property
    def spec(self) -> str:
        """As checkpoints say it: "10 4 0,5:0,4"."""
        sizes = " ".join(map(str, self.full_shape))
        return f"{sizes} " + ":".join(f"{o},{s}" for o, s in zip(self.var_offset, self.var_shape, strict=True))


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


def variable_from_proto(proto: Any, import_scope: str | None = None) -> Variable:
    """The variable whose nodes are in the default graph, under the scope. Raises KeyError for nodes that are not there.
    """
    scope = f"{import_scope.rstrip('/')}/" if import_scope else ""
    graph = get_default_graph()

    def element(name: str) -> Any:
        return graph.as_graph_element(scope + name)

    made = Variable.__new__(Variable)
    made.constraint = None
    made._trainable = proto.trainable
    made._variable = element(proto.variable_name)
    made._initializer = element(proto.initializer_name)
    made._snapshot = element(proto.snapshot_name)
    made._initial_value = (element(proto.initial_value_name) if proto.initial_value_name
                           else made._initializer.inputs[1])
    part = proto.save_slice_info_def
    made._save_slice_info = SliceInfo(scope + part.full_name, tuple(part.full_shape), tuple(part.var_offset),
                                      tuple(part.var_shape)) if proto.HasField("save_slice_info_def") else None
    return made
