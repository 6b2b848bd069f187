"""Goes through the operations that outputs need, each after what it takes, and writes them by their rules.

All ops that have no equivalent are found before anything is told: one error names them all.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphc as gc
from graphc.errors import UnimplementedError, built_at
from graphc.onnx.exporting.rules import NoEquivalent, rule_for
from graphc.onnx.exporting.writer import Writer


class Failures:
    """What could not be written: op -> why."""

    def __init__(self) -> None:
        self.found: dict[Any, str] = {}

    def check(self) -> None:
        """Raises UnimplementedError, if there is anything."""
        if self.found:
            lines = [f"  {op.type} '{op.name}': {why}{built_at(op)}" for op, why in
                     sorted(self.found.items(), key=lambda pair: pair[0].number)]
            raise UnimplementedError("gc.onnx.export: these operations have no equivalent in ONNX:\n"
                                     + "\n".join(lines))


def write_operations(w: Writer, tensors: Iterable[Any]) -> None:
    """Writes what the tensors need and what is not in w.values yet. Raises NoEquivalent with all reasons in a body."""
    failures = failures_of(w, tensors)
    if failures.found:
        raise NoEquivalent("; ".join(f"{op.type} '{op.name}' in its body: {why}" for op, why in failures.found.items()))


def failures_of(w: Writer, tensors: Iterable[Any]) -> Failures:
    """Writes the operations; what was not possible."""
    failures = Failures()
    for op in _in_order(tensors, w):
        if any(t.op in failures.found for t in op.inputs):
            failures.found[op] = "it takes what could not be exported" if rule_for(op.type) else _missing(op)
            continue
        try:
            _write(w, op)
        except (NoEquivalent, UnimplementedError) as error:
            failures.found[op] = str(error)
    failures.found = {op: why for op, why in failures.found.items() if not why.startswith("it takes what")}
    return failures


def _missing(op: Any) -> str:
    return f"there is no rule for {op.type}"


def _write(w: Writer, op: Any) -> None:
    w.scope = op.name
    if op.type == "Const":
        w.values[op.outputs[0]] = w.constant(gc.get_static_value(op.outputs[0]), name=op.name)
        return
    rule = rule_for(op.type)
    if rule is None:
        raise NoEquivalent(_missing(op))
    made = rule(w, op, *(w.value(t) for t in op.inputs))
    for tensor, name in zip(op.outputs, made if isinstance(made, tuple) else (made,), strict=False):
        w.values[tensor] = name


def _in_order(tensors: Iterable[Any], w: Writer) -> list[Any]:
    """The operations behind the tensors, each after its inputs; not those whose outputs have values already."""
    order: list[Any] = []
    done: set[Any] = set()
    waiting = [(t.op, False) for t in tensors if not _has_value(t, w)][::-1]
    while waiting:
        op, is_ready = waiting.pop()
        if op in done:
            continue
        if is_ready:
            done.add(op)
            order.append(op)
            continue
        waiting.append((op, True))
        waiting.extend((t.op, False) for t in op.inputs if t.op not in done and not _has_value(t, w))
    return order


def _has_value(tensor: Any, w: Writer) -> bool:
    writer: Writer | None = w
    while writer is not None:
        if tensor in writer.values:
            return True
        writer = writer.outer
    return False
