"""Writes docs/parity.md of what test_parity.py has seen: `make parity`."""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from elsewhere import ELSEWHERE, NOWHERE

HEAD = """# How near to TensorFlow

Made by `make parity`, which compares graphc with TensorFlow 2.21's CPU kernels, op by op: random ranks, sizes (0, 1 and
odd ones), broadcasting pairs, attributes, dtypes and values (ties, NaN, infinities, wide ranges, indices out of range),
in a graph that both load. Values, first derivatives, static shapes with known and unknown sizes, and who refuses what:
each of them is equal, or the difference stands here with its reason. The errors are the largest seen, over the largest
magnitude of the result (of a gradient at least 0.03, for weights of magnitude 1); where 16-bit numbers were drawn they
are those of their rounding (bfloat16 has 8 bits, float16 11). Of an op that writes variables, the
variables afterwards are compared. A case that both refuse is one of agreement; what graphc refuses while a graph is
built is no case.

{ops} op types, {cases} cases: {compared} of both compared, {refuse} refused by both, {lacking} that TensorFlow's CPU
kernels do not have.
"""
TABLE = """
| op | cases | dtypes | values | gradients | only TensorFlow has |
|---|---|---|---|---|---|
"""
KNOWN = """
## Known differences

In how many of the cases each was met.

| op | what | cases | reason |
|---|---|---|---|
"""
LACKING = """
## What TensorFlow's CPU kernels do not have

| op | cases | why |
|---|---|---|
"""
REST = """
## Compared elsewhere

Ops that are no function of their operands, and how they are compared.

| op | how |
|---|---|
"""


def main(results: str, target: str) -> None:
    found = {path.stem: json.loads(path.read_text()) for path in sorted(Path(results).glob("*.json"))}
    text = HEAD.format(ops=len(found), **{word: sum(seen[key] for seen in found.values()) for word, key in (
        ("cases", "cases"), ("compared", "compared"), ("refuse", "both_refuse"))},
        lacking=sum(sum(seen["refused"].values()) for seen in found.values()))
    text += TABLE + "".join(row(op_type, seen) for op_type, seen in found.items())
    text += KNOWN + "".join(f"| {op_type} | {what.partition(': ')[0]} | {count} | {what.partition(': ')[2]} |\n"
                            for op_type, seen in found.items() for what, count in sorted(seen["known"].items()))
    text += LACKING + "".join(f"| {op_type} | {count} | {why} |\n" for op_type, seen in found.items()
                              for why, count in sorted(seen["refused"].items()))
    text += "".join(f"| {op_type} | all | {why} |\n" for op_type, why in NOWHERE.items())
    text += REST + "".join(f"| {op_type} | {how} |\n" for op_type, how in sorted(ELSEWHERE.items()))
    temporary = Path(target).with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(target)


def row(op_type: str, seen: dict[str, Any]) -> str:
    values, gradients = (f"{seen['worst'][kind]:.0e}" if seen["worst"][kind] else "equal" for kind in (
        "value", "gradient"))
    if not seen["gradients"]:
        gradients = "none"
    if not seen["compared"]:
        values = gradients = "not compared"
    lacks = "; ".join((*seen["missing"], *seen["unimplemented"]))
    return (f"| {op_type} | {seen['cases']} | {' '.join(seen['dtypes'])} | {values} | {gradients} | {lacks} |\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
