"""Optimizer: from a loss to an operation that improves the variables, as `tf.train.Optimizer`.

A subclass says which slots (variables beside each trained one) it needs, and makes the update op of one variable. Slots
are named after their variable ("v/Adam"), the rest after the name scope in force ("train/beta1_power").
"""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from graphc.api.array.fill import zeros
from graphc.api.array.identity import group
from graphc.api.gradients.gradients import gradients
from graphc.api.public import public
from graphc.api.state.state import assign_add
from graphc.api.state.variable_scope import get_variable_scope
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import Graph, GraphKeys, get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.user_frame import user_stacklevel

GradsAndVars = Sequence[tuple[Any, Variable]]


@public("train.Optimizer")
class Optimizer:
    """Base of the optimizers. use_locking has no effect: updates of one run never race."""

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Variable, Variable]] = {}
        self._non_slots: dict[tuple[str, Graph], Variable] = {}

    def get_name(self) -> str:
        return self._name

    def minimize(self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: int = GATE_OP,
                 aggregation_method: int | None = None, colocate_gradients_with_ops: bool = False,
                 name: str | None = None, grad_loss: Any = None) -> Operation:
        """compute_gradients and apply_gradients in one. Running the operation makes one step.

        Raises ValueError if no variable has a gradient.
        """
        pairs = self.compute_gradients(loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops,
                                       grad_loss)
        if all(g is None for g, _ in pairs):
            from graphc.api.gradients.path import what_blocks

            raise ValueError("No gradients provided for any variable, check your graph for ops that do not support "
                             f"gradients, between variables {[v.name for _, v in pairs]} and loss {loss!r}: "
                             f"{what_blocks(loss, [v._ref() for _, v in pairs])}")
        _warn_of_updates(loss.graph)
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(self, loss: Any, var_list: Any = None, gate_gradients: int = GATE_OP,
                          aggregation_method: int | None = None, colocate_gradients_with_ops: bool = False,
                          grad_loss: Any = None) -> list[tuple[Tensor | None, Variable]]:
        """(gradient, variable) of the trainable variables, or of var_list; None where the loss does not depend on it.
        """
        if callable(loss) and not isinstance(loss, Tensor):
            loss = loss()
        chosen = list(var_list) if isinstance(var_list, (list, tuple)) else [var_list] if var_list is not None else None
        if chosen is None:
            chosen = loss.graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        if not chosen:
            raise ValueError("No variables to optimize.")
        for variable in chosen:
            if not isinstance(variable, Variable):
                raise TypeError(f"Argument is not a variable: {variable!r}")
        return list(zip(gradients(loss, chosen, grad_ys=grad_loss), chosen, strict=True))

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> Operation:
        """The operation that updates each variable with its gradient, then counts global_step up by one."""
        pairs = [(g, v) for g, v in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        usable = [(convert_to_tensor(g), v) for g, v in pairs if g is not None]
        if not usable:
            raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in pairs]}.")
        graph = usable[0][1].graph
        with graph.as_default():
            with graph.control_dependencies(None):
                self._create_slots([v for _, v in usable])
            with graph.name_scope(name or self._name) as scope:
                self._prepare()
                updates = []
                for gradient, variable in usable:
                    with graph.name_scope(f"update_{variable.op.name}"):
                        updates.append(self._apply_dense(gradient, variable))
                finished = self._finish(updates, scope if global_step is None else "update")
                if global_step is not None:
                    with graph.control_dependencies([finished]):
                        finished = assign_add(global_step, _one(global_step), name=scope).op
            graph.add_to_collection(GraphKeys.TRAIN_OP, finished)
        return finished

    # Slots

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot `name` ("m", "v", "momentum") of a variable; None before apply_gradients."""
        return self._slots.get(name, {}).get(var)

    def get_slot_names(self) -> list[str]:
        return sorted(self._slots)

    def variables(self) -> list[Variable]:
        """All variables that the optimizer has made."""
        made = [*self._non_slots.values(), *(v for slots in self._slots.values() for v in slots.values())]
        return sorted(made, key=lambda v: v.name)

    def _zeros_slot(self, var: Variable, slot_name: str, op_name: str) -> Variable:
        """The slot of a variable; made, with zeros, if there is none."""
        slots = self._slots.setdefault(slot_name, {})
        if var not in slots:
            slots[var] = _create_slot(var, op_name)
        return slots[var]

    def _create_non_slot_variable(self, initial_value: float, name: str, colocate_with: Variable) -> Variable:
        key = (name, colocate_with.graph)
        if key not in self._non_slots:
            self._non_slots[key] = Variable(initial_value, name=name, trainable=False, dtype=colocate_with.dtype)
        return self._non_slots[key]

    def _get_non_slot_variable(self, name: str, graph: Graph) -> Variable:
        return self._non_slots[name, graph]

    # What a subclass says

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        """Makes the slots of these variables."""

    def _prepare(self) -> None:
        """Makes the tensors of the hyperparameters."""

    def _apply_dense(self, grad: Tensor, var: Variable) -> Operation:
        """The update op of one variable."""
        raise NotImplementedError(f"{type(self).__name__}._apply_dense")

    def _finish(self, update_ops: Sequence[Operation], name_scope: str) -> Operation:
        """The operation that stands for all updates."""
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, value: Any) -> Any:
        return value() if callable(value) and not isinstance(value, (Tensor, Variable)) else value


def _one(step: Any) -> Any:
    return step.dtype.as_numpy_dtype(1)


def _create_slot(var: Variable, op_name: str) -> Variable:
    """A slot is named "variable/op_name" inside the variable scope in force, whatever the name scope is."""
    graph = get_default_graph()
    prefix = get_variable_scope().name
    full = f"{var.op.name}/{op_name}"
    with graph.name_scope(None):
        name = f"{prefix}/{full}" if prefix else full
        return Variable(lambda: zeros(var.shape.as_list(), var.dtype), trainable=False, name=name)


def _warn_of_updates(graph: Graph) -> None:
    """Batch norm's moving averages stand still unless the update ops run: the usual trap, told once a graph."""
    updates = graph.get_collection(GraphKeys.UPDATE_OPS)
    told = graph.get_collection_ref(("_graphc/told_of_updates",))
    if updates and not graph._scopes.controls and not told:
        told.append(True)
        warnings.warn("the collection UPDATE_OPS is not empty (batch norm's moving averages), but minimize() does not "
                      "run it: "
                      "build the train op inside `with gc.control_dependencies(gc.get_collection("
                      "gc.GraphKeys.UPDATE_OPS)):`", stacklevel=user_stacklevel())


