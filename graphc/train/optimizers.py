"""The optimizers."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.identity import group
from graphc.api.math.binary import multiply
from graphc.api.public import public
from graphc.api.state.state import assign
from graphc.api.state.variables import Variable
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.training.training import ApplyAdam, ApplyGradientDescent, ApplyMomentum
from graphc.train.optimizer import Optimizer


def _as(tensor: Tensor, var: Variable) -> Tensor:
    return cast(tensor, var.dtype)


@public("train.GradientDescentOptimizer")
class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate * gradient, as `tf.train.GradientDescentOptimizer`."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._rate: Any = None

    def _prepare(self) -> None:
        self._rate = convert_to_tensor(self._call_if_callable(self._learning_rate), name="learning_rate")

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        return apply(ApplyGradientDescent, var._ref(), _as(self._rate, var), grad, name="ApplyGradientDescent",
                     use_locking=self._use_locking).op


@public("train.MomentumOptimizer")
class MomentumOptimizer(Optimizer):
    """accum = momentum * accum + gradient; var -= learning_rate * accum, as `tf.train.MomentumOptimizer`."""

    def __init__(self, learning_rate: Any, momentum: Any, use_locking: bool = False, name: str = "Momentum",
                 use_nesterov: bool = False) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov
        self._rate: Any = None
        self._decay: Any = None

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._rate = convert_to_tensor(self._call_if_callable(self._learning_rate), name="learning_rate")
        self._decay = convert_to_tensor(self._call_if_callable(self._momentum), name="momentum")

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        accum = self._slots["momentum"][var]
        return apply(ApplyMomentum, var._ref(), accum._ref(), _as(self._rate, var), grad, _as(self._decay, var),
                     name="ApplyMomentum", use_locking=self._use_locking, use_nesterov=self._use_nesterov).op


@public("train.AdamOptimizer")
class AdamOptimizer(Optimizer):
    """Adam (Kingma and Ba), as `tf.train.AdamOptimizer`: epsilon stands outside of the bias correction."""

    def __init__(self, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999, epsilon: Any = 1e-8,
                 use_locking: bool = False, name: str = "Adam") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon
        self._tensors: tuple[Tensor, ...] = ()

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        first = min(var_list, key=lambda v: v.name)
        self._create_non_slot_variable(self._call_if_callable(self._beta1), "beta1_power", first)
        self._create_non_slot_variable(self._call_if_callable(self._beta2), "beta2_power", first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _prepare(self) -> None:
        named = (("learning_rate", self._learning_rate), ("beta1", self._beta1), ("beta2", self._beta2),
                 ("epsilon", self._epsilon))
        self._tensors = tuple(convert_to_tensor(self._call_if_callable(value), name=name) for name, value in named)

    def _powers(self) -> tuple[Variable, Variable]:
        graph = get_default_graph()
        return self._get_non_slot_variable("beta1_power", graph), self._get_non_slot_variable("beta2_power", graph)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        m, v = self._slots["m"][var], self._slots["v"][var]
        powers = [_as(power.value(), var) for power in self._powers()]
        hyper = [_as(t, var) for t in self._tensors]
        return apply(ApplyAdam, var._ref(), m._ref(), v._ref(), *powers, *hyper, grad, name="ApplyAdam",
                     use_locking=self._use_locking).op

    def _finish(self, update_ops: Sequence[Operation], name_scope: str) -> Operation:
        graph = get_default_graph()
        _, beta1, beta2, _ = self._tensors
        with graph.control_dependencies(update_ops):
            moved = [assign(power, multiply(power, _as(beta, power))).op
                     for power, beta in zip(self._powers(), (beta1, beta2), strict=True)]
        return group(*update_ops, *moved, name=name_scope)
