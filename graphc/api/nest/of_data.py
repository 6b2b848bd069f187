"""Nested structures of data sets, `tensorflow.python.data.util.nest`: as `tf.nest`, but a list is a leaf (it becomes a
tensor), and so is a SparseTensorValue."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.api.nest import structures
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensorValue
from graphc.ir import nest


@public("compat.v1.python.data.util.nest.is_sequence")
def is_sequence(value: Any) -> bool:
    """Whether it is nested for data sets: a tuple or dict, but neither a list nor a SparseTensorValue.

    As TensorFlow's `data.util.nest.is_sequence`.

    >>> nest = gc.compat.v1.python.data.util.nest
    >>> nest.is_sequence((1, 2)), nest.is_sequence([1, 2])
    (True, False)
    """
    return nest.is_nested(value) and not isinstance(value, (list, SparseTensorValue))


@public("compat.v1.python.data.util.nest.flatten")
def flatten(structure: Any) -> list[Any]:
    """The leaves in order as a list; those of dicts by sorted key. A list is a leaf.

    As TensorFlow's `data.util.nest.flatten`. Raises TypeError if the keys of a dict do not sort.

    >>> gc.compat.v1.python.data.util.nest.flatten(({"b": 1, "a": 2}, [3, 4]))
    [2, 1, [3, 4]]
    """
    return nest.flatten(structure, is_sequence)


@public("compat.v1.python.data.util.nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The leaves flat_sequence in the form of `structure`, whose lists are leaves. Raises ValueError if their number
    does not fit.

    As TensorFlow's `data.util.nest.pack_sequence_as`. Raises TypeError if flat_sequence is no sequence.

    >>> gc.compat.v1.python.data.util.nest.pack_sequence_as(({"a": 0}, [0, 0]), ["x", "y"])
    ({'a': 'x'}, 'y')
    """
    return structures.packed(structure, flat_sequence, is_sequence)


@public("compat.v1.python.data.util.nest.assert_same_structure")
def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Raises ValueError unless both nest in the same way, lists being leaves; TypeError if types differ and
    check_types.

    As TensorFlow's `data.util.nest.assert_same_structure`.

    >>> gc.compat.v1.python.data.util.nest.assert_same_structure((1, [2, 3]), (4, 5))
    """
    structures.check_same(nest1, nest2, is_sequence, check_types)


@public("compat.v1.python.data.util.nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, check_types: bool = True) -> Any:
    """func of the leaves that stand at one place of every structure, lists being leaves, in the form of the first.

    As TensorFlow's `data.util.nest.map_structure`. Raises ValueError without structures and if they do not nest in the
    same way, TypeError if their types differ (check_types), and if func cannot be called.

    >>> gc.compat.v1.python.data.util.nest.map_structure(len, ([1, 2], {"a": [3]}))
    (2, {'a': 1})
    """
    return structures.mapped(func, structure, is_sequence, check_types)
