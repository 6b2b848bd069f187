"""Variables of models: made by the functions of contrib.layers, and found again by name."""
from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope

_GLOBAL = gc.GraphKeys.GLOBAL_VARIABLES
_MODEL = gc.GraphKeys.MODEL_VARIABLES


@public("contrib.framework.variable")
@add_arg_scope
def variable(name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
             trainable: bool = True, collections: Iterable[Any] | None = None, caching_device: Any = None,
             device: Any = None, partitioner: Any = None, custom_getter: Callable[..., Any] | None = None,
             use_resource: bool | None = None, synchronization: Any = None, aggregation: Any = None) -> Any:
    """gc.get_variable with a device (caching_device, use_resource, synchronization and aggregation change nothing). As
    `tf.contrib.framework.variable`."""
    keys = [_GLOBAL] if collections is None else list(dict.fromkeys(collections))
    getter: Callable[..., Any] = gc.get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=gc.get_variable_scope().reuse)
    with gc.device(device or ""):
        return getter(name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer,
                      trainable=trainable, collections=keys, caching_device=caching_device, partitioner=partitioner,
                      use_resource=use_resource, synchronization=synchronization, aggregation=aggregation)


@public("contrib.framework.model_variable")
@add_arg_scope
def model_variable(name: str, shape: Any = None, dtype: Any = gc.float32, initializer: Any = None,
                   regularizer: Any = None, trainable: bool = True, collections: Iterable[Any] | None = None,
                   caching_device: Any = None, device: Any = None, partitioner: Any = None,
                   custom_getter: Callable[..., Any] | None = None, use_resource: bool | None = None,
                   synchronization: Any = None, aggregation: Any = None) -> Any:
    """A variable that is in the collection MODEL_VARIABLES, too. As `tf.contrib.framework.model_variable`."""
    return variable(name, shape, dtype, initializer, regularizer, trainable, [*(collections or ()), _GLOBAL, _MODEL],
                    caching_device, device, partitioner, custom_getter, use_resource, synchronization, aggregation)


@public("contrib.framework.add_model_variable")
def add_model_variable(var: Any) -> None:
    """Puts a variable into MODEL_VARIABLES, once."""
    if var not in gc.get_collection(_MODEL):
        gc.add_to_collection(_MODEL, var)


@public("contrib.framework.local_variable")
def local_variable(initial_value: Any, validate_shape: bool = True, name: str | None = None,
                   use_resource: bool | None = None) -> Any:
    """A variable that is neither trained nor saved. use_resource changes nothing."""
    return gc.Variable(initial_value, trainable=False, collections=[gc.GraphKeys.LOCAL_VARIABLES],
                       validate_shape=validate_shape, name=name)


@public("contrib.framework.global_variable")
def global_variable(initial_value: Any, validate_shape: bool = True, name: str | None = None,
                    use_resource: bool | None = None) -> Any:
    """A variable that is not trained. use_resource changes nothing."""
    return gc.Variable(initial_value, trainable=False, collections=[_GLOBAL], validate_shape=validate_shape, name=name)


@public("contrib.framework.zero_initializer")
def zero_initializer(ref: Any, use_locking: bool = True, name: str = "zero_initializer") -> Any:
    """The operation that sets a variable to zeros."""
    return gc.assign(ref, gc.zeros(ref.shape, ref.dtype.base_dtype), use_locking=use_locking, name=name)


# Finding them


@public("contrib.framework.get_variables")
def get_variables(scope: Any = None, suffix: str | None = None, collection: Any = _GLOBAL) -> list[Any]:
    """The variables of a collection whose name matches `scope` (a regular expression, or a VariableScope) at its start
    and ends in `suffix`. As `tf.contrib.framework.get_variables`."""
    if isinstance(scope, gc.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix}{'' if ':' in suffix else ':'}"
    return gc.get_collection(collection, scope)


@public("contrib.framework.get_model_variables")
def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    return get_variables(scope, suffix, _MODEL)


@public("contrib.framework.get_local_variables")
def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    return get_variables(scope, suffix, gc.GraphKeys.LOCAL_VARIABLES)


@public("contrib.framework.get_trainable_variables")
def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    return get_variables(scope, suffix, gc.GraphKeys.TRAINABLE_VARIABLES)


@public("contrib.framework.get_variables_by_suffix")
def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    return get_variables(scope, suffix)


@public("contrib.framework.get_variables_by_name")
def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The variables whose last name is the given one."""
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


@public("contrib.framework.get_unique_variable")
def get_unique_variable(var_op_name: str) -> Any:
    """The variable of this full name. Raises ValueError if there is none."""
    candidates = get_variables(var_op_name)
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Couldn't find variable {var_op_name}" if not candidates else
                     f"Variable {var_op_name} does not uniquely identify a variable: {[v.name for v in candidates]}")


@public("contrib.framework.get_variable_full_name")
def get_variable_full_name(var: Any) -> str:
    """The name in a checkpoint: that of the whole, for a part of a partitioned variable."""
    part = getattr(var, "_save_slice_info", None)
    return part.full_name if part else var.op.name  # type: ignore[no-any-return]


@public("contrib.framework.get_variables_to_restore")
def get_variables_to_restore(include: Sequence[str] | None = None, exclude: Sequence[str] | None = None) -> list[Any]:
    """The global variables in the scopes `include` (all of them by default) that are not in the scopes `exclude`."""
    for name, given in (("include", include), ("exclude", exclude)):
        if given is not None and not isinstance(given, (list, tuple)):
            raise TypeError(f"{name} is provided but is not a list or a tuple: {given!r}")
    chosen = get_variables() if include is None else [v for scope in include for v in get_variables(scope)]
    left_out = {v for scope in exclude or () for v in get_variables(scope)}
    return [v for v in chosen if v not in left_out]


@public("contrib.framework.filter_variables")
def filter_variables(var_list: Iterable[Any], include_patterns: Sequence[str] | None = None,
                     exclude_patterns: Sequence[str] | None = None, reg_search: bool = True) -> list[Any]:
    """The variables that one of include_patterns matches (all of them by default) and none of exclude_patterns.

    reg_search: anywhere in the name, else at its start.
    """
    matches = re.search if reg_search else re.match

    def any_of(patterns: Sequence[str], name: str) -> bool:
        return any(matches(pattern, name) for pattern in patterns)

    chosen = [v for v in var_list if include_patterns is None or any_of(include_patterns, v.name)]
    return [v for v in chosen if not any_of(exclude_patterns or (), v.name)]


# Where they are


@public("contrib.framework.VariableDeviceChooser")
class VariableDeviceChooser:
    """A device function that deals variables out to tasks in turn. As `tf.contrib.framework.VariableDeviceChooser`."""

    def __init__(self, num_tasks: int = 0, job_name: str = "ps", device_type: str = "CPU", device_index: int = 0,
                 replica: int | None = None) -> None:
        self._num_tasks = num_tasks
        self._job_name = job_name
        self._device = f"/device:{device_type}:{device_index}"
        self._replica = "" if replica is None else f"/replica:{replica}"
        self._next = 0

    def __call__(self, op: Any) -> str:
        if not self._num_tasks:
            return f"{self._replica}{self._device}"
        task, self._next = self._next, (self._next + 1) % self._num_tasks
        return f"/job:{self._job_name}{self._replica}/task:{task}{self._device}"
