"""Callables of what a CallableOptions message names, as Keras asks for: some feeds come from other tensors."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any


def callable_from_options(session: Any, options: Any) -> Callable[..., Any]:
    """A function of the values of options.feed, which gives the list of the values of options.fetch; options.target
    runs, too. What a tensor_connection's from_tensor has in a run of its own before is fed to its to_tensor. Raises
    KeyError or ValueError for names that are not in the graph."""
    graph = session.graph
    sources = [graph.get_tensor_by_name(pair.from_tensor) for pair in options.tensor_connection]
    fed = [*options.feed, *(pair.to_tensor for pair in options.tensor_connection)]
    feeds = [graph.get_tensor_by_name(name) for name in fed]
    fetches = [graph.get_tensor_by_name(name) for name in options.fetch]
    targets = [graph.get_operation_by_name(name) for name in options.target]
    call = session.make_callable([fetches, targets], feeds, accept_options=True)
    connected = session.make_callable(sources) if sources else list
    given = options.run_options if options.HasField("run_options") else None

    def called(*values: Any, run_metadata: Any = None) -> Any:
        return call(*values, *connected(), options=given, run_metadata=run_metadata)[0]

    return called
