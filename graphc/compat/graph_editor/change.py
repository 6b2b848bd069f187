"""Copies of parts of a graph, and other inputs for ops that are there.

An op's inputs are made before it, here as in all of graphc, so that it may get only inputs that are older than it. What
a session has run already stays as it was compiled, and must not be changed.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.graph_editor.select import (
    get_backward_walk_ops,
    get_forward_walk_ops,
    make_list_of_op,
    make_list_of_t,
)
from graphc.errors import UnimplementedError, built_at
from graphc.ir import nest


@public("contrib.graph_editor.SubGraphView", "contrib.graph_editor.subgraph.SubGraphView")
class SubGraphView:
    """Some operations of a graph: `ops`, the tensors from outside that they take, `inputs`, and what others take of
    them, or nothing, `outputs`. As `tf.contrib.graph_editor.SubGraphView`.

    >>> x = gc.constant(1., name="x")
    >>> y = gc.exp(gc.negative(x, name="n"), name="y")
    >>> view = gc.contrib.graph_editor.SubGraphView([x.op, y.op])
    >>> [t.name for t in view.inputs], [t.name for t in view.outputs]
    (['n:0'], ['x:0', 'y:0'])
    """

    def __init__(self, inside_ops: Any = ()) -> None:
        self.ops = make_list_of_op(inside_ops)
        inside = set(self.ops)
        self.inputs = list(dict.fromkeys(t for op in self.ops for t in op.inputs if t.op not in inside))
        self.outputs = [t for op in self.ops for t in op.outputs
                        if not t.consumers() or any(user not in inside for user in t.consumers())]

    @property
    def graph(self) -> gc.Graph | None:
        """The graph of the operations; None without any."""
        return self.ops[0].graph if self.ops else None


@public("contrib.graph_editor.sgv", "contrib.graph_editor.subgraph.make_view")
def sgv(*args: Any) -> SubGraphView:
    """A view of these operations, or lists of them. As `tf.contrib.graph_editor.sgv`.

    Raises TypeError for what is no operation.

    >>> len(gc.contrib.graph_editor.sgv(gc.constant(1.).op, [gc.constant(2.).op]).ops)
    2
    """
    if len(args) == 1 and isinstance(args[0], SubGraphView):
        return args[0]
    return SubGraphView(dict.fromkeys(op for arg in args for op in make_list_of_op(arg)))


class TransformerInfo:
    """What was copied: `transformed` gives the copy of an operation or tensor, `original` what it is a copy of; both
    None for what has none."""

    def __init__(self, ops: Mapping[gc.Operation, gc.Operation], tensors: Mapping[gc.Tensor, gc.Tensor]) -> None:
        self._transformed_ops, self._transformed_ts = dict(ops), dict(tensors)

    def transformed(self, original: Any) -> Any:
        return (self._transformed_ts if isinstance(original, gc.Tensor) else self._transformed_ops).get(original)

    def original(self, transformed: Any) -> Any:
        made: Mapping[Any, Any] = self._transformed_ts if isinstance(transformed, gc.Tensor) else self._transformed_ops
        return next((old for old, new in made.items() if new is transformed), None)


@public("contrib.graph_editor.copy_with_input_replacements",
        "contrib.graph_editor.transform.copy_with_input_replacements")
def copy_with_input_replacements(sgv: Any, replacement_ts: Mapping[Any, Any], dst_graph: gc.Graph | None = None,
                                 dst_scope: str = "", src_scope: str = "",
                                 reuse_dst_scope: bool = False) -> tuple[SubGraphView, TransformerInfo]:
    """A copy of some operations beside them, in which other tensors take the place of some inputs.

    sgv: a SubGraphView, or what makes one. replacement_ts: the new tensor of each that is replaced. dst_scope stands in
    front of the copies' names in place of src_scope, and is made unique unless reuse_dst_scope. Gives a view of the
    copies, and an object that tells what is a copy of what. Raises ValueError for another dst_graph than that of the
    operations, TypeError for a replacement of another dtype. As
    `tf.contrib.graph_editor.copy_with_input_replacements`.

    >>> x = gc.constant(2.)
    >>> y = gc.square(x) + x
    >>> view = gc.contrib.graph_editor.sgv(y.op, y.op.inputs[0].op)
    >>> _, info = gc.contrib.graph_editor.copy_with_input_replacements(view, {x: gc.constant(3.)})
    >>> info.transformed(y).eval()
    np.float32(12.0)
    """
    view = sgv if isinstance(sgv, SubGraphView) else SubGraphView(sgv)
    graph = view.graph
    if graph is None:
        return view, TransformerInfo({}, {})
    if dst_graph not in (None, graph):
        raise ValueError("copies stand in the graph of what they are copies of: leave 'dst_graph' out")
    for old, new in replacement_ts.items():
        if old.dtype != new.dtype:
            raise TypeError(f"{old.name} of {old.dtype.name} cannot be replaced by {new.name} of {new.dtype.name}")
    if dst_scope and not reuse_dst_scope:
        dst_scope = graph.unique_name(dst_scope.rstrip("/"))
    ops: dict[gc.Operation, gc.Operation] = {}
    tensors: dict[gc.Tensor, gc.Tensor] = {}
    for op in sorted(view.ops, key=lambda op: op.number):
        name = "/".join(filter(None, (dst_scope.rstrip("/"), op.name.removeprefix(src_scope).lstrip("/"))))
        inputs = [replacement_ts.get(t, tensors.get(t, t)) for t in op.inputs]
        with graph.as_default(), graph.control_dependencies(None):
            made = graph.create(op.definition, inputs, f"{graph.unique_name(name)}/", device=op.device,
                                control_inputs=[ops.get(c, c) for c in op.control_inputs])
        made.gradient_name, made.extra_attributes = op.gradient_name, dict(op.extra_attributes)
        ops[op] = made
        tensors.update(zip(op.outputs, made.outputs, strict=True))
    return SubGraphView(ops.values()), TransformerInfo(ops, tensors)


@public("contrib.graph_editor.graph_replace", "contrib.graph_editor.transform.graph_replace")
def graph_replace(target_ts: Any, replacement_ts: Mapping[Any, Any], dst_scope: str = "", src_scope: str = "",
                  reuse_dst_scope: bool = False) -> Any:
    """The targets, computed anew from other tensors.

    target_ts: a tensor, or a nesting of them, which the result is, too. replacement_ts: the new tensor of each that is
    replaced. What does not depend on those is shared. Raises ValueError if no target depends on them; other arguments
    and errors as of `copy_with_input_replacements`. As `tf.contrib.graph_editor.graph_replace`.

    >>> x = gc.constant(2.)
    >>> y = gc.square(x) + x
    >>> gc.contrib.graph_editor.graph_replace(y, {x: gc.constant(3.)}).eval()
    np.float32(12.0)
    """
    targets = nest.flatten(target_ts)
    behind = set(get_forward_walk_ops(list(replacement_ts), inclusive=False))
    between = [op for op in get_backward_walk_ops(targets) if op in behind]
    if not between:
        raise ValueError("Targets and replacements are not connected!")
    _, info = copy_with_input_replacements(between, replacement_ts, None, dst_scope, src_scope, reuse_dst_scope)
    made = {**info._transformed_ts, **replacement_ts}
    return nest.pack_sequence_as(target_ts, [made.get(t, t) for t in targets])


@public("contrib.graph_editor.reroute_ts", "contrib.graph_editor.reroute.reroute_ts")
def reroute_ts(ts0: Any, ts1: Any, can_modify: Any = None, cannot_modify: Any = None) -> int:
    """What takes a tensor of ts1 takes that of ts0 instead; returns how many inputs have changed.

    ts0, ts1: as many tensors. can_modify: only these operations are changed; cannot_modify: these are not. Raises
    ValueError for lists of different lengths, TypeError for tensors of different dtypes, UnimplementedError if an
    operation is older than the tensor that it is to take. As `tf.contrib.graph_editor.reroute_ts`.

    >>> x, other = gc.constant(2.), gc.constant(5.)
    >>> y = gc.square(x)
    >>> gc.contrib.graph_editor.reroute_ts([other], [x]), y.eval()
    (1, np.float32(25.0))
    """
    new, old = make_list_of_t(_listed(ts0)), make_list_of_t(_listed(ts1))
    if len(new) != len(old):
        raise ValueError(f"Cannot reroute two lists of tensors of different lengths: {len(new)} and {len(old)}")
    only = None if can_modify is None else set(make_list_of_op(_listed(can_modify)))
    spared = set() if cannot_modify is None else set(make_list_of_op(_listed(cannot_modify)))
    count = 0
    for t0, t1 in zip(new, old, strict=True):
        if t0.dtype != t1.dtype:
            raise TypeError(f"{t1.name} of {t1.dtype.name} cannot be replaced by {t0.name} of {t0.dtype.name}")
        for op in dict.fromkeys(t1.consumers()):
            if (only is None or op in only) and op not in spared:
                count += sum(t is t1 for t in op.inputs)
                _replace_input(op, t1, t0)
    return count


def _listed(things: Any) -> Any:
    return list(things) if isinstance(things, Iterable) and not isinstance(things, gc.Tensor) else things


def _replace_input(op: gc.Operation, old: gc.Tensor, new: gc.Tensor) -> None:
    _check_older(op, new.op)
    with op.graph._lock:
        if new not in op.inputs:
            new._consumers.append(op)
        op.inputs = tuple(new if t is old else t for t in op.inputs)
        old._consumers = [user for user in old._consumers if user is not op]


def _check_older(op: gc.Operation, needed: gc.Operation) -> None:
    if needed.graph is not op.graph:
        raise ValueError(f"{needed.name} belongs to another graph than {op.name}")
    if needed.number >= op.number:
        raise UnimplementedError(f"the operation '{op.name}' was made before '{needed.name}' and cannot wait for it: "
                                 f"build it anew, or use graph_replace{built_at(op)}", op)


@public("contrib.graph_editor.add_control_inputs", "contrib.graph_editor.reroute.add_control_inputs")
def add_control_inputs(op: gc.Operation, cops: Sequence[gc.Operation]) -> None:
    """The operation runs behind these, too.

    Raises ValueError for one that it waits for already, UnimplementedError for one that is younger than it. As
    `tf.contrib.graph_editor.reroute.add_control_inputs`.

    >>> first, then = gc.no_op(name="first"), gc.no_op(name="then")
    >>> gc.contrib.graph_editor.add_control_inputs(then, [first])
    >>> [op.name for op in then.control_inputs]
    ['first']
    """
    for needed in make_list_of_op(cops):
        if needed in op.control_inputs:
            raise ValueError(f"{needed.name} is already a control_input of {op.name}")
        _check_older(op, needed)
    op._add_control_inputs(make_list_of_op(cops))
