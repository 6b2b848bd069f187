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
    """`gc.get_variable` with a device: a new variable, or the one of this name where the variable scope reuses.

    collections are GLOBAL_VARIABLES by default; a trainable one joins TRAINABLE_VARIABLES, too. custom_getter is called
    in the place of get_variable. caching_device, use_resource, synchronization and aggregation change nothing. Takes
    arguments of an `arg_scope`. The shape must be known, and dtype may be any (float32 by default). Raises ValueError
    for a shape that is not known, a name that is taken without reuse, or one that is not there with it. As
    `tf.contrib.framework.variable`.

    >>> w = gc.contrib.framework.variable("w", [2], initializer=gc.ones_initializer(), device="/cpu:0")
    >>> gc.global_variables_initializer().run()
    >>> w.eval(), w.device
    (array([1., 1.], dtype=float32), '/device:CPU:0')
    """
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
    """A `variable` that is in the collection MODEL_VARIABLES, too: what a model is made of, without the optimiser's
    slots.

    dtype is float32 by default; the other arguments are those of `variable`. Errors are its, too. As
    `tf.contrib.framework.model_variable`.

    >>> w = gc.contrib.framework.model_variable("w", [2, 3])
    >>> step = gc.train.get_or_create_global_step()
    >>> gc.contrib.framework.get_model_variables() == [w], len(gc.global_variables())
    (True, 2)
    """
    return variable(name, shape, dtype, initializer, regularizer, trainable, [*(collections or ()), _GLOBAL, _MODEL],
                    caching_device, device, partitioner, custom_getter, use_resource, synchronization, aggregation)


@public("contrib.framework.add_model_variable")
def add_model_variable(var: Any) -> None:
    """Puts a variable into the collection MODEL_VARIABLES, unless it is there.

    var: a variable; what else is given is kept, too, as it is. As `tf.contrib.framework.add_model_variable`.

    >>> w = gc.get_variable("w", [2])
    >>> gc.contrib.framework.add_model_variable(w)
    >>> gc.contrib.framework.add_model_variable(w)
    >>> [v.name for v in gc.contrib.framework.get_model_variables()]
    ['w:0']
    """
    if var not in gc.get_collection(_MODEL):
        gc.add_to_collection(_MODEL, var)


@public("contrib.framework.local_variable")
def local_variable(initial_value: Any, validate_shape: bool = True, name: str | None = None,
                   use_resource: bool | None = None) -> Any:
    """A variable that is neither trained nor saved: it is in LOCAL_VARIABLES only.

    `gc.local_variables_initializer` sets it. use_resource changes nothing. initial_value: a value or tensor, whose
    shape and dtype the variable has. Raises ValueError for None, and for an unknown shape unless validate_shape is
    False. As `tf.contrib.framework.local_variable`.

    >>> seen = gc.contrib.framework.local_variable(0, name="seen")
    >>> gc.local_variables_initializer().run()
    >>> gc.assign_add(seen, 5).eval(), gc.global_variables()
    (np.int32(5), [])
    """
    return gc.Variable(initial_value, trainable=False, collections=[gc.GraphKeys.LOCAL_VARIABLES],
                       validate_shape=validate_shape, name=name)


@public("contrib.framework.global_variable")
def global_variable(initial_value: Any, validate_shape: bool = True, name: str | None = None,
                    use_resource: bool | None = None) -> Any:
    """A variable that is saved but not trained. use_resource changes nothing.

    initial_value and errors as `gc.contrib.framework.local_variable`. As `tf.contrib.framework.global_variable`.

    >>> rate = gc.contrib.framework.global_variable(0.5, name="rate")
    >>> gc.global_variables() == [rate], gc.trainable_variables()
    (True, [])
    """
    return gc.Variable(initial_value, trainable=False, collections=[_GLOBAL], validate_shape=validate_shape, name=name)


