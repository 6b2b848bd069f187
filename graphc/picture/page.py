"""A page about a graph that needs nothing but a browser: the picture, and sections that the caller adds.

Names in files are anybody's: text is escaped wherever it goes, JSON cannot end its element, and the page's own policy
(Content-Security-Policy) runs no script but the one below and fetches nothing.
"""
from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from graphc.picture.levels import Levels
from graphc.picture.nodes import Node
from graphc.picture.svg import level_svg

FOLDER = Path(__file__).parent


def page(title: str, subtitle: str, nodes: Sequence[Node], sections: Iterable[str]) -> str:
    """HTML. Title and subtitle are text, sections are HTML."""
    script = (FOLDER / "page.js").read_text()
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width">', f"<title>{escape(title)}</title>",
        f"<style>{(FOLDER / 'page.css').read_text()}</style></head><body>",
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>",
        "<section><h2>Graph</h2><p>Green boxes are scopes: click to open. Wheel and mouse zoom and move; a click on an "
        "operation tells about it. Constants have no boxes.</p>",
        '<div id="path"></div><div id="graph"><div id="stage"></div><div id="details"><p>No operation chosen.</p></div>'
        "</div></section>",
        *(f"<section>{section}</section>" for section in sections),
        f'<script type="application/json" id="data">{graph_data(nodes)}</script>',
        f"<script>{script}</script></body></html>", ""])


def graph_data(nodes: Sequence[Node]) -> str:
    """The pictures of all levels and the texts of all nodes, as JSON that is safe inside of HTML."""
    levels = Levels(nodes)
    made = {path: {"title": scope.title, "trail": levels.around(path), "svg": level_svg(levels.level(path))}
            for path, scope in levels.scopes.items()}
    texts = {}
    for node in nodes:
        home = levels.home(node.name)
        inputs = [f"{'runs behind ' if i.control else ''}{i.source}{': ' if i.label else ''}{i.label}"
                  for i in node.inputs]
        texts[node.name] = {"type": node.type, "inputs": inputs, "results": list(node.results), "details": node.details,
                            "home": home[-1] if home else None}
    text = json.dumps({"levels": made, "nodes": texts}, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def rows(titles: Sequence[str], lines: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of texts; numbers: the columns that stand to the right."""
    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(f"<{tag}{' class=number' if i in numbers else ''}>{escape(text)}</{tag}>"
                       for i, text in enumerate(texts))
    body = "".join(f"<tr>{cells('td', line)}</tr>" for line in lines)
    head = f"<thead><tr>{cells('th', titles)}</tr></thead>"
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'
