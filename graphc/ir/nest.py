"""Nested structures, as in `tf.nest`: sequences, namedtuples, attrs classes and dicts around leaves.

A string and an array are leaves. Of two structures "nested" says what is one: the functions that walk take it, so that
there is one walk for TensorFlow's three notions (a SparseTensor as a leaf, as its parts; lists as leaves).
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, MappingView, Sequence
from typing import Any

Nested = Callable[[Any], bool]


def is_nested(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):
        return True
    return (isinstance(value, (Sequence, Mapping, MappingView)) and not isinstance(value, (str, bytes, bytearray))
            ) or is_attrs(value)


def is_attrs(value: Any) -> bool:
    """Whether its class is made by the package attrs."""
    return hasattr(type(value), "__attrs_attrs__")


def is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and isinstance(getattr(value, "_fields", None), (tuple, list))


def is_composite(leaf: Any) -> bool:
    """Whether it is a leaf of several tensors: a SparseTensor."""
    return hasattr(leaf, "_with_parts")


def is_nested_or_composite(value: Any) -> bool:
    return is_nested(value) or is_composite(value)


def items(structure: Any) -> list[tuple[Any, Any]]:
    """(key, part) of each part in order; dicts by sorted key, as in TensorFlow."""
    if isinstance(structure, Mapping):
        return [(key, structure[key]) for key in sorted_keys(structure)]
    if is_composite(structure):
        return [(type(structure).__name__, tuple(structure._fetch_parts()[0]))]
    if is_attrs(structure):
        return [(a.name, getattr(structure, a.name)) for a in type(structure).__attrs_attrs__]
    if is_namedtuple(structure):
        return list(zip(structure._fields, structure, strict=True))
    return list(enumerate(structure))


def parts_of(structure: Any) -> list[Any]:
    return [part for _, part in items(structure)]


def sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys, but the keys are "
                        f"{list(mapping)!r}") from None


def rebuilt(structure: Any, parts: Sequence[Any]) -> Any:
    """A structure of that kind with these parts, which come in the order of `items`."""
    if isinstance(structure, Mapping):
        by_key = dict(zip(sorted_keys(structure), parts, strict=True))
        ordered = [(key, by_key[key]) for key in structure]
        if isinstance(structure, defaultdict):
            return defaultdict(structure.default_factory, ordered)
        return type(structure)(ordered)  # type: ignore[call-arg]
    if is_composite(structure):
        return structure._with_parts(list(parts[0]))
    if is_namedtuple(structure) or is_attrs(structure):
        return type(structure)(*parts)
    if isinstance(structure, (MappingView, range)):
        return list(parts)
    return type(structure)(parts)


def flatten(structure: Any, nested: Nested = is_nested) -> list[Any]:
    """The leaves in order."""
    if nested(structure):
        return [leaf for part in parts_of(structure) for leaf in flatten(part, nested)]
    return [structure]


def pack_sequence_as(structure: Any, leaves: Sequence[Any], nested: Nested = is_nested) -> Any:
    """`leaves` in the form of `structure`. Raises ValueError if their number does not fit."""
    count = len(flatten(structure, nested))
    if count != len(leaves):
        raise ValueError(f"{len(leaves)} values do not fill a structure of {count}: {structure!r}")
    return _pack(structure, iter(leaves), nested)


def _pack(structure: Any, leaves: Iterator[Any], nested: Nested) -> Any:
    if nested(structure):
        return rebuilt(structure, [_pack(part, leaves, nested) for part in parts_of(structure)])
    return next(leaves)


def tensors_of(structure: Any) -> list[Any]:
    """What stands for the leaves where values are tensors: the flow of a TensorArray, the three of a SparseTensor."""
    return [tensor for leaf in flatten(structure) for tensor in _tensors(leaf)]


def _tensors(leaf: Any) -> Sequence[Any]:
    if is_composite(leaf):
        parts: Sequence[Any] = leaf._fetch_parts()[0]
        return parts
    return [leaf.flow if hasattr(leaf, "_with_flow") else leaf]


def _like(leaf: Any, tensors: Iterator[Any]) -> Any:
    if is_composite(leaf):
        return leaf._with_parts([next(tensors) for _ in _tensors(leaf)])
    tensor = next(tensors)
    return leaf._with_flow(tensor) if hasattr(leaf, "_with_flow") else tensor


def pack_like(structure: Any, tensors: Sequence[Any]) -> Any:
    """The tensors that stand for a structure (`tensors_of`) in its form again. Raises ValueError if their number does
    not fit."""
    leaves, rest = flatten(structure), iter(tensors)
    count = sum(len(_tensors(leaf)) for leaf in leaves)
    if count != len(tensors):
        raise ValueError(f"{len(tensors)} values do not fill a structure of {count}: {structure!r}")
    return pack_sequence_as(structure, [_like(leaf, rest) for leaf in leaves])


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """function of the leaves that stand at the same place in every structure, in the form of the first."""
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    leaves = zip(*map(flatten, structures), strict=True)
    return pack_sequence_as(structures[0], [function(*together) for together in leaves])


def assert_same_structure(a: Any, b: Any, what: str = "the two structures") -> None:
    """Raises ValueError unless a and b nest in the same way (a list and a tuple of one length count as the same)."""
    if first_difference(a, b) is not None:
        raise ValueError(f"{what} don't have the same nested structure: {a!r} and {b!r}")


def first_difference(a: Any, b: Any, nested: Nested = is_nested, types: bool = False,
                     keys: bool = True) -> Exception | None:
    """What is unlike in how a and b nest: a ValueError, or with `types` a TypeError for sequences of different types;
    None if nothing is. keys: whether a dict must meet a dict with the same keys."""
    if nested(a) != nested(b):
        sequence, leaf = (a, b) if nested(a) else (b, a)
        return ValueError(f"{_named(sequence)} is a sequence, while {_named(leaf)} is not")
    if not nested(a):
        return None if is_composite(a) == is_composite(b) else ValueError(f"{_named(a)} and {_named(b)}")
    if types and not same_type(a, b):
        return TypeError("the two structures don't have the same sequence type: "
                         f"{_named(a)} has type {type(a).__name__}, {_named(b)} has {type(b).__name__}")
    dicts = [isinstance(x, Mapping) for x in (a, b)]
    if keys and (dicts[0] != dicts[1] or (all(dicts) and sorted_keys(a) != sorted_keys(b))):
        return ValueError(f"the two dictionaries don't have the same set of keys: {_named(a)} and {_named(b)}")
    left, right = parts_of(a), parts_of(b)
    if len(left) != len(right):
        return ValueError("the two structures don't have the same number of elements: "
                          f"{_named(a)} has {len(left)}, {_named(b)} has {len(right)}")
    differences = (first_difference(x, y, nested, types, keys) for x, y in zip(left, right, strict=True))
    return next((d for d in differences if d is not None), None)


def _named(structure: Any) -> str:
    return f"'{structure!r}'"


def same_type(a: Any, b: Any) -> bool:
    """Whether two sequences count as of one type: all dicts do, and namedtuples of one name and fields."""
    if is_namedtuple(a) and is_namedtuple(b):
        return type(a).__name__ == type(b).__name__ and tuple(a._fields) == tuple(b._fields)
    both = (a, b)
    return type(a) is type(b) or any(all(isinstance(x, kind) for x in both) for kind in (Mapping, list))
