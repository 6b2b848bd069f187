"""Kin of Adam from tf.contrib.opt: LazyAdam, Nadam."""
from __future__ import annotations

from typing import Any

from graphc.api.array.gather import gather
from graphc.api.array.identity import group
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.math.binary import add, multiply, subtract
from graphc.api.math.division import divide
from graphc.api.math.unary import sqrt, square
from graphc.api.public import public
from graphc.api.state.rows import summed
from graphc.api.state.scatter import scatter_update
from graphc.api.state.variables import Variable
from graphc.ir.tensor import Tensor
from graphc.train.optimizers import AdamOptimizer, make


@public("contrib.opt.LazyAdamOptimizer")
class LazyAdamOptimizer(AdamOptimizer):
    """Adam whose moments and variables stand still in rows without gradient, as `tf.contrib.opt.LazyAdamOptimizer`."""

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        _, _, _, beta1, beta2, epsilon = self._scalars(var)
        values, indices = summed(grad.values, grad.indices), grad.indices
        slots = self._slots["m"][var], self._slots["v"][var]
        m = _mixed(gather(slots[0], indices), beta1, values)
        v = _mixed(gather(slots[1], indices), beta2, square(values))
        moved = divide(multiply(self._corrected_rate(var), m), add(sqrt(v), epsilon))
        written = zip((var, *slots), (subtract(gather(var, indices), moved), m, v), strict=True)
        return group(*[scatter_update(to, indices, rows, use_locking=self._use_locking) for to, rows in written])


def _mixed(old: Tensor, beta: Tensor, new: Tensor) -> Tensor:
    return add(multiply(old, beta), multiply(new, subtract(1.0, beta)))


@public("contrib.opt.NadamOptimizer")
class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum (Dozat), as `tf.contrib.opt.NadamOptimizer`.

    With a gradient of some rows the moments of all rows move, but the variable only in these.
    """

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return make("ApplyAdam", var._ref(), *self._slots_of(var, "m", "v"), *self._scalars(var), grad,
                    use_locking=self._use_locking, use_nesterov=True)

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        _, _, _, beta1, beta2, epsilon = self._scalars(var)
        values, indices = summed(grad.values, grad.indices), grad.indices
        m = self._decayed(self._slots["m"][var], beta1, values, indices)
        v = self._decayed(self._slots["v"][var], beta2, square(values), indices)
        ahead = add(multiply(values, subtract(1.0, beta1)), multiply(beta1, gather(m, indices)))
        moved = divide(multiply(self._corrected_rate(var), ahead), add(sqrt(gather(v, indices)), epsilon))
        written = scatter_update(var, indices, subtract(gather(var, indices), moved), use_locking=self._use_locking)
        return group(written, m, v)
