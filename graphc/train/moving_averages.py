"""Moving averages of variables and tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.identity import group
from graphc.api.math.binary import minimum, multiply, pow
from graphc.api.math.division import divide
from graphc.api.public import public
from graphc.api.state.collections import global_variables, trainable_variables
from graphc.api.state.get_variable import get_variable
from graphc.api.state.initializers import Zeros
from graphc.api.state.state import assign, assign_add, assign_sub
from graphc.api.state.variable_scope import get_variable_scope, variable_scope
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import GraphKeys, get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.train.slots import create_slot, create_zeros_slot


@public("moving_average_variables")
def moving_average_variables(scope: str | None = None) -> list[Variable]:
    """The variables of which moving averages are kept."""
    return get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


@public("train.assign_moving_average")
def assign_moving_average(variable: Variable, value: Any, decay: Any, zero_debias: bool = True,
                          name: str | None = None) -> Tensor:
    """variable -= (1 - decay) * (variable - value), as TF's moving_averages.assign_moving_average; the new average.

    zero_debias: the average began at 0, which is taken out again: it is divided by 1 - decay ** number of updates.
    """
    with get_default_graph().name_scope(name or "AssignMovingAvg") as scope:
        rest = cast(convert_to_tensor(1.0 - decay, name="decay"), variable.dtype.base_dtype)
        if zero_debias:
            return _debiased(variable, value, rest)
        return assign_sub(variable, (variable - value) * rest, name=scope)


def _debiased(variable: Variable, value: Any, rest: Tensor) -> Tensor:
    with variable_scope(variable.op.name):
        biased = get_variable(_unused("biased"), shape=variable.shape, dtype=variable.dtype.base_dtype,
                              initializer=Zeros(), trainable=False)
        steps = get_variable(_unused("local_step"), shape=[], dtype=variable.dtype.base_dtype, initializer=Zeros(),
                             trainable=False)
        moved = assign_sub(biased, multiply(biased - value, rest), name="biased_update")
        counted = assign_add(steps, 1.0)
        return assign(variable, divide(moved, 1.0 - pow(1.0 - rest, counted)))


def _unused(name: str) -> str:
    """The name, or with a number if the variable scope has a variable of that name."""
    scope = get_variable_scope()
    if scope.reuse:
        return name
    taken = {v.op.name for v in global_variables()}
    number, tried = 0, name
    while f"{scope.name}/{tried}" in taken:
        number += 1
        tried = f"{name}_{number}"
    return tried


@public("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """Keeps averages of variables (or tensors) that forget, as `tf.train.ExponentialMovingAverage`.

    num_updates: the decay is min(decay, (1 + num_updates) / (10 + num_updates)). zero_debias: averages of tensors,
    which begin at 0, are scaled as if they did not.
    """

    def __init__(self, decay: Any, num_updates: Any = None, zero_debias: bool = False,
                 name: str = "ExponentialMovingAverage") -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> Operation:
        """The operation that updates the averages, which are made here: of a variable it begins at the variable's
        initial value, of a tensor at 0. Raises TypeError for what is not of floating point."""
        chosen = trainable_variables() if var_list is None else list(var_list)
        to_debias: set[Variable] = set()
        for x in chosen:
            if not x.dtype.base_dtype.is_floating:
                raise TypeError(f"The variables must be half, float, or double: {x.name}")
            if x not in self._averages:
                self._averages[x] = self._average_of(x, to_debias)
        with get_default_graph().name_scope(self.name) as scope:
            decay = convert_to_tensor(self._decay, dtype=float32, name="decay")
            if self._num_updates is not None:
                count = cast(self._num_updates, float32, name="num_updates")
                decay = minimum(decay, (1.0 + count) / (10.0 + count))
            updates = [assign_moving_average(self._averages[x], x, decay, self._averages[x] in to_debias).op
                       for x in chosen]
            return group(*updates, name=scope)

    def _average_of(self, x: Any, to_debias: set[Variable]) -> Variable:
        graph = get_default_graph()
        with graph.control_dependencies(None):
            if isinstance(x, Variable):
                made = create_slot(x, x.initialized_value(), self.name)
                graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, x)
            else:
                made = create_zeros_slot(x, self.name)
                if self._zero_debias:
                    to_debias.add(made)
        return made

    def average(self, var: Any) -> Variable | None:
        """The variable that holds the average; None if none is kept."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name that the average's variable has, or will get."""
        if var in self._averages:
            return self._averages[var].op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self.name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Sequence[Variable] | None = None) -> dict[str, Variable]:
        """Names in a checkpoint and the variables to load from there: of those with an average, the average."""
        averaged = ([*trainable_variables(), *moving_average_variables()] if moving_avg_variables is None
                    else list(moving_avg_variables))
        found = {self.average_name(v): v for v in dict.fromkeys(averaged)}
        names = {v.name for v in averaged}
        for v in dict.fromkeys(global_variables()):
            if v.name not in names and v.op.name not in found:
                found[v.op.name] = v
        return found
