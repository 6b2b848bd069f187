"""The pages of docs/ are whole: the menu names pages that exist, and every link goes somewhere."""
from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "docs"))

import c_header
import docstrings
import make
import pages
from navigation import NAVIGATION
from navigation import pages as pages_named

GENERATED = {"reference/", "reference/c.md"}
WRITTEN = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in pages.AT_ROOT)]


def anchors(page: Path) -> set[str]:
    """As GitHub and mkdocs make them of headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    yield from (match[2] for match in pages.LINK.finditer(text) if ":" not in match[2])


def test_the_menu_names_pages_that_exist() -> None:
    existing = pages.sources(ROOT)
    named = [page for page in pages_named(NAVIGATION) if page not in GENERATED and "*" not in page]
    assert [page for page in named if page not in existing] == []


def test_every_page_is_in_the_menu() -> None:
    existing = pages.sources(ROOT)
    menu = pages.with_rest(NAVIGATION, set(pages_named(NAVIGATION)) | set(pages.AT_ROOT.values()), existing)
    assert set(existing) - set(pages_named(menu)) == set()


def test_every_decision_is_in_the_list_by_subject() -> None:
    folder = ROOT / "docs" / "adr"
    pages_of_decisions = [path.name for path in folder.glob("0*.md")]
    assert sorted(links(folder / "README.md")) == sorted(["../architecture.md", *pages_of_decisions])


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_go_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_what_pages_show_is_in_the_site(page: Path) -> None:
    targets = [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if link.partition("#")[0]]
    shown = [t.relative_to(ROOT / "docs") for t in targets if t.suffix != ".md" and t.is_relative_to(ROOT / "docs")]
    assert {path.parts[0] for path in shown} <= {*make.COPIED, "notebooks"}


def test_a_missing_anchor_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title: with `code`\n[there](#a-title-with-code) [not](#elsewhere)\n```\n[no](link)\n```\n")
    assert list(links(page)) == ["#a-title-with-code", "#elsewhere"]
    assert anchors(page) == {"a-title-with-code"}


def test_a_docstring_becomes_markdown() -> None:
    text = """x * y_1 <b>, as `tf.nn.relu`. See `gc.nn.elu`.

        code(x)

    >>> gc.nn.relu(1)
    2
    """
    made = docstrings.markdown(text, lambda name: f"page.md#{name}")
    assert made == (f"x \\* y\\_1 &lt;b>, as [`tf.nn.relu`]({docstrings.TENSORFLOW}/tf/nn/relu.md). See "
                    "[`gc.nn.elu`](page.md#gc.nn.elu).\n\n```python\ncode(x)\n```\n\n"
                    "```pycon\n>>> gc.nn.relu(1)\n2\n```")


def test_arguments_become_a_list() -> None:
    text = "Adds.\n\nArgs:\n    x, y: a `gc.x`,\n        or two_things.\n    z: no more."
    assert docstrings.markdown(text, {"gc.x": "p.md"}.get) == (
        "Adds.\n\n**Args**\n\n- `x, y`: a [`gc.x`](p.md), or two\\_things.\n- `z`: no more.")


def test_methods_of_tensorflow_have_their_place() -> None:
    assert docstrings.tensorflow_address("tf.Session.run").endswith("/tf/Session.md#run")
    assert docstrings.tensorflow_address("tf.train.Saver").endswith("/tf/train/Saver.md")


def test_the_c_page_has_every_declaration_once() -> None:
    header = ROOT / "runner" / "include" / "graphc.h"
    page = c_header.page(header)
    functions = set(re.findall(r"^GRAPHC_API .*?\b(graphc_\w+)\(", header.read_text(), re.MULTILINE))
    assert len(functions) >= 30
    for name in functions:
        assert len(re.findall(rf'\{{ #{name} |<a id="{name}">', page)) == 1, name
        assert len(re.findall(rf"^[^/\n]*\b{name}\(", page, re.MULTILINE)) >= 1, name
    assert "{ #graphc_host_function " in page
    assert "#if" not in page and "GRAPHC_API" not in page


def test_links_of_a_page_hold_on_the_site(tmp_path: Path) -> None:
    (tmp_path / "docs" / "guide").mkdir(parents=True)
    (tmp_path / "proto").mkdir()
    (tmp_path / "proto" / "a.proto").write_text("x")
    (tmp_path / "proto" / "README.md").write_text("[no page](nowhere)")
    for name in pages.AT_ROOT:
        (tmp_path / name).write_text("[a](docs/guide/a.md)\n")
    page = tmp_path / "docs" / "guide" / "a.md"
    page.write_text("[r](../../README.md#x) [h](../../runner/include/graphc.h) [p](../../proto/a.proto) "
                    "[m](../../proto/README.md) `gc.x`\n```\n`gc.x`\n```\n")
    pages.write(tmp_path, tmp_path / "site", {"gc.x": "gc.md#gc.x"}.get)
    assert (tmp_path / "site" / "guide" / "a.md").read_text() == (
        "[r](../index.md#x) [h](../reference/c.md) [p](../source/proto/a.proto) [m](../source/proto/README.md.txt) "
        "[`gc.x`](../reference/gc.md#gc.x)\n"
        "```\n`gc.x`\n```\n")
    assert (tmp_path / "site" / "index.md").read_text() == "[a](guide/a.md)\n"
    assert (tmp_path / "site" / "source" / "proto" / "a.proto").read_text() == "x"
