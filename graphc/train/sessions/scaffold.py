"""Scaffold: the operations that make a graph ready to be trained; those not given are made, or found in collections."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.log import LOG


@public("train.Scaffold")
class Scaffold:
    """What a session is initialised, restored and saved with, as `tf.train.Scaffold`.

    finalize() makes what is missing and finalizes the graph. init_fn(scaffold, session) is called after init_op,
    where no checkpoint is restored. copy_from_scaffold: gives what is None here. Raises TypeError if that is no
    Scaffold.

    >>> v = gc.Variable(1.)
    >>> put = v.assign(5.)
    >>> scaffold = gc.train.Scaffold(init_fn=lambda scaffold, session: session.run(put))
    >>> with gc.train.MonitoredSession(gc.train.ChiefSessionCreator(scaffold)) as session:
    ...     print(session.run(v))
    5.0
    """

    def __init__(self, init_op: Any = None, init_feed_dict: Any = None,
                 init_fn: Callable[[Any, Any], Any] | None = None, ready_op: Any = None,
                 ready_for_local_init_op: Any = None, local_init_op: Any = None, summary_op: Any = None,
                 saver: Any = None, copy_from_scaffold: Scaffold | None = None,
                 local_init_feed_dict: Any = None) -> None:
        other = copy_from_scaffold
        if other is not None and not isinstance(other, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")

        def first(given: Any, name: str) -> Any:
            return given if given is not None or other is None else getattr(other, name)

        self._init_op = first(init_op, "_init_op")
        self._init_feed_dict = first(init_feed_dict, "_init_feed_dict")
        self._user_init_fn = first(init_fn, "_user_init_fn")
        self._ready_op = first(ready_op, "_ready_op")
        self._ready_for_local_init_op = first(ready_for_local_init_op, "_ready_for_local_init_op")
        self._local_init_op = first(local_init_op, "_local_init_op")
        self._local_init_feed_dict = first(local_init_feed_dict, "_local_init_feed_dict")
        self._summary_op = first(summary_op, "_summary_op")
        self._saver = first(saver, "_saver")

    init_op = property(lambda self: self._init_op, doc="What initialises global variables.")
    init_feed_dict = property(lambda self: self._init_feed_dict, doc="What init_op is fed.")
    ready_op = property(lambda self: self._ready_op, doc="A vector of names; empty when all is initialised.")
    ready_for_local_init_op = property(lambda self: self._ready_for_local_init_op,
                                       doc="A vector of names; empty when local_init_op may run.")
    local_init_op = property(lambda self: self._local_init_op, doc="What initialises local variables and tables.")
    local_init_feed_dict = property(lambda self: self._local_init_feed_dict, doc="What local_init_op is fed.")
    summary_op = property(lambda self: self._summary_op, doc="All summaries, or None.")
    saver = property(lambda self: self._saver, doc="The Saver.")

    @property
    def init_fn(self) -> Callable[[Any], Any] | None:
        """The user's init_fn as a function of the session alone."""
        user = self._user_init_fn
        return None if user is None else lambda session: user(self, session)

    def finalize(self) -> Scaffold:
        """Makes what is missing, in the default graph, and finalizes that. It returns itself.

        Raises RuntimeError where a collection holds several to choose from.
        """
        if self._init_op is None:
            self._init_op = self.get_or_default("init_op", gc.GraphKeys.INIT_OP, _initialize_globals)
        if self._ready_op is None:
            self._ready_op = self.get_or_default("ready_op", gc.GraphKeys.READY_OP, _report_all)
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = self.get_or_default(
                "ready_for_local_init_op", gc.GraphKeys.READY_FOR_LOCAL_INIT_OP, _report_globals)
        if self._local_init_op is None:
            self._local_init_op = self.get_or_default("local_init_op", gc.GraphKeys.LOCAL_INIT_OP,
                                                      self.default_local_init_op)
        if self._summary_op is None:
            self._summary_op = self.get_or_default("summary_op", gc.GraphKeys.SUMMARY_OP, gc.summary.merge_all)
        if self._saver is None:
            self._saver = self.get_or_default("saver", gc.GraphKeys.SAVERS,
                                              lambda: gc.train.Saver(sharded=True, allow_empty=True))
        self._saver.build()
        gc.get_default_graph().finalize()
        LOG.info("Graph was finalized.")
        return self

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """The one element of the collection; else what default_constructor makes, which is put there unless None."""
        found = gc.get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(f'More than one item in the collection "{collection_key}". Please indicate which one to '
                               f"use by passing it to the gc.train.Scaffold constructor as: "
                               f"gc.train.Scaffold({arg_name}=item to use)")
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            gc.add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op() -> Any:
        """Initialises local variables and tables."""
        return gc.group(gc.local_variables_initializer(), gc.tables_initializer())


def _initialize_globals() -> Any:
    return gc.group(gc.global_variables_initializer(), *gc.get_collection("saved_model_initializers"))


def _report_all() -> Any:
    return gc.report_uninitialized_variables()


def _report_globals() -> Any:
    return gc.report_uninitialized_variables(gc.global_variables())
