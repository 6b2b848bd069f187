"""Slots: variables that optimizers and moving averages keep beside a variable, as TF's slot_creator names them."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import graphc as gc
from graphc.api.public import public

VariableKey = tuple[gc.Graph, str]          # what an optimizer knows a variable by


def create_slot(primary: Any, val: Any, name: str) -> gc.Variable:
    """A variable named "primary/name" inside the variable scope in force, whatever the name scope is; `val` is its
    initial value, or a function that makes it."""
    graph = gc.get_default_graph()
    prefix = gc.get_variable_scope().name
    full = f"{primary.op.name}/{name}"
    with graph.name_scope(None):
        made = gc.Variable(val, trainable=False, name=f"{prefix}/{full}" if prefix else full,
                           validate_shape=primary.shape.is_fully_defined())
    whole = getattr(primary, "_save_slice_info", None)
    if whole is not None:               # a part of a variable has the same part of a slot
        part = made.op.name[len(primary.op.name) + 1:]
        made._set_save_slice_info(replace(whole, full_name=f"{whole.full_name}/{part}"))
    return made


def create_slot_with_initializer(primary: Any, initializer: Any, shape: Any, dtype: Any, name: str) -> gc.Variable:
    """initializer: called with the shape and dtype, as those of gc.get_variable."""
    return create_slot(primary, lambda: initializer(shape, dtype), name)


def create_zeros_slot(primary: Any, name: str, dtype: Any = None) -> gc.Variable:
    def zeros() -> gc.Tensor:
        known = primary.shape.is_fully_defined()
        shape = primary.shape.as_list() if known else gc.shape(primary.initialized_value())
        return gc.zeros(shape, dtype or primary.dtype.base_dtype)

    return create_slot(primary, zeros, name)


@public("compat.v1.python.training.optimizer._var_key")
def var_key(var: gc.Variable) -> VariableKey:
    """What an optimizer's dictionaries of slots (`optimizer._slots[name]`) have as the variable's key.

    As `optimizer._var_key` of TensorFlow 1.15.

    >>> v = gc.Variable(1., name="v")
    >>> gc.compat.v1.python.training.optimizer._var_key(v) == (v.graph, "v")
    True
    """
    return var.graph, var.op.name
