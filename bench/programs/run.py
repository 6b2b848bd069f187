"""Programs as people wrote them for TensorFlow 1, here and in TensorFlow: CPU time of a step on one thread.

    python bench/programs/run.py [PROGRAM ...] [--rounds 5] [--seconds 0.2] [--peer-python PATH] [--out FILE]

The programs stand in the other files of this folder, each written once for both libraries (library.py). Each library
runs in a process of its own, and they take turns: a round times one after the other. The values of the first three
steps must agree first (to 2e-3 of the largest; losses show what updates did); where they hang on numbers that a library
drew, how many they are. A row: the least of the rounds' medians, the ratio (above 1: graphc is faster), and what
building and the first step took. Peers: `make peers`.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
TOLERANCE = 2e-3


@dataclass
class Library:
    """One library's process."""

    name: str
    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @classmethod
    def start(cls, name: str, python: str, log: Path) -> Library:
        environment = dict(os.environ, PROGRAMS_LIBRARY=name, OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3",
                           TF_USE_LEGACY_KERAS="1", TF_NUM_INTRAOP_THREADS="1", CUDA_VISIBLE_DEVICES="")
        environment["PYTHONPATH"] = str(HERE.parent.parent) if name == "graphc" else ""
        with log.open("w") as errors:
            process = subprocess.Popen([python, str(HERE / "worker.py")], stdin=subprocess.PIPE, stderr=errors,
                                       stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            sys.exit(f"{name} did not start: see {log}")
        return cls(name, process, json.loads(first))

    def ask(self, **what: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else {"error": "the process ended"}  # type: ignore[no-any-return]


def difference(own: Path, peer: Path) -> str:
    """What differs between the values that two libraries wrote; empty if they agree."""
    with np.load(own) as first, np.load(peer) as second:
        if sorted(first.files) != sorted(second.files):
            return f"{len(first.files)} and {len(second.files)} values"
        drawn = bool(first["drawn"])
        for name in first.files:
            a, b = first[name], second[name]
            if a.shape != b.shape and not drawn:
                return f"value {name} has shapes {a.shape} and {b.shape}"
            if drawn or (a.dtype.kind in "US" and np.array_equal(a, b)):
                continue
            if a.dtype.kind not in "fciub" or b.dtype.kind not in "fciub":
                return f"value {name} differs"
            largest = float(np.max(np.abs(b), initial=0, where=np.isfinite(b))) if b.size else 0.0
            if not np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * largest, equal_nan=True):
                return f"value {name} differs by {np.nanmax(np.abs(a - b)):.3g} of {largest:.3g}"
    return ""


def compared(libraries: list[Library], program: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A row of the table, or {"error": ...}."""
    found: dict[str, Any] = {"program": program}
    for library in libraries:
        answer = library.ask(do="open", program=program, values=str(folder / f"{library.name}.npz"))
        if "error" in answer:
            return {**found, "error": f"{library.name}: {answer['error']}"}
        found[library.name] = answer
    if len(libraries) > 1:
        different = difference(*(folder / f"{library.name}.npz" for library in libraries))
        if different:
            return {**found, "error": different}
    medians: dict[str, list[float]] = {library.name: [] for library in libraries}
    for _ in range(options.rounds):
        for library in libraries:
            answer = library.ask(do="time", seconds=options.seconds)
            if "error" in answer:
                return {**found, "error": f"{library.name}: {answer['error']}"}
            medians[library.name].append(statistics.median(answer["times"]))
    for library in libraries:
        found[library.name]["step"] = min(medians[library.name])
    return found


def row(found: dict[str, Any], names: list[str]) -> str:
    if "error" in found:
        return f"{found['program']:24} {found['error'][:160]}"
    steps = [found[name]["step"] for name in names]
    cells = [f"{1e3 * step:10.3f}" for step in steps]
    ratio = f"{steps[-1] / steps[0]:8.2f}" if len(steps) > 1 else ""
    starts = [f"{1e3 * found[name][part]:8.0f}" for part in ("build", "first") for name in names]
    return f"{found['program']:24} {' '.join(cells)} {ratio}  {' '.join(starts)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of a round of one library")
    parser.add_argument("--peer-python", default=str(HERE.parent.parent / "build/peers/bin/python"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        libraries = [Library.start("graphc", sys.executable, folder / "graphc.log")]
        if Path(options.peer_python).exists():
            libraries.append(Library.start("tensorflow", options.peer_python, folder / "tensorflow.log"))
        else:
            print(f"no TensorFlow: {options.peer_python} does not exist")
        names = [library.name for library in libraries]
        print("seconds of `import`, CPU: " + ", ".join(f"{v.name} {v.ready['import'][0]:.2f}" for v in libraries))
        print("ms of CPU: a step " + " ".join(names) + ", ratio, building, the first step")
        rows = []
        for program in options.programs or libraries[0].ready["programs"]:
            rows.append(compared(libraries, program, options, folder))
            print(row(rows[-1], names), flush=True)
        if len(names) > 1:
            ratios = [r[names[1]]["step"] / r[names[0]]["step"] for r in rows if "error" not in r]
            below = sum(ratio < 1.2 for ratio in ratios)
            print(f"{len(ratios)} of {len(rows)} compared; median {statistics.median(ratios or [0]):.2f}, least "
                  f"{min(ratios, default=0):.2f}, {below} below 1.2")
        if options.out:
            options.out.write_text(json.dumps(rows, indent=1) + "\n")
        for library in libraries:
            library.process.kill()
            library.process.wait()


if __name__ == "__main__":
    main()
