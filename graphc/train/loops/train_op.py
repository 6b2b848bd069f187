"""create_train_op: one tensor that updates, trains and gives the loss; and what is done to gradients on the way."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.log import LOG

USE_GLOBAL_STEP = 0
GradsAndVars = list[tuple[Any, Any]]


@public("contrib.training.create_train_op")
def create_train_op(total_loss: Any, optimizer: Any, global_step: Any = USE_GLOBAL_STEP,
                    update_ops: Sequence[Any] | None = None, variables_to_train: Sequence[Any] | None = None,
                    transform_grads_fn: Callable[[GradsAndVars], GradsAndVars] | None = None,
                    summarize_gradients: bool = False, gate_gradients: int = 1, aggregation_method: int | None = None,
                    colocate_gradients_with_ops: bool = False, check_numerics: bool = True) -> Any:
    """A tensor of the loss; running it makes a step, as `tf.contrib.training.create_train_op`.

    global_step: None for none; by default the graph's, made if needed. update_ops: run before the loss; by default the
    collection UPDATE_OPS. transform_grads_fn: from (gradient, variable) pairs to such. check_numerics: the loss must be
    finite. Raises ValueError for variables that are not trainable, or if there are none.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.training.create_train_op(gc.reduce_sum(v * v), gc.train.GradientDescentOptimizer(0.1))
    >>> gc.global_variables_initializer().run()
    >>> [step.eval() for _ in range(3)]
    [np.float32(5.0), np.float32(3.2), np.float32(2.048)]
    >>> gc.train.get_global_step().eval()
    np.int64(3)
    """
    if global_step is USE_GLOBAL_STEP:
        global_step = gc.train.get_or_create_global_step()
    collected = gc.get_collection(gc.GraphKeys.UPDATE_OPS)
    updates = list(dict.fromkeys(collected if update_ops is None else update_ops))
    if not set(collected) <= set(updates):
        LOG.warning("update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS")
    if updates:
        with gc.control_dependencies(updates):
            barrier = gc.no_op(name="update_barrier")
        total_loss = gc.python.ops.control_flow_ops.with_dependencies([barrier], total_loss)
    trainable = gc.trainable_variables()
    variables = trainable if variables_to_train is None else list(variables_to_train)
    foreign = [v.name for v in variables if v not in trainable]
    if foreign or not variables:
        raise ValueError(f"create_train_op: these are not among the trainable variables: {foreign}" if foreign else
                         "create_train_op: there is no variable to train")
    pairs = optimizer.compute_gradients(total_loss, variables, gate_gradients=gate_gradients,
                                        aggregation_method=aggregation_method,
                                        colocate_gradients_with_ops=colocate_gradients_with_ops)
    if transform_grads_fn is not None:
        pairs = transform_grads_fn(pairs)
    if summarize_gradients:
        with gc.name_scope("summarize_grads"):
            add_gradients_summaries(pairs)
    trained = optimizer.apply_gradients(pairs, global_step=global_step)
    with gc.name_scope("train_op"):
        if check_numerics:
            total_loss = gc.check_numerics(total_loss, "LossTensor is inf or nan")
        train_op = gc.python.ops.control_flow_ops.with_dependencies([trained], total_loss)
    gc.add_to_collection(gc.GraphKeys.TRAIN_OP, train_op)
    return train_op


def scaled(gradient: Any, scale: Callable[[Any], Any]) -> Any:
    """The gradient with `scale` of its values; IndexedSlices keep their rows."""
    if isinstance(gradient, gc.IndexedSlices):
        return gc.IndexedSlices(scale(gradient.values), gradient.indices, gradient.dense_shape)
    return scale(gradient)


@public("contrib.training.clip_gradient_norms")
def clip_gradient_norms(gradients_to_variables: Sequence[tuple[Any, Any]], max_norm: Any) -> GradsAndVars:
    """The pairs with each gradient's norm at most max_norm, as `tf.contrib.training.clip_gradient_norms`.

    Each gradient by itself; gc.clip_by_global_norm treats all of them as one vector. Gradients: floating point
    (TypeError); None stays None.

    >>> v = gc.Variable([3., 4.])
    >>> pairs = gc.train.GradientDescentOptimizer(1.).compute_gradients(gc.reduce_sum(v * v) / 2.)
    >>> gc.global_variables_initializer().run()
    >>> [(gradient, variable)] = gc.contrib.training.clip_gradient_norms(pairs, max_norm=1.)
    >>> gradient.eval()
    array([0.6, 0.8], dtype=float32)
    """
    return [(gradient if gradient is None else scaled(gradient, lambda g: gc.clip_by_norm(g, max_norm)), variable)
            for gradient, variable in gradients_to_variables]


@public("contrib.training.clip_gradient_norms_fn")
def clip_gradient_norms_fn(max_norm: Any) -> Callable[[GradsAndVars], GradsAndVars]:
    """A function of (gradient, variable) pairs, for create_train_op's transform_grads_fn: clip_gradient_norms of them.

    As `tf.contrib.training.clip_gradient_norms_fn`.

    >>> v = gc.Variable([3., 4.])
    >>> step = gc.contrib.training.create_train_op(
    ...     gc.reduce_sum(v * v), gc.train.GradientDescentOptimizer(1.),
    ...     transform_grads_fn=gc.contrib.training.clip_gradient_norms_fn(1.))
    >>> gc.global_variables_initializer().run()
    >>> step.eval(), v.eval()
    (np.float32(25.0), array([2.4, 3.2], dtype=float32))
    """
    return lambda pairs: clip_gradient_norms(pairs, max_norm)


@public("contrib.training.multiply_gradients")
def multiply_gradients(grads_and_vars: GradsAndVars, gradient_multipliers: Mapping[Any, Any]) -> GradsAndVars:
    """The pairs with gradients times gradient_multipliers[variable or its name], as
    `tf.contrib.training.multiply_gradients`.

    Raises ValueError if grads_and_vars is no list or gradient_multipliers no dictionary, for no multipliers, or a
    multiple of a gradient that is None.

    >>> w, b = gc.Variable([1., 2.], name="w"), gc.Variable(3., name="b")
    >>> pairs = gc.train.GradientDescentOptimizer(1.).compute_gradients(gc.reduce_sum(w) + b)
    >>> gc.global_variables_initializer().run()
    >>> [g.eval() for g, _ in gc.contrib.training.multiply_gradients(pairs, {w: 0.1})]
    [array([0.1, 0.1], dtype=float32), np.float32(1.0)]
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, Mapping):
        raise ValueError("`gradient_multipliers` must be a dict.")
    made = []
    for gradient, variable in grads_and_vars:
        factor = gradient_multipliers.get(variable, gradient_multipliers.get(variable.op.name))
        if factor is not None:
            if gradient is None:
                raise ValueError(f"Requested multiple of `None` gradient: of {variable.op.name}")
            gradient = scaled(gradient, lambda g, factor=factor: g * gc.cast(factor, g.dtype))
        made.append((gradient, variable))
    return made


