"""Optimizer: from a loss to an operation that improves the variables, as `tf.train.Optimizer`.

A subclass says which slots (variables beside each trained one) it needs, and makes the update op of one variable: for
a gradient of the whole (`_apply_dense`) or of some rows (`_apply_sparse`, which is given each row once). Slots are
named after their variable ("v/Adam"), the rest after the name scope in force ("train/beta1_power").
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.errors import built_at
from graphc.train.left_out import warn_of_updates_left_out
from graphc.train.slots import (
    VariableKey,
    create_slot,
    create_slot_with_initializer,
    create_zeros_slot,
    var_key,
)

GradsAndVars = Sequence[tuple[Any, gc.Variable]]


@public("train.Optimizer")
class Optimizer:
    """Base of the optimizers. use_locking has no effect: updates of one run never race.

    minimize(loss) makes the train op: compute_gradients, then apply_gradients, between which gradients may be
    changed. The loss and the variables are float16, float32 or float64 (ValueError for others), gradients of their
    variable's shape. minimize raises ValueError without a variable or a gradient, TypeError for a var_list of what are
    no variables. As `tf.train.Optimizer`.

    >>> v = gc.Variable([3., 4.])
    >>> optimizer = gc.train.GradientDescentOptimizer(1.)
    >>> pairs = optimizer.compute_gradients(gc.reduce_sum(v * v))
    >>> step = optimizer.apply_gradients([(gc.clip_by_norm(gradient, 1.), variable) for gradient, variable in pairs])
    >>> gc.global_variables_initializer().run()
    >>> step.run()
    >>> v.eval()
    array([2.4, 3.2], dtype=float32)
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[VariableKey, gc.Variable]] = {}
        self._non_slots: dict[tuple[str, gc.Graph], gc.Variable] = {}

    def __repr__(self) -> str:
        rate = getattr(self, "_lr", getattr(self, "_learning_rate", None))
        parts = [repr(self._name)]
        if rate is not None:
            parts.append(f"learning rate {getattr(rate, 'name', rate)}")
        if self._slots:
            parts.append(f"slots {', '.join(self.get_slot_names())}")
        return f"<{type(self).__name__} {', '.join(parts)}>"

    def get_name(self) -> str:
        """The name that it was made with."""
        return self._name

    def minimize(self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: int = GATE_OP,
                 aggregation_method: int | None = None, colocate_gradients_with_ops: bool = False,
                 name: str | None = None, grad_loss: Any = None) -> gc.Operation:
        """compute_gradients and apply_gradients in one. Running the operation makes one step.

        gate_gradients, aggregation_method and colocate_gradients_with_ops change no number. Raises ValueError if no
        variable has a gradient.
        """
        if callable(loss) and not isinstance(loss, gc.Tensor):
            loss = loss()
        # By name: classes of programs' own may take the rest as **kwargs.
        pairs = self.compute_gradients(loss, var_list=var_list, gate_gradients=gate_gradients,
                                       aggregation_method=aggregation_method,
                                       colocate_gradients_with_ops=colocate_gradients_with_ops, grad_loss=grad_loss)
        if all(g is None for g, _ in pairs):
            raise ValueError("No gradients provided for any variable, check your graph for ops that do not support "
                             f"gradients, between variables {[v.name for _, v in pairs]} and loss {loss!r}: "
                             f"{gc.debugging.why_no_gradient(loss, [v for _, v in pairs])}")
        train_op = self.apply_gradients(pairs, global_step=global_step, name=name)
        warn_of_updates_left_out(train_op, loss)
        return train_op

    def compute_gradients(self, loss: Any, var_list: Any = None, gate_gradients: int = GATE_OP,
                          aggregation_method: int | None = None, colocate_gradients_with_ops: bool = False,
                          grad_loss: Any = None) -> list[tuple[Any, gc.Variable]]:
        """(gradient, variable) of the trainable variables, or of var_list; None where the loss does not depend on it.

        The gradient of a variable that the loss only gathers from is IndexedSlices. gate_gradients, aggregation_method
        and colocate_gradients_with_ops change no number. Raises ValueError if there are no variables, and for a loss or
        a variable of another dtype than float16, float32 or float64, TypeError for what is no variable.
        """
        if callable(loss) and not isinstance(loss, gc.Tensor):
            loss = loss()
        if gate_gradients not in (Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH):
            raise ValueError("gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, "
                             f"Optimizer.GATE_GRAPH.  Not {gate_gradients}")
        self._assert_valid_dtypes([loss])
        if grad_loss is not None:
            self._assert_valid_dtypes([grad_loss])
        chosen = (loss.graph.get_collection(gc.GraphKeys.TRAINABLE_VARIABLES) if var_list is None
                  else gc.nest.flatten(var_list))
        if not chosen:
            raise ValueError("No variables to optimize: var_list is empty" if var_list is not None else
                             "No variables to optimize: the graph of the loss has no trainable variable; gc.Variable "
                             "and gc.get_variable make them")
        for variable in chosen:
            if not isinstance(variable, gc.Variable):
                raise TypeError(f"Argument is not a variable: {variable!r}")
        found = gc.gradients(loss, chosen, grad_ys=grad_loss, aggregation_method=aggregation_method)
        self._assert_valid_dtypes([v for g, v in zip(found, chosen, strict=True) if g is not None])
        return list(zip(found, chosen, strict=True))

    def apply_gradients(self, grads_and_vars: GradsAndVars, global_step: Any = None,
                        name: str | None = None) -> gc.Operation:
        """The operation that updates each variable with its gradient, then counts global_step up by one. Raises
        ValueError for no gradients and for those of another shape, TypeError for those of another dtype."""
        pairs = [(None if g is None else _converted(g), v) for g, v in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        usable = [(g, v) for g, v in pairs if g is not None]
        if not usable:
            raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in pairs]}.")
        for _, variable in usable:
            if not isinstance(variable, gc.Variable):
                raise NotImplementedError(f"Trying to optimize unsupported type {variable!r}")
        home = usable[0][1].graph
        graph = gc.get_default_graph()
        graph = graph if _outermost(graph) is home else home           # a loop's body, or the variables' own graph
        with home.as_default(), home.control_dependencies(None):
            self._create_slots([v for _, v in usable])
        with graph.as_default():
            with graph.name_scope(name or self._name) as scope:
                self._prepare()
                updates = []
                for gradient, variable in usable:
                    with graph.name_scope(f"update_{variable.op.name}"):
                        updates.append(self._update_op(gradient, variable))
                finished = self._finish(updates, scope if global_step is None else "update")
                if global_step is not None:
                    with graph.control_dependencies([finished]):
                        finished = gc.assign_add(global_step, _one(global_step), name=scope).op
            if graph is home and finished not in graph.get_collection_ref(gc.GraphKeys.TRAIN_OP):
                graph.add_to_collection(gc.GraphKeys.TRAIN_OP, finished)
        return finished

    def _update_op(self, gradient: Any, variable: gc.Variable) -> gc.Operation:
        """The update of one variable, and after it what its constraint makes of it."""
        if isinstance(gradient, gc.IndexedSlices):
            if variable.constraint is not None:
                raise RuntimeError("Cannot use a constraint function on a sparse variable.")
            return _operation(self._apply_sparse_duplicate_indices(gradient, variable))
        made = _operation(self._apply_dense(gradient, variable))
        if variable.constraint is None:
            return made
        with gc.get_default_graph().control_dependencies([made]):
            return gc.assign(variable, variable.constraint(variable)).op

    # Slots

    def get_slot(self, var: gc.Variable, name: str) -> gc.Variable | None:
        """The slot `name` ("m", "v", "momentum") of a variable; None before apply_gradients."""
        return self._slots.get(name, {}).get(var_key(var))

    def get_slot_names(self) -> list[str]:
        """The names of the variables beside each trained one, sorted: for get_slot()."""
        return sorted(self._slots)

    def variables(self) -> list[gc.Variable]:
        """All variables that the optimizer has made in the default graph."""
        made = [*self._non_slots.values(), *(v for slots in self._slots.values() for v in slots.values())]
        return sorted((v for v in made if v.graph is gc.get_default_graph()), key=lambda v: v.name)

    def _slot_dict(self, slot_name: str) -> dict[VariableKey, gc.Variable]:
        return self._slots.setdefault(slot_name, {})

    def _get_or_make_slot(self, var: gc.Variable, val: Any, slot_name: str, op_name: str) -> gc.Variable:
        """The slot of a variable; made, with the value `val`, if there is none."""
        slots, key = self._slot_dict(slot_name), var_key(var)
        if key not in slots:
            slots[key] = create_slot(var, val, op_name)
        return slots[key]

    def _get_or_make_slot_with_initializer(self, var: gc.Variable, initializer: Any, shape: Any, dtype: Any,
                                           slot_name: str, op_name: str) -> gc.Variable:
        slots, key = self._slot_dict(slot_name), var_key(var)
        if key not in slots:
            slots[key] = create_slot_with_initializer(var, initializer, shape, dtype, op_name)
        return slots[key]

    def _zeros_slot(self, var: gc.Variable, slot_name: str, op_name: str) -> gc.Variable:
        """The slot of a variable; made, with zeros, if there is none."""
        slots, key = self._slot_dict(slot_name), var_key(var)
        if key not in slots:
            slots[key] = create_zeros_slot(var, op_name)
        return slots[key]

    def _filled_slot(self, var: gc.Variable, value: float, slot_name: str, op_name: str) -> gc.Variable:
        """The slot of a variable; made, with `value` in each element, if there is none."""
        def initializer(shape: Any, dtype: Any) -> gc.Tensor:
            sizes = shape.as_list() if shape.is_fully_defined() else gc.shape(var.initialized_value())
            return gc.fill(sizes, gc.convert_to_tensor(value, dtype))

        return self._get_or_make_slot_with_initializer(var, initializer, var.shape, var.dtype.base_dtype, slot_name,
                                                       op_name)

    def _slots_of(self, var: gc.Variable, *names: str) -> list[gc.Tensor]:
        """The refs of slots that have been made."""
        return [self._slots[name][var_key(var)]._ref() for name in names]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: gc.Variable) -> gc.Variable:
        key = (name, colocate_with.graph)
        if key not in self._non_slots:
            self._non_slots[key] = gc.Variable(initial_value, name=name, trainable=False)
        return self._non_slots[key]

    def _get_non_slot_variable(self, name: str, graph: gc.Graph) -> gc.Variable:
        return self._non_slots[name, _outermost(graph)]

    # What a subclass says

    def _valid_dtypes(self) -> set[Any]:
        return {gc.float16, gc.float32, gc.float64}

    def _assert_valid_dtypes(self, tensors: Sequence[Any]) -> None:
        """Raises ValueError for a tensor of a dtype that the optimizer does not train."""
        valid = self._valid_dtypes()
        for tensor in tensors:
            if hasattr(tensor, "dtype") and tensor.dtype.base_dtype not in valid:
                wanted = sorted(d.name for d in valid)
                raise ValueError(f"Invalid type {tensor.dtype.name} for {tensor.name}, expected: {wanted}."
                                 f"{built_at(tensor.op)}")

    def _create_slots(self, var_list: Sequence[gc.Variable]) -> None:
        """Makes the slots of these variables."""

    def _prepare(self) -> None:
        """Makes the tensors of the hyperparameters."""

    def _apply_dense(self, grad: gc.Tensor, var: gc.Variable) -> Any:
        """The update op of one variable."""
        raise NotImplementedError(f"{type(self).__name__}._apply_dense")

    def _apply_sparse_duplicate_indices(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        """The update op for rows, some of which may come several times: they are added up first, each is then given
        once to `_apply_sparse`."""
        return self._apply_sparse(grad.deduplicated(), var)

    def _apply_sparse(self, grad: gc.IndexedSlices, var: gc.Variable) -> Any:
        """The update op for rows, each of which comes once."""
        raise NotImplementedError(f"{type(self).__name__}._apply_sparse")

    def _finish(self, update_ops: Sequence[gc.Operation], name_scope: str) -> gc.Operation:
        """The operation that stands for all updates."""
        return gc.group(*update_ops, name=name_scope)

    def _call_if_callable(self, value: Any) -> Any:
        return value() if callable(value) and not isinstance(value, (gc.Tensor, gc.Variable)) else value


def _outermost(graph: gc.Graph) -> gc.Graph:
    """The graph around the loops and branches that it is a body of."""
    with graph.as_default(), gc.init_scope():
        return gc.get_default_graph()


def _one(step: Any) -> Any:
    return step.dtype.as_numpy_dtype(1)


def _operation(made: Any) -> gc.Operation:
    """An update may be given as the tensor of its new value."""
    return made.op if isinstance(made, gc.Tensor) else made  # type: ignore[no-any-return]


def _converted(gradient: Any) -> Any:
    try:
        return gc.convert_to_tensor_or_indexed_slices(gradient)
    except TypeError:
        raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {gradient!r}") from None

