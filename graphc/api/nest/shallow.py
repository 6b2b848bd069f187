"""Structures down to the depth of another one, and the paths of leaves: the rest of TensorFlow's `nest`.

A shallow tree's leaves stand for whole subtrees of the input tree. A path is the tuple of keys and positions that leads
to a leaf.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphc.api.nest.structures import kind_of
from graphc.api.public import public
from graphc.ir import nest

Path = tuple[Any, ...]


@public("contrib.framework.nest.assert_shallow_structure", "compat.v1.python.util.nest.assert_shallow_structure")
def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True,
                             expand_composites: bool = False, check_subtrees_length: bool = True) -> None:
    """Raises TypeError or ValueError unless input_tree has all places of shallow_tree, whose leaves stand for any
    subtrees.

    Sequences must be of the same types (check_types) and lengths (check_subtrees_length; else those of shallow_tree may
    be shorter). As TensorFlow's `nest.assert_shallow_structure`.

    >>> gc.contrib.framework.nest.assert_shallow_structure([0, 0], [[1, 2], {"a": 3}])
    """
    nested = kind_of(expand_composites)
    if not nested(shallow_tree):
        return
    if not nested(input_tree):
        raise TypeError("If shallow structure is a sequence, input must also be a sequence. Input has type: "
                        f"{type(input_tree)}.")
    if check_types and not isinstance(input_tree, type(shallow_tree)) and not nest.same_type(shallow_tree, input_tree):
        raise TypeError(f"The two structures don't have the same sequence type. Input structure has type "
                        f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}.")
    below = _checked_parts(shallow_tree, input_tree, check_subtrees_length)
    for shallow, deep in below:
        assert_shallow_structure(shallow, deep, check_types, expand_composites, check_subtrees_length)


def _checked_parts(shallow: Any, deep: Any, same_length: bool) -> Iterator[tuple[Any, Any]]:
    """Pairs of parts that stand at the same place."""
    wanted, found = nest.items(shallow), nest.items(deep)
    if same_length and len(found) != len(wanted):
        raise ValueError(f"The two structures don't have the same sequence length. Input structure has length "
                         f"{len(found)}, while shallow structure has length {len(wanted)}.")
    if len(found) < len(wanted):
        raise ValueError(f"The input_tree has fewer elements than the shallow_tree. Input structure has length "
                         f"{len(found)}, while shallow structure has length {len(wanted)}.")
    if isinstance(shallow, Mapping):
        absent = [key for key in shallow if key not in deep]
        if absent:
            raise ValueError(f"The shallow_tree's keys are not a subset of the input_tree's keys. The shallow_tree has "
                             f"the following keys that are not in the input_tree: {sorted(absent)}.")
        return ((part, deep[key]) for key, part in wanted)
    return zip((part for _, part in wanted), (part for _, part in found), strict=False)


def _walk(shallow: Any, deep: Any, nested: nest.Nested, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if not nested(shallow):
        yield path, deep
        return
    below = dict(nest.items(deep))
    for key, part in nest.items(shallow):
        yield from _walk(part, below[key], nested, (*path, key))


@public("contrib.framework.nest.flatten_with_tuple_paths_up_to",
        "compat.v1.python.util.nest.flatten_with_tuple_paths_up_to")
def flatten_with_tuple_paths_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True,
                                   expand_composites: bool = False,
                                   check_subtrees_length: bool = True) -> list[tuple[Path, Any]]:
    """(path, subtree) for each leaf of shallow_tree: the keys and positions that lead to it, and what input_tree has
    there.

    Raises as `assert_shallow_structure`. As TensorFlow's `nest.flatten_with_tuple_paths_up_to`.

    >>> gc.contrib.framework.nest.flatten_with_tuple_paths_up_to({"a": 0, "b": [0]}, {"a": (1, 2), "b": [3]})
    [(('a',), (1, 2)), (('b', 0), 3)]
    """
    assert_shallow_structure(shallow_tree, input_tree, check_types, expand_composites, check_subtrees_length)
    return list(_walk(shallow_tree, input_tree, kind_of(expand_composites)))


@public("contrib.framework.nest.flatten_up_to", "compat.v1.python.util.nest.flatten_up_to")
def flatten_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False,
                  check_subtrees_length: bool = True) -> list[Any]:
    """The subtrees of input_tree that stand where shallow_tree has leaves, as a list.

    Raises as `assert_shallow_structure`. As TensorFlow's `nest.flatten_up_to`.

    >>> gc.contrib.framework.nest.flatten_up_to([0, 0], [[1, 2], [3]])
    [[1, 2], [3]]
    """
    return [tree for _, tree in flatten_with_tuple_paths_up_to(shallow_tree, input_tree, check_types, expand_composites,
                                                               check_subtrees_length)]


@public("contrib.framework.nest.map_structure_with_tuple_paths_up_to",
        "compat.v1.python.util.nest.map_structure_with_tuple_paths_up_to")
def map_structure_with_tuple_paths_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any,
                                         check_types: bool = True, expand_composites: bool = False,
                                         check_subtrees_length: bool = True, **kwargs: Any) -> Any:
    """func(path, subtree of each input, **kwargs) for each leaf of shallow_tree, in its form.

    Raises ValueError without inputs, and as `assert_shallow_structure`. As TensorFlow's
    `nest.map_structure_with_tuple_paths_up_to`.

    >>> nest = gc.contrib.framework.nest
    >>> nest.map_structure_with_tuple_paths_up_to([0, 0], lambda path, tree: (path, len(tree)), [[1, 2], [3]])
    [((0,), 2), ((1,), 1)]
    """
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    found = [flatten_with_tuple_paths_up_to(shallow_tree, tree, check_types, expand_composites, check_subtrees_length)
             for tree in inputs]
    results = [func(together[0][0], *(tree for _, tree in together), **kwargs)
               for together in zip(*found, strict=True)]
    return nest.pack_sequence_as(shallow_tree, results, kind_of(expand_composites))


@public("contrib.framework.nest.map_structure_up_to", "compat.v1.python.util.nest.map_structure_up_to")
def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
    """func of the inputs' subtrees for each leaf of shallow_tree, in its form.

    Raises ValueError without inputs, and as `assert_shallow_structure`. As TensorFlow's `nest.map_structure_up_to`.

    >>> gc.contrib.framework.nest.map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    return map_structure_with_tuple_paths_up_to(shallow_tree, lambda _, *trees, **more: func(*trees, **more), *inputs,
                                                **kwargs)


