"""contrib.layers.optimize_loss: a whole training step of one call, UPDATE_OPS and summaries included."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.array.identity import with_dependencies
from graphc.api.public import public
from graphc.compat.layers.gradients import clipped_by_norm, multiplied, noisy

OPTIMIZER_CLS_NAMES: dict[str, Callable[..., Any]] = {
    "Adagrad": gc.train.AdagradOptimizer, "Adam": gc.train.AdamOptimizer, "Ftrl": gc.train.FtrlOptimizer,
    "Momentum": lambda learning_rate: gc.train.MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": gc.train.RMSPropOptimizer, "SGD": gc.train.GradientDescentOptimizer,
}
OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]
_NORMS = {"global_gradient_norm", "gradient_norm"}


@public("contrib.layers.optimize_loss")
def optimize_loss(loss: Any, global_step: Any, learning_rate: Any, optimizer: Any,
                  gradient_noise_scale: float | None = None, gradient_multipliers: dict[Any, Any] | None = None,
                  clip_gradients: Any = None, learning_rate_decay_fn: Callable[[Any, Any], Any] | None = None,
                  update_ops: Sequence[Any] | None = None, variables: Sequence[Any] | None = None,
                  name: str | None = None, summaries: Sequence[str] | None = None,
                  colocate_gradients_with_ops: bool = False, increment_global_step: bool = True) -> Any:
    """The loss, as a tensor that makes a training step when it is run. As `tf.contrib.layers.optimize_loss`.

    optimizer: a name ("Adam", "SGD", ...), a class, an optimizer, or a function of the learning rate. update_ops: run
    before; by default the collection UPDATE_OPS. clip_gradients: a norm for all gradients together, or a function of
    the (gradient, variable) pairs. gradient_multipliers: by variable or name. summaries: of OPTIMIZER_SUMMARIES. loss:
    a scalar of float16, float32 or float64; learning_rate: a float, a scalar tensor, or None where the optimizer has
    its own. global_step: an integer variable, None for the graph's. Raises ValueError for another loss, a learning_rate
    that is an int or negative, unknown names of optimizers or summaries, an int for clip_gradients, and without
    variables; TypeError for a global_step of floats.

    >>> w = gc.get_variable("w", initializer=4.)
    >>> train = gc.contrib.layers.optimize_loss(gc.square(w), gc.train.create_global_step(), 0.25, "SGD")
    >>> gc.global_variables_initializer().run()
    >>> [float(train.eval()) for _ in range(3)]
    [16.0, 4.0, 1.0]
    """
    loss = gc.convert_to_tensor(loss)
    gc.assert_scalar(loss)
    if global_step is None:
        global_step = gc.train.get_global_step()
    else:
        gc.train.assert_global_step(global_step)
    wanted = {"loss", "learning_rate", "global_gradient_norm"} if summaries is None else set(summaries)
    if wanted - set(OPTIMIZER_SUMMARIES):
        raise ValueError(f"Summaries should be one of {OPTIMIZER_SUMMARIES}, you provided "
                         f"{sorted(wanted - set(OPTIMIZER_SUMMARIES))}.")
    with gc.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        before = dict.fromkeys(gc.get_collection(gc.GraphKeys.UPDATE_OPS) if update_ops is None else update_ops)
        if before:
            loss = with_dependencies([*before], loss)
        rate = _learning_rate(learning_rate)
        if rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in wanted:
                gc.summary.scalar("learning_rate", rate)
        made = _optimizer(optimizer, rate)
        pairs = made.compute_gradients(loss, gc.trainable_variables() if variables is None else variables,
                                       colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            pairs = noisy(pairs, gradient_noise_scale)
        if gradient_multipliers is not None:
            pairs = multiplied(pairs, gradient_multipliers)
        if wanted & _NORMS:
            gc.summary.scalar("global_norm/gradient_norm", gc.global_norm([g for g, _ in pairs]))
        pairs = _clipped(pairs, clip_gradients)
        _summarize(loss, pairs, wanted, clip_gradients is not None)
        step = made.apply_gradients(pairs, global_step if increment_global_step else None, name="train")
        return with_dependencies([step], loss)


def _learning_rate(given: Any) -> Any:
    """A scalar tensor as it is; a float becomes a variable, so that it is saved."""
    if given is None or (isinstance(given, gc.Tensor) and given.get_shape().ndims == 0):
        return given
    if not isinstance(given, float):
        raise ValueError(f"Learning rate should be 0d Tensor or float. Got {given} of type {type(given).__name__}")
    if given < 0.0:
        raise ValueError(f"Invalid learning_rate {given}.")
    return gc.get_variable("learning_rate", [], trainable=False, initializer=gc.constant_initializer(given))


def _optimizer(given: Any, rate: Any) -> Any:
    needs_rate = isinstance(given, (str, type))
    if needs_rate and rate is None:
        raise ValueError(f"Learning rate is None, but should be specified if optimizer is a name or class ({given}).")
    if isinstance(given, str):
        if given not in OPTIMIZER_CLS_NAMES:
            raise ValueError(f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided "
                             f"{given}.")
        return OPTIMIZER_CLS_NAMES[given](learning_rate=rate)
    if isinstance(given, gc.train.Optimizer):
        return given
    made = given(learning_rate=rate) if needs_rate else None
    if made is None and callable(given):
        made = given() if rate is None else given(rate)
    if not isinstance(made, gc.train.Optimizer):
        raise ValueError("Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of "
                         f"Optimizer or function with one argument. Got {given}.")
    return made


def _clipped(pairs: list[tuple[Any, Any]], clip: Any) -> list[tuple[Any, Any]]:
    if clip is None:
        return pairs
    if isinstance(clip, float):
        return clipped_by_norm(pairs, clip)
    if callable(clip):
        return list(clip(pairs))
    raise ValueError(f"clip_gradients must be a float or a function, but is a {type(clip).__name__}: {clip!r}")


def _summarize(loss: Any, pairs: list[tuple[Any, Any]], wanted: set[str], clipped: bool) -> None:
    if "loss" in wanted:
        gc.summary.scalar("loss", loss)
    for gradient, variable in pairs:
        if gradient is None:
            continue
        values = gradient.values if isinstance(gradient, gc.IndexedSlices) else gradient
        tag = variable.name.replace(":", "_")
        if "gradients" in wanted:
            gc.summary.histogram(f"gradients/{tag}", values)
        if "gradient_norm" in wanted:
            gc.summary.scalar(f"gradient_norm/{tag}", gc.global_norm([values]))
    if clipped and wanted & _NORMS:
        gc.summary.scalar("global_norm/clipped_gradient_norm", gc.global_norm([g for g, _ in pairs]))
