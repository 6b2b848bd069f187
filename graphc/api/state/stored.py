"""The store of the variables that get_variable made, as TensorFlow's own modules reach for it."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.state.variable_scope import Store, store


@public("python.ops.variable_scope._get_default_variable_store")
def default_variable_store() -> Store:
    """The store of the default graph; `_vars` is the dictionary of the variables that get_variable made, by full name.

    As TensorFlow's `variable_scope._get_default_variable_store`.

    >>> v = gc.get_variable("v", [2])
    >>> gc.python.ops.variable_scope._get_default_variable_store()._vars
    {'v': <gc.Variable 'v:0' shape=(2,) dtype=float32_ref>}
    """
    return store()
