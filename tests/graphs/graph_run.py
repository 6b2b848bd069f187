"""`make fuzz-graphs`: random graphs through everything that runs graphs, against the NumPy evaluator.

    python tests/graphs/graph_run.py [--seconds 1200] [--seed N] [--jobs 2] [--python ENVIRONMENT'S PYTHON]

Cases run in child processes, so that a crash or a hang is a finding like others, with its seed. --python: another
environment's interpreter, for TensorFlow (`make peers` makes one). Ends with status 1 if anything was found;
shrunken programs lie in build/fuzz-graphs. One seed again: tests/graphs/graph_child.py SEED 1 FOLDER.
"""
from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BATCH = 50             # cases of a child process
HANGS = 120.0          # seconds of a core without a word from it; on the clock ten times as many, if it waits


@dataclass
class Totals:
    """What happened in all children."""

    cases: int = 0
    compared: int = 0
    ill: int = 0
    ops: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    failing: int = 0

    def add(self, case: dict[str, Any]) -> None:
        self.cases += 1
        self.compared += case["compared"]
        self.ill += case["ill"]
        self.ops.update(case["ops"])
        self.kinds.update(case["kinds"])
        self.skipped.update(set(case["skipped"]))
        self.refused.update(case["refused"])
        self.failing += bool(case["signatures"])
        for signature in case["signatures"]:
            self.found[signature] += 1
            self.first.setdefault(signature, case["end"])

    def crash(self, seed: int, how: str) -> None:
        self.cases += 1
        self.failing += 1
        self.found[how] += 1
        self.first.setdefault(how, seed)


class Fuzzing:
    def __init__(self, seconds: float, seed: int, folder: Path, python: str) -> None:
        self.end = time.monotonic() + seconds
        self.next = seed * 1_000_000
        self.folder, self.python = folder, python
        self.totals = Totals()
        self.lock = threading.Lock()

    def work(self) -> None:
        while time.monotonic() < self.end:
            with self.lock:
                first, self.next = self.next, self.next + BATCH
            self.cases(first, BATCH)

    def cases(self, first: int, count: int) -> None:
        """Some seeds, in as many children as it takes."""
        left = range(first, first + count)
        while left and time.monotonic() < self.end:
            done = self._child(left.start, len(left))
            left = range(done + 1, left.stop)

    def _child(self, first: int, count: int) -> int:
        """Runs a child; the last seed that it was at."""
        environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONFAULTHANDLER="1", TF_CPP_MIN_LOG_LEVEL="3")
        command = [self.python, str(ROOT / "tests/graphs/graph_child.py"), str(first), str(count), str(self.folder)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=environment, errors="replace")
        lines: queue.Queue[str | None] = queue.Queue()
        errors: list[str] = []
        assert child.stdout is not None and child.stderr is not None
        readers = [threading.Thread(target=_pass_on, args=(child.stdout, lines.put)),
                   threading.Thread(target=_pass_on, args=(child.stderr, errors.append))]
        for reader in readers:
            reader.start()
        current, how, ended = first, "", True
        while True:
            try:
                line = _next(lines, child.pid)
            except queue.Empty:
                how = f"hang: no answer for {HANGS:.0f} seconds"
                child.kill()
                break
            if line is None:
                break
            said = json.loads(line) if line.startswith("{") else {}
            if "begin" in said:
                current, ended = said["begin"], False
            elif "end" in said:
                ended = True
                with self.lock:
                    self.totals.add(said)
            if time.monotonic() > self.end:
                child.kill()
                child.wait()
                return first + count
        code = child.wait()
        for reader in readers:
            reader.join()
        if not ended or code:
            text = "".join(e for e in errors if e)[-3000:]
            how = how or (f"crash: signal {-code}" if code < 0 else f"tester: {text.strip().splitlines()[-1][:100]}")
            with self.lock:
                self.totals.crash(current, how)
            self._write(current, how, text)
        return current

    def _write(self, seed: int, how: str, text: str) -> None:
        """A case that ended its process, shrunken if it is the first of its kind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if how.startswith("crash") and self.totals.found[how] == 1:
            from crash import shrunken
            text = shrunken(seed, self.python, how, text)
        (self.folder / f"seed_{seed}_{how.split(':')[0]}.txt").write_text(f"# {how}\n{text}")


def _next(lines: queue.Queue[str | None], child: int) -> str | None:
    """The child's next line. Raises queue.Empty if it hangs; on a busy machine it may only have had no turn."""
    begin, used = time.monotonic(), _core_seconds(child)
    while True:
        try:
            return lines.get(timeout=5)
        except queue.Empty:
            if _core_seconds(child) - used > HANGS or time.monotonic() - begin > 10 * HANGS:
                raise


def _core_seconds(process: int) -> float:
    """What the process has had of the cores, all of its threads together."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:           # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pass_on(stream: Any, put: Any) -> None:
    for line in stream:
        put(line)
    put(None)


def report(totals: Totals, seed: int, folder: Path) -> str:
    sys.path[:0] = [str(ROOT / "tests/ops")]
    from samples import registered

    never = sorted(set(registered()) - set(totals.ops))
    lines = [f"seed {seed}: {totals.cases} graphs, {totals.compared} values compared with the oracle, {totals.ill} of "
             "them ill-conditioned", f"ops: {len(set(registered()) & set(totals.ops))} of {len(registered())} occurred"
             + (f"; never: {', '.join(never)}" if never else ""),
             "statements: " + ", ".join(f"{n} {k}" for k, n in totals.kinds.most_common())]
    for title, counts in (("not compared", totals.skipped), ("refused while building, and left out", totals.refused)):
        lines += [f"{title}: {n} graphs ({n / max(totals.cases, 1):.1%}): {why}" for why, n in counts.most_common()]
    lines.append(f"{totals.failing} graphs with findings, {len(totals.found)} signatures; programs in {folder}")
    lines += [f"  {n:5} {signature}  (first: seed {totals.first[signature]})"
              for signature, n in totals.found.most_common()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--folder", type=Path, default=ROOT / "build/fuzz-graphs")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = options.folder / str(options.seed)
    fuzzing = Fuzzing(options.seconds, options.seed, folder, options.python)
    threads = [threading.Thread(target=fuzzing.work) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(report(fuzzing.totals, options.seed, folder))
    return 1 if fuzzing.totals.found else 0


if __name__ == "__main__":
    sys.exit(main())
