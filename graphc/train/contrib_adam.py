"""Kin of Adam from tf.contrib.opt: LazyAdam, Nadam."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizers import AdamOptimizer, make
from graphc.train.slots import var_key


@public("contrib.opt.LazyAdamOptimizer")
class LazyAdamOptimizer(AdamOptimizer):
    """Adam whose moments and variables stand still in rows without gradient, as `tf.contrib.opt.LazyAdamOptimizer`.

    Its numbers may be scalar tensors, or functions that give them; minimize raises TypeError for strings, ValueError
    for other shapes.

    >>> table = gc.Variable([[1., 1.], [2., 2.], [3., 3.]])
    >>> loss = gc.reduce_sum(gc.nn.embedding_lookup(table, [0, 2]))
    >>> step = gc.contrib.opt.LazyAdamOptimizer(0.1).minimize(loss)
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> table.eval()
    array([[0.9, 0.9],
           [2. , 2. ],
           [2.9, 2.9]], dtype=float32)
    """

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        _, _, _, beta1, beta2, epsilon = self._scalars(var)
        values, indices = grad.summed().values, grad.indices
        slots = self._slots["m"][var_key(var)], self._slots["v"][var_key(var)]
        m = _mixed(gc.gather(slots[0], indices), beta1, values)
        v = _mixed(gc.gather(slots[1], indices), beta2, gc.square(values))
        moved = gc.divide(gc.multiply(self._corrected_rate(var), m), gc.add(gc.sqrt(v), epsilon))
        written = zip((var, *slots), (gc.subtract(gc.gather(var, indices), moved), m, v), strict=True)
        return gc.group(*[gc.scatter_update(to, indices, rows, use_locking=self._use_locking) for to, rows in written])


def _mixed(old: gc.Tensor, beta: gc.Tensor, new: gc.Tensor) -> gc.Tensor:
    return gc.add(gc.multiply(old, beta), gc.multiply(new, gc.subtract(1.0, beta)))


@public("contrib.opt.NadamOptimizer")
class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum (Dozat), as `tf.contrib.opt.NadamOptimizer`.

    With a gradient of some rows the moments of all rows move, but the variable only in these. Its numbers may be scalar
    tensors, or functions that give them; minimize raises TypeError for strings, ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.opt.NadamOptimizer(0.1).minimize(gc.reduce_sum(v * v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.81, 1.81], dtype=float32)
    """

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        return make("ApplyAdam", var._ref(), *self._slots_of(var, "m", "v"), *self._scalars(var), grad,
                    use_locking=self._use_locking, use_nesterov=True)

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        _, _, _, beta1, beta2, epsilon = self._scalars(var)
        values, indices = grad.summed().values, grad.indices
        m = self._decayed(self._slots["m"][var_key(var)], beta1, values, indices)
        v = self._decayed(self._slots["v"][var_key(var)], beta2, gc.square(values), indices)
        ahead = gc.add(gc.multiply(values, gc.subtract(1.0, beta1)), gc.multiply(beta1, gc.gather(m, indices)))
        size = gc.add(gc.sqrt(gc.gather(v, indices)), epsilon)
        moved = gc.divide(gc.multiply(self._corrected_rate(var), ahead), size)
        written = gc.scatter_update(var, indices, gc.subtract(gc.gather(var, indices), moved),
                                    use_locking=self._use_locking)
        return gc.group(written, m, v)
