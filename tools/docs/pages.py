"""The hand-written pages for the site: copied, with links that hold there and public names linked to the reference."""
from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import notebooks
from docstrings import Link, linked

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
AT_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
GENERATED = {"runner/include/graphc.h": "reference/c.md"}


def sources(root: Path) -> dict[str, Path]:
    """Page of the site -> the file that it is made of."""
    found = {page: root / file for file, page in AT_ROOT.items()}
    for path in sorted([*(root / "docs").rglob("*.md"), *(root / "docs").rglob("*.ipynb")]):
        found[path.relative_to(root / "docs").with_suffix(".md").as_posix()] = path
    return found


def write(root: Path, site: Path, address_of: Callable[[str], str | None]) -> None:
    """Writes all of them into `site`, with the files of the project that they link to."""
    for page, source in sources(root).items():
        def link(name: str, page: str = page) -> str | None:
            address = address_of(name)
            return address and os.path.relpath(f"reference/{address}", os.path.dirname(page) or ".")

        made = notebooks.markdown(source, (site / page).parent) if source.suffix == ".ipynb" else source.read_text()
        text = outside_fences(made, lambda part, link=link: with_names_linked(part, link))
        text = outside_fences(text, lambda part, source=source, page=page: relocated(part, source, page, root, site))
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        (site / page).write_text(text)


def outside_fences(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("```") else change(part) for part in FENCE.split(text))


def with_names_linked(text: str, link: Link) -> str:
    """`gc.X` in the prose becomes a link; headings, and what is a link already, stay."""
    def lines() -> Iterator[str]:
        for line in text.split("\n"):
            pieces = re.split(r"(\[[^\]]*\]\([^)]*\))", line)
            yield line if line.startswith("#") else "".join(
                piece if i % 2 else re.sub(r"`gc(?:\.\w+)+(?:\(\))?`", lambda m: linked(m[0], link), piece)
                for i, piece in enumerate(pieces))
    return "\n".join(lines())


def relocated(text: str, source: Path, page: str, root: Path, site: Path) -> str:
    """Relative links of a file of the project as links of its page."""
    def replaced(match: re.Match[str]) -> str:
        path, sharp, anchor = match[2].partition("#")
        if not path or ":" in path or path.startswith(("reference/", "../reference/")):    # of with_names_linked
            return match[0]
        target = os.path.relpath((source.parent / path).resolve(), root)
        to = os.path.relpath(_page_of(target, root, site), os.path.dirname(page) or ".")
        return f"[{match[1]}]({to}{sharp}{anchor})"
    return LINK.sub(replaced, text)


def _page_of(target: str, root: Path, site: Path) -> str:
    """Where a file of the project is on the site; what is no page is copied as it is."""
    if target in AT_ROOT or target in GENERATED:
        return AT_ROOT.get(target) or GENERATED[target]
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    target_there = f"source/{target}{'.txt' if target.endswith('.md') else ''}"      # no page of the site
    copy = site / target_there
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / target, copy)
    return target_there


def title(page: Path) -> str:
    return page.read_text().splitlines()[0].removeprefix("# ")


def with_rest(entries: list[Any], named: set[str], existing: dict[str, Path]) -> list[Any]:
    """The menu with "*" and "folder/*" replaced by the pages that nothing names."""
    made: list[Any] = []
    for entry in entries:
        if entry == "*":
            made += [{title(path): page} for page, path in existing.items() if page not in named and "/" not in page]
        elif isinstance(entry, dict):
            (text, part), = entry.items()
            if isinstance(part, list):
                part = with_rest(part, named, existing)
            elif part.endswith("/*"):
                part = [{title(path): page} for page, path in existing.items()
                        if page.startswith(part[:-1]) and page not in named]
            made.append({text: part})
        else:
            made.append(entry)
    return made
