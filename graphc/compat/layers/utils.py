"""What the functions of contrib.layers share: names of outputs in collections, collections of variables, sizes."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public

_SMART = gc.contrib.framework


@public("contrib.layers.utils.NamedOutputs")
class NamedOutputs(NamedTuple):
    """An end point of a net: its name, and the tensor.

    name: a string; outputs: a tensor, of any shape and dtype. As `tf.contrib.layers.utils.NamedOutputs`.

    >>> gc.contrib.layers.utils.NamedOutputs("logits", None).name
    'logits'
    """
    name: str
    outputs: Any


# Outputs under a name


@public("contrib.layers.utils.collect_named_outputs")
def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """Adds the outputs to the collections, under the name `alias`; returns them.

    collections: a name or a list of names, None for none. outputs: a tensor of any shape and dtype. alias: a string. As
    `tf.contrib.layers.utils.collect_named_outputs`.

    >>> x = gc.contrib.layers.utils.collect_named_outputs("ends", "block1", gc.constant(1., name="x"))
    >>> gc.contrib.layers.utils.convert_collection_to_dict("ends")
    OrderedDict([('block1', <gc.Tensor 'x:0' shape=() dtype=float32>)])
    """
    if collections:
        append_tensor_alias(outputs, alias)
        gc.add_to_collections(collections, outputs)
    return outputs


@public("contrib.layers.utils.append_tensor_alias")
def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Gives a tensor one more name, by which `convert_collection_to_dict` knows it.

    tensor: of any shape and dtype; alias: a string, of which a last "/" is cut. The tensor is returned. As
    `tf.contrib.layers.utils.append_tensor_alias`.

    >>> x = gc.constant(1.)
    >>> y = gc.contrib.layers.utils.append_tensor_alias(x, "logits")
    >>> gc.contrib.layers.utils.get_tensor_aliases(x)
    ['logits']
    """
    tensor.aliases = [*getattr(tensor, "aliases", ()), alias.removesuffix("/")]
    return tensor


