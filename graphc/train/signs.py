"""PowerSign and AddSign (Bello et al.): larger steps where a gradient and its moving average agree in sign."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizer import GradsAndVars, Optimizer
from graphc.train.optimizers import as_type_of, make
from graphc.train.slots import var_key


class _Sign(Optimizer):
    """sign_decay_fn(global_step): how much the agreement counts, 1 by default."""

    op_type: str

    def __init__(self, learning_rate: Any, scalar: Any, beta: Any, sign_decay_fn: Callable[[Any], Any] | None,
                 use_locking: bool, name: str) -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._scalar = scalar
        self._beta = beta
        self._sign_decay_fn = sign_decay_fn
        self._sign_decay_t: Any = None
        self._tensors: tuple[gc.Tensor, ...] = ()

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> gc.Operation:
        decay = 1.0
        if self._sign_decay_fn is not None:
            if global_step is None:
                raise ValueError(f"{type(self).__name__}.apply_gradients: sign_decay_fn needs global_step")
            decay = self._sign_decay_fn(global_step)
        self._sign_decay_t = gc.convert_to_tensor(decay, name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step, name)

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "m", self._name)

    def _prepare(self) -> None:
        self._tensors = (gc.convert_to_tensor(self._call_if_callable(self._lr), name="learning_rate"),
                         gc.convert_to_tensor(self._scalar), self._sign_decay_t,
                         gc.convert_to_tensor(self._beta, name="beta"))

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make(self.op_type, var._ref(), *self._slots_of(var, "m"),
                    *(as_type_of(t, var) for t in self._tensors), grad, use_locking=self._use_locking)

    def _factor(self, scalar: gc.Tensor, decayed: gc.Tensor) -> gc.Tensor:
        raise NotImplementedError(f"{type(self).__name__}._factor")

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        """The average moves in all rows, the variable in those of the gradient."""
        lr, scalar, decay, beta = (as_type_of(t, var) for t in self._tensors)
        values, m = grad.summed().values, self._slots["m"][var_key(var)]
        rows = gc.add(gc.multiply(gc.gather(m, grad.indices), beta), gc.multiply(values, gc.subtract(1.0, beta)))
        with gc.get_default_graph().control_dependencies([rows]):
            whole = gc.assign(m, gc.multiply(m, beta), use_locking=self._use_locking)
        with gc.get_default_graph().control_dependencies([whole]):
            moved = gc.scatter_update(m, grad.indices, rows, use_locking=self._use_locking)
        agree = gc.multiply(decay, gc.multiply(gc.sign(values), gc.sign(rows)))
        # Each row of the gradient adds its own part of the step.
        step = gc.multiply(gc.multiply(lr, self._factor(scalar, agree)), grad.values)
        return gc.group(gc.scatter_sub(var, grad.indices, step, use_locking=self._use_locking), moved)


@public("contrib.opt.PowerSignOptimizer")
class PowerSignOptimizer(_Sign):
    """var -= lr * base ** (sign_decay * sign(g) * sign(m)) * g, as `tf.contrib.opt.PowerSignOptimizer`.

    g: the gradient; m: its moving average, decaying with beta. Where the two agree the step is `base` times as
    long, else as much shorter. learning_rate, beta: numbers or scalar tensors; base: a number. minimize raises
    TypeError for strings, ValueError for other shapes, and for sign_decay_fn without global_step.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.opt.PowerSignOptimizer(0.1, base=2.).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # 0.1 * 2 * gradient
    >>> v.eval()
    array([0.6, 1.2], dtype=float32)
    """

    op_type = "ApplyPowerSign"

    def __init__(self, learning_rate: Any = 0.1, base: float = math.e, beta: Any = 0.9,
                 sign_decay_fn: Callable[[Any], Any] | None = None, use_locking: bool = False,
                 name: str = "PowerSignOptimizer") -> None:
        super().__init__(learning_rate, math.log(base), beta, sign_decay_fn, use_locking, name)

    def _factor(self, scalar: gc.Tensor, decayed: gc.Tensor) -> gc.Tensor:
        return gc.exp(gc.multiply(scalar, decayed))


@public("contrib.opt.AddSignOptimizer")
class AddSignOptimizer(_Sign):
    """var -= lr * (alpha + sign_decay * sign(g) * sign(m)) * g, as `tf.contrib.opt.AddSignOptimizer`.

    g: the gradient; m: its moving average, decaying with beta. Where the two agree the step is longer. learning_rate,
    alpha, beta: numbers or scalar tensors; minimize raises TypeError for strings, ValueError for other shapes, and for
    sign_decay_fn without global_step.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.opt.AddSignOptimizer(0.1).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # 0.1 * (1 + 1) * gradient
    >>> v.eval()
    array([0.6, 1.2], dtype=float32)
    """

    op_type = "ApplyAddSign"

    def __init__(self, learning_rate: Any = 0.1, alpha: Any = 1.0, beta: Any = 0.9,
                 sign_decay_fn: Callable[[Any], Any] | None = None, use_locking: bool = False,
                 name: str = "AddSignOptimizer") -> None:
        super().__init__(learning_rate, alpha, beta, sign_decay_fn, use_locking, name)

    def _factor(self, scalar: gc.Tensor, decayed: gc.Tensor) -> gc.Tensor:
        return gc.add(scalar, decayed)