@public("contrib.framework.zero_initializer")
def zero_initializer(ref: Any, use_locking: bool = True, name: str = "zero_initializer") -> Any:
    """Sets a variable of known shape to zeros when it runs; it need not be initialised before.

    The result has the variable's shape and dtype. Raises ValueError for an unknown shape and for a tensor that is no
    variable. As `tf.contrib.framework.zero_initializer`.

    >>> w = gc.get_variable("w", [3])
    >>> gc.contrib.framework.zero_initializer(w).eval()
    array([0., 0., 0.], dtype=float32)
    """
    return gc.assign(ref, gc.zeros(ref.shape, ref.dtype.base_dtype), use_locking=use_locking, name=name)


# Finding them


@public("contrib.framework.get_variables")
def get_variables(scope: Any = None, suffix: str | None = None, collection: Any = _GLOBAL) -> list[Any]:
    """The variables of a collection (GLOBAL_VARIABLES) whose name matches `scope` at its start and ends in `suffix`.

    scope: a regular expression, or a VariableScope. suffix: the end of the name before ":0". In the order in which they
    were made. A scope that is no regular expression is re's error. As `tf.contrib.framework.get_variables`.

    >>> with gc.variable_scope("conv1") as conv1:
    ...     w, b = gc.get_variable("weights", [3, 2]), gc.get_variable("biases", [2])
    >>> with gc.variable_scope("conv2"):
    ...     v = gc.get_variable("weights", [2, 2])
    >>> [found.name for found in gc.contrib.framework.get_variables(conv1)]
    ['conv1/weights:0', 'conv1/biases:0']
    >>> [found.name for found in gc.contrib.framework.get_variables("conv", suffix="weights")]
    ['conv1/weights:0', 'conv2/weights:0']
    """
    if isinstance(scope, gc.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix}{'' if ':' in suffix else ':'}"
    return gc.get_collection(collection, scope)


@public("contrib.framework.get_model_variables")
def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of MODEL_VARIABLES: those that `model_variable` and the layers of contrib.layers made.

    A list; arguments as `gc.contrib.framework.get_variables`. As `tf.contrib.framework.get_model_variables`.

    >>> y = gc.contrib.layers.fully_connected(gc.zeros([1, 4]), 2, scope="fc")
    >>> [v.name for v in gc.contrib.framework.get_model_variables(suffix="biases")]
    ['fc/biases:0']
    """
    return get_variables(scope, suffix, _MODEL)


@public("contrib.framework.get_local_variables")
def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of LOCAL_VARIABLES: those that are not saved, like the totals of metrics.

    A list; arguments as `gc.contrib.framework.get_variables`. As `tf.contrib.framework.get_local_variables`.

    >>> value, update = gc.metrics.mean([1., 2.])
    >>> [v.name for v in gc.contrib.framework.get_local_variables("mean")]
    ['mean/total:0', 'mean/count:0']
    """
    return get_variables(scope, suffix, gc.GraphKeys.LOCAL_VARIABLES)


@public("contrib.framework.get_trainable_variables")
def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of TRAINABLE_VARIABLES.

    A list; arguments as `gc.contrib.framework.get_variables`. As `tf.contrib.framework.get_trainable_variables`.

    >>> w, frozen = gc.get_variable("net/w", [2]), gc.get_variable("net/frozen", [2], trainable=False)
    >>> [v.name for v in gc.contrib.framework.get_trainable_variables("net")]
    ['net/w:0']
    """
    return get_variables(scope, suffix, gc.GraphKeys.TRAINABLE_VARIABLES)


@public("contrib.framework.get_variables_by_suffix")
def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """The global variables whose name ends in `suffix`, those of one scope for `scope`.

    A list; scope as `gc.contrib.framework.get_variables`. As `tf.contrib.framework.get_variables_by_suffix`.

    >>> w, b = gc.get_variable("fc/weights", [3, 2]), gc.get_variable("fc/biases", [2])
    >>> [v.name for v in gc.contrib.framework.get_variables_by_suffix("biases")]
    ['fc/biases:0']
    """
    return get_variables(scope, suffix)


@public("contrib.framework.get_variables_by_name")
def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The global variables whose last name, after all scopes, is the given one.

    A list; scope as `gc.contrib.framework.get_variables`. As `tf.contrib.framework.get_variables_by_name`.

    >>> a, b = gc.get_variable("fc1/weights", [2]), gc.get_variable("fc2/weights", [2])
    >>> c = gc.get_variable("fc2/my_weights", [2])
    >>> [v.name for v in gc.contrib.framework.get_variables_by_name("weights")]
    ['fc1/weights:0', 'fc2/weights:0']
    >>> [v.name for v in gc.contrib.framework.get_variables_by_name("weights", scope="fc2")]
    ['fc2/weights:0']
    """
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


