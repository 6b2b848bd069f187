"""What the guide shows of TensorFlow and PyTorch, run by them."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

import graphc as gc

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "docs"))

from guide_blocks import Page, blocks


@pytest.mark.parametrize(("page", "library"), [("saving-and-shipping", "tensorflow"), ("coming-from", "torch")])
def test_page_runs(page: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library)
    path = ROOT / "docs" / "guide" / f"{page}.md"
    assert any(block.needs == ("with", library) for block in blocks(path))
    monkeypatch.chdir(tmp_path)
    gc.reset_default_graph()
    Page(path, there=[library]).run()
