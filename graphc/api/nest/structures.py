"""Nested structures: lists, tuples, namedtuples, attrs classes and dicts around leaves, as `tf.nest`.

expand_composites: a SparseTensor counts as a structure of its three tensors, and not as a leaf.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphc.api.public import public
from graphc.ir import nest


def kind_of(expand_composites: bool) -> nest.Nested:
    """What counts as nested."""
    return nest.is_nested_or_composite if expand_composites else nest.is_nested


@public("nest.is_nested", "contrib.framework.nest.is_nested", "contrib.framework.nest.is_sequence",
        "compat.v1.python.util.nest.is_nested", "compat.v1.python.util.nest.is_sequence")
def is_nested(seq: Any) -> bool:
    """Whether it is a list, tuple, namedtuple, dict or attrs class; strings and tensors are leaves.

    As `tf.nest.is_nested`.

    >>> gc.nest.is_nested([1, 2]), gc.nest.is_nested({"a": 1}), gc.nest.is_nested("ab")
    (True, True, False)
    """
    return nest.is_nested(seq)


@public("contrib.framework.nest.is_sequence_or_composite", "compat.v1.python.util.nest.is_sequence_or_composite")
def is_sequence_or_composite(seq: Any) -> bool:
    """Whether it is nested as of `gc.nest.is_nested`, or a SparseTensor.

    As TensorFlow's `nest.is_sequence_or_composite`.

    >>> nest = gc.contrib.framework.nest
    >>> nest.is_sequence_or_composite([1]), nest.is_sequence_or_composite(gc.SparseTensor([[0]], [1.], [2]))
    (True, True)
    """
    return nest.is_nested_or_composite(seq)


@public("nest.flatten", "contrib.framework.nest.flatten", "compat.v1.python.util.nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves in order as a list; those of dicts by sorted key. A leaf alone is a list of one.

    Raises TypeError if the keys of a dict do not sort. expand_composites: a SparseTensor counts as its three tensors.
    As `tf.nest.flatten`.

    >>> gc.nest.flatten({"b": [1, 2], "a": (3, {"c": 4})})
    [3, 4, 1, 2]
    """
    return nest.flatten(structure, kind_of(expand_composites))


@public("nest.pack_sequence_as", "contrib.framework.nest.pack_sequence_as",
        "compat.v1.python.util.nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The leaves flat_sequence in the form of `structure`: what `gc.nest.flatten` took apart.

    Raises ValueError if their number does not fit, TypeError if flat_sequence is no sequence. As
    `tf.nest.pack_sequence_as`.

    >>> gc.nest.pack_sequence_as({"b": [0, 0], "a": 0}, ["x", "y", "z"])
    {'b': ['y', 'z'], 'a': 'x'}
    """
    return packed(structure, flat_sequence, kind_of(expand_composites))


def packed(structure: Any, flat_sequence: Any, nested: nest.Nested) -> Any:
    if not nest.is_nested(flat_sequence):
        raise TypeError(f"flat_sequence must be a sequence, but is {flat_sequence!r}")
    leaves = list(flat_sequence)
    if not nested(structure):
        if len(leaves) != 1:
            raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(leaves)} > 1")
        return leaves[0]
    count = len(nest.flatten(structure, nested))
    if count != len(leaves):
        raise ValueError(f"Could not pack sequence. Structure had {count} elements, but flat_sequence had "
                         f"{len(leaves)} elements.  Structure: {structure!r}, flat_sequence: {leaves!r}.")
    return nest.pack_sequence_as(structure, leaves, nested)


@public("nest.assert_same_structure", "contrib.framework.nest.assert_same_structure",
        "compat.v1.python.util.nest.assert_same_structure")
def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raises ValueError unless both nest in the same way; TypeError if check_types and sequences at one place differ in
    type.

    All dicts count as one type, and so do namedtuples of one name and fields. Without check_types the keys of dicts do
    not matter either. As `tf.nest.assert_same_structure`.

    >>> gc.nest.assert_same_structure([1, (2, 3)], [4, (5, 6)])
    >>> gc.nest.assert_same_structure([1, 2], [1, [2]])
    Traceback (most recent call last):
        ...
    ValueError: The two structures don't have the same nested structure...
    """
    check_same(nest1, nest2, kind_of(expand_composites), check_types)


def check_same(a: Any, b: Any, nested: nest.Nested, types: bool) -> None:
    found = nest.first_difference(a, b, nested, types, keys=types)
    if found is not None:
        raise type(found)("The two structures don't have the same nested structure.\n\n"
                          f"First structure: type={type(a).__name__} str={a}\n\n"
                          f"Second structure: type={type(b).__name__} str={b}\n\nMore specifically: {found}")


@public("nest.map_structure", "contrib.framework.nest.map_structure", "compat.v1.python.util.nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, check_types: bool = True,
                  expand_composites: bool = False) -> Any:
    """func of the leaves that stand at one place of every structure, in the form of the first.

    Raises ValueError if they do not nest in the same way, TypeError as `gc.nest.assert_same_structure`, and if func
    cannot be called. As `tf.nest.map_structure`.

    >>> gc.nest.map_structure(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"a": 10, "b": (20, 30)})
    {'a': 11, 'b': (22, 33)}
    """
    return mapped(func, structure, kind_of(expand_composites), check_types)


def mapped(func: Callable[..., Any], structures: tuple[Any, ...], nested: nest.Nested, types: bool) -> Any:
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        check_same(structures[0], other, nested, types)
    leaves = zip(*(nest.flatten(s, nested) for s in structures), strict=True)
    return nest.pack_sequence_as(structures[0], [func(*together) for together in leaves], nested)


@public("contrib.framework.nest.flatten_dict_items", "compat.v1.python.util.nest.flatten_dict_items")
def flatten_dict_items(dictionary: Mapping[Any, Any]) -> dict[Any, Any]:
    """The dict with keys that are structures taken apart, along with their values.

    Raises ValueError if a key and its value have different numbers of leaves, or a key comes twice; TypeError for what
    is no dict. As TensorFlow's `nest.flatten_dict_items`.

    >>> gc.contrib.framework.nest.flatten_dict_items({("a", "b"): (1, 2), "c": 3})
    {'a': 1, 'b': 2, 'c': 3}
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError(f"input must be a dictionary, but is {dictionary!r}")
    found: dict[Any, Any] = {}
    for key, value in dictionary.items():
        keys, values = ([key], [value]) if not nest.is_nested(key) else (nest.flatten(key), nest.flatten(value))
        if len(keys) != len(values):
            raise ValueError(f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} "
                             f"elements. Key: {keys!r}, value: {values!r}.")
        for k, v in zip(keys, values, strict=True):
            if k in found:
                raise ValueError(f"Could not flatten dictionary: key {k!r} is not unique.")
            found[k] = v
    return found
