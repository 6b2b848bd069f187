"""Kernels that combine rows which have the same key: scatter_add, scatter_nd, segment and their like.

`order` names entries so that equal keys are neighbours, in the order in which they are combined. The thread of a
group's first entry, one for each column, goes through the group; so a run repeats to the bit and gives the CPU's bits,
and no two threads write one place. Keys outside of the table are left out: calls/ has them reported.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import KernelBuilder, Value, Variable

# How rows are combined, in the order of the attribute of scatter_nd and of segment.
SCATTERS = ("update", "add", "sub", "mul", "div", "smaller", "greater")
SEGMENTS = ("add", "mean", "root_mean", "mul", "min", "max")


@dataclass(frozen=True)
class Combination:
    """how: one of the names above. start: with what a group begins: "table" (what is there), "first" (its first entry)
    or "neutral" (a parameter). by_batch: each batch has its own keys. counted: no data, each entry counts 1. ordered:
    there is an order, else keys ascend up to entry order[0], with which begins what is left out."""

    how: str
    element: str
    key: str
    start: str = "neutral"
    by_batch: bool = False
    counted: bool = False
    ordered: bool = True
    narrow: bool = False


def combined(c: Combination) -> KernelBuilder:
    """gc_combined(order, keys, data, out, neutral, elements, entries, inner, rows): elements = batches * entries *
    inner; data[batch, entry, inner], out[batch, rows, inner]; neutral: its bits."""
    k = KernelBuilder("gc_combined", c.narrow)
    order, keys = k.array("order", "i64"), k.array("keys", c.key)
    data, out = k.array("data", c.element), k.array("out", c.element)
    neutral = k.number("neutral")
    elements, entries, inner, rows = k.numbers("elements", "entries", "inner", "rows")
    batch, p, column = k.parts(k.thread(elements), entries, inner)
    keys, order = (x.at(batch * entries) if c.by_batch else x for x in (keys, order))
    data, out = data.at(batch * entries * inner + column), out.at(batch * rows * inner + column)

    def entry(at: Value) -> Value:
        return order[at] if c.ordered else at

    key = keys[entry(p)].to("i64")
    before = k.choose(p > 0, keys[entry(k.greatest(p - 1, 0))].to("i64"), -1)
    begins = key.inside(0, rows) & key.differs(before)
    k.go_on_if(begins if c.ordered else begins & (p < order[0]))
    total = k.variable({"table": lambda: out[key * inner], "first": lambda: data[entry(p) * inner],
                        "neutral": lambda: k.from_bits(neutral, c.element)}[c.start]())
    q, goes_on = k.variable(p), k.variable(True, "bool")
    with k.repeat(goes_on.get):
        at = q.get()
        _add(k, c, total, k.constant(1, c.element) if c.counted else data[entry(at) * inner], at.equals(p))
        q.set(at + 1)
        inside = at + 1 < entries
        following = keys[entry(k.choose(inside, at + 1, p))].to("i64")
        goes_on.set(inside & following.equals(key))
    out[key * inner] = _finished(k, c, total.get(), (q.get() - p).to(c.element) if "mean" in c.how else total.get())
    return k


def _add(k: KernelBuilder, c: Combination, total: Variable, value: Value, is_first: Value) -> None:
    before = total.get()
    if c.how == "update":
        made = value
    elif c.how in ("add", "mean", "root_mean"):
        made = before + value
    elif c.how == "sub":
        made = before - value
    elif c.how == "mul":
        made = before * value
    elif c.how == "div":
        made = before / value if value.floating else _quotient(k, before, value)
    elif c.how in ("smaller", "greater"):
        made = k.choose(value < before if c.how == "smaller" else value > before, value, before)
    else:
        made = k.call(c.how, before, value)
    total.set(k.choose(is_first, before, made) if c.start == "first" else made)


def _quotient(k: KernelBuilder, before: Value, value: Value) -> Value:
    """Towards zero; the smallest integer by -1 is itself. A zero is refused elsewhere."""
    safe = k.choose(value.equals(0), 1, value)
    if value.unsigned:
        return before // safe
    return k.choose(safe.equals(-1), 0 - before, before // k.choose(safe.equals(-1), 1, safe))


def _finished(k: KernelBuilder, c: Combination, total: Value, count: Value) -> Value:
    if c.how == "mean":
        return total / count if total.floating else k.call("truncdiv", total, count)
    if c.how == "root_mean" and total.floating:
        finite = (total - total).equals(0.0)
        return k.choose(finite, total / k.call("sqrt", total * 0.0 + count), total)
    return total
