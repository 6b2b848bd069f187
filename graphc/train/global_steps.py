"""The global step: an int64 variable that counts training steps."""
from __future__ import annotations

import logging
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("train.get_global_step", "contrib.framework.get_global_step", "contrib.slim.get_global_step")
def get_global_step(graph: gc.Graph | None = None) -> Any:
    """The global step of the graph: what is in the collection, or the tensor "global_step:0"; else None, as
    `tf.train.get_global_step`. Also None, with an error in the log, if the collection has several.

    Raises TypeError if it is no integer scalar.

    >>> gc.train.get_global_step() is None
    True
    >>> step = gc.train.create_global_step()
    >>> gc.train.get_global_step() is step
    True
    """
    graph = graph or gc.get_default_graph()
    found = graph.get_collection(gc.GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        logging.getLogger("tensorflow").error("Multiple tensors in global_step collection: %s",
                                              ", ".join(v.name for v in found))
        return None
    if not found:
        try:
            found = [graph.get_tensor_by_name("global_step:0")]
        except KeyError:
            return None
    assert_global_step(found[0])
    return found[0]


@public("train.create_global_step", "contrib.framework.create_global_step", "contrib.slim.create_global_step")
def create_global_step(graph: gc.Graph | None = None) -> gc.Variable:
    """Makes the global step. Raises ValueError if there is one.

    It is an int64 scalar variable that begins at 0 and is not trained, in the collections GLOBAL_VARIABLES and
    GLOBAL_STEP. `minimize(loss, global_step=step)` counts it up. As `tf.train.create_global_step`.

    >>> step = gc.train.create_global_step()
    >>> step
    <gc.Variable 'global_step:0' shape=() dtype=int64_ref>
    """
    graph = graph or gc.get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists; use gc.train.get_or_create_global_step()')
    with graph.as_default(), graph.name_scope(None):
        return gc.get_variable(gc.GraphKeys.GLOBAL_STEP, shape=[], dtype=gc.int64, initializer=gc.zeros_initializer(),
                               trainable=False, collections=[gc.GraphKeys.GLOBAL_VARIABLES, gc.GraphKeys.GLOBAL_STEP])


@public("train.get_or_create_global_step", "contrib.framework.get_or_create_global_step",
        "contrib.slim.get_or_create_global_step")
def get_or_create_global_step(graph: gc.Graph | None = None) -> Any:
    """The graph's global step, an int64 scalar variable; it is made, at 0, if there is none.

    As `tf.train.get_or_create_global_step`. Raises TypeError if there is one that is no integer scalar.

    >>> step = gc.train.get_or_create_global_step()
    >>> v = gc.Variable(1.)
    >>> train = gc.train.GradientDescentOptimizer(0.1).minimize(v ** 2, global_step=step)
    >>> gc.global_variables_initializer().run()
    >>> train.run()
    >>> step.eval(), gc.train.get_or_create_global_step() is step
    (np.int64(1), True)
    """
    graph = graph or gc.get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


@public("train.assert_global_step", "contrib.framework.assert_global_step", "contrib.slim.assert_global_step")
def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError unless `global_step_tensor` is an integer scalar.

    As `tf.train.assert_global_step`.

    >>> gc.train.assert_global_step(gc.Variable(0, trainable=False))
    >>> gc.train.assert_global_step(gc.Variable(0.5))
    Traceback (most recent call last):
        ...
    TypeError: Existing "global_step" must be an integer scalar, but is ...
    """
    if not global_step_tensor.dtype.is_integer or global_step_tensor.shape.ndims not in (0, None):
        raise TypeError(f"Existing \"global_step\" must be an integer scalar, but is {global_step_tensor!r}")


@public("contrib.framework.assert_or_get_global_step", "contrib.slim.assert_or_get_global_step")
def assert_or_get_global_step(graph: gc.Graph | None = None, global_step_tensor: Any = None) -> Any:
    """global_step_tensor, which must be an integer scalar; the graph's global step if it is None. As
    `tf.contrib.framework.assert_or_get_global_step`.

    Raises TypeError if it is none.

    >>> step = gc.train.create_global_step()
    >>> gc.contrib.framework.assert_or_get_global_step() is step
    True
    """
    if global_step_tensor is None:
        return get_global_step(graph)
    assert_global_step(global_step_tensor)
    return global_step_tensor


@public("train.global_step")
def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step, an int, in a session, as `tf.train.global_step`.

    Raises FailedPreconditionError if it is not initialised.

    >>> step = gc.train.create_global_step()
    >>> gc.global_variables_initializer().run()
    >>> gc.train.global_step(gc.get_default_session(), step)
    0
    """
    return int(sess.run(global_step_tensor))


def global_step_read(graph: gc.Graph | None = None) -> Any:
    """A tensor that reads the global step of the graph, made once: the initial value before it is initialised. None if
    there is no global step."""
    graph = graph or gc.get_default_graph()
    cached = graph.get_collection_ref("global_step_read_op_cache")
    step = get_global_step(graph)
    if step is not None and not cached:
        with graph.as_default(), graph.name_scope(f"{step.op.name}/"), graph.control_dependencies(None):
            value = step.initialized_value() if isinstance(step, gc.Variable) else step
            cached.append(value + 0)
    return cached[0] if cached else None
