"""A branch -> an If, whose sides are built as regions are (building.py).

What the Merges of its sides give are its results, and the lists behind handles (handles.py) that a side changes.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from graphc.api.array.source import constant
from graphc.api.control.control import make_if, new_function
from graphc.errors import DataLossError
from graphc.ir.apply import apply
from graphc.ir.dtypes import bool_, int32
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS, Op
from graphc.ir.tensor import Tensor
from graphc.ops.array.identity import Identity
from graphc.ops.array.passing import IdentityN
from graphc.serial.lowered.graphs import graphs_around, own
from graphc.serial.lowered.handles import Handle
from graphc.serial.lowered.parts import Branch, Merge, Part, source
from graphc.serial.lowered.values import Values, local_name

if TYPE_CHECKING:
    from graphc.serial.lowered.building import Builder


_RESULTS = ("output", "value_index")


def build_branch(b: Builder, branch: Branch, values: Values, full_name: Callable[[str], str]) -> None:
    pred = b.tensor(branch.pred, values)
    results = iter(_chosen(b, branch, pred, 0, values, full_name))
    for merge in branch.merges:
        name, found = merge.part.name, [next(results)]
        if _is_numbered(b, merge):
            found.append(next(results))
        if name.startswith("\0"):                        # of some of a Merge's inputs: only inside
            for i, (tensor, result) in enumerate(zip(found, _RESULTS, strict=False)):
                values.name(name, tensor, i, result)
        else:
            name_merge(b, merge.part, found, values, full_name)


def name_merge(b: Builder, part: Part, found: list[Tensor], values: Values, full_name: Callable[[str], str]) -> None:
    """Makes the operation of a Merge of what was found: a value, and if asked for, its number."""
    graph, full = get_default_graph(), full_name(part.name)
    op: Op = IdentityN(T=tuple(t.dtype for t in found)) if len(found) > 1 else Identity()
    graph.mark_name(full)
    made = graph.create(op, found, name=f"{full}/", control_inputs=b.waits(part, values))
    values.operations[part.name] = made
    if part.after_effects:
        b.after_effects.add(made)
    for i, (tensor, result) in enumerate(zip(made.outputs, _RESULTS, strict=False)):
        values.name(part.name, tensor, i, result)


def _is_numbered(b: Builder, merge: Merge) -> bool:
    """Whether it is asked which input of a Merge came."""
    name = merge.part.name
    return (name[1:].rpartition("/")[0] if name.startswith("\0") else name) in b.numbered


def _chosen(b: Builder, branch: Branch, pred: Tensor, side: int, values: Values,
            full_name: Callable[[str], str]) -> list[Tensor]:
    """What the Merges give, from this side on: if the sides are numbered, by a chain of branches."""
    scope = branch_scope(branch)
    if pred.dtype == bool_:
        return _if(b, pred, lambda: _side(b, branch, 1, values, local_name),
                   lambda: _side(b, branch, 0, values, local_name), b.fresh(f"{scope}If"))
    if side == len(branch.sides) - 1:
        return _side(b, branch, side, values, full_name)
    is_it = apply(OPS["Equal"], pred, side, name=b.fresh(f"{scope}is_{side}"))
    return _if(b, is_it, lambda: _side(b, branch, side, values, local_name),
               lambda: _chosen(b, branch, pred, side + 1, values, local_name), b.fresh(f"{scope}If"))


def _side(b: Builder, branch: Branch, side: int, values: Values, full_name: Callable[[str], str]) -> list[Tensor]:
    b.build(branch.sides[side], values, full_name)
    found = []
    for merge in branch.merges:
        found.append(b.tensor(merge.inputs[side], values))
        if _is_numbered(b, merge):
            number = merge.numbers[side]
            found.append(b.tensor(f"{merge.inputs[side]}:1", values) if number < 0 else constant(number, int32))
    return found


def _if(b: Builder, pred: Tensor, then: Callable[[], list[Tensor]], otherwise: Callable[[], list[Tensor]],
        name: str) -> list[Tensor]:
    """The results of an If, which gives out the lists that its sides change, too."""
    graphs: list[FuncGraph] = []
    changed: list[dict[Handle, Tensor]] = []
    for build, side in ((then, "true"), (otherwise, "false")):
        graph = new_function(f"{name.rstrip('/')}/{side}")
        with graph.as_default(), b.handles.scope() as inside:
            graph.outputs = [own(graph, t) for t in build()]
            changed.append(inside.changed())
        graphs.append(graph)
    count = len(graphs[0].outputs)
    for x, y in zip(graphs[0].outputs, graphs[1].outputs, strict=True):
        if x.dtype != y.dtype:
            raise DataLossError(f"the inputs of a Merge of the branch '{name}' have dtypes {x.dtype.name} and "
                                f"{y.dtype.name}; the file is damaged")
    around = graphs_around()
    given = [h for h in dict.fromkeys((*changed[0], *changed[1])) if b.handles.is_around(h, around)]
    for graph, lists_inside in zip(graphs, changed, strict=True):
        with graph.as_default():
            graph.outputs += [own(graph, lists_inside[h] if h in lists_inside else b.handles.raw(h))
                              for h in given]
    made = make_if(pred, graphs[0], graphs[1], name)
    b.branch_of.update((graph, made) for graph in graphs)
    for lists_inside in changed:                      # those made inside stay there, to be handed over
        b.handles.lists.update((h, t) for h, t in lists_inside.items() if h not in given)
    b.handles.lists.update(zip(given, made.outputs[count:], strict=True))
    return list(made.outputs[:count])


def branch_scope(branch: Branch) -> str:
    """Under which names a branch stands: those of its first Merge, or of its predicate."""
    name = next((m.part.name for m in branch.merges if not m.part.name.startswith("\0")), source(branch.pred))
    scope = name.rpartition("/")[0]
    return f"{scope}/" if scope else ""
