"""assign and its like, on variables."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.state.state import Assign, AssignAdd, AssignSub, IsVariableInitialized


def ref_of(variable: Any, op_type: str) -> Tensor:
    """The ref tensor of a Variable (or the tensor itself). Raises ValueError if there is no variable behind it."""
    tensor = variable._ref() if hasattr(variable, "_ref") else variable
    source = tensor
    while hasattr(source, "op") and source.op.definition.refs:   # the output of an Assign stands for its variable
        source = source.op.inputs[0]
    if not hasattr(source, "op") or source.op.type not in ("VariableV2", "Variable", "Placeholder"):
        raise ValueError(f"{op_type}: argument 'ref' must be a variable, but is {variable!r}; only variables "
                         "(gc.Variable, gc.get_variable) can be assigned")
    return tensor


@public("assign")
def assign(ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None,
           name: str | None = None) -> Tensor:
    """Writes `value` to the variable, or to a part of it (`gc.assign(variable[1:3], value)`); the result is the new
    value of the whole.

    value: of the variable's dtype and shape (ValueError, TypeError); a Python value is converted. With
    validate_shape=False it may have another shape, if the variable was made so. Reads that are not ordered after it by
    control dependencies see the old value. As `tf.assign`. Raises ValueError for what is no variable.

    >>> v = gc.Variable([1., 2.])
    >>> gc.global_variables_initializer().run()
    >>> gc.assign(v, [3., 4.]).eval()
    array([3., 4.], dtype=float32)
    >>> v.eval()
    array([3., 4.], dtype=float32)
    """
    if isinstance(ref, Tensor) and hasattr(ref, "assign"):          # variable[part]
        made: Tensor = ref.assign(value, name=name)
        return made
    fields = {"validate_shape": validate_shape is None or validate_shape,
              "use_locking": use_locking is None or use_locking}
    return apply(Assign, ref_of(ref, "Assign"), value, name=name, **fields)


@public("assign_add")
def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
    """Adds `value`, of the variable's shape and dtype, to the variable; the result is the new value. As
    `tf.assign_add`.

    Raises TypeError for another dtype and for a variable of strings or bools, ValueError for another shape and what is
    no variable.

    >>> v = gc.Variable(1)
    >>> gc.global_variables_initializer().run()
    >>> add = gc.assign_add(v, 10)
    >>> add.eval(), add.eval()
    (np.int32(11), np.int32(21))
    """
    return apply(AssignAdd, ref_of(ref, "AssignAdd"), value, name=name, use_locking=bool(use_locking))


@public("assign_sub")
def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Tensor:
    """Subtracts `value`, of the variable's shape and dtype, from the variable; the result is the new value.

    As `tf.assign_sub`. Raises as `assign_add`.

    >>> v = gc.Variable([5., 6.])
    >>> gc.global_variables_initializer().run()
    >>> gc.assign_sub(v, [1., 2.]).eval()
    array([4., 4.], dtype=float32)
    """
    return apply(AssignSub, ref_of(ref, "AssignSub"), value, name=name, use_locking=bool(use_locking))


@public("is_variable_initialized")
def is_variable_initialized(variable: Any, name: str | None = None) -> Tensor:
    """A bool scalar: whether the variable has a value in the session, at the start of the run.

    As `tf.is_variable_initialized`. Raises ValueError for what is no variable.

    >>> v = gc.Variable(1.)
    >>> known = gc.is_variable_initialized(v)
    >>> before = known.eval()
    >>> v.initializer.run()
    >>> before, known.eval()
    (np.False_, np.True_)
    """
    return apply(IsVariableInitialized, ref_of(variable, "IsVariableInitialized"), name=name)
