"""A notebook as Markdown: run from top to bottom, with what its cells show.

Cells find graphc's commands, and a compiler its C++ library, as they are in this tree.
"""
from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def environment() -> dict[str, str]:
    """Variables with which a shell finds graphc, graphc-run, and a compiler the C++ library of this tree."""
    runner, header = ROOT / "build" / "runner", ROOT / "runner" / "include"
    return {"PATH": f"{Path(sys.executable).parent}:{runner}:{os.environ['PATH']}", "CPATH": str(header),
            "LIBRARY_PATH": str(runner), "LD_LIBRARY_PATH": str(runner)}


def run(path: Path, folder: Path) -> Any:
    """The notebook with its outputs; files that it writes go into `folder`. Raises CellExecutionError."""
    import nbformat
    from nbclient import NotebookClient

    kernel = folder / "jupyter" / "kernels" / "python3"     # "python3" is the Python that runs this
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}))
    more = {**environment(), "JUPYTER_PATH": str(folder / "jupyter"), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    notebook = nbformat.read(path, as_version=4)
    with variables(more):
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@contextlib.contextmanager
def variables(more: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def markdown(path: Path, site: Path) -> str:
    """Runs the notebook. Pictures that it shows become files in `site`."""
    site.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        notebook = run(path, Path(folder))
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for i, output in enumerate(cell.outputs):
            parts.append(_shown(output, site, f"{path.stem}-{number}-{i}.png"))
    return "\n\n".join([*filter(None, parts), ""])


def _shown(output: Any, site: Path, name: str) -> str:
    if output.output_type == "stream":
        return f"```text\n{output.text.strip()}\n```" if output.name == "stdout" and output.text.strip() else ""
    data = output.get("data", {})
    if "text/html" in data:
        html = re.sub(r"\n\s*\n", "\n", data["text/html"])
        return f'<div class="shown">{html}</div>'
    if "image/png" in data:
        (site / name).write_bytes(base64.b64decode(data["image/png"]))
        return f"![]({name})"
    return f"```text\n{data['text/plain']}\n```" if "text/plain" in data else ""
