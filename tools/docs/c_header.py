"""The page of the C API, of the header's own comments: what stands above a declaration describes it."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docstrings import escaped

COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
DECLARATION = re.compile(r"(?P<comment>/\*(?:[^*]|\*(?!/))*\*/\n)?"
                         r"(?P<code>(?:typedef|GRAPHC_API)\b(?:[^;{]|\{[^}]*\})*;)"
                         r"(?P<behind>[ \t]*/\*.*?\*/)?", re.DOTALL)
NAME = re.compile(r"\b(graphc_\w+)\s*\(|\b(graphc_\w+)\s*;")


def page(header: Path) -> str:
    """Markdown: the comment at the top of the file, then a section a comment, with the declarations that it is of."""
    text = header.read_text()
    top = COMMENT.search(text)
    assert top is not None, f"{header} has no comment at its top"
    lines = ["# C API", "", f"`#include <{header.name}>`; how to use it: [Running and training in C++](../cpp.md).", "",
             *prose(top[1])]
    code = re.sub(r"^#(?:.*\\\n)*.*$", "", text[top.end():], flags=re.MULTILINE)      # without the preprocessor's lines
    for comment, declarations in sections(code):
        names = [name_of(declaration) for declaration in declarations]
        lines += ["", f"## {', '.join(names)} {{ #{names[0]} data-toc-label=\"{short(names)}\" }}", ""]
        lines += [f'<a id="{name}"></a>' for name in names[1:]]
        lines += [*prose(comment), "", "```c", *declarations, "```"]
    return "\n".join([*lines, ""])


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """A comment with the declarations up to the next comment or blank line."""
    comment, found, end = "", [], 0
    for match in DECLARATION.finditer(text):
        apart = "\n\n" in text[end:match.start()]
        if found and (match["comment"] or apart):
            yield comment, found
            comment, found = "", []
        if match["comment"]:
            comment = match["comment"]
        found.append(f"{match['code']}{match['behind'] or ''}".replace("GRAPHC_API ", ""))
        end = match.end()
    yield comment, found


def name_of(declaration: str) -> str:
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    if pointer and declaration.startswith("typedef"):
        return pointer[1]
    found = [next(filter(None, match.groups())) for match in NAME.finditer(re.sub(r"/\*.*?\*/", "", declaration,
                                                                                  flags=re.DOTALL))]
    assert found, declaration
    return found[-1] if declaration.startswith("typedef") else found[0]


def short(names: list[str]) -> str:
    return names[0].removeprefix("graphc_") + (", ..." if len(names) > 1 else "")


def prose(comment: str) -> list[str]:
    """Paragraphs; what stands further in is code."""
    body = re.sub(r"^/\*|\*/\s*$", "", comment)
    lines = [re.sub(r"^ ?\* ?", "", line).rstrip() for line in body.strip().splitlines()]
    made: list[str] = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        if all(line.startswith("  ") for line in paragraph.splitlines()) and paragraph.strip():
            made += ["", "```c", *(line.removeprefix("  ") for line in paragraph.splitlines()), "```"]
        else:
            made += ["", escaped(paragraph.strip())]
    return made
