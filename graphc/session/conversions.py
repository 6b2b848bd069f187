"""Types of a program's own that may be fetched and fed: how each becomes tensors."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.api.public import public


@dataclass(frozen=True)
class Conversion:
    """fetch(value): what is fetched in its place, and what makes the result of these values. feed(value, fed): pairs
    of a tensor and its value; parts(value): the tensors alone. None: the type cannot be fed."""

    kind: type
    fetch: Callable[[Any], tuple[Sequence[Any], Callable[[Any], Any]]]
    feed: Callable[[Any, Any], Sequence[tuple[Any, Any]]] | None
    parts: Callable[[Any], Sequence[Any]] | None


_REGISTERED: list[Conversion] = []


@public("compat.v1.python.client.session.register_session_run_conversion_functions")
def register_session_run_conversion_functions(
        tensor_type: type, fetch_function: Callable[[Any], Any],
        feed_function: Callable[[Any, Any], Any] | None = None,
        feed_function_for_partial_run: Callable[[Any], Any] | None = None) -> None:
    """From here on `Session.run` fetches and feeds what is of that type.

    fetch_function(value) gives a list of what to fetch in its place, and a function of the list of their values.
    feed_function(value, fed) gives pairs of a tensor and its value, feed_function_for_partial_run(value) the tensors
    alone, for `make_callable` and partial runs. Raises ValueError for a type that has them, or that derives from one.
    As `register_session_run_conversion_functions` of tensorflow.python.client.session.

    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> gc.compat.v1.python.client.session.register_session_run_conversion_functions(
    ...     Pair, lambda pair: ([pair.a, pair.b], lambda values: sum(values)))
    >>> with gc.Session() as session:
    ...     session.run(Pair(gc.constant(1.), gc.constant(2.)))
    np.float32(3.0)
    """
    known = next((c.kind for c in _REGISTERED if issubclass(tensor_type, c.kind)), None)
    if known is not None:
        raise ValueError(f"{tensor_type} has already been registered so ignore it"
                         if known is tensor_type else f"{tensor_type} derives from {known}, which is registered")
    _REGISTERED.append(Conversion(tensor_type, fetch_function, feed_function, feed_function_for_partial_run))


def conversion_of(value: Any) -> Conversion | None:
    """What was registered for its type; None if nothing was."""
    return next((c for c in _REGISTERED if isinstance(value, c.kind)), None) if _REGISTERED else None


def feeding_of(key: Any) -> Conversion | None:
    """The same for a key of feed_dict; a type that cannot be fed counts as not registered."""
    found = conversion_of(key)
    return found if found is not None and found.feed is not None else None
