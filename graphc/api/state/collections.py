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
    """The list of the variables that a Saver saves and `global_variables_initializer` initialises, in the order of
    their making.

    scope: those whose names match this regular expression from the start on. As `tf.global_variables`.

    >>> a, b = gc.Variable(1., name="net/a"), gc.Variable(2., name="b")
    >>> gc.global_variables() == [a, b]
    True
    >>> gc.global_variables("net/")
    [<gc.Variable 'net/a:0' shape=() dtype=float32_ref>]
    """
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@public("local_variables")
def local_variables(scope: str | None = None) -> list[Variable]:
    """The list of the variables of GraphKeys.LOCAL_VARIABLES: counters of metrics, say, which no Saver saves.

    As `tf.local_variables`; scope as of `global_variables`.

    >>> v = gc.get_local_variable("seen", [])
    >>> gc.local_variables() == [v], gc.global_variables()
    (True, [])
    """
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@public("model_variables")
def model_variables(scope: str | None = None) -> list[Variable]:
    """The list of the variables of GraphKeys.MODEL_VARIABLES, where layers put what a model is made of.

    As `tf.model_variables`; scope as of `global_variables`.

    >>> v = gc.Variable(1., collections=[gc.GraphKeys.GLOBAL_VARIABLES, gc.GraphKeys.MODEL_VARIABLES])
    >>> gc.model_variables() == [v]
    True
    """
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@public("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Variable]:
    """The list of the variables that an optimizer changes unless it is told which: those made without trainable=False.

    As `tf.trainable_variables`; scope as of `global_variables`.

    >>> w, step = gc.Variable(1.), gc.Variable(0, trainable=False)
    >>> gc.trainable_variables() == [w]
    True
    """
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@public("variables_initializer", "initialize_variables", "initializers.variables")
def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """The operation that initialises these variables. As `tf.variables_initializer`.

    var_list: a list of variables, which may be empty; TypeError for one variable alone.

    >>> a, b = gc.Variable(1.), gc.Variable(2.)
    >>> gc.variables_initializer([b]).run()
    >>> gc.is_variable_initialized(a).eval(), b.eval()
    (np.False_, np.float32(2.0))
    """
    return group(*[v.initializer for v in var_list], name=name)


@public("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer() -> Operation:
    """The operation that initialises every global variable made so far; what is made later needs another call.

    An initial value that depends on other variables gets their initial values. As `tf.global_variables_initializer`.

    >>> v = gc.Variable([1., 2.])
    >>> twice = gc.Variable(2 * v)
    >>> gc.global_variables_initializer().run()
    >>> twice.eval()
    array([2., 4.], dtype=float32)
    """
    return variables_initializer(global_variables())


@public("local_variables_initializer", "initialize_local_variables", "initializers.local_variables")
def local_variables_initializer() -> Operation:
    """The operation that initialises every local variable made so far. As `tf.local_variables_initializer`.

    >>> v = gc.get_local_variable("seen", initializer=3)
    >>> gc.local_variables_initializer().run()
    >>> v.eval()
    np.int32(3)
    """
    return variables_initializer(local_variables())


@public("initialize_all_variables")
def initialize_all_variables() -> Operation:
    """The older name of `global_variables_initializer`. As `tf.initialize_all_variables`.

    >>> v = gc.Variable(1.)
    >>> gc.initialize_all_variables().run()
    >>> v.eval()
    np.float32(1.0)
    """
    return global_variables_initializer()