@public("contrib.framework.nest.map_structure_with_tuple_paths",
        "compat.v1.python.util.nest.map_structure_with_tuple_paths")
def map_structure_with_tuple_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """func(path, leaves at that place) in the form of the first structure; a path is the tuple of keys and positions.

    As TensorFlow's `nest.map_structure_with_tuple_paths`. Raises ValueError without a structure and if lengths differ,
    TypeError if types of sequences do.

    >>> gc.contrib.framework.nest.map_structure_with_tuple_paths(lambda path, x: (path, x), {"a": [7, 8]})
    {'a': [(('a', 0), 7), (('a', 1), 8)]}
    """
    if not structure:
        raise ValueError("Must provide at least one structure")
    return map_structure_with_tuple_paths_up_to(structure[0], func, *structure, **kwargs)


@public("contrib.framework.nest.map_structure_with_paths", "compat.v1.python.util.nest.map_structure_with_paths")
def map_structure_with_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`map_structure_with_tuple_paths` with each path as a text: "a/0/b". As TensorFlow's
    `nest.map_structure_with_paths`.

    Raises as that.

    >>> gc.contrib.framework.nest.map_structure_with_paths(lambda path, x: f"{path}={x}", {"a": [7, 8]})
    {'a': ['a/0=7', 'a/1=8']}
    """
    def with_text(path: Path, *leaves: Any, **more: Any) -> Any:
        return func("/".join(map(str, path)), *leaves, **more)

    return map_structure_with_tuple_paths(with_text, *structure, **kwargs)


@public("contrib.framework.nest.yield_flat_paths", "compat.v1.python.util.nest.yield_flat_paths")
def yield_flat_paths(nest: Any, expand_composites: bool = False) -> Iterator[Path]:
    """An iterator over the paths of the leaves, tuples of keys and positions. As TensorFlow's `nest.yield_flat_paths`.

    Going over it raises TypeError if the keys of a dict do not sort.

    >>> list(gc.contrib.framework.nest.yield_flat_paths({"a": [7, 8], "b": 9}))
    [('a', 0), ('a', 1), ('b',)]
    """
    return (path for path, _ in _walk(nest, nest, kind_of(expand_composites)))


@public("contrib.framework.nest.flatten_with_tuple_paths", "compat.v1.python.util.nest.flatten_with_tuple_paths")
def flatten_with_tuple_paths(structure: Any, expand_composites: bool = False) -> list[tuple[Path, Any]]:
    """A list of (path, leaf), each path a tuple of keys and positions. As TensorFlow's `nest.flatten_with_tuple_paths`.

    Raises TypeError if the keys of a dict do not sort.

    >>> gc.contrib.framework.nest.flatten_with_tuple_paths({"a": [7, 8]})
    [(('a', 0), 7), (('a', 1), 8)]
    """
    return list(_walk(structure, structure, kind_of(expand_composites)))


@public("contrib.framework.nest.flatten_with_joined_string_paths",
        "compat.v1.python.util.nest.flatten_with_joined_string_paths")
def flatten_with_joined_string_paths(structure: Any, separator: str = "/",
                                     expand_composites: bool = False) -> list[tuple[str, Any]]:
    """A list of (path, leaf), each path a text of keys and positions with separator between them.

    As TensorFlow's `nest.flatten_with_joined_string_paths`. Raises TypeError if the keys of a dict do not sort.

    >>> gc.contrib.framework.nest.flatten_with_joined_string_paths({"a": [7, 8]}, separator=".")
    [('a.0', 7), ('a.1', 8)]
    """
    return [(separator.join(map(str, path)), leaf)
            for path, leaf in flatten_with_tuple_paths(structure, expand_composites)]


@public("contrib.framework.nest.get_traverse_shallow_structure",
        "compat.v1.python.util.nest.get_traverse_shallow_structure")
def get_traverse_shallow_structure(traverse_fn: Callable[[Any], Any], structure: Any,
                                   expand_composites: bool = False) -> Any:
    """A shallow tree of bools: traverse_fn(substructure) says whether to go into it, or for each part whether to.

    Raises TypeError if it gives neither a bool nor a structure of bools of depth 1. As TensorFlow's
    `nest.get_traverse_shallow_structure`.

    >>> nest = gc.contrib.framework.nest
    >>> nest.get_traverse_shallow_structure(lambda s: not isinstance(s, tuple), [1, (2, 3), [4]])
    [True, False, [True]]
    """
    nested, chosen = kind_of(expand_composites), traverse_fn(structure)
    if not nested(structure):
        if not isinstance(chosen, bool):
            raise TypeError(f"traverse_fn returned structure: {chosen!r} for non-structure: {structure!r}")
        return chosen
    if isinstance(chosen, bool):
        if not chosen:
            return False
        wanted = [True] * len(nest.items(structure))
    elif not nested(chosen):
        raise TypeError(f"traverse_fn returned a non-bool scalar: {chosen!r} for input: {structure!r}")
    else:
        assert_shallow_structure(chosen, structure, expand_composites=expand_composites)
        wanted = nest.parts_of(chosen)
        if not all(isinstance(w, bool) for w in wanted):
            raise TypeError(f"traverse_fn didn't return a depth=1 structure of bools.  saw: {chosen!r}  for structure: "
                            f"{structure!r}")
    below = [w and get_traverse_shallow_structure(traverse_fn, part, expand_composites)
             for w, part in zip(wanted, nest.parts_of(structure), strict=True)]
    return nest.rebuilt(structure, below)