@public("contrib.framework.get_unique_variable")
def get_unique_variable(var_op_name: str) -> Any:
    """The global variable of this full name, without ":0". Raises ValueError if there is none, or only some whose names
    begin so.

    As `tf.contrib.framework.get_unique_variable`.

    >>> w = gc.get_variable("fc/weights", [2])
    >>> gc.contrib.framework.get_unique_variable("fc/weights") is w
    True
    """
    candidates = get_variables(var_op_name)
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Couldn't find variable {var_op_name}" if not candidates else
                     f"Variable {var_op_name} does not uniquely identify a variable: {[v.name for v in candidates]}")


@public("contrib.framework.get_variable_full_name")
def get_variable_full_name(var: Any) -> str:
    """The name in a checkpoint: the variable's own without ":0", or that of the whole for a part of a partitioned
    variable.

    var: a variable, or a part of one. As `tf.contrib.framework.get_variable_full_name`.

    >>> table = gc.get_variable("table", [4, 2], partitioner=gc.fixed_size_partitioner(2))
    >>> part = list(table)[1]
    >>> part.name, gc.contrib.framework.get_variable_full_name(part)
    ('table/part_1:0', 'table')
    """
    part = getattr(var, "_save_slice_info", None)
    return part.full_name if part else var.op.name  # type: ignore[no-any-return]


@public("contrib.framework.get_variables_to_restore")
def get_variables_to_restore(include: Sequence[str] | None = None, exclude: Sequence[str] | None = None) -> list[Any]:
    """The global variables in the scopes `include` (all of them by default) that are not in the scopes `exclude`.

    Both are lists of regular expressions that match at the start of names; TypeError if one is no list. For a Saver
    that restores part of a model. A pattern that is no regular expression is re's error. As
    `tf.contrib.framework.get_variables_to_restore`.

    >>> body, head = gc.get_variable("body/w", [2]), gc.get_variable("head/w", [2])
    >>> [v.name for v in gc.contrib.framework.get_variables_to_restore(exclude=["head"])]
    ['body/w:0']
    """
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

    Patterns are regular expressions of names with ":0". reg_search: they match anywhere in the name, else at its start.
    A list, in the order of var_list. A pattern that is no regular expression is re's error. As
    `tf.contrib.framework.filter_variables`.

    >>> a, b = gc.get_variable("body/w", [2]), gc.get_variable("head/w", [2])
    >>> kept = gc.contrib.framework.filter_variables([a, b], include_patterns=["w:0$"], exclude_patterns=["^head"])
    >>> [v.name for v in kept]
    ['body/w:0']
    """
    matches = re.search if reg_search else re.match

    def any_of(patterns: Sequence[str], name: str) -> bool:
        return any(matches(pattern, name) for pattern in patterns)

    chosen = [v for v in var_list if include_patterns is None or any_of(include_patterns, v.name)]
    return [v for v in chosen if not any_of(exclude_patterns or (), v.name)]


# Where they are


@public("contrib.framework.VariableDeviceChooser")
class VariableDeviceChooser:
    """A device function that deals variables out to the tasks of a job in turn.

    num_tasks 0: all of them are on the device alone. For `gc.device`, or the argument `device` of `variable`. Its calls
    take an op, which they do not look at, and give a string. As `tf.contrib.framework.VariableDeviceChooser`.

    >>> choose = gc.contrib.framework.VariableDeviceChooser(num_tasks=2)
    >>> [choose(None) for _ in range(3)]
    ['/job:ps/task:0/device:CPU:0', '/job:ps/task:1/device:CPU:0', '/job:ps/task:0/device:CPU:0']
    """

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
