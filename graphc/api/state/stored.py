"""The store of the variables that get_variable made, as TensorFlow's own modules reach for it."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.state.variable_scope import Store, store


@public("python.ops.variable_scope._get_default_variable_store")
def default_variable_store() -> Store:
    """The store of the default graph; `_vars` is the dictionary of its variables by full name."""
    return store()
