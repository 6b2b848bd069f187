"""Every block of code of the guide and of the page on architecture runs, in order, and prints what the page says."""
from __future__ import annotations

from pathlib import Path

import pytest

import graphc as gc

from guide_blocks import ROOT, Page, blocks, check, commands, shell

PAGES = [ROOT / "docs" / "architecture.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gc.reset_default_graph()
    Page(page).run()


def test_what_the_readme_shows_first_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program, and those of its commands that need no build and no GPU, on what it has saved."""
    monkeypatch.chdir(tmp_path)
    gc.reset_default_graph()
    program, shown = blocks(ROOT / "README.md")[:2]
    exec(compile(program.text, "README.md", "exec"), {})
    ran = [command for command, _ in commands(shown.text) if command.startswith(("graphc inspect", "graphc run "))]
    for command in ran:
        shell(command, "README.md")
    assert len(ran) == 3 and {"model.pb", "model.html", "y.npy"} <= {path.name for path in tmp_path.iterdir()}


def test_another_output_is_noticed() -> None:
    check("[1 2 ...]", "[1 2 3]\n", "here")
    with pytest.raises(AssertionError, match="here prints"):
        check("[1 2]", "[1 3]\n", "here")


def test_a_command_goes_on_behind_a_backslash() -> None:
    text = "$ graphc run model.pb \\\n      --fetch y      # a remark\nyes\n$ ls\n"
    assert list(commands(text)) == [("graphc run model.pb --fetch y", "yes\n"), ("ls", "")]
