"""What `Session.run` is asked to fetch: any nesting of lists, tuples, namedtuples and dicts of graph elements.

`Fetches` flattens the structure once, when the run is first compiled, and rebuilds it from the values of every run.
Each tensor is fetched once, however often it is named; fetched operations give None.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import NotFoundError, built_at
from graphc.ir.dtypes import variant
from graphc.ir.tensor import Operation, Tensor
from graphc.session.conversions import conversion_of

_WHOLE = "fetches"        # how messages call the structure that was given; parts are fetches[0], fetches.name
Build = Callable[[Sequence[Any]], Any]   # fetched values, in the order of Fetches.tensors -> the user's structure


class UnknownElementError(NotFoundError, ValueError):
    """A fetch that is not in the graph: a ValueError as in TensorFlow, and a KeyError as for every unknown name."""


class Fetches:
    """tensors: each fetched tensor once. operations: what runs for its effect. build(values): the user's structure.
    single: the structure is a tensor by itself."""

    def __init__(self, structure: Any, resolve: Callable[[Any], Tensor | Operation]) -> None:
        """resolve turns a Variable, name or graph element into the element of the session's graph; it raises else."""
        self.tensors: list[Tensor] = []
        self.operations: list[Operation] = []
        self._index: dict[Tensor, int] = {}
        self._resolve = resolve
        self.single = False
        self.build: Build = self._visit(structure, _WHOLE)

    def _visit(self, part: Any, path: str) -> Build:
        if part is None:
            raise TypeError(_none_message(path))
        if isinstance(part, (list, tuple)):
            return self._sequence(part, path)
        if isinstance(part, Mapping):
            return self._mapping(part, path)
        if hasattr(part, "_fetch_parts"):   # SparseTensor, IndexedSlices: rebuilt as their Value types
            parts, rebuild = part._fetch_parts()
            inner = self._visit(tuple(parts), path)
            return lambda values: rebuild(*inner(values))
        if (conversion := conversion_of(part)) is not None:
            listed, contract = conversion.fetch(part)
            inner = self._visit(list(listed), path)
            return lambda values: contract(inner(values))
        return self._leaf(part, path)

    def _leaf(self, part: Any, path: str) -> Build:
        try:
            element = self._resolve(part)
        except TypeError as error:
            hint = "\n  the function itself is fetched: call it, with ()" if callable(part) else ""
            raise TypeError(f"Fetch argument {part!r} has invalid type {type(part).__name__}, must be a string, "
                            f"Tensor, Operation or Variable, or a list, tuple or dict of those (at {path}). ({error})"
                            f"{hint}") from None
        except (ValueError, KeyError) as error:
            text = f"Fetch argument {part!r} (at {path}) cannot be interpreted as a Tensor. {error}"
            raise UnknownElementError(f"{text}{_of_another_graph(part)}") from None
        if isinstance(element, Operation):
            self.operations.append(element)
            return lambda values: None
        if element.dtype == variant:
            raise TypeError(f"Fetch argument {part!r} (at {path}) is a list of tensors, which lives for one run; fetch "
                            "what is in it: TensorArray.stack() or .read(index)")
        self.single = path == _WHOLE
        index = self._index.setdefault(element, len(self.tensors))
        if index == len(self.tensors):
            self.tensors.append(element)
        return lambda values: values[index]

    def _sequence(self, part: Any, path: str) -> Build:
        fields = getattr(part, "_fields", None)   # a namedtuple
        names = [f"{path}.{f}" for f in fields] if fields else [f"{path}[{i}]" for i in range(len(part))]
        builds = [self._visit(p, name) for p, name in zip(part, names, strict=True)]
        kind = type(part)
        if fields:
            return lambda values: kind(*[build(values) for build in builds])
        if kind in (list, tuple):
            return lambda values: kind([build(values) for build in builds])
        return lambda values: (list if isinstance(part, list) else tuple)([build(values) for build in builds])

    def _mapping(self, part: Mapping[Any, Any], path: str) -> Build:
        kind = type(part)
        builds = [(key, self._visit(value, f"{path}[{key!r}]")) for key, value in part.items()]
        if kind is dict:
            return lambda values: {key: build(values) for key, build in builds}
        return lambda values: kind((key, build(values)) for key, build in builds)  # type: ignore[call-arg]


def fetch_key(structure: Any) -> Any:
    """A hashable stand-in for the structure, equal for structures that fetch the same things in the same form."""
    kind = type(structure)
    if kind is Tensor or kind is Operation or kind is str:
        return structure
    if kind is list:
        return (list, *[e if type(e) is Tensor else fetch_key(e) for e in structure])
    if isinstance(structure, tuple):
        return (kind, *[fetch_key(e) for e in structure])
    if isinstance(structure, list):
        return (kind, *[fetch_key(e) for e in structure])
    if isinstance(structure, Mapping):
        return (kind, *[(key, fetch_key(value)) for key, value in structure.items()])
    return _Identity(structure)


class _Identity:
    """Compares an object by identity, whatever its own == does; keeps it alive."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.held is self.held


def _of_another_graph(part: Any) -> str:
    """Where the part was built, if it is of another graph than the session's, and what to do."""
    if not isinstance(part, (Tensor, Operation)):
        return ""
    operation = part.op if isinstance(part, Tensor) else part
    advice = ("it was made inside a loop's or branch's body: return it from the body, and fetch what the loop or "
              "branch gives" if part.graph.building_function else
              "the session runs another graph than the one that this belongs to: make it with gc.Session(graph=...)")
    return f"{built_at(operation)}\n  {advice}"


def _none_message(path: str) -> str:
    return (f"Fetch argument None has invalid type <class 'NoneType'> (at {path}). Likely causes: an entry of "
            "gc.gradients(...) for a variable that the loss does not depend on; a merged summary of a graph without "
            "summaries; a function that lacks its `return`; the result of an earlier session.run of an operation kept "
            "under the operation's name")
