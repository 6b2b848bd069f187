"""Writes docs/parity.md of what test_parity.py has seen: `make parity`."""
from __future__ import annotations

import json
import sys
from pathlib import Path

HEAD = """# How near to TensorFlow

Made by `make parity`: every op type that TensorFlow 2.21 has, too, on random shapes, dtypes and values (empty tensors,
ties, NaN and infinities among them), in a graph that both load. Errors are the largest difference over the largest
magnitude of the result; gradients are first derivatives. Where both refuse, a case counts. "refused": TensorFlow's CPU
kernels do not have it.

{count} op types, {cases} cases, {refused} refused by TensorFlow.

| op | cases | dtypes | values | gradients | known differences |
|---|---|---|---|---|---|
"""


def main(results: str, target: str) -> None:
    found = {path.stem: json.loads(path.read_text()) for path in sorted(Path(results).glob("*.json"))}
    text = HEAD.format(count=len(found), cases=sum(r["cases"] for r in found.values()),
                       refused=sum(r["refused"] for r in found.values()))
    for op_type, seen in found.items():
        known = "; ".join(f"{kind}: {reason}" for kind, reason in sorted(seen["known"].items()))
        worst = [f"{seen['worst'][kind]:.0e}" if seen["worst"][kind] else "equal" for kind in ("value", "gradient")]
        text += f"| {op_type} | {seen['cases']} | {' '.join(seen['dtypes'])} | {worst[0]} | {worst[1]} | {known} |\n"
    temporary = Path(target).with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
