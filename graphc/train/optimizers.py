"""Gradient descent, Momentum, Adam.

Updates of rows may be given an index several times: the ops sum the rows of one index before they use them
(ops/training/update.py), so nothing has to be made of the indices here.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizer import Optimizer
from graphc.train.slots import var_key


def as_type_of(value: Any, var: gc.Variable) -> gc.Tensor:
    """A hyperparameter in the dtype of the variable."""
    return gc.cast(value, var.dtype.base_dtype)


def make(op_type: str, *inputs: Any, **fields: Any) -> gc.Operation:
    """An update op, under its own name."""
    made: gc.Tensor = getattr(gc.raw_ops, op_type)(*inputs, **fields)
    return made.op


@public("train.GradientDescentOptimizer")
class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate * gradient, as `tf.train.GradientDescentOptimizer`.

    learning_rate: a number, a scalar tensor (gc.train.exponential_decay), or a function that gives one. minimize raises
    TypeError if it is a string, ValueError for another shape, and what gc.train.Optimizer's raises.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.8, 1.6], dtype=float32)
    """

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_tensor: Any = None

    def _prepare(self) -> None:
        self._learning_rate_tensor = gc.convert_to_tensor(self._call_if_callable(self._learning_rate),
                                                          name="learning_rate")

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyGradientDescent", var._ref(), as_type_of(self._learning_rate_tensor, var), grad,
                    use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        delta = gc.multiply(grad.values, as_type_of(self._learning_rate_tensor, var))
        return gc.scatter_sub(var, grad.indices, delta, use_locking=self._use_locking)


@public("train.MomentumOptimizer")
class MomentumOptimizer(Optimizer):
    """accum = momentum * accum + gradient; var -= learning_rate * accum, as `tf.train.MomentumOptimizer`.

    use_nesterov: var -= learning_rate * (gradient + momentum * accum). learning_rate, momentum: numbers, scalar
    tensors, or functions that give them; minimize raises TypeError for strings, ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.train.MomentumOptimizer(0.1, momentum=0.9).minimize(gc.reduce_sum(v))
    >>> gc.global_variables_initializer().run()
    >>> step.run(), step.run()                  # 0.1, then 0.1 * 1.9
    (None, None)
    >>> v.eval()
    array([0.71, 1.71], dtype=float32)
    """

    def __init__(self, learning_rate: Any, momentum: Any, use_locking: bool = False, name: str = "Momentum",
                 use_nesterov: bool = False) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov
        self._learning_rate_tensor: Any = None
        self._momentum_tensor: Any = None

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = gc.convert_to_tensor(self._call_if_callable(self._learning_rate),
                                                          name="learning_rate")
        self._momentum_tensor = gc.convert_to_tensor(self._call_if_callable(self._momentum), name="momentum")

    def _operands(self, var: gc.Variable) -> list[gc.Tensor]:
        return [var._ref(), *self._slots_of(var, "momentum"), as_type_of(self._learning_rate_tensor, var)]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyMomentum", *self._operands(var), grad, as_type_of(self._momentum_tensor, var),
                    use_locking=self._use_locking, use_nesterov=self._use_nesterov)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return make("SparseApplyMomentum", *self._operands(var), grad.values, grad.indices,
                    as_type_of(self._momentum_tensor, var), use_locking=self._use_locking,
                    use_nesterov=self._use_nesterov)


