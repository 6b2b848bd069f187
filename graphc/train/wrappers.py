"""Optimizers around another one: what they have in common, and moving averages of what is trained."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.moving_averages import ExponentialMovingAverage
from graphc.train.optimizer import GradsAndVars, Optimizer


class Around(Optimizer):
    """An optimizer that has another one make the updates."""

    def __init__(self, opt: Optimizer, use_locking: bool, name: str) -> None:
        super().__init__(use_locking, name)
        self._optimizer = opt

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, gc.Variable]]:
        return self._optimizer.compute_gradients(*args, **kwargs)

    def get_slot(self, *args: Any, **kwargs: Any) -> gc.Variable | None:
        return self._optimizer.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        return self._optimizer.get_slot_names(*args, **kwargs)

    def variables(self) -> list[gc.Variable]:
        return self._optimizer.variables()


@public("contrib.opt.MovingAverageOptimizer")
class MovingAverageOptimizer(Around):
    """An optimizer that keeps moving averages of the variables that it trains, as
    `tf.contrib.opt.MovingAverageOptimizer`. sequential_update: after the step, not beside it.
    Its swapping_saver() makes a Saver that writes the averages under the variables' names, for evaluation.

    swapping_saver raises RuntimeError before minimize or apply_gradients.

    >>> v = gc.Variable([1., 2.])
    >>> optimizer = gc.contrib.opt.MovingAverageOptimizer(gc.train.GradientDescentOptimizer(1.), average_decay=0.5)
    >>> step = optimizer.minimize(gc.reduce_sum(v))
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval(), gc.moving_average_variables()
    (array([0., 1.], dtype=float32), [<gc.Variable 'Variable:0' shape=(2,) dtype=float32_ref>])
    """

    def __init__(self, opt: Optimizer, average_decay: Any = 0.9999, num_updates: Any = None,
                 sequential_update: bool = True) -> None:
        super().__init__(opt, opt._use_locking, opt.get_name())
        self._ema = ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped_variable_name_map: dict[str, str] | None = None
        self._averages: dict[str, gc.Variable] = {}
        self._sequential_update = sequential_update

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> gc.Operation:
        pairs = list(grads_and_vars)
        step = self._optimizer.apply_gradients(pairs, global_step, name)
        trained = [v for g, v in pairs if g is not None]
        with gc.get_default_graph().control_dependencies([step] if self._sequential_update else []):
            averaged = self._ema.apply(trained)
        self._averages = {v.op.name: self._ema._averages[v] for v in trained}
        self._swapped_variable_name_map = {name: v.op.name for name, v in self._averages.items()}
        return gc.group(step, averaged, name="train_with_avg")

    def average(self, var: gc.Variable) -> gc.Variable | None:
        """The average of a trained variable."""
        return self._ema.average(var)

    def swapping_saver(self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any) -> Any:
        """A Saver that saves the averages under the names of the variables, and these under the averages' names.

        Raises RuntimeError before apply_gradients.
        """
        import graphc as gc

        if self._swapped_variable_name_map is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        chosen = gc.global_variables() if var_list is None else var_list
        named = dict(chosen) if isinstance(chosen, dict) else {v.op.name: v for v in chosen}
        swapped = dict(named)
        for original, average in self._swapped_variable_name_map.items():
            if original not in named or average not in named:
                raise ValueError(f"Variable to swap {original if original not in named else average} is not in "
                                 f"variables to save. {sorted(named)}")
            swapped[original], swapped[average] = named[average], named[original]
        return gc.train.Saver(swapped, name=name, **kwargs)  # type: ignore[attr-defined]
