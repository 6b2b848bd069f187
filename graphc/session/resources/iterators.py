"""The iterators of a session: what the calls of plans (ops/control/iterators.py) work on.

A pipeline (graphc/data) is opened with the values that it took from the graph, and gives an element at each call; its
functions run in sessions of their own, which share the queues and tables of this one.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.exec.pool import default_threads
from graphc.ir.late_imports import load
from graphc.ir.locks import new_reentrant_lock
from graphc.ops.control.script import TRIAL, failure_of, host_function

Element = tuple[np.ndarray, ...]


class ElementIterator:
    """elements: what is left; None before it is set up."""

    stays_inside = False

    def __init__(self, owner: Any, call: Any) -> None:
        self.owner, self.name, self.definition = owner, call.owner, call.definition
        self.elements: Iterator[Element] | None = None
        self.lock = new_reentrant_lock()

    def wake(self) -> None:
        """Nothing waits for another call."""

    def make(self, *arguments: Any) -> tuple[()]:
        *captured, dataset = arguments
        with self.lock, TRIAL.running(None):
            self.elements = self._opened(host_function(dataset), [_kept(value) for value in captured])
        return ()

    def get_next(self) -> Element:
        with self.lock, TRIAL.running(None):
            if self.elements is None:
                self.elements = self._first_elements()
            try:
                return next(self.elements)
            except StopIteration:
                raise errors.OutOfRangeError("End of sequence") from None
            except errors.OpError:
                raise
            except Exception as error:
                raise failure_of(error) from error

    def string_handle(self) -> tuple[np.ndarray]:
        return (np.array(self.name.encode(), object),)

    def _first_elements(self) -> Iterator[Element]:
        raise errors.FailedPreconditionError(
            "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer "
            f"operation for this iterator before getting the next element ('{self.name}').")

    def _opened(self, dataset: Any, values: Sequence[Any]) -> Iterator[Element]:
        try:
            found: Iterator[Element] = dataset.open(values, self._callable, default_threads())
        except errors.OpError:
            raise
        except Exception as error:
            raise failure_of(error) from error
        return found

    def _callable(self, graph: Any, fetches: Any, feeds: Sequence[Any], part: str = "") -> Callable[..., Any]:
        """A function of the feeds' values, whose random ops go on where they stopped: those of one graph and part draw
        other numbers in each run of it."""
        sessions = self.owner.function_sessions
        session = sessions.get((graph, part))
        if session is None:
            session = sessions[graph, part] = load("graphc.session.session").Session(graph=graph)
            session._objects = self.owner
        call: Callable[..., Any] = session.make_callable(fetches, feeds)
        return call


class OneShot(ElementIterator):
    """Sets itself up; what its pipeline took from the graph is computed then."""

    def _first_elements(self) -> Iterator[Element]:
        dataset: Any = host_function(self.definition.dataset)
        values = []
        if dataset.captures:
            values = self._callable(dataset.graph, list(dataset.captures), [])()
        return self._opened(dataset, values)


class Named(ElementIterator):
    """Stands for the iterator whose handle is given."""

    def get_next(self, handle: np.ndarray | None = None) -> Element:
        name = "" if handle is None else bytes(handle.item()).decode()
        found = self.owner.named(name)
        if not isinstance(found, ElementIterator) or isinstance(found, Named):
            raise errors.InvalidArgumentError(f"'{name}' is the handle of no iterator of this session; it is what "
                                              "session.run(iterator.string_handle()) gives")
        self._check(found)
        return found.get_next()

    def _check(self, found: ElementIterator) -> None:
        expected = [d.name for d in self.definition.output_types]
        given = [d.name for d in found.definition.output_types]
        if expected and given and expected != given:
            raise errors.InvalidArgumentError(f"Number of components or their types do not match: expected {expected}, "
                                              f"but '{found.name}' gives {given}.")


def _kept(value: Any) -> Any:
    return np.array(value, object if isinstance(value, bytes) else None)


KINDS = {"IteratorV2": ElementIterator, "OneShotIterator": OneShot, "IteratorFromStringHandleV2": Named}
