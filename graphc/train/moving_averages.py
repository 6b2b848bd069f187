"""Moving averages of variables and tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.slots import create_slot, create_zeros_slot


@public("moving_average_variables")
def moving_average_variables(scope: str | None = None) -> list[gc.Variable]:
    """The variables of which moving averages are kept.

    scope: a regular expression that the beginning of a name must match; None takes all. As
    `tf.moving_average_variables`.

    >>> v = gc.Variable(1., name="v")
    >>> average = gc.train.ExponentialMovingAverage(0.9).apply([v])
    >>> [kept.name for kept in gc.moving_average_variables()]
    ['v:0']
    """
    return gc.get_default_graph().get_collection(gc.GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


@public("train.assign_moving_average")
def assign_moving_average(variable: gc.Variable, value: Any, decay: Any, zero_debias: bool = True,
                          name: str | None = None) -> gc.Tensor:
    """variable -= (1 - decay) * (variable - value), as TF's moving_averages.assign_moving_average; the new average.

    zero_debias: the average began at 0, which is taken out again: it is divided by 1 - decay ** number of updates.
    Raises ValueError if variable is none, or the shapes do not broadcast, TypeError if value has another dtype.

    >>> average = gc.Variable([0., 0.], trainable=False)
    >>> update = gc.train.assign_moving_average(average, [1., 2.], decay=0.9, zero_debias=False)
    >>> gc.global_variables_initializer().run()
    >>> update.eval(), update.eval()
    (array([0.1, 0.2], dtype=float32), array([0.19, 0.38], dtype=float32))
    """
    with gc.get_default_graph().name_scope(name or "AssignMovingAvg") as scope:
        rest = gc.cast(gc.convert_to_tensor(1.0 - decay, name="decay"), variable.dtype.base_dtype)
        if zero_debias:
            return _debiased(variable, value, rest)
        return gc.assign_sub(variable, (variable - value) * rest, name=scope)


def _debiased(variable: gc.Variable, value: Any, rest: gc.Tensor) -> gc.Tensor:
    with gc.variable_scope(variable.op.name):
        biased = gc.get_variable(_unused("biased"), shape=variable.shape, dtype=variable.dtype.base_dtype,
                                 initializer=gc.zeros_initializer(), trainable=False)
        steps = gc.get_variable(_unused("local_step"), shape=[], dtype=variable.dtype.base_dtype,
                                initializer=gc.zeros_initializer(), trainable=False)
        moved = gc.assign_sub(biased, gc.multiply(biased - value, rest), name="biased_update")
        counted = gc.assign_add(steps, 1.0)
        return gc.assign(variable, gc.divide(moved, 1.0 - gc.pow(1.0 - rest, counted)))


def _unused(name: str) -> str:
    """The name, or with a number if the variable scope has a variable of that name."""
    scope = gc.get_variable_scope()
    if scope.reuse:
        return name
    taken = {v.op.name for v in gc.global_variables()}
    number, tried = 0, name
    while f"{scope.name}/{tried}" in taken:
        number += 1
        tried = f"{name}_{number}"
    return tried


@public("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """Keeps averages of variables (or tensors) that forget, as `tf.train.ExponentialMovingAverage`.

    num_updates: the decay is min(decay, (1 + num_updates) / (10 + num_updates)). zero_debias: averages of tensors,
    which begin at 0, are scaled as if they did not. apply takes float16, bfloat16, float32 and float64, of any shape,
    and raises TypeError for other dtypes; average gives None for what has none.

    >>> v = gc.Variable([0., 1.])
    >>> averages = gc.train.ExponentialMovingAverage(decay=0.9)
    >>> update = averages.apply([v])
    >>> gc.global_variables_initializer().run()
    >>> v.assign([10., 1.]).op.run()
    >>> update.run()
    >>> averages.average(v).eval(), averages.average_name(v)
    (array([1., 1.], dtype=float32), 'Variable/ExponentialMovingAverage')
    """

    def __init__(self, decay: Any, num_updates: Any = None, zero_debias: bool = False,
                 name: str = "ExponentialMovingAverage") -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, gc.Variable] = {}

    @property
    def name(self) -> str:
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> gc.Operation:
        """The operation that updates the averages, which are made here: of a variable it begins at the variable's
        initial value, of a tensor at 0. Raises TypeError for what is not of floating point."""
        chosen = gc.trainable_variables() if var_list is None else list(var_list)
        to_debias: set[gc.Variable] = set()
        for x in chosen:
            if not x.dtype.base_dtype.is_floating:
                raise TypeError(f"The variables must be half, float, or double: {x.name}")
            if x not in self._averages:
                self._averages[x] = self._average_of(x, to_debias)
        with gc.get_default_graph().name_scope(self.name) as scope:
            decay = gc.convert_to_tensor(self._decay, dtype=gc.float32, name="decay")
            if self._num_updates is not None:
                count = gc.cast(self._num_updates, gc.float32, name="num_updates")
                decay = gc.minimum(decay, (1.0 + count) / (10.0 + count))
            updates = [assign_moving_average(self._averages[x], x, decay, self._averages[x] in to_debias).op
                       for x in chosen]
            return gc.group(*updates, name=scope)

    def _average_of(self, x: Any, to_debias: set[gc.Variable]) -> gc.Variable:
        graph = gc.get_default_graph()
        with graph.control_dependencies(None):
            if isinstance(x, gc.Variable):
                made = create_slot(x, x.initialized_value(), self.name)
                graph.add_to_collection(gc.GraphKeys.MOVING_AVERAGE_VARIABLES, x)
            else:
                made = create_zeros_slot(x, self.name)
                if self._zero_debias:
                    to_debias.add(made)
        return made

    def average(self, var: Any) -> gc.Variable | None:
        """The variable that holds the average; None if none is kept."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name that the average's variable has, or will get."""
        if var in self._averages:
            return self._averages[var].op.name
        return gc.get_default_graph().unique_name(f"{var.op.name}/{self.name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Sequence[gc.Variable] | None = None) -> dict[str, gc.Variable]:
        """Names in a checkpoint and the variables to load from there: of those with an average, the average."""
        averaged = ([*gc.trainable_variables(), *moving_average_variables()] if moving_avg_variables is None
                    else list(moving_avg_variables))
        found = {self.average_name(v): v for v in dict.fromkeys(averaged)}
        names = {v.name for v in averaged}
        for v in dict.fromkeys(gc.global_variables()):
            if v.name not in names and v.op.name not in found:
                found[v.op.name] = v
        return found
