"""`make fuzz`: mutations of Plans written by hand and of Plans of graphs (graph_plans.py), in C++ under ASan and UBSan
and in Python, side by side.

C++ also gets Plans of single kernels (kernel_plans.py), indexes of checkpoints (checkpoints.py), graphs with side
files (side_graphs.py) and code for a GPU (gpu_files.py); Python GraphDefs and SavedModels of TensorFlow's, to import,
inspect and convert (file_child.py). Everywhere buffers end at pages that nothing may touch.

    python tests/fuzz/run.py [--seconds 1200] [--seed N]

Says at the end how much was tried, which kinds of steps ran, and which of the verifier's checks refused something and
which never did. Status 1 if anything crashed: the files are kept in build/fuzz, with a list of them, findings.txt. To
try one again:

    build/runner-sanitize/graphc-fuzz FILE.pb       python tests/fuzz/child.py PLAN FILE.plan
"""
from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/fuzz"), str(ROOT / "tests/plan"), str(ROOT / "tests/runner"),
                str(ROOT / "tests/kernels")]

from graph_plans import fuzzed_cases, names, step_kinds

from graphc.serial.graph_pb2 import GraphDef
from graphc.serial.plan_pb2 import SavedPlan

from checkpoints import MODEL, model_file, next_index, write_base
from file_child import originals
from files import BUILD, build_runner, case_file
from gpu_files import write_gpu_files
from kernel_plans import kernel_case
from mutate import mutate, mutate_message
from side_graphs import write_side_graphs

FILES_A_ROUND, INDEXES_A_ROUND, SIDE_GRAPHS_A_ROUND, PYTHON_A_ROUND, ROUND_SECONDS = 200, 200, 50, 100, 900
GPU_FILES_A_ROUND = 200
GRAPHS_A_ROUND = 20


def next_file(originals: list[bytes], rng: random.Random) -> bytes:
    """A mutation of a Plan, or a Plan of one kernel, mutated or not."""
    case = kernel_case(rng) if rng.random() < 0.3 else None
    if case is None:
        return mutated_file(rng.choice(originals), rng)
    file = case_file(case)
    return mutated_file(file, rng) if rng.random() < 0.3 else file


def mutated_file(original: bytes, rng: random.Random) -> bytes:
    """Mostly the Plan is changed; now and then any byte of the file, for the readers of the graph."""
    if rng.random() < 0.1:
        from mutate import mutate_bytes
        return mutate_bytes(original, rng)
    graph = GraphDef.FromString(original)
    if graph.HasField("state") and rng.random() < 0.7:
        mutate_message(graph.state, rng)
        return graph.SerializeToString(deterministic=True)
    changed = mutate(graph.plans[0].SerializeToString(), rng)
    del graph.plans[:]
    body = graph.SerializeToString(deterministic=True)
    try:
        graph.plans.append(SavedPlan.FromString(changed))
        return graph.SerializeToString(deterministic=True)
    except Exception:
        # Bytes that Python's parser refuses still go to the C++ reader: field 1000, length-delimited.
        return body + _varint(1000 << 3 | 2) + _varint(len(changed)) + changed


def write_checkpoints(folder: Path, count: int, rng: random.Random) -> list[Path]:
    """Arguments for graphc-fuzz: a model, and indexes that it is to restore."""
    write_base(folder)
    data = (folder / "base.data-00000-of-00001").read_bytes()
    paths = [folder / MODEL]
    for i in range(count):
        paths.append(folder / f"{i}.index")
        paths[-1].write_bytes(next_index(folder, rng))
        (folder / f"{i}.data-00000-of-00001").write_bytes(data)
    return paths


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def all_checks() -> set[int]:
    """Numbers of the checks of the runtime's verifier, from its text."""
    text = "".join(path.read_text() for path in (ROOT / "kernels/runtime").glob("verify*.py"))
    found = re.findall(r"return (\d+)$|check = (\d+)|wrong\(error, (\d+)|else (\d+)$", text, re.M)
    return {int(number) for groups in found for number in groups if number and int(number) > 1} | {1}


