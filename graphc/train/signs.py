"""PowerSign and AddSign (Bello et al.): larger steps where a gradient and its moving average agree in sign."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.gather import gather
from graphc.api.array.identity import group
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.math.binary import add, multiply, subtract
from graphc.api.math.unary import exp, sign
from graphc.api.public import public
from graphc.api.state.rows import summed
from graphc.api.state.scatter import scatter_sub, scatter_update
from graphc.api.state.state import assign
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.train.optimizer import GradsAndVars, Optimizer
from graphc.train.optimizers import as_type_of, make


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
        self._tensors: tuple[Tensor, ...] = ()

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> Operation:
        decay = 1.0
        if self._sign_decay_fn is not None:
            if global_step is None:
                raise ValueError(f"{type(self).__name__}.apply_gradients: sign_decay_fn needs global_step")
            decay = self._sign_decay_fn(global_step)
        self._sign_decay_t = convert_to_tensor(decay, name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step, name)

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "m", self._name)

    def _prepare(self) -> None:
        self._tensors = (convert_to_tensor(self._call_if_callable(self._lr), name="learning_rate"),
                         convert_to_tensor(self._scalar), self._sign_decay_t,
                         convert_to_tensor(self._beta, name="beta"))

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return make(self.op_type, var._ref(), *self._slots_of(var, "m"),
                    *(as_type_of(t, var) for t in self._tensors), grad, use_locking=self._use_locking)

    def _factor(self, scalar: Tensor, decayed: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}._factor")

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        """The average moves in all rows, the variable in those of the gradient."""
        lr, scalar, decay, beta = (as_type_of(t, var) for t in self._tensors)
        values, m = summed(grad.values, grad.indices), self._slots["m"][var]
        rows = add(multiply(gather(m, grad.indices), beta), multiply(values, subtract(1.0, beta)))
        with get_default_graph().control_dependencies([rows]):
            whole = assign(m, multiply(m, beta), use_locking=self._use_locking)
        with get_default_graph().control_dependencies([whole]):
            moved = scatter_update(m, grad.indices, rows, use_locking=self._use_locking)
        agree = multiply(decay, multiply(sign(values), sign(rows)))
        # Each row of the gradient adds its own part of the step.
        step = multiply(multiply(lr, self._factor(scalar, agree)), grad.values)
        return group(scatter_sub(var, grad.indices, step, use_locking=self._use_locking), moved)


@public("contrib.opt.PowerSignOptimizer")
class PowerSignOptimizer(_Sign):
    """var -= lr * base ** (sign_decay * sign(g) * sign(m)) * g, as `tf.contrib.opt.PowerSignOptimizer`."""

    op_type = "ApplyPowerSign"

    def __init__(self, learning_rate: Any = 0.1, base: float = math.e, beta: Any = 0.9,
                 sign_decay_fn: Callable[[Any], Any] | None = None, use_locking: bool = False,
                 name: str = "PowerSignOptimizer") -> None:
        super().__init__(learning_rate, math.log(base), beta, sign_decay_fn, use_locking, name)

    def _factor(self, scalar: Tensor, decayed: Tensor) -> Tensor:
        return exp(multiply(scalar, decayed))


@public("contrib.opt.AddSignOptimizer")
class AddSignOptimizer(_Sign):
    """var -= lr * (alpha + sign_decay * sign(g) * sign(m)) * g, as `tf.contrib.opt.AddSignOptimizer`."""

    op_type = "ApplyAddSign"

    def __init__(self, learning_rate: Any = 0.1, alpha: Any = 1.0, beta: Any = 0.9,
                 sign_decay_fn: Callable[[Any], Any] | None = None, use_locking: bool = False,
                 name: str = "AddSignOptimizer") -> None:
        super().__init__(learning_rate, alpha, beta, sign_decay_fn, use_locking, name)

    def _factor(self, scalar: Tensor, decayed: Tensor) -> Tensor:
        return add(scalar, decayed)
