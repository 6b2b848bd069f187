"""The optimizers that divide by what they have seen: Adagrad, AdagradDA, Adadelta, RMSProp."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizer import Optimizer
from graphc.train.optimizers import as_type_of, make


@public("train.AdagradOptimizer")
class AdagradOptimizer(Optimizer):
    """Adagrad (Duchi et al.), as `tf.train.AdagradOptimizer`: the sum of squares begins at 0.1.

    learning_rate: a number, a scalar tensor, or a function that gives one; minimize raises TypeError for strings,
    ValueError for other shapes. Raises ValueError unless initial_accumulator_value, a number, is positive.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.train.AdagradOptimizer(0.1).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # 0.1 * gradient / sqrt(0.1 + gradient ** 2)
    >>> v.eval()
    array([0.9012, 1.9003], dtype=float32)
    """

    def __init__(self, learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False,
                 name: str = "Adagrad") -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value
        self._learning_rate_tensor: Any = None

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._filled_slot(var, self._initial_accumulator_value, "accumulator", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = gc.convert_to_tensor(self._call_if_callable(self._learning_rate),
                                                          name="learning_rate")

    def _operands(self, var: gc.Variable) -> list[gc.Tensor]:
        return [var._ref(), *self._slots_of(var, "accumulator"), as_type_of(self._learning_rate_tensor, var)]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyAdagrad", *self._operands(var), grad, use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return make("SparseApplyAdagrad", *self._operands(var), grad.values, grad.indices,
                    use_locking=self._use_locking)


@public("train.AdagradDAOptimizer")
class AdagradDAOptimizer(Optimizer):
    """Adagrad by dual averaging, for sparse linear models, as `tf.train.AdagradDAOptimizer`: the variable is computed
    again in each step, from sums over all steps; global_step counts them.

    learning_rate and the strengths: numbers or scalar tensors; minimize raises TypeError for strings, ValueError for
    other shapes. Raises ValueError unless initial_gradient_squared_accumulator_value, a number, is positive.

    >>> v, count = gc.Variable([1., 2.]), gc.train.create_global_step()
    >>> optimizer = gc.train.AdagradDAOptimizer(0.1, count, l1_regularization_strength=0.01)
    >>> step = optimizer.minimize(gc.reduce_sum(v * v), global_step=count)
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([-0.0983, -0.0994], dtype=float32)
    """

    def __init__(self, learning_rate: Any, global_step: Any, initial_gradient_squared_accumulator_value: float = 0.1,
                 l1_regularization_strength: Any = 0.0, l2_regularization_strength: Any = 0.0,
                 use_locking: bool = False, name: str = "AdagradDA") -> None:
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError("initial_gradient_squared_accumulator_value must be positive: "
                             f"{initial_gradient_squared_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_gradient_squared_accumulator_value = initial_gradient_squared_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength
        self._global_step = global_step
        self._learning_rate_tensor: Any = None
        self._global_step_on_worker: Any = None

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "gradient_accumulator", self._name)
            self._filled_slot(var, self._initial_gradient_squared_accumulator_value, "gradient_squared_accumulator",
                              self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = gc.convert_to_tensor(self._learning_rate, name="learning_rate")
        self._global_step_on_worker = gc.add(gc.cast(gc.identity(self._global_step), gc.int64), 1)

    def _refs(self, var: gc.Variable) -> list[gc.Tensor]:
        return [var._ref(), *self._slots_of(var, "gradient_accumulator", "gradient_squared_accumulator")]

    def _scalars(self, var: gc.Variable) -> list[gc.Tensor]:
        rates = (self._learning_rate_tensor, self._l1_regularization_strength, self._l2_regularization_strength)
        return [*(as_type_of(r, var) for r in rates), gc.identity(self._global_step_on_worker)]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyAdagradDA", *self._refs(var), grad, *self._scalars(var), use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return make("SparseApplyAdagradDA", *self._refs(var), grad.values, grad.indices, *self._scalars(var),
                    use_locking=self._use_locking)


@public("train.AdadeltaOptimizer")
class AdadeltaOptimizer(Optimizer):
    """Adadelta (Zeiler), as `tf.train.AdadeltaOptimizer`: var -= learning_rate * gradient * sqrt(a + epsilon) / sqrt(g
    + epsilon), with a and g the averages of squared updates and gradients, which decay with rho.

    learning_rate, rho, epsilon: numbers, scalar tensors, or functions that give them; minimize raises TypeError for
    strings, ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.train.AdadeltaOptimizer(1., rho=0.5, epsilon=0.1).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.5636, 1.5556], dtype=float32)
    """

    def __init__(self, learning_rate: Any = 0.001, rho: Any = 0.95, epsilon: Any = 1e-8, use_locking: bool = False,
                 name: str = "Adadelta") -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._rho = rho
        self._epsilon = epsilon
        self._lr_t: Any = None
        self._rho_t: Any = None
        self._epsilon_t: Any = None

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "accum", self._name)
            self._zeros_slot(var, "accum_update", self._name)

    def _prepare(self) -> None:
        self._lr_t = gc.convert_to_tensor(self._call_if_callable(self._lr), name="lr")
        self._rho_t = gc.convert_to_tensor(self._call_if_callable(self._rho), name="rho")
        self._epsilon_t = gc.convert_to_tensor(self._call_if_callable(self._epsilon), name="epsilon")

    def _operands(self, var: gc.Variable) -> list[gc.Tensor]:
        return [var._ref(), *self._slots_of(var, "accum", "accum_update"),
                *(as_type_of(t, var) for t in (self._lr_t, self._rho_t, self._epsilon_t))]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyAdadelta", *self._operands(var), grad, use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return make("SparseApplyAdadelta", *self._operands(var), grad.values, grad.indices,
                    use_locking=self._use_locking)


@public("train.RMSPropOptimizer")
class RMSPropOptimizer(Optimizer):
    """RMSProp, as `tf.train.RMSPropOptimizer`: the mean square begins at 1, epsilon stands inside the root; centered:
    divided by the deviation from the mean gradient.

    learning_rate, decay, momentum, epsilon: numbers, scalar tensors, or functions that give them; minimize raises
    TypeError for strings, ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.train.RMSPropOptimizer(0.1, decay=0.5).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # 0.1 * gradient / sqrt(0.5 + 0.5 * gradient ** 2)
    >>> v.eval()
    array([0.8735, 1.8628], dtype=float32)
    """

    def __init__(self, learning_rate: Any, decay: Any = 0.9, momentum: Any = 0.0, epsilon: Any = 1e-10,
                 use_locking: bool = False, centered: bool = False, name: str = "RMSProp") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._decay = decay
        self._momentum = momentum
        self._epsilon = epsilon
        self._centered = centered
        self._learning_rate_tensor: Any = None
        self._decay_tensor: Any = None
        self._momentum_tensor: Any = None
        self._epsilon_tensor: Any = None

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._filled_slot(var, 1.0, "rms", self._name)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._learning_rate_tensor = gc.convert_to_tensor(self._call_if_callable(self._learning_rate),
                                                          name="learning_rate")
        self._decay_tensor = gc.convert_to_tensor(self._call_if_callable(self._decay), name="decay")
        self._momentum_tensor = gc.convert_to_tensor(self._call_if_callable(self._momentum), name="momentum")
        self._epsilon_tensor = gc.convert_to_tensor(self._call_if_callable(self._epsilon), name="epsilon")

    def _operands(self, var: gc.Variable) -> list[gc.Tensor]:
        slots = ("mg", "rms", "momentum") if self._centered else ("rms", "momentum")
        scalars = (self._learning_rate_tensor, self._decay_tensor, self._momentum_tensor, self._epsilon_tensor)
        return [var._ref(), *self._slots_of(var, *slots), *(as_type_of(t, var) for t in scalars)]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        op_type = "ApplyCenteredRMSProp" if self._centered else "ApplyRMSProp"
        return make(op_type, *self._operands(var), grad, use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        op_type = "SparseApplyCenteredRMSProp" if self._centered else "SparseApplyRMSProp"
        return make(op_type, *self._operands(var), grad.values, grad.indices, use_locking=self._use_locking)