@public("train.AdamOptimizer")
class AdamOptimizer(Optimizer):
    """Adam (Kingma and Ba), as `tf.train.AdamOptimizer`: epsilon stands outside of the bias correction.

    With a gradient of some rows, all rows move: those that are absent have a gradient of zero.
    learning_rate and the others: numbers, scalar tensors, or functions that give them. minimize raises TypeError for
    strings, ValueError for other shapes.

    >>> w, b = gc.Variable([[1.], [2.]]), gc.Variable(0.)
    >>> x, y = gc.constant([[1., 0.], [0., 1.]]), gc.constant([[2.], [4.]])
    >>> loss = gc.losses.mean_squared_error(y, gc.matmul(x, w) + b)
    >>> step = gc.train.AdamOptimizer(0.1).minimize(loss)
    >>> gc.global_variables_initializer().run()
    >>> for _ in range(100):
    ...     step.run()
    >>> gc.get_default_session().run([w + b, loss])
    [array([[2.0067],
           [4.003 ]], dtype=float32), np.float32(2.694e-05)]
    """

    def __init__(self, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999, epsilon: Any = 1e-8,
                 use_locking: bool = False, name: str = "Adam") -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon
        self._lr_t: Any = None
        self._beta1_t: Any = None
        self._beta2_t: Any = None
        self._epsilon_t: Any = None

    def _get_beta_accumulators(self) -> tuple[gc.Variable, gc.Variable]:
        graph = gc.get_default_graph()
        return self._get_non_slot_variable("beta1_power", graph), self._get_non_slot_variable("beta2_power", graph)

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._call_if_callable(self._beta1), "beta1_power", first)
        self._create_non_slot_variable(self._call_if_callable(self._beta2), "beta2_power", first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _prepare(self) -> None:
        self._lr_t = gc.convert_to_tensor(self._call_if_callable(self._lr), name="learning_rate")
        self._beta1_t = gc.convert_to_tensor(self._call_if_callable(self._beta1), name="beta1")
        self._beta2_t = gc.convert_to_tensor(self._call_if_callable(self._beta2), name="beta2")
        self._epsilon_t = gc.convert_to_tensor(self._call_if_callable(self._epsilon), name="epsilon")

    def _scalars(self, var: gc.Variable) -> list[gc.Tensor]:
        """beta1_power, beta2_power, lr, beta1, beta2, epsilon in the variable's dtype."""
        powers = [power.value() for power in self._get_beta_accumulators()]
        return [as_type_of(t, var) for t in (*powers, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t)]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyAdam", var._ref(), *self._slots_of(var, "m", "v"), *self._scalars(var), grad,
                    use_locking=self._use_locking)

    def _corrected_rate(self, var: gc.Variable) -> gc.Tensor:
        """The learning rate with the correction of both averages' bias."""
        beta1_power, beta2_power, lr, *_ = self._scalars(var)
        return gc.divide(gc.multiply(lr, gc.sqrt(gc.subtract(1.0, beta2_power))), gc.subtract(1.0, beta1_power))

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        _, _, _, beta1, beta2, epsilon = self._scalars(var)
        values, indices = grad.summed().values, grad.indices
        m = self._decayed(self._slots["m"][var_key(var)], beta1, values, indices)
        v = self._decayed(self._slots["v"][var_key(var)], beta2, gc.square(values), indices)
        moved = gc.divide(gc.multiply(self._corrected_rate(var), m), gc.add(gc.sqrt(v), epsilon))
        return gc.group(gc.assign_sub(var, moved, use_locking=self._use_locking), m, v)

    def _decayed(self, slot: gc.Variable, beta: gc.Tensor, values: gc.Tensor, indices: gc.Tensor) -> gc.Tensor:
        """slot = beta * slot, and at the indices + (1 - beta) * values: the slot's new value."""
        rows = gc.add(gc.multiply(gc.gather(slot, indices), beta), gc.multiply(values, gc.subtract(1.0, beta)))
        with gc.get_default_graph().control_dependencies([rows]):
            whole = gc.assign(slot, gc.multiply(slot, beta), use_locking=self._use_locking)
        with gc.get_default_graph().control_dependencies([whole]):
            return gc.scatter_update(slot, indices, rows, use_locking=self._use_locking)

    def _finish(self, update_ops: Sequence[gc.Operation], name_scope: str) -> gc.Operation:
        with gc.get_default_graph().control_dependencies(update_ops):
            moved = [gc.assign(power, gc.multiply(power, as_type_of(beta, power)), use_locking=self._use_locking).op
                     for power, beta in zip(self._get_beta_accumulators(), (self._beta1_t, self._beta2_t), strict=True)]
        return gc.group(*update_ops, *moved, name=name_scope)
