"""Feeds: from the user's values to contiguous NumPy arrays of the fed tensor's dtype.

A feed is np.asarray(value, dtype): float64 and int64 go into float32, 3.5 into int32 gives 3. Fed arrays are never
written; an array that fits already is used without a copy.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from graphc.errors import built_at
from graphc.exec.strings.table import TABLE
from graphc.ir.dtypes import bfloat16, integers, need_bfloat16
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.values import strings
from graphc.session.conversions import feeding_of

Convert = Callable[[Any], np.ndarray]


def converter(tensor: Tensor, known: Spec | None = None) -> Convert:
    """The function that turns what the user feeds for `tensor` into its array.

    It raises TypeError for a Tensor, None or a Python int that the dtype cannot hold; ValueError for what does not
    convert and for a shape that does not fit the static one.
    """
    spec = known or tensor.spec
    if spec.dtype == bfloat16:
        need_bfloat16()
    if spec.dtype.numpy is None:
        return _converter_of_strings(tensor, spec)
    dtype = spec.dtype.unquantized.numpy
    assert dtype is not None
    static = spec.static_shape
    free = static is None
    exact = None if free or None in static else static  # type: ignore[operator]
    rank = None if static is None else len(static)
    fixed = [] if static is None else [(i, s) for i, s in enumerate(static) if s is not None]
    plain = np.ndarray

    def convert(value: Any) -> np.ndarray:
        if type(value) is not plain or (value.dtype is not dtype and value.dtype != dtype):
            value = _to_array(integers(value) if type(value) is plain else value, tensor, dtype)
        if exact is not None:
            if value.shape != exact:
                raise _wrong_shape(value, tensor)
        elif not free:
            if value.ndim != rank:
                raise _wrong_shape(value, tensor)
            for axis, size in fixed:
                if value.shape[axis] != size:
                    raise _wrong_shape(value, tensor)
        flags = value.flags
        fits = flags.carray or (flags.c_contiguous and flags.aligned)          # the second one may be read-only
        return value if fits else np.array(value, order="C")

    return convert


def _to_array(value: Any, tensor: Tensor, dtype: np.dtype[Any]) -> np.ndarray:
    if isinstance(value, (Tensor, Operation)) or hasattr(value, "_ref"):
        raise TypeError("The value of a feed cannot be a gc.Tensor object. Acceptable feed values include Python "
                        "scalars, "
                        f"strings, lists, numpy ndarrays. The feed for {tensor.name!r} is {value!r}; evaluate it "
                        "first: session.run(it)")
    if value is None:
        raise TypeError(f"The feed for {tensor.name!r} is None{built_at(tensor.op)}\n  feed a number, list or array")
    try:
        array = np.asarray(value, dtype=dtype)
    except OverflowError:
        raise _does_not_hold(value, tensor) from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"Cannot feed {_shorten(value)} for Tensor {tensor.name!r}, which has dtype {dtype.name}: "
                         f"{error}"
                         f"{built_at(tensor.op)}\n  feed values that convert to {dtype.name}, all rows of one "
                         "length") from None
    if type(value) is int and dtype.kind != "O" and int(array.real) != value:
        raise _does_not_hold(value, tensor)
    return array


def _does_not_hold(value: Any, tensor: Tensor) -> TypeError:
    return TypeError(f"Type of feed value {_shorten(value)} with type {type(value).__name__} is not compatible with "
                     "Tensor type "
                     f"{tensor.dtype.name}: {tensor.name!r} cannot hold it exactly{built_at(tensor.op)}\n  Try "
                     "explicitly "
                     "setting the type of the feed tensor to a larger type (e.g. int64)")


def _wrong_shape(array: np.ndarray, tensor: Tensor) -> ValueError:
    return ValueError(f"Cannot feed value of shape {array.shape} for Tensor {tensor.name!r}, which has shape "
                      f"'{tensor.get_shape()}'{built_at(tensor.op)}\n  reshape the value, or declare the placeholder "
                      "with "
                      "None for axes whose size varies")


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _converter_of_strings(tensor: Tensor, spec: Spec) -> Convert:
    """The same for a string tensor: str, bytes and arrays of them become an array of bytes."""
    static, objects = spec.static_shape, np.dtype(object)

    def convert(value: Any) -> np.ndarray:
        found = _to_array(value, tensor, objects)
        try:
            encoded = TABLE.encoded(found)
            array = strings(found) if encoded is None else encoded
        except TypeError as error:
            raise TypeError(f"Cannot feed {_shorten(value)} for Tensor {tensor.name!r}, which has dtype "
                            f"{spec.dtype.name}: {error}{built_at(tensor.op)}\n  feed str, bytes, or lists or arrays "
                            "of them") from None
        if static is not None and (len(static) != array.ndim or any(
                s not in (None, n) for s, n in zip(static, array.shape, strict=True))):
            raise _wrong_shape(array, tensor)
        return array

    return convert


def flatten_feeds(feed_dict: Mapping[Any, Any]) -> dict[Any, Any]:
    """Keys that are tuples (a namedtuple: an LSTMStateTuple) with values of the same structure, as one key a tensor.

    Raises ValueError where a key and its value differ in structure.
    """
    flat: dict[Any, Any] = {}
    for key, value in feed_dict.items():
        for tensor, part in _matched(key, value, key):
            if tensor in flat:
                raise ValueError(f"Session.run: feed_dict gives {tensor!r} twice")
            flat[tensor] = part
    return flat


def parts_of_key(key: Any) -> tuple[Any, ...]:
    """The tensors that a key of feed_dict stands for: of a SparseTensor, of a tuple, or itself."""
    if hasattr(key, "_fetch_parts"):
        key = tuple(key._fetch_parts()[0])
    elif (conversion := feeding_of(key)) is not None and conversion.parts is not None:
        key = tuple(conversion.parts(key))
    return tuple(part for inner in key for part in parts_of_key(inner)) if isinstance(key, tuple) else (key,)


def is_composite(key: Any) -> bool:
    """Whether a key of feed_dict stands for other tensors than itself."""
    return isinstance(key, tuple) or hasattr(key, "_fetch_parts") or feeding_of(key) is not None


def _matched(key: Any, value: Any, whole: Any) -> Iterator[tuple[Any, Any]]:
    conversion = feeding_of(key)
    if conversion is not None and conversion.feed is not None:
        yield from conversion.feed(key, value)
        return
    if hasattr(key, "_fetch_parts"):    # a SparseTensor, or IndexedSlices, maybe without dense_shape
        key = tuple(key._fetch_parts()[0])
        value = value[:len(key)] if len(key) == 2 and isinstance(value, (tuple, list)) else value
    if not isinstance(key, tuple):
        yield key, value
        return
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or len(value) != len(key):
        count = len(value) if hasattr(value, "__len__") else "no"
        raise ValueError(f"Session.run: the feed_dict key {whole!r} holds {len(key)} tensors, but its value {count} "
                         "parts; feed one value a tensor, in the same structure")
    for part, fed in zip(key, value, strict=True):
        yield from _matched(part, fed, whole)


def check_feed_key(key: Any, error: Exception) -> TypeError:
    """The error for a feed_dict key that is no tensor of the graph."""
    return TypeError(f"Cannot interpret feed_dict key {key!r} as Tensor: {error}")
