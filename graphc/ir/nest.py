"""Nested structures of loop variables and branch results: lists, tuples, namedtuples and dicts around leaves."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def is_nested(value: Any) -> bool:
    return isinstance(value, (list, tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; dicts by sorted key, as in TensorFlow."""
    if isinstance(structure, Mapping):
        return [leaf for key in _keys(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def pack_sequence_as(structure: Any, leaves: Sequence[Any]) -> Any:
    """`leaves` in the form of `structure`. Raises ValueError if their number does not fit."""
    count = len(flatten(structure))
    if count != len(leaves):
        raise ValueError(f"{len(leaves)} values do not fill a structure of {count}: {structure!r}")
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        packed = {key: _pack(structure[key], leaves) for key in _keys(structure)}
        ordered = [(key, packed[key]) for key in structure]
        return type(structure)(ordered)  # type: ignore[call-arg]
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_pack(part, leaves) for part in structure])
    if isinstance(structure, (list, tuple)):
        return type(structure)(_pack(part, leaves) for part in structure)
    return next(leaves)


def is_composite(leaf: Any) -> bool:
    """Whether it is a leaf of several tensors: a SparseTensor."""
    return hasattr(leaf, "_with_parts")


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
    if not _same(a, b):
        raise ValueError(f"{what} don't have the same nested structure: {a!r} and {b!r}")


def _same(a: Any, b: Any) -> bool:
    if is_nested(a) != is_nested(b):
        return False
    if not is_nested(a):
        return is_composite(a) == is_composite(b)
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        return (isinstance(a, Mapping) and isinstance(b, Mapping) and _keys(a) == _keys(b)
                and all(_same(a[key], b[key]) for key in a))
    return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))


def _keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)
