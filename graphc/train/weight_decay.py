"""Decoupled weight decay (Loshchilov and Hutter): an optimizer's step, and before it each variable a little smaller."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.optimizer import GradsAndVars, Optimizer
from graphc.train.optimizers import AdamOptimizer, MomentumOptimizer, as_type_of


@public("contrib.opt.DecoupledWeightDecayExtension")
class DecoupledWeightDecayExtension:
    """To be put before an Optimizer in a class's bases, as `tf.contrib.opt.DecoupledWeightDecayExtension`.

    decay_var_list, of minimize and apply_gradients: the variables that decay, by default all. Of a gradient of some
    rows only these rows decay.

    >>> class DecayingDescent(gc.contrib.opt.DecoupledWeightDecayExtension, gc.train.GradientDescentOptimizer):
    ...     def __init__(self, weight_decay, learning_rate):
    ...         super().__init__(weight_decay, learning_rate=learning_rate)
    >>> w, b = gc.Variable([1., 2.]), gc.Variable(1.)
    >>> step = DecayingDescent(0.5, 0.1).minimize(gc.reduce_sum(w) + b, decay_var_list=[w])
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> w.eval(), b.eval()
    (array([0.4, 0.9], dtype=float32), np.float32(0.9))
    """

    def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
        self._decay_var_list: set[gc.Variable] | None = None
        self._weight_decay = weight_decay
        self._weight_decay_tensor: Any = None
        super().__init__(**kwargs)

    def minimize(self, loss: Any, global_step: Any = None, var_list: Any = None,
                 gate_gradients: int = Optimizer.GATE_OP, aggregation_method: int | None = None,
                 colocate_gradients_with_ops: bool = False, name: str | None = None, grad_loss: Any = None,
                 decay_var_list: Sequence[gc.Variable] | None = None) -> gc.Operation:
        self._decay_var_list = set(decay_var_list) if decay_var_list else None
        made: gc.Operation = super().minimize(  # type: ignore[misc]
            loss, global_step, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, name,
            grad_loss)
        return made

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None, name: str | None = None,
                        decay_var_list: Sequence[gc.Variable] | None = None) -> gc.Operation:
        self._decay_var_list = set(decay_var_list) if decay_var_list else self._decay_var_list
        made: gc.Operation = super().apply_gradients(grads_and_vars, global_step, name)  # type: ignore[misc]
        return made

    def _prepare(self) -> None:
        decay = self._weight_decay() if callable(self._weight_decay) and not isinstance(
            self._weight_decay, (gc.Tensor, gc.Variable)) else self._weight_decay
        self._weight_decay_tensor = gc.convert_to_tensor(decay, name="weight_decay")
        super()._prepare()  # type: ignore[misc]

    def _decays(self, var: gc.Variable) -> bool:
        return not self._decay_var_list or var in self._decay_var_list

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        if not self._decays(var):
            return super()._apply_dense(grad, var)  # type: ignore[misc]
        smaller = gc.assign_sub(var, gc.multiply(as_type_of(self._weight_decay_tensor, var), var))
        with gc.get_default_graph().control_dependencies([smaller]):
            return super()._apply_dense(grad, var)  # type: ignore[misc]

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        if not self._decays(var):
            return super()._apply_sparse_duplicate_indices(grad, var)  # type: ignore[misc]
        rows = gc.gather(var, grad.indices)
        kept = gc.subtract(rows, gc.multiply(as_type_of(self._weight_decay_tensor, var), rows))
        smaller = gc.scatter_update(var, grad.indices, kept)
        with gc.get_default_graph().control_dependencies([smaller]):
            return super()._apply_sparse_duplicate_indices(grad, var)  # type: ignore[misc]


@public("contrib.opt.extend_with_decoupled_weight_decay")
def extend_with_decoupled_weight_decay(base_optimizer: type[Optimizer]) -> type[Optimizer]:
    """A class: base_optimizer with decoupled weight decay, whose first argument is weight_decay, as
    `tf.contrib.opt.extend_with_decoupled_weight_decay`.

    >>> DecayingRMSProp = gc.contrib.opt.extend_with_decoupled_weight_decay(gc.train.RMSPropOptimizer)
    >>> v = gc.Variable([1., 2.])
    >>> step = DecayingRMSProp(weight_decay=0.5, learning_rate=0.1).minimize(gc.reduce_sum(v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.4, 0.9], dtype=float32)
    """
    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):  # type: ignore
        def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any) -> None:
            self._decay_var_list = None
            self._weight_decay = weight_decay
            self._weight_decay_tensor = None
            base_optimizer.__init__(self, *args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


@public("contrib.opt.AdamWOptimizer")
class AdamWOptimizer(DecoupledWeightDecayExtension, AdamOptimizer):
    """Adam with decoupled weight decay, as `tf.contrib.opt.AdamWOptimizer`.

    weight_decay: what is taken off a variable in each step is weight_decay * variable, not times the learning rate. It
    and the other numbers may be scalar tensors, or functions that give them; minimize raises TypeError for strings,
    ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.opt.AdamWOptimizer(weight_decay=0.5, learning_rate=0.1).minimize(gc.reduce_sum(v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()                              # half of it, and Adam's first step of 0.1
    >>> v.eval()
    array([0.4, 0.9], dtype=float32)
    """

    def __init__(self, weight_decay: Any, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999,
                 epsilon: Any = 1e-8, use_locking: bool = False, name: str = "AdamW") -> None:
        super().__init__(weight_decay, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon,
                         use_locking=use_locking, name=name)


@public("contrib.opt.MomentumWOptimizer")
class MomentumWOptimizer(DecoupledWeightDecayExtension, MomentumOptimizer):
    """Momentum with decoupled weight decay, as `tf.contrib.opt.MomentumWOptimizer`.

    weight_decay: what is taken off a variable in each step is weight_decay * variable, not times the learning rate. It
    and the other numbers may be scalar tensors, or functions that give them; minimize raises TypeError for strings,
    ValueError for other shapes.

    >>> v = gc.Variable([1., 2.])
    >>> step = gc.contrib.opt.MomentumWOptimizer(0.5, 0.1, momentum=0.9).minimize(gc.reduce_sum(v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([0.4, 0.9], dtype=float32)
    """

    def __init__(self, weight_decay: Any, learning_rate: Any, momentum: Any, use_locking: bool = False,
                 name: str = "MomentumW", use_nesterov: bool = False) -> None:
        super().__init__(weight_decay, learning_rate=learning_rate, momentum=momentum, use_locking=use_locking,
                         name=name, use_nesterov=use_nesterov)
