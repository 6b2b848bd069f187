"""The memory of a plan over time as SVG: a rectangle a buffer, from its first step to its last, at its place."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from graphc.picture.wording import bytes_text

HEIGHT, LEFT, BOTTOM = 320.0, 76.0, 26.0
COLOURS = ("#8fb8de", "#a8d5ba", "#f2c57c", "#d9a5b3", "#b7a9d6", "#9fd0cf", "#e0b89a", "#c3cf8b")


@dataclass(frozen=True)
class Rectangle:
    title: str
    first: int             # steps
    last: int
    offset: int            # bytes
    size: int


def memory_svg(rectangles: Sequence[Rectangle], steps: int, size: int) -> str:
    """size: of the arena in bytes, the height of the picture."""
    across = max(9.0, min(60.0, 1200.0 / max(steps, 1)))
    width = LEFT + across * steps + 10
    parts = [f'<line x1="{LEFT}" y1="{8 + HEIGHT}" x2="{width - 10}" y2="{8 + HEIGHT}" stroke="#8a99a6"/>']
    for share in (0.0, 0.5, 1.0):
        y = 8 + HEIGHT * (1 - share)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 3:.0f}" text-anchor="end" fill="#5b6b78">'
                     f"{bytes_text(round(size * share))}</text>")
    every = max(1, round(60 / across))
    for step in range(0, steps, every):
        x = LEFT + across * (step + .5)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + BOTTOM}" text-anchor="middle" fill="#5b6b78">{step}</text>')
    for i, r in enumerate(rectangles):
        x, w = LEFT + across * r.first, across * (r.last - r.first + 1)
        h = HEIGHT * r.size / max(size, 1)
        y = 8 + HEIGHT - HEIGHT * r.offset / max(size, 1) - h
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<rect x="{x:.1f}" y="{y:.2f}" width="{w:.1f}" height="{h:.2f}" fill="{colour}" '
                     f'stroke="#fff" stroke-width=".7"><title>{escape(r.title)}</title></rect>')
        if h > 13 and w > 7 * 6:
            room = int(w / 6)
            name = r.title.split(":")[0]
            text = name if len(name) <= room else f"{name[:room - 1]}\u2026"
            parts.append(f'<text x="{x + w / 2:.1f}" y="{y + h / 2 + 4:.1f}" text-anchor="middle" fill="#1c2b36" '
                         f'pointer-events="none">{escape(text)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{HEIGHT + BOTTOM + 8:.0f}" '
            f'font-family="system-ui,sans-serif" font-size="10">{"".join(parts)}</svg>')

