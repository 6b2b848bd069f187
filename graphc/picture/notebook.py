"""What a notebook shows of a Graph, an Operation, a Tensor and a Session: HTML without scripts."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor
from graphc.picture.levels import Levels
from graphc.picture.nodes import described, node_of, nodes_of
from graphc.picture.svg import level_svg
from graphc.picture.wording import bytes_text, counted
from graphc.wording import worded

LARGEST = 400_000          # bytes of the pictures of one graph
FRAME = '<div style="max-height:32em;overflow:auto;border:1px solid #d5dde3;border-radius:6px;background:#fff">'


def graph_html(graph: Graph) -> str:
    """The picture with all scopes folded; below it each scope's own, to be opened."""
    operations = graph.get_operations()
    levels = Levels(nodes_of(operations))
    lines = [f"<b>{escape(graph_summary(graph))}</b>", f"{FRAME}{level_svg(levels.level(''))}</div>"]
    scopes, size = [path for path in levels.scopes if path], len(lines[-1])
    for i, path in enumerate(scopes):
        picture = level_svg(levels.level(path))
        size += len(picture)
        if size > LARGEST:
            lines.append(f"<p>{len(scopes) - i} more scopes: <code>graphc inspect --html</code> shows all of them.</p>")
            break
        scope = levels.scopes[path]
        title = path if "//" not in path else f"{path.partition('//')[0]} {scope.title}"
        lines.append(f"<details><summary><code>{escape(title)}</code>, {scope.size} operations</summary>"
                     f"{FRAME}{picture}</div></details>")
    return "\n".join(lines)


def graph_summary(graph: Graph) -> str:
    """`gc.Graph of 89 operations: 3 placeholders, 8 variables`"""
    operations = graph.get_operations()
    counts = Counter(op.type for op in operations)
    parts = [counted(n, word) for n, word in ((counts["Placeholder"] + counts["PlaceholderWithDefault"], "placeholder"),
                                              (counts["VariableV2"], "variable")) if n]
    return worded(f"gc.Graph of {counted(len(operations), 'operation')}{': ' if parts else ''}{', '.join(parts)}")


def operation_html(op: Operation) -> str:
    node = node_of(op)
    rows = [("inputs", _listed(f"{t.name}: {described(t)}" for t in op.inputs)),
            ("outputs", _listed(f"{t.name}: {described(t)}" for t in op.outputs)),
            ("runs behind", _listed(c.name for c in op.control_inputs)),
            *((name, escape(value)) for name, value in node.details.items()), ("built at", _line(op))]
    return f"<b>{escape(worded('gc.Operation'))}</b> <code>{escape(op.name)}</code>, {escape(op.type)}{table(rows)}"


def tensor_html(tensor: Tensor) -> str:
    op = tensor.op
    rows = [("shape", escape(described(tensor))), ("dtype", escape(tensor.dtype.name)),
            ("computed by", escape(op.type) + (f" of {_listed(t.name for t in op.inputs)}" if op.inputs else "")),
            ("used by", _listed(f"{c.name} ({c.type})" for c in tensor.consumers())),
            ("built at", _line(op))]
    return f"<b>{escape(worded('gc.Tensor'))}</b> <code>{escape(tensor.name)}</code>{table(rows)}"


@dataclass(frozen=True)
class PlanSummary:
    fetches: tuple[str, ...]
    feeds: tuple[str, ...]
    steps: int             # of all bodies
    kernels: tuple[tuple[str, int], ...]       # how often each is called
    arenas: tuple[tuple[str, int], ...]        # input shapes, bytes


@dataclass(frozen=True)
class SessionSummary:
    title: str
    plans: tuple[PlanSummary, ...]
    variables: tuple[tuple[str, str, int], ...]     # name, dtype and shape, bytes


def session_html(summary: SessionSummary) -> str:
    lines = [f"<b>{escape(summary.title)}</b>"]
    if summary.plans:
        lines.append(_grid(("fetches", "feeds", "steps", "kernels", "arena"), [
            (_listed(plan.fetches), _listed(plan.feeds), str(plan.steps),
             _listed(f"{name} \u00d7 {n}" if n > 1 else name for name, n in plan.kernels),
             "<br>".join(f"{escape(shapes)}: {bytes_text(size)}" for shapes, size in plan.arenas))
            for plan in summary.plans]))
    if summary.variables:
        total = sum(size for _, _, size in summary.variables)
        rows = [(f"<code>{escape(name)}</code>", escape(kind), bytes_text(size))
                for name, kind, size in summary.variables]
        lines.append(f"<details><summary>{counted(len(rows), 'variable')}, {bytes_text(total)}</summary>"
                     f"{_grid(('variable', 'shape', 'bytes'), rows)}</details>")
    return "\n".join(lines)


def _line(op: Operation) -> str:
    return escape("".join(f"{file}:{line}: {source}" for file, line, _, source in op.traceback))


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns; rows without a value are left out. Values are HTML."""
    return "<table>" + "".join(f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{value}'
                               "</td></tr>" for name, value in rows if value) + "</table>"


def _grid(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th style="text-align:left">{escape(title)}</th>' for title in titles)
    cells = ("".join(f'<td style="text-align:left">{cell}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><tr>{head}</tr>{body}</table>"


def _listed(texts: Iterable[str], most: int = 8) -> str:
    found = [f"<code>{escape(text)}</code>" for text in texts]
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return ", ".join([*found[:most], *more])
