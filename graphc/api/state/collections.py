"""The variables of a graph by their collections, and the operations that initialise them."""
from __future__ import annotations

from collections.abc import Sequence

from graphc.api.array.identity import group
from graphc.api.public import public
from graphc.api.state.variables import Variable
from graphc.ir.graph import GraphKeys, get_default_graph
from graphc.ir.tensor import Operation


@public("global_variables", "all_variables")
def global_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@public("local_variables")
def local_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@public("model_variables")
def model_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@public("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@public("variables_initializer", "initialize_variables", "initializers.variables")
def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """The operation that initialises these variables, as `tf.variables_initializer`."""
    return group(*[v.initializer for v in var_list], name=name)


@public("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer() -> Operation:
    """Initialises every variable made so far, as `tf.global_variables_initializer`."""
    return variables_initializer(global_variables())


@public("local_variables_initializer", "initialize_local_variables", "initializers.local_variables")
def local_variables_initializer() -> Operation:
    return variables_initializer(local_variables())


@public("initialize_all_variables")
def initialize_all_variables() -> Operation:
    return global_variables_initializer()
