"""gc.report_uninitialized_variables: which variables have no value yet."""
from __future__ import annotations

from collections.abc import Sequence

from graphc.api.array.gather import boolean_mask
from graphc.api.array.join import stack
from graphc.api.array.source import constant
from graphc.api.graph.scopes import name_scope
from graphc.api.math.comparison import logical_not
from graphc.api.public import public
from graphc.api.state.collections import global_variables, local_variables
from graphc.api.state.state import is_variable_initialized
from graphc.api.state.variables import Variable
from graphc.ir.dtypes import string
from graphc.ir.tensor import Tensor


@public("report_uninitialized_variables")
def report_uninitialized_variables(var_list: Sequence[Variable] | None = None,
                                   name: str = "report_uninitialized_variables") -> Tensor:
    """A vector of the names (strings) of the variables that have no value when it is fetched.

    var_list: by default all global and local variables. As `tf.report_uninitialized_variables`. Raises ValueError for
    what is no variable.

    >>> a, b = gc.Variable(1., name="a"), gc.Variable(2., name="b")
    >>> a.initializer.run()
    >>> gc.report_uninitialized_variables().eval()
    array([b'b'], dtype=object)
    """
    variables = [*global_variables(), *local_variables()] if var_list is None else list(var_list)
    with name_scope(name):
        if not variables:
            return constant([], dtype=string)
        missing = logical_not(stack([is_variable_initialized(v) for v in variables]))
        return boolean_mask(constant([v.op.name for v in variables]), missing)