@public("contrib.layers.utils.get_tensor_aliases")
def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names given to a tensor; without any, its operation's (with ":1" if it is not the first output).

    A list of strings, of a tensor or variable. As `tf.contrib.layers.utils.get_tensor_aliases`.

    >>> gc.contrib.layers.utils.get_tensor_aliases(gc.split(gc.zeros([4]), 2, name="halves")[1])
    ['halves:1']
    """
    return list(getattr(tensor, "aliases", None) or [tensor.name.removesuffix(":0")])


@public("contrib.layers.utils.gather_tensors_aliases")
def gather_tensors_aliases(tensors: Iterable[Any]) -> list[str]:
    """The names of several tensors in one list.

    tensors: a list; names as `gc.contrib.layers.utils.get_tensor_aliases`, in its order. As
    `tf.contrib.layers.utils.gather_tensors_aliases`.

    >>> gc.contrib.layers.utils.gather_tensors_aliases([gc.constant(1., name="a"), gc.constant(2., name="b")])
    ['a', 'b']
    """
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


@public("contrib.layers.utils.convert_collection_to_dict")
def convert_collection_to_dict(collection: Any, clear_collection: bool = False) -> OrderedDict[str, Any]:
    """The tensors of a collection by their names, in order.

    A tensor with several names is there under each. clear_collection: the collection is empty afterwards. As
    `tf.contrib.layers.utils.convert_collection_to_dict`.

    >>> gc.add_to_collection("ends", gc.constant(1., name="x"))
    >>> list(gc.contrib.layers.utils.convert_collection_to_dict("ends"))
    ['x']
    """
    found = OrderedDict((alias, tensor) for tensor in gc.get_collection(collection)
                        for alias in get_tensor_aliases(tensor))
    if clear_collection:
        gc.get_default_graph().clear_collection(collection)
    return found


# Values that may be known


@public("contrib.layers.utils.constant_value")
def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """The value of a tensor, as far as it is known while the graph is built; None for a variable.

    An array of the tensor's shape and dtype; a Python value comes back as it is. Raises ValueError for None, or if a
    tensor or variable has another dtype than `dtype`. As `tf.contrib.layers.utils.constant_value`.

    >>> gc.contrib.layers.utils.constant_value(gc.constant(True))
    array(True)
    >>> gc.contrib.layers.utils.constant_value(gc.placeholder(gc.bool, []))
    """
    given = value_or_tensor_or_var
    if given is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not isinstance(given, (gc.Tensor, gc.Variable)):
        return given
    if dtype is not None and given.dtype != dtype:
        raise ValueError(f"It has the wrong type {given.dtype.name} instead of {gc.as_dtype(dtype).name}")
    return None if isinstance(given, gc.Variable) else gc.get_static_value(given)


@public("contrib.layers.utils.smart_cond")
def smart_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any], name: str | None = None) -> Any:
    """fn1() or fn2(): at once where pred is known, as gc.cond where it is not.

    pred: a bool, 0 or 1, or a bool scalar. Raises TypeError for anything else and for functions that cannot be called,
    ValueError if it is no scalar or the functions do not return alike. As `tf.contrib.layers.utils.smart_cond`.

    >>> gc.contrib.layers.utils.smart_cond(True, lambda: gc.constant(1), lambda: gc.constant(2)).eval()
    np.int32(1)
    """
    return _SMART.smart_cond(pred, fn1, fn2, name)


@public("contrib.layers.utils.static_cond")
def static_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any]) -> Any:
    """fn1() or fn2(), by a bool. Raises TypeError if pred is a tensor. As `tf.contrib.layers.utils.static_cond`.

    >>> gc.contrib.layers.utils.static_cond(False, lambda: "yes", lambda: "no")
    'no'
    """
    return _SMART.smart_cond(bool(pred), fn1, fn2)


# Variables


@public("contrib.layers.utils.get_variable_collections")
def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """The collections of the variable `name`: of a dict by name, or the same for all.

    What the dict has no name for gets None. As `tf.contrib.layers.utils.get_variable_collections`.

    >>> gc.contrib.layers.utils.get_variable_collections({"weights": ["w"], "biases": ["b"]}, "weights")
    ['w']
    """
    return variables_collections.get(name) if isinstance(variables_collections, dict) else variables_collections


def model_variables(rename: dict[str, str] | None = None) -> Callable[..., Any]:
    """A custom getter that makes model variables, some under other names: {"kernel": "weights"}."""
    def getter(original: Callable[..., Any], name: str, shape: Any = None, dtype: Any = None, initializer: Any = None,
               regularizer: Any = None, trainable: bool = True, collections: Any = None, partitioner: Any = None,
               **unused: Any) -> Any:
        front, slash, last = name.rpartition("/")
        return _SMART.model_variable(
            f"{front}{slash}{(rename or {}).get(last, last)}", shape=shape, dtype=dtype, initializer=initializer,
            regularizer=regularizer, collections=collections, trainable=trainable, partitioner=partitioner,
            custom_getter=original)

    return getter


def add_to_collections_of(variable: Any, variables_collections: Any, name: str) -> None:
    """Puts a variable (or its parts) into the collections that are asked for it."""
    parts = [variable] if isinstance(variable, gc.Variable) else list(variable)
    for collection in get_variable_collections(variables_collections, name) or ():
        known = gc.get_collection(collection)
        for part in parts:
            if part not in known:
                gc.add_to_collection(collection, part)


def finished(outputs: Any, activation_fn: Callable[[Any], Any] | None, outputs_collections: Any, alias: str) -> Any:
    """The outputs after the activation, in their collections."""
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, alias, outputs)


# Sizes


@public("contrib.layers.utils.channel_dimension")
def channel_dimension(shape: Any, data_format: str, min_rank: int = 1) -> int:
    """The number of channels. Raises ValueError if it is not known.

    shape: a TensorShape. data_format: "channels_first" for the second size; with anything else, "NCHW" too, it is the
    last one. The ValueError is also for a rank that is unknown or below min_rank. As
    `tf.contrib.layers.utils.channel_dimension`.

    >>> gc.contrib.layers.utils.channel_dimension(gc.TensorShape([None, 8, 8, 3]), "NHWC")
    3
    """
    return _size(shape, 1 if data_format == "channels_first" else -1, min_rank)


@public("contrib.layers.utils.last_dimension")
def last_dimension(shape: Any, min_rank: int = 1) -> int:
    """The size of the last axis. Raises ValueError if it is not known.

    shape: a TensorShape. The ValueError is also for a rank that is unknown or below min_rank. As
    `tf.contrib.layers.utils.last_dimension`.

    >>> gc.contrib.layers.utils.last_dimension(gc.TensorShape([None, 5]))
    5
    """
    return _size(shape, -1, min_rank)


def _size(shape: Any, axis: int, min_rank: int) -> int:
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    value = shape[axis].value
    if value is None:
        raise ValueError(f"dimension {axis} of shape must be known but is None: {shape}")
    return value  # type: ignore[no-any-return]


@public("contrib.layers.utils.two_element_tuple")
def two_element_tuple(int_or_tuple: Any) -> tuple[int, int]:
    """An integer twice, or the two of a list. Raises ValueError for anything else.

    A list, a tuple or a TensorShape of two, which int() turns into ints. As
    `tf.contrib.layers.utils.two_element_tuple`.

    >>> gc.contrib.layers.utils.two_element_tuple(3)
    (3, 3)
    """
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, (list, tuple, gc.TensorShape)) and len(int_or_tuple) == 2:
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    raise ValueError(f"Must be an int, a list with 2 elements or a TensorShape of length 2, but is {int_or_tuple!r}")


@public("contrib.layers.utils.n_positive_integers")
def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """A positive integer n times, or n of them. Raises ValueError for anything else.

    A list, a tuple or a TensorShape of n, which int() turns into ints. As
    `tf.contrib.layers.utils.n_positive_integers`.

    >>> gc.contrib.layers.utils.n_positive_integers(3, 2)
    (2, 2, 2)
    """
    given: Sequence[Any] = tuple(value) if isinstance(value, (list, tuple, gc.TensorShape)) else (value,) * n
    try:
        sizes = tuple(int(size) for size in given)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) != n or min(sizes, default=0) < 1:
        raise ValueError(f"Expected sequence of {n} positive integers, but received {value!r}")
    return sizes
