"""A level as SVG: text without scripts that shows itself anywhere. Every name is escaped."""
from __future__ import annotations

from collections.abc import Sequence
from html import escape

from graphc.picture.layout import HEIGHT, Layout, Placed, Point, layout
from graphc.picture.levels import OUTSIDE, SCOPE, Edge, Level

FILLS = {"operation": "#eef3f8", "scope": "#dcebe3", "outside": "#ffffff"}
LABELS_UP_TO = 80          # edges of a level: with more, their shapes are in tooltips only


def level_svg(level: Level) -> str:
    """The picture, as wide as it needs. Boxes have data-kind and data-key for scripts."""
    placed = layout(level)
    labelled: set[tuple[int, str]] = set()
    parts = []
    for number, edge in enumerate(level.edges):
        label = edge.label if len(level.edges) <= LABELS_UP_TO and (edge.source, edge.label) not in labelled else ""
        labelled.add((edge.source, edge.label))
        earlier = sum(source == edge.source for source, _ in labelled) - 1
        parts.append(_edge(edge, number, placed, label, earlier % 2 == 1))
    parts += [_box(level, i, box) for i, box in enumerate(placed.boxes)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {placed.width:.0f} {placed.height:.0f}" '
            f'width="{placed.width:.0f}" height="{placed.height:.0f}" style="max-width:100%;height:auto" '
            'font-family="system-ui,sans-serif" font-size="11">' + "".join(parts) + "</svg>")


def _box(level: Level, number: int, placed: Placed) -> str:
    box = level.boxes[number]
    dashes = ' stroke-dasharray="4 3"' if box.kind == OUTSIDE else ""
    corner = 4 if box.kind != SCOPE else 10
    left, middle = placed.x - placed.width / 2, placed.x
    return (f'<g data-kind="{box.kind}" data-key="{escape(box.key)}">'
            f'<title>{escape(f"{box.key}: {box.subtitle}")}</title>'
            f'<rect x="{left:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" height="{HEIGHT:.0f}" rx="{corner}" '
            f'fill="{FILLS[box.kind]}" stroke="#7b93a7"{dashes}/>'
            f'<text x="{middle:.1f}" y="{placed.y + 14:.1f}" text-anchor="middle" fill="#1c2b36" font-weight="600">'
            f"{escape(placed.title)}</text>"
            f'<text x="{middle:.1f}" y="{placed.y + 27:.1f}" text-anchor="middle" fill="#5b6b78" font-size="10">'
            f"{escape(box.subtitle)}</text></g>")


def _edge(edge: Edge, number: int, placed: Layout, label: str, lower: bool) -> str:
    source, target = placed.boxes[edge.source], placed.boxes[edge.target]
    dashes = ' stroke-dasharray="3 3"' if edge.control else ""
    if placed.backwards[number]:
        path, end, middle = _upwards(source, target)
    else:
        points = [(source.x, source.y + HEIGHT), *placed.bends[number], (target.x, target.y - 5)]
        path, end = _downwards(points), points[-1]
        share = .75 if lower else .4          # labels of edges from one box do not stand in one line
        (x0, y0), (x1, y1) = points[:2]
        middle = (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share + 3)
    line = (f'<path d="{path}" fill="none" stroke="#93a3b0" stroke-width="1.2"{dashes}/>'
            f'<path d="M{end[0] - 3.5:.1f} {end[1] - 1:.1f}h7l-3.5 6z" fill="#93a3b0"/>')
    text = (f'<text x="{middle[0]:.1f}" y="{middle[1]:.1f}" text-anchor="middle" font-size="9" fill="#5b6b78" '
            f'stroke="#fff" stroke-width="3" paint-order="stroke">{escape(label)}</text>' if label else "")
    return f"<g><title>{escape(edge.label or 'runs before')}</title>{line}{text}</g>"


def _downwards(points: Sequence[Point]) -> str:
    """A curve through the points that is vertical in each of them. At a bend it runs straight past the boxes beside."""
    path, (x, y) = f"M{points[0][0]:.1f} {points[0][1]:.1f}", points[0]
    for i, (to_x, to_y) in enumerate(points[1:], 1):
        half = (to_y - y) / 2
        path += f"C{x:.1f} {y + half:.1f} {to_x:.1f} {to_y - half:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
        if i < len(points) - 1:
            y += HEIGHT
            path += f"V{y:.1f}"
    return path


def _upwards(source: Placed, target: Placed) -> tuple[str, Point, Point]:
    """(path, its end, a place for a label): around the right side."""
    right = max(source.x + source.width / 2, target.x + target.width / 2) + 14
    x0, y0, x1, y1 = source.x + source.width / 4, source.y + HEIGHT, target.x + target.width / 4, target.y - 5
    path = (f"M{x0:.1f} {y0:.1f}C{x0:.1f} {y0 + 20:.1f} {right:.1f} {y0 + 20:.1f} {right:.1f} {y0 - 10:.1f}"
            f"V{y1 + 20:.1f}C{right:.1f} {y1 - 20:.1f} {x1:.1f} {y1 - 20:.1f} {x1:.1f} {y1:.1f}")
    return path, (x1, y1), (right, (y0 + y1) / 2)
