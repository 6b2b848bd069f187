"""The API reference as Markdown: a page a namespace, a section a definition, made of signatures and docstrings."""
from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from docstrings import markdown
from entries import FAMILIES, Entry, entries, page_of

WIDTH = 88      # of a signature in one line


class Reference:
    """All pages. `address_of("gc.nn.relu")` is "gc.nn.md#gc.nn.relu", beside the other pages of the reference."""

    def __init__(self) -> None:
        self.entries = entries()
        self.by_name = {name: entry for entry in self.entries for name in entry.names}

    @cached_property
    def listed(self) -> dict[str, dict[str, Entry]]:
        """Page -> the names that it lists."""
        found: dict[str, dict[str, Entry]] = {}
        for name, entry in sorted(self.by_name.items(), key=lambda item: item[0].lower()):
            found.setdefault(page_of(name, entry.target), {})[name] = entry
        return found

    @cached_property
    def classes(self) -> dict[type, Entry]:
        return {entry.thing: entry for entry in self.entries if entry.is_class}

    def address_of(self, name: str) -> str | None:
        name = name.removeprefix("gc.")
        if name in self.by_name:
            entry = self.by_name[name]
            return f"{file_of(entry.page)}#gc.{entry.name}"
        around, _, method = name.rpartition(".")
        owner = self.by_name.get(around)
        if owner is not None and owner.is_class and any(m == method for m, _ in methods(owner.thing, self.classes)):
            return f"{file_of(owner.page)}#gc.{owner.name}.{method}"
        return file_of(name) if name in self.listed else None

    def pages(self) -> dict[str, str]:
        """File name -> text, the index included."""
        made = {file_of(page): self._page(page) for page in self.listed}
        made["index.md"] = self._index()
        return made

    def navigation(self) -> list[Any]:
        """The reference's part of the menu: the names at the top, then the namespaces by how much they are used."""
        top = [{FAMILIES[key][0]: file_of(f"gc-{key}")} for key in FAMILIES]
        plain = [page for page in self.listed if not page.startswith(("gc-", "contrib", "compat", "python"))]
        contrib = [page for page in self.listed if page.startswith("contrib")]
        tail = [page for page in self.listed if page.startswith(("compat", "python"))]
        return ["index.md", {"gc": top}, *({f"gc.{page}": file_of(page)} for page in plain),
                {"gc.contrib": [{f"contrib.{page.partition('.')[2]}": file_of(page)} for page in contrib]},
                *({f"gc.{page}": file_of(page)} for page in tail)]

    def _index(self) -> str:
        lines = ["# API reference", "", "Names are TensorFlow 1.15's, with `gc` for `tf`. Each definition stands under "
                 "its main name, with its other names below it; the search finds all of them.", "",
                 "| namespace | names | for example |", "|---|--:|---|"]
        def place(item: tuple[str, dict[str, Entry]]) -> tuple[bool, bool, str]:
            return not item[0].startswith("gc-"), item[0].startswith(("contrib", "compat", "python")), item[0]
        for page, names in sorted(self.listed.items(), key=place):
            shown = [name for name, entry in names.items() if entry.page == page and not entry.is_value][:4]
            examples = ", ".join(self._linked(name) for name in shown)
            lines.append(f"| [{title_of(page)}]({file_of(page)}) | {len(names)} | {examples} |")
        return "\n".join([*lines, ""])

    def _linked(self, name: str) -> str:
        return f"[`{name.rpartition('.')[2]}`]({self.address_of(name)})"

    def _page(self, page: str) -> str:
        names = self.listed[page]
        own = [entry for name, entry in names.items() if entry.name == name]
        described = [entry for entry in own if not entry.is_value]
        values = [entry for entry in own if entry.is_value]
        lines = ["---", "search:", "  boost: 2", "---", "", f"# {title_of(page)}", "", self._introduction(page)]
        lines += self._table([(name, entry) for name, entry in names.items() if not entry.is_value])
        for entry in described:
            lines += self._section(entry)
        if values:
            lines += ["## Values and messages", "", "| name | value |", "|---|---|"]
            lines += [f"| {_anchors(entry)}{_names(entry)} | {_value(entry)} |" for entry in values]
        return "\n".join([*lines, ""])

    def _introduction(self, page: str) -> str:
        module = sys.modules.get(f"graphc.{page}")
        text = (module.__doc__ or "") if module is not None and not page.startswith("gc-") else ""
        return markdown(inspect.cleandoc(text), self.address_of)

    def _table(self, names: Sequence[tuple[str, Entry]]) -> list[str]:
        lines = ["", '<div class="names" markdown>', "", "| name | |", "|---|---|"]
        for name, entry in names:
            summary = markdown(entry.summary, self.address_of).replace("\n", " ")
            if name != entry.name:
                summary = f"[`gc.{entry.name}`]({self.address_of(entry.name)})"
            lines.append(f"| [`gc.{name}`]({self.address_of(name)}) | {summary} |")
        return [*lines, "", "</div>", ""]

    def _section(self, entry: Entry) -> Iterator[str]:
        kind, last = "class" if entry.is_class else "function", entry.name.rpartition(".")[2]
        yield from (f"## gc.{entry.name} {{ #gc.{entry.name} .{kind} data-toc-label=\"{last}\" }}", "",
                    _anchors(entry, but_first=True))
        yield from code(f"gc.{entry.name}", signature(entry.thing))
        yield markdown(entry.docstring, self.address_of)
        bases = [f"[`gc.{self.classes[base].name}`]({self.address_of(self.classes[base].name)})"
                 for base in getattr(entry.thing, "__mro__", ())[1:] if base in self.classes]
        notes = [f"is a {', '.join(bases)}"] if bases else []
        notes += [f"also {', '.join(f'`gc.{name}`' for name in entry.names[1:])}"] if entry.names[1:] else []
        yield from ("", f"<small>{'; '.join([*notes, f'in `{entry.file}`'])}</small>", "")
        for name, method in methods(entry.thing, self.classes) if entry.is_class else ():
            yield from (f"### {name} {{ #gc.{entry.name}.{name} .method data-toc-label=\"{name}\" }}", "")
            if not isinstance(method, property):
                yield from code(name, signature(method, bound=True))
            yield from (markdown(inspect.getdoc(method) or "", self.address_of), "")


