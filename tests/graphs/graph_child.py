"""Checks seeds one after the other: `graph_child.py FIRST COUNT FOLDER`. The parent (graph_run.py) watches
it.

Writes to standard output, one JSON object a line: {"begin": seed} before a case, {"end": seed, ...} behind it. What it
finds is shrunken and written to FOLDER; of one signature only the first few.
`graph_child.py --program FILE` checks one pickled program.
"""
from __future__ import annotations

import json
import os
import pickle
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), *(str(ROOT / "tests" / f) for f in ("ops", "plan", "runner"))]

from compare import Report, check
from finding import found
from generate import generate, kinds

KEPT = 2        # findings of one signature in one folder
SHRINK_SECONDS = 25.0


def case(seed: int, folder: Path) -> dict[str, Any]:
    refused: Counter[str] = Counter()
    program = generate(seed, refused=refused)
    report = check(program)
    files = []
    for signature in dict.fromkeys(p.signature for p in report.problems):
        if not _first_of(signature, report):
            continue
        problem = next(p for p in report.problems if p.signature == signature)
        if _number(folder, signature) < KEPT:
            print(json.dumps({"shrinking": seed}), flush=True)
            files.append(str(found(seed, program, problem, SHRINK_SECONDS).write(folder)))
    return {"end": seed, "signatures": sorted({p.signature for p in report.problems}), "files": files,
            "skipped": report.skipped, "compared": report.compared, "ill": report.ill, "ops": sorted(report.ops),
            "kinds": dict(kinds(program)), "refused": dict(refused)}


def _first_of(signature: str, report: Report) -> bool:
    """Whether no executor before this one failed alike."""
    executor, _, kind = signature.partition(": ")
    order = ("plain", "native", "unfused", "tensorflow")
    before = order[:order.index(executor)] if executor in order else ()
    return not any(f"{other}: {kind}" in {p.signature for p in report.problems} for other in before)


def _number(folder: Path, signature: str) -> int:
    """How many findings of this signature there are, this one counted by a file of its own."""
    name = "".join(c if c.isalnum() else "_" for c in signature)[:80]
    for number in range(KEPT):
        try:
            os.close(os.open(folder / f".{name}.{number}", os.O_CREAT | os.O_EXCL))
            return number
        except FileExistsError:
            continue
    return KEPT


def main(first: int, count: int, folder: Path) -> None:
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        print(json.dumps({"begin": seed}), flush=True)
        print(json.dumps(case(seed, folder)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--program":
        check(pickle.loads(Path(sys.argv[2]).read_bytes()))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
