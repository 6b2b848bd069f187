"""get_variable: variables by name, made or, on request, shared. In one piece, or cut into parts (partitioned.py)."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from graphc.api.array.slicing import slice_
from graphc.api.public import public
from graphc.api.state import initializers
from graphc.api.state.aggregation import trainable_by_default
from graphc.api.state.initial_values import outside_bodies
from graphc.api.state.partitioned import PartitionedVariable, PartitionInfo, cut, parts_of
from graphc.api.state.variable_scope import Reuse, Store, get_variable_scope, store
from graphc.api.state.variables import Variable
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, as_dtype, float32, string
from graphc.ir.graph import GraphKeys, get_default_graph
from graphc.ir.names import suggestion
from graphc.ir.tensor_shape import TensorShape, as_shape
from graphc.ir.user_frame import user_line
from graphc.ir.values import to_array


@public("get_variable")
def get_variable(name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
                 trainable: bool | None = None, collections: Sequence[Any] | None = None, caching_device: Any = None,
                 partitioner: Any = None, validate_shape: bool = True, use_resource: bool | None = None,
                 custom_getter: Callable[..., Any] | None = None, constraint: Any = None, synchronization: Any = None,
                 aggregation: Any = None) -> Any:
    """The variable "scope/name": made, or with reuse found. What is left out is the scope's (`gc.variable_scope`).

    Args:
        name: inside of the current variable scope; name scopes do not count.
        shape: fully known; of a variable that is found it is compared.
        dtype: float32 by default.
        initializer: an initialiser (`gc.initializers`), its class, or a value (then without shape); by default
            glorot_uniform for floating point and zeros for the rest.
        regularizer: a function of the variable whose result joins the regularization losses.
        trainable, collections, constraint: as of `gc.Variable`.
        partitioner: a function of shape and dtype that says how often each axis is cut; the result is a
            PartitionedVariable.
        validate_shape: False: the initial value's shape need not be known.
        custom_getter: called as custom_getter(getter, name=..., **arguments) instead.
        caching_device, use_resource, synchronization, aggregation: change nothing but what trainable is by default.

    As `tf.get_variable`. Raises ValueError if the variable is there and should not be, or the reverse, and if shape or
    dtype differ from those it was made with.

    >>> with gc.variable_scope("net"):
    ...     w = gc.get_variable("w", [2, 3], initializer=gc.zeros_initializer())
    >>> w.name, w.shape.as_list()
    ('net/w:0', [2, 3])
    >>> with gc.variable_scope("net", reuse=True):
    ...     gc.get_variable("w") is w
    True
    >>> gc.get_variable("net/w", [2, 3])
    Traceback (most recent call last):
        ...
    ValueError: Variable net/w already exists, disallowed. Did you mean to set reuse=True or ...
    """
    scope = get_variable_scope()
    if dtype is not None and initializer is not None and not callable(initializer):
        given = as_dtype(initializer.dtype if hasattr(initializer, "dtype") else to_array(initializer, None).dtype)
        if given.base_dtype != as_dtype(dtype).base_dtype:
            raise ValueError(f"get_variable '{name}': Initializer type '{given.name}' and explicit dtype "
                             f"'{as_dtype(dtype).name}' don't match.")
    getter = custom_getter if custom_getter is not None else scope.custom_getter
    arguments = {
        "name": f"{scope.name}/{name}" if scope.name else name, "shape": shape,
        "dtype": scope.dtype if dtype is None else as_dtype(dtype),
        "initializer": scope.initializer if initializer is None else initializer,
        "regularizer": scope.regularizer if regularizer is None else regularizer,
        "reuse": scope.reuse, "trainable": trainable_by_default(trainable, synchronization), "collections": collections,
        "caching_device": scope.caching_device if caching_device is None else caching_device,
        "partitioner": scope.partitioner if partitioner is None else partitioner, "validate_shape": validate_shape,
        "use_resource": scope.use_resource if use_resource is None else use_resource,
        "synchronization": synchronization, "aggregation": aggregation,
    }
    limit = scope.constraint if constraint is None else constraint
    with get_default_graph().name_scope(None):        # variables are named by variable scopes only
        if getter is None:
            return find_or_make(**arguments, constraint=limit)
        if not callable(getter):
            raise ValueError(f"get_variable: argument 'custom_getter' must be callable, but is {getter!r}")
        if _takes(getter, "constraint"):
            arguments["constraint"] = limit
        return getter(find_or_make, **arguments)


def find_or_make(name: str, shape: Any = None, dtype: Any = float32, initializer: Any = None, regularizer: Any = None,
                 reuse: Reuse = None, trainable: bool | None = None, collections: Any = None,
                 caching_device: Any = None, partitioner: Any = None, validate_shape: bool = True,
                 use_resource: bool | None = None, constraint: Any = None, synchronization: Any = None,
                 aggregation: Any = None) -> Any:
    """The getter that custom getters are given: `name` is the full one. caching_device and use_resource change nothing.
    """
    kept = store()
    more = {"regularizer": regularizer, "reuse": reuse, "trainable": trainable, "collections": collections,
            "validate_shape": validate_shape, "constraint": constraint, "synchronization": synchronization,
            "aggregation": aggregation}
    if partitioner is not None and not callable(partitioner):
        raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
    is_scalar = isinstance(shape, (list, tuple)) and not shape
    if (partitioner is not None and not is_scalar) or (reuse is True and name in kept.partitioned):
        return _find_or_cut(kept, name, shape, as_dtype(dtype), initializer, partitioner, more)
    if f"{name}/part_0" in kept.variables:
        raise ValueError(f"No partitioner was provided, but a partitioned version of the variable was found: "
                         f"{name}/part_0. Perhaps a variable of the same name was already created with partitioning?")
    return _single(kept, name, shape, as_dtype(dtype), initializer, **more)


def _single(kept: Store, name: str, shape: Any, dtype: DType, initializer: Any, regularizer: Any, reuse: Reuse,
            constraint: Any, info: PartitionInfo | None = None, **more: Any) -> Variable:
    if shape is not None and initializer is not None and (not callable(initializer) or is_tensor_like(initializer)):
        raise ValueError(f"get_variable '{name}': If initializer is a constant, do not specify shape.")
    found = kept.variables.get(name)
    if found is not None:
        return _shared(found, name, shape, dtype, reuse)
    if reuse is True:
        raise ValueError(f"Variable {name} does not exist, or was not created with gc.get_variable()"
                         f"{suggestion(name, kept.variables) or '.'}\n  asked for at {_here()}\n  Did you mean to set "
                         "reuse=gc.AUTO_REUSE in VarScope?")
    value, dtype_of_value = _initial_value(name, as_shape(shape) if shape is not None else None, dtype, initializer,
                                           info)
    with outside_bodies() as around, around.name_scope(None):
        made = Variable(value, name=name, dtype=dtype_of_value, constraint=constraint, **more)
    kept.variables[name] = made
    if regularizer is not None:
        _regularize(made, name, regularizer)
    return made


def _regularize(variable: Variable, name: str, regularizer: Callable[[Any], Any]) -> None:
    graph = get_default_graph()
    with graph.colocate_with(variable), graph.name_scope(f"{name}/Regularizer/"):
        loss = regularizer(variable)
    if loss is not None:
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def _shared(found: Variable, name: str, shape: Any, dtype: DType, reuse: Reuse) -> Variable:
    made_at = f"{found.op.file}:{found.op.line}"
    if not reuse:
        raise ValueError(f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
                         f"reuse=gc.AUTO_REUSE in VarScope?\n  first made at {made_at}\n  made again at {_here()}\n"
                         "  to share it write gc.variable_scope(..., reuse=gc.AUTO_REUSE); to start over, "
                         "gc.reset_default_graph()")
    if shape is not None and not as_shape(shape).is_compatible_with(found.shape):
        raise ValueError(f"Trying to share variable {name}, but specified shape {as_shape(shape)} and found shape "
                         f"{found.shape}.\n  made at {made_at}\n  asked for at {_here()}")
    if not dtype.is_compatible_with(found.dtype):
        raise ValueError(f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype "
                         f"{found.dtype.name}.\n  made at {made_at}\n  asked for at {_here()}")
    return found


def _here() -> str:
    file, line = user_line()
    return f"{file}:{line}"


def _find_or_cut(kept: Store, name: str, shape: Any, dtype: DType, initializer: Any, partitioner: Any,
                 more: dict[str, Any]) -> PartitionedVariable:
    """The partitioned variable: its parts are the variables name/part_0, name/part_1, ..."""
    if name in kept.variables:
        raise ValueError(f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}. "
                         "Perhaps a variable of the same name was already created without partitioning?")
    whole = as_shape(shape)
    if is_tensor_like(initializer):
        whole = whole.merge_with(initializer.shape)
    pieces = None if partitioner is None else parts_of(partitioner, whole, dtype)
    found = kept.partitioned.get(name)
    if found is not None:
        return _shared_parts(found, name, whole, dtype, pieces, more["reuse"])
    if more["reuse"] is True:
        raise ValueError(f"PartitionedVariable {name} does not exist, or was not created with gc.get_variable(). Did "
                         "you mean to set reuse=False or reuse=gc.AUTO_REUSE in VarScope?")
    assert pieces is not None
    made = []
    for number, info in enumerate(cut(name, whole.as_list(), pieces)):
        own: Any = initializer
        sizes: Any = info.var_shape
        if initializer is not None and (not callable(initializer) or is_tensor_like(initializer)):
            with get_default_graph().name_scope(f"{name}/part_{number}/PartitionedInitializer"):
                value = convert_to_tensor(initializer, None if is_tensor_like(initializer) else dtype)
                own, sizes = slice_(value, info.var_offset, info.var_shape), None
        part = _single(kept, f"{name}/part_{number}", sizes, dtype, own,
                       info=PartitionInfo(info.full_shape, info.var_offset), **more)
        part._set_save_slice_info(info)
        made.append(part)
    kept.partitioned[name] = result = PartitionedVariable(name, whole, dtype, made, pieces)
    return result


def _shared_parts(found: PartitionedVariable, name: str, shape: TensorShape, dtype: DType, pieces: Any,
                  reuse: Reuse) -> PartitionedVariable:
    if not reuse:
        raise ValueError(f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or "
                         "reuse=gc.AUTO_REUSE in VarScope?")
    for what, wanted, there, same in (("shape", shape, found.shape, shape.is_compatible_with(found.shape)),
                                      ("dtype", dtype.name, found.dtype.name, dtype.is_compatible_with(found.dtype)),
                                      ("partitions", pieces, found.partitions, pieces in (None, found.partitions))):
        if not same:
            raise ValueError(f"Trying to reuse partitioned variable {name}, but specified {what} {wanted} and found "
                             f"{what} {there}.")
    return found


def _initial_value(name: str, shape: TensorShape | None, dtype: DType, initializer: Any,
                   info: PartitionInfo | None) -> tuple[Any, DType | None]:
    if initializer is None:
        if shape is None:
            raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was <unknown>: give "
                             "get_variable a shape or an initial value")
        initializer = _default_initializer(name, dtype)
    if isinstance(initializer, type):
        initializer = initializer()
    if not callable(initializer) or is_tensor_like(initializer):
        return initializer, None
    if shape is None:
        return initializer, dtype     # a function without arguments
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was {shape}.")
    more = {"partition_info": info} if info is not None and _takes(initializer, "partition_info") else {}
    return lambda: initializer(shape.as_list(), dtype=dtype, **more), dtype


def _takes(function: Any, argument: str) -> bool:
    """Whether it may be called with this argument by name."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return argument in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _default_initializer(name: str, dtype: DType) -> Any:
    if dtype.is_floating:
        return initializers.GlorotUniform()
    if dtype.is_integer or dtype.is_bool or dtype == string:
        return initializers.Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.name} is required")


@public("get_local_variable")
def get_local_variable(name: str, shape: Any = None, dtype: Any = None, initializer: Any = None,
                       regularizer: Any = None, trainable: bool = False, collections: Sequence[Any] | None = None,
                       caching_device: Any = None, partitioner: Any = None, validate_shape: bool = True,
                       use_resource: bool | None = None, custom_getter: Any = None, constraint: Any = None,
                       synchronization: Any = None, aggregation: Any = None) -> Any:
    """`get_variable` of one that is neither trained, whatever trainable says, nor saved: it is in LOCAL_VARIABLES only.

    Arguments, results and errors as of it. As `tf.get_local_variable`; `gc.local_variables_initializer` initialises it.

    >>> v = gc.get_local_variable("seen", [], gc.int32)
    >>> v.trainable, gc.local_variables() == [v]
    (False, True)
    """
    return get_variable(name, shape, dtype, initializer, regularizer, False,
                        [*(collections or ()), GraphKeys.LOCAL_VARIABLES], caching_device, partitioner,
                        validate_shape, use_resource, custom_getter, constraint, synchronization, aggregation)
