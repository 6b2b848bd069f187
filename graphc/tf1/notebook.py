"""The code of a notebook (nbformat 3 and 4) as one Python program."""
from __future__ import annotations

import io
import json
import re
import tokenize
from typing import Any

_MAGIC = re.compile(r"^\s*[%!?]|^\s*[\w.*]+\?{1,2}\s*$")       # %matplotlib inline, !pip install, object? alone


def code_of(text: str) -> str:
    """The code cells in order, lines for IPython alone as comments, so that the rest keeps its meaning.

    Raises ValueError if the text is no notebook.
    """
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no notebook: {error}") from error
    if not isinstance(notebook, dict):
        raise ValueError("this is no notebook: its outermost value is no object")
    worksheets = notebook.get("worksheets") or [notebook]
    cells = [cell for sheet in worksheets for cell in sheet.get("cells", [])]
    return "\n".join(f"{_python(_text(cell))}\n" for cell in cells if cell.get("cell_type") == "code")


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return "".join(source) if isinstance(source, list) else str(source)


def _python(cell: str) -> str:
    if cell.lstrip().startswith("%%"):                       # a cell in another language, or a timed one
        first, _, rest = cell.lstrip().partition("\n")
        keeps = first.split()[0] in ("%%time", "%%timeit", "%%capture", "%%matplotlib")
        return f"# {first}\n" + (_python(rest) if keeps else "\n".join(f"# {line}" for line in rest.split("\n")))
    lines, statement = [], ""
    for line in cell.split("\n"):
        lines.append(line if statement else _without_magic(line))
        statement += f"{lines[-1]}\n"
        if not _goes_on(statement):
            statement = ""
    return "\n".join(lines)


def _goes_on(statement: str) -> bool:
    """Whether the next line, be it `% values)`, belongs to the same statement or string."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(statement).readline):
            pass
    except tokenize.TokenError as error:
        return "multi-line" in str(error) or "triple-quoted" in str(error)
    except IndentationError:
        pass
    return statement.endswith("\\\n")


def _without_magic(line: str) -> str:
    if not _MAGIC.match(line):
        return line
    indent = line[:len(line) - len(line.lstrip())]
    return f"{indent}pass  # {line.strip()}" if indent else f"# {line.strip()}"
