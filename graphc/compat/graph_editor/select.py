"""Which ops and tensors: by names, and by walking along the edges of a graph."""
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.graph_editor.make_list_of_op", "contrib.graph_editor.util.make_list_of_op")
def make_list_of_op(ops: Any, check_graph: bool = True, allow_graph: bool = True,
                    ignore_ts: bool = False) -> list[gc.Operation]:
    """The operations of a graph, of a list, or one, as a list.

    Tensors in it are an error unless ignore_ts. Raises TypeError for what is no operation, or a graph unless
    allow_graph, ValueError for operations of several graphs if check_graph. As
    `tf.contrib.graph_editor.make_list_of_op`.

    >>> [op.name for op in gc.contrib.graph_editor.make_list_of_op(gc.constant(1., name="c").op)]
    ['c']
    """
    if isinstance(ops, gc.Graph):
        if not allow_graph:
            raise TypeError("make_list_of_op: argument 'ops' must not be a graph")
        return list(ops.get_operations())
    listed = list(ops) if isinstance(ops, Iterable) and not isinstance(ops, gc.Tensor) else [ops]
    if ignore_ts:
        listed = [op for op in listed if not isinstance(op, gc.Tensor)]
    return _checked(listed, gc.Operation, check_graph)


@public("contrib.graph_editor.make_list_of_t", "contrib.graph_editor.util.make_list_of_t")
def make_list_of_t(ts: Any, check_graph: bool = True, allow_graph: bool = True,
                   ignore_ops: bool = False) -> list[gc.Tensor]:
    """The tensors of a graph, of a list, or one, as a list; else as `make_list_of_op`. As
    `tf.contrib.graph_editor.make_list_of_t`.

    Raises TypeError for what is no tensor, ValueError for tensors of several graphs if check_graph.

    >>> [t.name for t in gc.contrib.graph_editor.make_list_of_t([gc.constant(1., name="c")])]
    ['c:0']
    """
    if isinstance(ts, gc.Graph):
        if not allow_graph:
            raise TypeError("make_list_of_t: argument 'ts' must not be a graph")
        return get_tensors(ts)
    listed = list(ts) if isinstance(ts, Iterable) and not isinstance(ts, gc.Tensor) else [ts]
    if ignore_ops:
        listed = [t for t in listed if not isinstance(t, gc.Operation)]
    return _checked(listed, gc.Tensor, check_graph)


def _checked(listed: list[Any], kind: type, check_graph: bool) -> list[Any]:
    for thing in listed:
        if not isinstance(thing, kind):
            raise TypeError(f"Expected a {kind.__name__}, got {thing!r}")
    if check_graph and len({id(thing.graph) for thing in listed}) > 1:
        raise ValueError("these belong to several graphs")
    return listed


@public("contrib.graph_editor.get_tensors", "contrib.graph_editor.util.get_tensors")
def get_tensors(graph: gc.Graph) -> list[gc.Tensor]:
    """All tensors of the graph, in the order in which they were made. As `tf.contrib.graph_editor.get_tensors`.

    >>> with gc.Graph().as_default() as graph:
    ...     y = gc.constant(1., name="c") + 1.
    >>> [t.name for t in gc.contrib.graph_editor.get_tensors(graph)]
    ['c:0', 'add/y:0', 'add:0']
    """
    return [t for op in graph.get_operations() for t in op.outputs]


Filter = bool | Callable[[Any], bool]


@public("contrib.graph_editor.filter_ops", "contrib.graph_editor.select.filter_ops")
def filter_ops(ops: Any, positive_filter: Filter) -> list[gc.Operation]:
    """The ops of which positive_filter (True: all) says so. As `tf.contrib.graph_editor.filter_ops`.

    >>> op = gc.constant(1., name="c").op
    >>> gc.contrib.graph_editor.filter_ops([op], lambda op: op.type == "Add")
    []
    """
    return [op for op in make_list_of_op(ops) if positive_filter is True or _says(positive_filter, op)]


@public("contrib.graph_editor.filter_ts", "contrib.graph_editor.select.filter_ts")
def filter_ts(ops: Any, positive_filter: Filter) -> list[gc.Tensor]:
    """The outputs of the ops of which positive_filter (True: all) says so. As `tf.contrib.graph_editor.filter_ts`.

    >>> op = gc.constant(1., name="c").op
    >>> [t.name for t in gc.contrib.graph_editor.filter_ts([op], True)]
    ['c:0']
    """
    outputs = dict.fromkeys(t for op in make_list_of_op(ops) for t in op.outputs)
    return [t for t in outputs if positive_filter is True or _says(positive_filter, t)]


def _says(positive_filter: Filter, thing: Any) -> bool:
    return callable(positive_filter) and bool(positive_filter(thing))


@public("contrib.graph_editor.filter_ops_from_regex", "contrib.graph_editor.select.filter_ops_from_regex")
def filter_ops_from_regex(ops: Any, regex: Any) -> list[gc.Operation]:
    """The ops in whose names the regular expression is found. As `tf.contrib.graph_editor.filter_ops_from_regex`.

    >>> op = gc.constant(1., name="first/c").op
    >>> gc.contrib.graph_editor.filter_ops_from_regex([op], "^second/")
    []
    """
    found = re.compile(regex)
    return filter_ops(ops, lambda op: found.search(op.name) is not None)


