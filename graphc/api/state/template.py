"""make_template: a function that makes its variables once, and shares them whenever it is called again."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from graphc.api.public import public
from graphc.api.state.variable_scope import VariableScope, store, variable_scope
from graphc.errors import built_at
from graphc.ir.graph import GraphKeys, get_default_graph


@public("make_template")
def make_template(name_: str, func_: Callable[..., Any], create_scope_now_: bool = False,
                  unique_name_: str | None = None, custom_getter_: Any = None, **kwargs: Any) -> Template:
    """func_, its variables (made by gc.get_variable) shared by all calls.

    They are named in the variable scope in which it is called first, or with create_scope_now_ made here: name_ made
    unique, or unique_name_. kwargs: arguments that each call of func_ gets. As `tf.make_template`. A call that makes
    new trainable variables, after the first, raises ValueError: gc.Variable is not shared. So does a name_ that is
    None.

    >>> def scaled(x):
    ...     return x * gc.get_variable("scale", [], initializer=gc.constant_initializer(3.))
    >>> layer = gc.make_template("layer", scaled)
    >>> y = layer(2.) + layer(10.)
    >>> gc.global_variables_initializer().run()
    >>> y.eval(), [v.name for v in layer.trainable_variables]
    (np.float32(36.0), ['layer/scale:0'])
    """
    return Template(name_, partial(func_, **kwargs) if kwargs else func_, create_scope_now_, unique_name_,
                    custom_getter_)


class Template:
    """What `make_template` gives: call it as the function; its properties list its variables, empty before the first
    call.
    """

    def __init__(self, name: str, function: Callable[..., Any], create_scope_now: bool, unique_name: str | None,
                 custom_getter: Any) -> None:
        self._function = function
        self._name = name
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._scope: VariableScope | None = None
        self._called = self._has_variables = False
        if name is None:
            raise ValueError("name cannot be None.")
        if create_scope_now:
            with variable_scope(unique_name or store().unique(name), custom_getter=custom_getter,
                                auxiliary_name_scope=False) as scope:
                self._scope = scope

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        if self._scope is None:
            self._called = True
            with variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter) as scope:
                self._scope = scope
                return self._run(arguments, more)
        with variable_scope(self._scope, reuse=self._called):
            self._called = True
            return self._run(arguments, more)

    def _run(self, arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        trained = get_default_graph().get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        before = len(trained)
        result = self._function(*arguments, **more)
        if self._has_variables and len(trained) > before:
            raise ValueError(f"Trainable variable created when calling a template after the first time, perhaps you "
                             f"used gc.Variable when you meant gc.get_variable: {trained[before:]}"
                             f"{built_at(trained[before].op)}")
        self._has_variables = True
        return result

    @property
    def name(self) -> str:
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        return self._function

    @property
    def variable_scope(self) -> VariableScope | None:
        """None before the first call, unless it was made with the template."""
        return self._scope

    var_scope = variable_scope

    @property
    def variable_scope_name(self) -> str | None:
        return None if self._scope is None else self._scope.name

    def _of(self, key: str) -> list[Any]:
        return [] if self._scope is None else self._scope.get_collection(key)

    @property
    def variables(self) -> list[Any]:
        return self.global_variables + self.local_variables

    @property
    def weights(self) -> list[Any]:
        return self.variables

    @property
    def trainable_variables(self) -> list[Any]:
        return self._of(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def trainable_weights(self) -> list[Any]:
        return self.trainable_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        trained = set(self.trainable_variables)
        return [v for v in self.global_variables if v not in trained]

    @property
    def global_variables(self) -> list[Any]:
        return self._of(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        return self._of(GraphKeys.LOCAL_VARIABLES)
