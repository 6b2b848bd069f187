"""The optimizers that pull weights to zero: FTRL, proximal gradient descent, proximal Adagrad."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizer import Optimizer
from graphc.train.optimizers import as_type_of, make


@public("train.FtrlOptimizer")
class FtrlOptimizer(Optimizer):
    """FTRL-Proximal (McMahan et al.), as `tf.train.FtrlOptimizer`.

    l1_regularization_strength makes weights exactly zero; the l2_shrinkage one is a penalty on the weights as they
    are, in the gradient only. learning_rate: a number, a scalar tensor, or a function that gives one; the others are
    numbers. Raises ValueError if the initial value or a strength is negative, or learning_rate_power positive.

    >>> v = gc.Variable([-1., -2., 0.])
    >>> optimizer = gc.train.FtrlOptimizer(0.5, l1_regularization_strength=3.)
    >>> step = optimizer.minimize(gc.reduce_sum(v * [1., 5., -4.]))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval() + 0.                           # of two zeros the one without a sign
    array([ 0.    , -2.0734,  0.1246], dtype=float32)
    """

    def __init__(self, learning_rate: Any, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
                 l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
                 use_locking: bool = False, name: str = "Ftrl", accum_name: str | None = None,
                 linear_name: str | None = None, l2_shrinkage_regularization_strength: float = 0.0) -> None:
        super().__init__(use_locking, name)
        for label, value in (("initial_accumulator_value", initial_accumulator_value),
                             ("l1_regularization_strength", l1_regularization_strength),
                             ("l2_regularization_strength", l2_regularization_strength),
                             ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength)):
            if value < 0.0:
                raise ValueError(f"{label} {value} needs to be positive or zero")
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power} needs to be negative or zero")
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1_regularization_strength = l1_regularization_strength
        self._l2_regularization_strength = l2_regularization_strength
        self._l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self._accum_name = accum_name
        self._linear_name = linear_name
        self._tensors: tuple[gc.Tensor, ...] = ()

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._filled_slot(var, self._initial_accumulator_value, "accum", self._accum_name or self._name)
            self._zeros_slot(var, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        """lr, l1, l2, l2_shrinkage if there is any, lr_power: in the order of the op's operands."""
        shrinkage = self._l2_shrinkage_regularization_strength
        named = (("learning_rate", self._call_if_callable(self._learning_rate)),
                 ("l1_regularization_strength", self._l1_regularization_strength),
                 ("l2_regularization_strength", self._l2_regularization_strength),
                 *((("l2_shrinkage_regularization_strength", shrinkage),) if shrinkage > 0.0 else ()),
                 ("learning_rate_power", self._learning_rate_power))
        self._tensors = tuple(gc.convert_to_tensor(value, name=name) for name, value in named)

    def _op_type(self) -> str:
        return "ApplyFtrlV2" if self._l2_shrinkage_regularization_strength > 0.0 else "ApplyFtrl"

    def _apply(self, op_type: str, var: gc.Variable, *gradient: gc.Tensor) -> Any:
        return make(op_type, var._ref(), *self._slots_of(var, "accum", "linear"), *gradient,
                    *(as_type_of(t, var) for t in self._tensors), use_locking=self._use_locking)

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return self._apply(self._op_type(), var, grad)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return self._apply(f"Sparse{self._op_type()}", var, grad.values, grad.indices)


class _Rates:
    """What the two proximal optimizers share: their rates and the order of their operands. Each derives from Optimizer
    itself, by which libraries know TensorFlow's own."""

    def __init__(self, learning_rate: Any, l1: Any, l2: Any) -> None:
        self._given = (("learning_rate", learning_rate), ("l1_regularization_strength", l1),
                       ("l2_regularization_strength", l2))
        self._tensors: tuple[gc.Tensor, ...] = ()

    def prepare(self, optimizer: Optimizer) -> None:
        self._tensors = tuple(gc.convert_to_tensor(optimizer._call_if_callable(value), name=name)
                              for name, value in self._given)

    def apply(self, optimizer: Optimizer, op_type: str, var: gc.Variable, *gradient: gc.Tensor,
              slots: tuple[str, ...] = ()) -> Any:
        return make(op_type, var._ref(), *optimizer._slots_of(var, *slots),
                    *(as_type_of(t, var) for t in self._tensors), *gradient, use_locking=optimizer._use_locking)


@public("train.ProximalGradientDescentOptimizer")
class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent, then towards zero (l1) and shorter (l2), as `tf.train.ProximalGradientDescentOptimizer`.

    learning_rate and the strengths: numbers or scalar tensors; minimize raises TypeError for strings, ValueError for
    other shapes.

    >>> v = gc.Variable([1., 0.1])
    >>> optimizer = gc.train.ProximalGradientDescentOptimizer(0.1, l1_regularization_strength=1.)
    >>> step = optimizer.minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # [0.8, 0.08], then 0.1 towards zero
    >>> v.eval()
    array([0.7, 0. ], dtype=float32)
    """

    def __init__(self, learning_rate: Any, l1_regularization_strength: Any = 0.0,
                 l2_regularization_strength: Any = 0.0, use_locking: bool = False,
                 name: str = "ProximalGradientDescent") -> None:
        super().__init__(use_locking, name)
        self._rates = _Rates(learning_rate, l1_regularization_strength, l2_regularization_strength)

    def _prepare(self) -> None:
        self._rates.prepare(self)

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return self._rates.apply(self, "ApplyProximalGradientDescent", var, grad)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return self._rates.apply(self, "SparseApplyProximalGradientDescent", var, grad.values, grad.indices)


@public("train.ProximalAdagradOptimizer")
class ProximalAdagradOptimizer(Optimizer):
    """ProximalGradientDescentOptimizer with Adagrad's rate, as `tf.train.ProximalAdagradOptimizer`: learning_rate
    divided by the root of the sum of squared gradients, which begins at initial_accumulator_value.

    learning_rate and the strengths: numbers or scalar tensors; minimize raises TypeError for strings, ValueError for
    other shapes. Raises ValueError unless initial_accumulator_value, a number, is positive.

    >>> v = gc.Variable([1., 0.1])
    >>> step = gc.train.ProximalAdagradOptimizer(0.1, l1_regularization_strength=1.).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.8518, 0.    ], dtype=float32)
    """

    def __init__(self, learning_rate: Any, initial_accumulator_value: float = 0.1,
                 l1_regularization_strength: Any = 0.0, l2_regularization_strength: Any = 0.0,
                 use_locking: bool = False, name: str = "ProximalAdagrad") -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._rates = _Rates(learning_rate, l1_regularization_strength, l2_regularization_strength)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        for var in var_list:
            self._filled_slot(var, self._initial_accumulator_value, "accumulator", self._name)

    def _prepare(self) -> None:
        self._rates.prepare(self)

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return self._rates.apply(self, "ApplyProximalAdagrad", var, grad, slots=("accumulator",))

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        return self._rates.apply(self, "SparseApplyProximalAdagrad", var, grad.values, grad.indices,
                                 slots=("accumulator",))