def file_of(page: str) -> str:
    return f"{page if page.startswith('gc-') else f'gc.{page}'}.md"


def title_of(page: str) -> str:
    return f"gc: {FAMILIES[page.removeprefix('gc-')][0]}" if page.startswith("gc-") else f"gc.{page}"


def methods(owner: type, public: dict[type, Entry]) -> list[tuple[str, Any]]:
    """Public methods and properties, but for those of a base that has an entry of its own and of other packages."""
    found: dict[str, Any] = {}
    for cls in owner.__mro__:
        if (cls in public and cls is not owner) or not cls.__module__.startswith("graphc"):
            continue
        for name, value in vars(cls).items():
            value = getattr(value, "__func__", value)
            if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                found.setdefault(name, value)
    return list(found.items())


def code(name: str, parameters: str) -> Iterator[str]:
    yield from ("", "```python", f"{name}{parameters}", "```", "")


def signature(thing: Any, bound: bool = False) -> str:
    """(x, axis=None), one parameter a line if it is long; "" if Python does not know it."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (ValueError, TypeError):
        return ""
    texts, starred = [], False
    for parameter in parameters[1 if bound and parameters and parameters[0].name in ("self", "cls") else 0:]:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            texts.append("*")
        starred = starred or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f"={_default(parameter.default)}"
        texts.append(f"{stars}{parameter.name}{default}")
    line = f"({', '.join(texts)})"
    return line if len(line) <= WIDTH else "(\n    " + ",\n    ".join(texts) + ",\n)"


def _default(value: Any) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return str(value.__qualname__)
    text = repr(value)
    return f"<{type(value).__name__}>" if " object at 0x" in text or len(text) > 60 else text


def _anchors(entry: Entry, but_first: bool = False) -> str:
    """The other names are places to link to, too."""
    return "".join(f'<a id="gc.{name}"></a>' for name in entry.names[1 if but_first else 0:])


def _names(entry: Entry) -> str:
    return ", ".join(f"`gc.{name}`" for name in entry.names)


def _value(entry: Entry) -> str:
    if entry.is_message:
        return "a message of protobuf"
    text = repr(entry.thing)
    plain = len(text) <= 60 and " at 0x" not in text and "|" not in text
    return f"`{text}`" if plain else f"a {type(entry.thing).__name__}"
