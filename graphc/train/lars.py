"""LARS: a learning rate of its own for each layer."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.gather import where
from graphc.api.math.binary import add, multiply
from graphc.api.math.comparison import greater
from graphc.api.math.division import divide
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import sqrt, square
from graphc.api.public import public
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor
from graphc.ir.tensor import Tensor
from graphc.train.optimizers import MomentumOptimizer, as_type_of, make


@public("contrib.opt.LARSOptimizer")
class LARSOptimizer(MomentumOptimizer):
    """Momentum with the rate learning_rate * eeta * |w| / (|g| + weight_decay * |w| + epsilon) (You et al.), as
    `tf.contrib.opt.LARSOptimizer`. skip_list: parts of names of variables that have the plain rate and no decay."""

    def __init__(self, learning_rate: Any, momentum: float = 0.9, weight_decay: float = 0.0001, eeta: float = 0.001,
                 epsilon: float = 0.0, name: str = "LARSOptimizer", skip_list: Sequence[str] | None = None,
                 use_nesterov: bool = False) -> None:
        if momentum < 0.0:
            raise ValueError(f"momentum should be positive: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"weight_decay should be positive: {weight_decay}")
        super().__init__(learning_rate, momentum, False, name, use_nesterov)
        self._weight_decay = weight_decay
        self._eeta = eeta
        self._epsilon = epsilon
        self._skip_list = skip_list

    def compute_lr(self, grad: Tensor, var: Variable) -> tuple[Tensor, Tensor]:
        """(the variable's learning rate, the gradient with weight decay)"""
        rate = as_type_of(self._learning_rate_tensor, var)
        if self._skip_list is not None and any(part in var.name for part in self._skip_list):
            return rate, grad
        w_norm, g_norm = sqrt(reduce_sum(square(var))), sqrt(reduce_sum(square(grad)))
        one = convert_to_tensor(1.0, dtype=var.dtype.base_dtype)
        trust = divide(self._eeta * w_norm, g_norm + self._weight_decay * w_norm + self._epsilon)
        ratio = where(greater(w_norm, 0.0), where(greater(g_norm, 0.0), trust, one), one)
        return multiply(rate, ratio), add(grad, self._weight_decay * var)  # type: ignore[operator]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        rate, decayed = self.compute_lr(grad, var)
        return make("ApplyMomentum", var._ref(), *self._slots_of(var, "momentum"),
                    convert_to_tensor(1.0, dtype=var.dtype.base_dtype), multiply(decayed, rate),
                    as_type_of(self._momentum_tensor, var), use_locking=False, use_nesterov=self._use_nesterov)
