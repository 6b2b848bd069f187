"""Builds the documentation: `make docs`.

    python tools/docs/make.py build/docs           pages go to build/docs-pages, the site to build/docs
    python tools/docs/make.py --pages              only the pages

Hand-written pages are those of docs/, README, CONTRIBUTING and CHANGELOG (pages.py); the API reference is made of the
public names' docstrings (reference.py), the C API of graphc.h (c_header.py). mkdocs.yml says how it looks.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import c_header
import pages
from navigation import NAVIGATION
from navigation import pages as pages_named
from reference import Reference

ROOT = Path(__file__).parent.parent.parent
PAGES = ROOT / "build" / "docs-pages"
COPIED = ("style", "pictures")         # folders of docs/ that pages refer to


def main() -> int:
    write_pages()
    if "--pages" in sys.argv:
        return 0
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", ROOT / "build" / "docs.yml",
               "--site-dir", Path(sys.argv[1]).resolve()]
    return subprocess.run(command, check=False).returncode


def write_pages() -> None:
    shutil.rmtree(PAGES, ignore_errors=True)
    reference = Reference()
    (PAGES / "reference").mkdir(parents=True)
    for name, text in reference.pages().items():
        (PAGES / "reference" / name).write_text(text)
    (PAGES / "reference" / "c.md").write_text(c_header.page(ROOT / "runner" / "include" / "graphc.h"))
    pages.write(ROOT, PAGES, reference.address_of)
    for folder in COPIED:
        shutil.copytree(ROOT / "docs" / folder, PAGES / folder)
    existing = pages.sources(ROOT)
    menu = pages.with_rest(NAVIGATION, set(pages_named(NAVIGATION)) | set(pages.AT_ROOT.values()), existing)
    # JSON is YAML: the menu needs no library to write.
    (ROOT / "build" / "docs.yml").write_text(json.dumps({
        "INHERIT": "../mkdocs.yml", "docs_dir": "docs-pages", "nav": with_reference(menu, reference)}, indent=1))


def with_reference(menu: list[dict[str, object]], reference: Reference) -> list[dict[str, object]]:
    def placed(entry: object) -> object:
        if isinstance(entry, str):
            return f"reference/{entry}"
        if isinstance(entry, list):
            return [placed(part) for part in entry]
        assert isinstance(entry, dict)
        return {text: placed(part) for text, part in entry.items()}
    return [{"API": placed(reference.navigation())} if "API" in entry else entry for entry in menu]


if __name__ == "__main__":
    sys.exit(main())
