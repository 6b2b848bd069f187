"""Values put into variables once, from a checkpoint or from arrays: contrib.framework.assign_from_checkpoint and its
like."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.errors import built_at
from graphc.train.saving.reader import CheckpointReader
from graphc.train.saving.saver import Saver
from graphc.wording import warn


@public("contrib.framework.assign_from_checkpoint", "contrib.slim.assign_from_checkpoint",
        "contrib.slim.variables.assign_from_checkpoint")
def assign_from_checkpoint(model_path: Any, var_list: Any,
                           ignore_missing_vars: bool = False) -> tuple[Any, dict[Any, Any]]:
    """(operation, feed_dict) that put the checkpoint's values into variables, as
    `tf.contrib.framework.assign_from_checkpoint`. var_list: variables, or name in the checkpoint -> variable.
    ignore_missing_vars: those that the checkpoint lacks are left as they are, with a warning.

    Raises ValueError if the checkpoint lacks one, or has it in another shape. It raises NotFoundError if there is no
    such checkpoint.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver([v]).save(gc.get_default_session(), "./model")
    >>> w = gc.Variable([0., 0.], name="w")
    >>> put, values = gc.contrib.framework.assign_from_checkpoint(path, {"v": w})
    >>> put.run(values)
    >>> w.eval()
    array([1., 2.], dtype=float32)
    """
    named, reader = _named(var_list), CheckpointReader(model_path)
    if ignore_missing_vars:
        named = _found(named, model_path)
    values: dict[Any, Any] = {}
    for name, variable in named.items():
        if not reader.has_tensor(name):
            raise ValueError(f"Checkpoint is missing variable [{name}]{built_at(variable.op)}")
        values[variable] = np.asarray(reader.get_tensor(name))
        if not variable.shape.is_compatible_with(values[variable].shape):
            raise ValueError(f"Total size of new array must be unchanged for {name} lh_shape: "
                             f"[{values[variable].shape}], rh_shape: [{variable.shape}]{built_at(variable.op)}")
    return _assigned(values)


@public("contrib.framework.assign_from_checkpoint_fn", "contrib.slim.assign_from_checkpoint_fn",
        "contrib.slim.variables.assign_from_checkpoint_fn")
def assign_from_checkpoint_fn(model_path: Any, var_list: Any, ignore_missing_vars: bool = False,
                              reshape_variables: bool = False) -> Callable[[Any], None]:
    """A function of a session that restores the variables, as `tf.contrib.framework.assign_from_checkpoint_fn`.
    ignore_missing_vars: those that the checkpoint lacks are left as they are, with a warning.
    reshape_variables: the shape may be another one, with as many elements.

    The function raises NotFoundError if the checkpoint lacks a variable, InvalidArgumentError if it has it in another
    shape.

    >>> v = gc.Variable([1., 2.], name="v")
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver([v]).save(gc.get_default_session(), "./model")
    >>> restore = gc.contrib.framework.assign_from_checkpoint_fn(path, [v])
    >>> v.assign([0., 0.]).op.run()
    >>> restore(gc.get_default_session())
    >>> v.eval()
    array([1., 2.], dtype=float32)
    """
    if ignore_missing_vars:
        var_list = _found(_named(var_list), model_path)
    if not var_list:
        warn("No Variables to restore")
        return lambda session: None
    saver = Saver(var_list, reshape=reshape_variables)

    def callback(session: Any) -> None:
        saver.restore(session, model_path)

    return callback


def _found(named: dict[str, Any], model_path: Any) -> dict[str, Any]:
    """Those that the checkpoint has; a warning for each other one."""
    reader = CheckpointReader(model_path)
    for name in [n for n in named if not reader.has_tensor(n)]:
        warn(f"Variable {name} missing in checkpoint {model_path}")
    return {name: variable for name, variable in named.items() if reader.has_tensor(name)}


@public("contrib.framework.assign_from_values", "contrib.slim.assign_from_values")
def assign_from_values(var_names_to_values: Mapping[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """(operation, feed_dict) that put these values into the global variables of these names, as
    `tf.contrib.framework.assign_from_values`. Raises ValueError if there is none of a name, or of another size.

    >>> v = gc.Variable([0., 0.], name="v")
    >>> put, values = gc.contrib.framework.assign_from_values({"v": [1., 2.]})
    >>> put.run(values)
    >>> v.eval()
    array([1., 2.], dtype=float32)
    """
    by_name = {v.op.name: v for v in gc.global_variables()}
    unknown = [name for name in var_names_to_values if name not in by_name]
    if unknown:
        raise ValueError(f"Variable {unknown[0]} wasn't found")
    return _assigned({by_name[name]: np.reshape(value, by_name[name].shape.as_list())
                      for name, value in var_names_to_values.items()})


@public("contrib.framework.assign_from_values_fn", "contrib.slim.assign_from_values_fn")
def assign_from_values_fn(var_names_to_values: Mapping[str, Any]) -> Callable[[Any], None]:
    """A function of a session that puts these values in, as `tf.contrib.framework.assign_from_values_fn`.

    Raises as assign_from_values.

    >>> v = gc.Variable([0., 0.], name="v")
    >>> gc.contrib.framework.assign_from_values_fn({"v": [1., 2.]})(gc.get_default_session())
    >>> v.eval()
    array([1., 2.], dtype=float32)
    """
    operation, feeds = assign_from_values(var_names_to_values)

    def callback(session: Any) -> None:
        session.run(operation, feeds)

    return callback


def _named(var_list: Any) -> dict[str, Any]:
    if isinstance(var_list, Mapping):
        return dict(var_list)
    for variable in var_list:
        if not hasattr(variable, "op"):
            raise TypeError("argument 'var_list' must be variables, or a dictionary of them by the checkpoint's names, "
                            f"but holds {variable!r} of type {type(variable).__name__}")
    return {v.op.name: v for v in var_list}


def _assigned(values: Mapping[Any, Any]) -> tuple[Any, dict[Any, Any]]:
    feeds, assigned = {}, []
    for variable, value in values.items():
        given = gc.placeholder(variable.dtype, variable.shape, name=f"placeholder/{variable.op.name}")
        assigned.append(gc.assign(variable, given))
        feeds[given] = value
    return gc.group(*assigned), feeds