@public("contrib.training.add_gradients_summaries")
def add_gradients_summaries(grads_and_vars: Sequence[tuple[Any, Any]]) -> list[Any]:
    """A histogram and the norm of each gradient as summaries, as `tf.contrib.training.add_gradients_summaries`.

    Pairs without a gradient are left out. Gradients: of any shape, numbers (TypeError).

    >>> v = gc.Variable([3., 4.], name="v")
    >>> gradients = gc.train.GradientDescentOptimizer(0.1).compute_gradients(gc.reduce_sum(v * v))
    >>> gc.contrib.training.add_gradients_summaries(gradients)
    [<gc.Tensor 'v_gradient:0' shape=() dtype=string>, <gc.Tensor 'v_gradient_norm:0' shape=() dtype=string>]
    """
    return gradient_summaries(grads_and_vars, "_gradient")


def gradient_summaries(pairs: Sequence[tuple[Any, Any]], suffix: str) -> list[Any]:
    """suffix: after the variable's name in the tags."""
    made = []
    for gradient, variable in pairs:
        if gradient is None:
            LOG.info("Var %s has no gradient", variable.op.name)
            continue
        values = gradient.values if isinstance(gradient, gc.IndexedSlices) else gradient
        tag = f"{variable.op.name}{suffix}"
        made += [gc.summary.histogram(tag, values), gc.summary.scalar(f"{tag}_norm", gc.global_norm([values]))]
    return made
