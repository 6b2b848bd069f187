"""The table of what `make peers-files` measured, and what of it is a failure."""
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOLERANCE = 1e-5
# More than that, with the reason.
TOLERANCES: dict[str, tuple[float, str]] = {
    "convnext_tiny": (5e-4, "TensorFlow's oneDNN computes its gelu less exactly; run with TF_ENABLE_ONEDNN_OPTS=0, "
                            "TensorFlow differs from graphc by 1.2e-6, and from itself by 3.3e-4"),
    "ocr_detection": (3e-5, "measured: 2e-5 after the sigmoid, of logits that are large")}
BEGIN, END = "<!-- made by `make peers-files` -->", "<!-- end of what `make peers-files` makes -->"
HEAD = """
| model | nodes | MB | difference | in C++ | load s | compile s | run ms | CPU ms | peer run ms | CPU ms | peer / here |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def failure(name: str, found: dict[str, Any]) -> str:
    """What is wrong; empty: nothing. What C++ refuses is none: the error says why."""
    if "error" in found:
        return str(found["error"])
    allowed = TOLERANCES.get(name, (TOLERANCE, ""))[0]
    worst = max(found["difference"], found.get("cpp_difference", 0.0))
    if not worst <= allowed:
        return f"differs by {worst:.1e} of the largest output, allowed is {allowed:.0e}"
    if "cpp_refused" in found and "computed in Python" not in found["cpp_refused"]:
        return f"C++: {found['cpp_refused']}"
    return ""


def row(name: str, found: dict[str, Any]) -> str:
    if "error" in found:
        return f"| {name} | fails: {_cell(found['error'])} |||||||||||\n"
    in_cpp = f"{found['cpp_difference']:.0e}" if "cpp_difference" in found else "refused"
    return (f"| {name} | {found['nodes']} | {found['bytes'] / 1e6:.3g} | {found['difference']:.0e} | {in_cpp} "
            f"| {found['load']:.2f} | {found['compile']:.2f} | {_ms(found, 'run')} | {_ms(found, 'cpu')} "
            f"| {_ms(found, 'peer_run')} | {_ms(found, 'peer_cpu')} | {_ratio(found)} |\n")


def _ms(found: dict[str, Any], key: str) -> str:
    return f"{found[key] * 1e3:.3g}" if key in found else "-"


def _ratio(found: dict[str, Any]) -> str:
    """Of CPU times; of the clock's where a result of an earlier version of measure.py has no others."""
    if "cpu" in found:
        return f"{found['peer_cpu'] / found['cpu']:.2g}x"
    return f"{found['peer_run'] / found['run']:.2g}x (clock)"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")[:300]


def write_into(document: Path, folder: Path, names: Sequence[str]) -> None:
    """Between the markers of a document."""
    found = {name: json.loads((folder / name / "result.json").read_text()) for name in names
             if (folder / name / "result.json").exists()}
    head, begin, rest = document.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no line '{BEGIN}' with '{END}' behind it")
    text = HEAD + "".join(row(name, result) for name, result in found.items())
    missing = [name for name in names if name not in found]
    text += f"\nNot measured yet: {', '.join(missing)}.\n" if missing else ""
    text += "".join(f"\n{name} may differ by {allowed:.0e}: {why}.\n" for name, (allowed, why) in TOLERANCES.items())
    refused = {name: result["cpp_refused"] for name, result in found.items() if "cpp_refused" in result}
    text += "".join(f"\n{name} in C++: {_cell(why)}\n" for name, why in refused.items())
    temporary = document.with_suffix(".new")
    temporary.write_text(head + begin + "\n" + text + "\n" + end + tail)
    temporary.replace(document)
