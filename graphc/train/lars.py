"""LARS: a learning rate of its own for each layer."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizers import MomentumOptimizer, as_type_of, make


@public("contrib.opt.LARSOptimizer")
class LARSOptimizer(MomentumOptimizer):
    """Momentum with the rate learning_rate * eeta * |w| / (|g| + weight_decay * |w| + epsilon) (You et al.), as
    `tf.contrib.opt.LARSOptimizer`. skip_list: parts of names of variables that have the plain rate and no decay.

    learning_rate, eeta, epsilon: numbers or scalar tensors; momentum, weight_decay: numbers. Raises ValueError if one
    of these two is negative.

    >>> w, b = gc.Variable([3., 4.], name="w"), gc.Variable(1., name="bias")
    >>> optimizer = gc.contrib.opt.LARSOptimizer(1., weight_decay=0., eeta=0.1, skip_list=["bias"])
    >>> step = optimizer.minimize(gc.reduce_sum(w * w) + b)
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # the gradient [6, 8] times 0.1 * 5 / 10
    >>> w.eval(), b.eval()
    (array([2.7, 3.6], dtype=float32), np.float32(0.0))
    """

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

    def compute_lr(self, grad: gc.Tensor, var: gc.Variable) -> tuple[gc.Tensor, gc.Tensor]:
        """(the variable's learning rate, the gradient with weight decay)"""
        rate = as_type_of(self._learning_rate_tensor, var)
        if self._skip_list is not None and any(part in var.name for part in self._skip_list):
            return rate, grad
        w_norm, g_norm = gc.sqrt(gc.reduce_sum(gc.square(var))), gc.sqrt(gc.reduce_sum(gc.square(grad)))
        one = gc.convert_to_tensor(1.0, dtype=var.dtype.base_dtype)
        trust = gc.divide(self._eeta * w_norm, g_norm + self._weight_decay * w_norm + self._epsilon)
        ratio = gc.where(gc.greater(w_norm, 0.0), gc.where(gc.greater(g_norm, 0.0), trust, one), one)
        return gc.multiply(rate, ratio), gc.add(grad, self._weight_decay * var)  # type: ignore[operator]

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        rate, decayed = self.compute_lr(grad, var)
        return make("ApplyMomentum", var._ref(), *self._slots_of(var, "momentum"),
                    gc.convert_to_tensor(1.0, dtype=var.dtype.base_dtype), gc.multiply(decayed, rate),
                    as_type_of(self._momentum_tensor, var), use_locking=False, use_nesterov=self._use_nesterov)
