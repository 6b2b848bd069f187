"""What the distributions take: on the way, installed, and with all that they need."""
from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

BEGIN, END = "<!-- sizes: written by `make package WRITE=--write` -->", "<!-- end of sizes -->"
LARGEST = 5                # packages that are named


def table(wheels: Mapping[str, Path], environment: Path) -> str:
    """Markdown. environment: the folder of one in which graphc's wheel alone is installed."""
    lines = ["| | MB |", "|---|---:|"]
    for name, path in sorted(wheels.items()):
        lines.append(f"| wheel of {name} | {_mb(path.stat().st_size)} |")
        lines.append(f"| {name}, its files | {_mb(_unpacked(path))} |")
    lines += [f"| of graphc's files: {name} | {_mb(size)} |" for name, size in _parts(wheels["graphc"]).items()]
    packages, = environment.glob("lib/python3*/site-packages")
    found = {path.name: _size(path) for path in packages.iterdir() if path.is_dir() and path.name != "__pycache__"}
    largest = sorted(found, key=lambda name: -found[name])[:LARGEST]
    lines += [f"| installed, with byte code: {name} | {_mb(found[name])} |" for name in largest]
    lines.append(f"| the environment, pip included | {_mb(_size(environment))} |")
    return "\n".join(lines)


def write(text: str, path: Path) -> None:
    """Puts the table between the two marks of the page."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{path} lacks {BEGIN} or {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _parts(wheel: Path) -> dict[str, int]:
    parts = {"kernels for sessions": "graphc/kernels/prebuilt/", "C++ library and program": "graphc/_runner/"}
    with zipfile.ZipFile(wheel) as archive:
        members = [(item.filename, item.file_size) for item in archive.infolist()]
    return {name: sum(size for path, size in members if path.startswith(prefix)) for name, prefix in parts.items()}


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(item.file_size for item in archive.infolist())


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