@public("contrib.graph_editor.filter_ts_from_regex", "contrib.graph_editor.select.filter_ts_from_regex")
def filter_ts_from_regex(ops: Any, regex: Any) -> list[gc.Tensor]:
    """The outputs of the ops in whose names (of the tensors: "a/b:0") the regular expression is found. As
    `tf.contrib.graph_editor.filter_ts_from_regex`.

    >>> op = gc.constant(1., name="first/c").op
    >>> [t.name for t in gc.contrib.graph_editor.filter_ts_from_regex([op], "first/.*:0")]
    ['first/c:0']
    """
    found = re.compile(regex)
    return filter_ts(ops, lambda t: found.search(t.name) is not None)


@public("contrib.graph_editor.select_ops", "contrib.graph_editor.select.select_ops")
def select_ops(*args: Any, graph: gc.Graph | None = None, positive_filter: Filter | None = None) -> list[gc.Operation]:
    """Operations, each once: args are operations, lists of them, and regular expressions that stand at the start of
    names in `graph`.

    positive_filter: a function; of what an expression finds, that stays of which it says so. Raises ValueError for an
    expression without a graph, TypeError for what is no operation. As `tf.contrib.graph_editor.select_ops`.

    >>> with gc.Graph().as_default() as graph:
    ...     y = gc.constant(1., name="a/c") + 1.
    >>> [op.name for op in gc.contrib.graph_editor.select_ops("a/.*", y.op, graph=graph)]
    ['a/c', 'add']
    """
    found: dict[gc.Operation, None] = {}
    for arg in args:
        if not isinstance(arg, (str, re.Pattern)):
            found.update(dict.fromkeys(make_list_of_op(arg)))
            continue
        if graph is None:
            raise ValueError("Use the keyword argument 'graph' to use regex.")
        name = re.compile(arg)
        found.update(dict.fromkeys(op for op in graph.get_operations() if name.match(op.name) and (
            positive_filter is None or positive_filter is True or _says(positive_filter, op))))
    return list(found)


@public("contrib.graph_editor.get_backward_walk_ops", "contrib.graph_editor.select.get_backward_walk_ops",
        "compat.v1.python.ops.op_selector.get_backward_walk_ops")
def get_backward_walk_ops(seed_ops: Any, inclusive: bool = True, within_ops: Any = None,
                          within_ops_fn: Callable[[gc.Operation], bool] | None = None, stop_at_ts: Any = (),
                          control_inputs: bool = False) -> list[gc.Operation]:
    """What the seeds are made from, walking backwards along their inputs.

    seed_ops: operations, or tensors, whose ops are meant; in the result if `inclusive`. within_ops, within_ops_fn: no
    other ops are walked over. stop_at_ts: tensors that are not walked over. control_inputs: control dependencies are
    walked along, too. Raises TypeError for other things. As `tf.contrib.graph_editor.get_backward_walk_ops`.

    >>> x = gc.constant(1., name="x")
    >>> y = gc.exp(gc.negative(x, name="n"), name="y")
    >>> [op.name for op in gc.contrib.graph_editor.get_backward_walk_ops(y.op, stop_at_ts=x)]
    ['y', 'n']
    """
    stop = frozenset(make_list_of_t(stop_at_ts))

    def before(op: gc.Operation) -> Iterable[gc.Operation]:
        yield from (t.op for t in op.inputs if t not in stop)
        if control_inputs:
            yield from op.control_inputs

    return _walk(seed_ops, inclusive, within_ops, within_ops_fn, before)


@public("contrib.graph_editor.get_forward_walk_ops", "contrib.graph_editor.select.get_forward_walk_ops",
        "compat.v1.python.ops.op_selector.get_forward_walk_ops")
def get_forward_walk_ops(seed_ops: Any, inclusive: bool = True, within_ops: Any = None,
                         within_ops_fn: Callable[[gc.Operation], bool] | None = None,
                         stop_at_ts: Any = ()) -> list[gc.Operation]:
    """What is made of the seeds, walking forwards along what takes their outputs; else as `get_backward_walk_ops`. As
    `tf.contrib.graph_editor.get_forward_walk_ops`.

    Raises TypeError for other things than operations and tensors.

    >>> x = gc.constant(1., name="x")
    >>> y = gc.exp(gc.negative(x, name="n"), name="y")
    >>> [op.name for op in gc.contrib.graph_editor.get_forward_walk_ops(x, inclusive=False)]
    ['n', 'y']
    """
    stop = frozenset(make_list_of_t(stop_at_ts))

    def behind(op: gc.Operation) -> Iterable[gc.Operation]:
        return (user for t in op.outputs if t not in stop for user in t.consumers())

    return _walk(seed_ops, inclusive, within_ops, within_ops_fn, behind)


def _walk(seeds: Any, inclusive: bool, within: Any, allowed: Callable[[gc.Operation], bool] | None,
          neighbours: Callable[[gc.Operation], Iterable[gc.Operation]]) -> list[gc.Operation]:
    listed = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, gc.Tensor) else [seeds]
    start = dict.fromkeys(make_list_of_op([s.op if isinstance(s, gc.Tensor) else s for s in listed]))
    inside: Collection[gc.Operation] | None = frozenset(make_list_of_op(within)) if within else None

    def is_within(op: gc.Operation) -> bool:
        return (inside is None or op in inside) and (allowed is None or allowed(op))

    found = dict.fromkeys(op for op in start if is_within(op))
    wave = list(found)
    while wave:
        wave = list(dict.fromkeys(n for op in wave for n in neighbours(op) if n not in found and is_within(n)))
        found.update(dict.fromkeys(wave))
    return [op for op in found if inclusive or op not in start]
