"""Writes the table of flags (graphc/commands/flags.py) down for C++: python tools/runner_flags.py"""
from __future__ import annotations

from pathlib import Path

from graphc.commands.flags import FLAGS, NUMBERS

ROOT = Path(__file__).parents[1]
HEAD = """// Written by tools/runner_flags.py from graphc/commands/flags.py; do not edit.
// GRAPHC_FLAG(name, what stands behind it, the smallest number that it may be or -1 for other words, what --help says)
"""


def written() -> str:
    return HEAD + "".join(f'GRAPHC_FLAG("{f.name}", "{f.value}", {NUMBERS.get(f.name, -1)},\n            "{f.help}")\n'
                          for f in FLAGS)


if __name__ == "__main__":
    (ROOT / "runner" / "src" / "command" / "flags.inc").write_text(written())
