"""`make bench`: graphc against installed peers, as ratios in one run.

Each peer runs in a process of its own (other libraries' workers spin behind a call) and is asked in turns: a round
times every peer once, medians over the rounds are compared. A ratio above 1 means that graphc is faster.

    python bench/run.py [--rounds 9] [--case mlp-train] [--peer torch] [--threads 2] [--cpu] [--gpu]
                        [--peer-python PATH] [--out FILE]

Before a case that trains is timed, the losses of its first steps must agree. Peers need an environment of their own:
`make peers` makes build/peers. --out: all times and what the machine is, as JSON.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CASES = ("tiny", "chain", "chain-unfused", "mlp-train", "lenet-train", "resnet-train", "transformer-train",
         "gpt2-small", "gpt2-long")
TRAINING = ("mlp-train", "lenet-train", "resnet-train", "transformer-train")
LOSS_TOLERANCE = 1e-3      # relative, over the first steps: the sums have other orders
PEERS = ("torch", "torch_compiled", "tensorflow", "jax")
SECONDS_A_ROUND = 0.2


@dataclass
class Worker:
    """One peer's process: it is told a case and a time, and answers with seconds for one iteration."""

    name: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, name: str, python: str, threads: int, flags: list[str]) -> Worker | None:
        """None if the peer is not installed there."""
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TF_CPP_MIN_LOG_LEVEL="3")
        command = [python, str(HERE / "worker.py"), name, str(threads), *flags]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if name != "graphc" else None, text=True, env=environment)
        worker = cls(name, process)
        return worker if worker._read() == "ready" else None

    def measure(self, case: str) -> float | None:
        answer = self._ask(case, SECONDS_A_ROUND)
        return float(answer) if answer not in ("", "none") else None

    def losses(self, case: str) -> list[float] | None:
        answer = self._ask(case, 0)
        return json.loads(answer) if answer else None  # type: ignore[no-any-return]

    def _ask(self, case: str, seconds: float) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([case, seconds]) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def text(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e6:,.1f} us"


def check_losses(workers: list[Worker], case: str) -> None:
    """Ends the program if a peer computes something else: the comparison would mean nothing."""
    found = {w.name: losses for w in workers if (losses := w.losses(case)) is not None}
    own = found["graphc"]
    for name, losses in found.items():
        if any(abs(a - b) > LOSS_TOLERANCE * max(abs(a), 1e-6) for a, b in zip(own, losses, strict=True)):
            sys.exit(f"{case}: the losses of the first steps differ: graphc {own}, {name} {losses}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--peer", action="append", choices=PEERS, help="these alone; otherwise all that are installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true",
                        help="CPU time of the processes, for machines that others use; with --threads 1")
    parser.add_argument("--gpu", action="store_true", help="on the first GPU, feeds and fetches on the host")
    parser.add_argument("--peer-python", default=str(HERE.parent / "build/peers/bin/python"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    flags = [*["--cpu"] * options.cpu, *["--gpu"] * options.gpu]
    pythons = {"graphc": sys.executable}
    if Path(options.peer_python).exists():
        pythons |= dict.fromkeys(options.peer or PEERS, options.peer_python)
    else:
        print(f"no peers: {options.peer_python} does not exist (see the head of bench/run.py)")
    workers = [w for name, python in pythons.items()
               if (w := Worker.start(name, python, options.threads, flags))]
    names = [w.name for w in workers]
    print(f"{'case':15}" + "".join(f"{n:>16}" for n in names) + "".join(f"{n + '/graphc':>20}" for n in names[1:]))
    found: dict[str, dict[str, list[float | None]]] = {}
    for case in options.case or CASES:
        if case in TRAINING:
            check_losses(workers, case)
        times: dict[str, list[float | None]] = {n: [] for n in names}
        for _ in range(options.rounds):
            for worker in workers:
                times[worker.name].append(worker.measure(case))
        found[case] = times
        medians = {n: statistics.median(v) if (v := [t for t in times[n] if t is not None]) else None for n in names}
        own = medians["graphc"]
        ratios = [f"{m / own:.2f}x" if own and (m := medians[n]) else "-" for n in names[1:]]
        print(f"{case:15}" + "".join(f"{text(medians[n]):>16}" for n in names) + "".join(f"{r:>20}" for r in ratios),
              flush=True)
    if options.out:
        write(options.out, found, options.threads, "CPU time" if options.cpu else "clock")


def write(path: Path, found: dict[str, dict[str, list[float | None]]], threads: int, clock: str) -> None:
    from machine import machine

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(threads), "seconds": clock, "results": found}, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