class Fuzzing:
    """Both sides, until the time is over, and what was seen."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.end = time.monotonic() + seconds
        self.seed = seed
        self.failures: list[str] = []
        self.tried = {"C++": 0, "Python": 0, "graphs": 0}
        self.checks: set[int] = set()
        self.kinds: set[str] = set()
        self.outcomes: Counter[str] = Counter()

    def side(self, work: Callable[[], None]) -> None:
        """One side; that it cannot go on is a failure, too."""
        try:
            work()
        except Exception:
            self.failures.append(f"the fuzzer itself: {traceback.format_exc()}")
            print(self.failures[-1], flush=True)

    def cpp(self, program: Path) -> None:
        originals = [*(case_file(case) for case in fuzzed_cases().values()), model_file()]
        rng = random.Random(self.seed)
        environment = dict(os.environ, ASAN_OPTIONS="allocator_may_return_null=1:detect_leaks=0",
                           UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1", GRAPHC_LIBCUDA="/nowhere")
        while time.monotonic() < self.end:
            with tempfile.TemporaryDirectory() as folder:
                paths = []
                for i in range(FILES_A_ROUND):
                    paths.append(Path(folder) / f"{i}.pb")
                    paths[-1].write_bytes(next_file(originals, rng))
                paths += write_checkpoints(Path(folder), INDEXES_A_ROUND, rng)
                paths += write_side_graphs(Path(folder), SIDE_GRAPHS_A_ROUND, rng)
                paths += write_gpu_files(Path(folder), GPU_FILES_A_ROUND, rng)
                done = subprocess.run([program, *paths], capture_output=True, text=True, check=False,
                                      timeout=ROUND_SECONDS, env=environment, errors="replace")
                self.tried["C++"] += len(paths)
                self.outcomes["checkpoints restored"] += len(re.findall(r"^  restore: 0", done.stdout, re.M))
                self.checks.update(int(n) for n in re.findall(r"fails check (\d+)", done.stdout))
                self.outcomes["C++ answers"] += len(re.findall(r"^  run \d+: 0", done.stdout, re.M))
                if done.returncode:
                    last = [line for line in done.stdout.splitlines() if line.endswith((".pb", ".index", ".gpu"))][-1]
                    self._keep(Path(last), done.stderr)

    def _keep(self, path: Path, report: str) -> None:
        folder = BUILD / "fuzz"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"crash-{self.seed}-{self.tried['C++']}{path.suffix}"
        kept.write_bytes(path.read_bytes())
        self.failures.append(f"C++ crashed on {kept}:\n{report[:4000]}")
        print(self.failures[-1], flush=True)

    def python(self) -> None:
        seed, files = self.seed * 1_000_000, itertools.cycle(sorted(originals()))
        while time.monotonic() < self.end:
            for name in names():
                self._try("child.py", name, seed, PYTHON_A_ROUND, "Python")
                self._try("file_child.py", next(files), seed, GRAPHS_A_ROUND, "graphs")
                if time.monotonic() > self.end:
                    return
            seed += PYTHON_A_ROUND

    def _try(self, program: str, name: str, seed: int, count: int, what: str) -> None:
        done = subprocess.run([sys.executable, str(ROOT / "tests/fuzz" / program), name, str(seed), str(count)],
                              capture_output=True, text=True, check=False)
        self.tried[what] += count
        self._note(done.stdout)
        if done.returncode:
            self.failures.append(f"Python: {done.stdout}{done.stderr[-3000:]}")
            print(self.failures[-1], flush=True)

    def _note(self, output: str) -> None:
        for line in output.splitlines():
            if line.startswith("{"):
                seen = json.loads(line)
                self.checks.update(seen["checks"])
                self.kinds.update(seen["kinds"])
                self.outcomes.update({f"Python {what}": n for what, n in seen["outcomes"].items()})

    def report(self) -> str:
        kinds = set().union(*(step_kinds(case.plan) for case in fuzzed_cases().values()))
        missed = sorted(all_checks() - self.checks)
        lines = [f"seed {self.seed}: {self.tried['C++']} files in C++ under ASan and UBSan, {self.tried['Python']} "
                 f"plans and {self.tried['graphs']} graphs and SavedModels in Python, {len(self.failures)} crashes",
                 ", ".join(f"{n} {what}" for what, n in sorted(self.outcomes.items())),
                 f"kinds of steps that ran: {len(self.kinds)} of {len(kinds)}" + self._rest(kinds - self.kinds),
                 f"checks that refused: {len(self.checks)} of {len(all_checks())}" + self._rest(missed)]
        return "\n".join(lines)

    @staticmethod
    def _rest(missed: Iterable[object]) -> str:
        listed = ", ".join(map(str, missed))
        return f"; not {listed}" if listed else ""

    def write_findings(self) -> None:
        if self.failures:
            (BUILD / "fuzz").mkdir(parents=True, exist_ok=True)
            (BUILD / "fuzz/findings.txt").write_text(f"seed {self.seed}\n\n" + "\n\n".join(self.failures) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    options = parser.parse_args()
    program = build_runner("runner-sanitize", "-DGRAPHC_SANITIZE=ON") / "graphc-fuzz"
    fuzzing = Fuzzing(options.seconds, options.seed)
    threads = [threading.Thread(target=fuzzing.side, args=(work,))
               for work in (lambda: fuzzing.cpp(program), fuzzing.python)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fuzzing.write_findings()
    print(fuzzing.report())
    return 1 if fuzzing.failures else 0


if __name__ == "__main__":
    sys.exit(main())
