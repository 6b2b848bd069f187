"""What a machine with a GPU is asked first: `make gpu`, or without make

    python tests/cuda/first_contact.py [--seconds 280] [--out build/gpu] [--piece NAME ...] [--stand-in]

Pieces run one after the other, those first that answer what no GPU has answered yet (docs/cuda.md), each in a process
of its own with a limit: a piece that hangs or loses the device's context costs its limit and nothing else. --seconds:
of all pieces together; pieces that come too late are listed as not run, limits are cut to what is left. 0: no end, and
limits ten times as long. Each piece's output is a file of the folder; report.md there has a line for each, what failed,
and the figures. The status is 1 if anything failed.

--stand-in runs everything on the library in place of libcuda: whether all of it would run is known before a GPU is
there. Needs graphc's packages and pytest, and for C++ cmake, ninja and a compiler; nothing is downloaded.
"""
from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("numpy", "numba", "llvmlite", "google.protobuf", "absl", "google_crc32c", "pytest")
SHORTEST = 5               # seconds: with less left no piece begins
UNHURRIED = 10             # times a piece's limit if there is no end: then it is against hanging alone
# A test's line, of several processes and of one.
_TEST = re.compile(r"^\[gw\d+\] \[ *\d+%\] (PASSED|FAILED|ERROR) |^\S+::.* (PASSED|FAILED|ERROR) +\[ *\d+%\]$", re.M)


@dataclass(frozen=True)
class Piece:
    """asks: what it answers. command: arguments of Python, or a program and its arguments. limit: seconds. on_gpu:
    every session of these tests uses the GPU. wants: a program or package without which it is left out. needed: if it
    fails, nothing else is asked. silent: it says nothing until it is done; others hang if they do."""

    name: str
    asks: str
    command: tuple[str, ...]
    limit: int
    on_gpu: bool = False
    wants: str = ""
    needed: bool = False
    silent: bool = False


def tests(name: str, asks: str, limit: int, *files: str, on_gpu: bool = False) -> Piece:
    return Piece(name, asks, ("-m", "pytest", *files), limit, on_gpu)


def kernels(*names: str) -> list[str]:
    return [f"tests/cuda/test_cuda_{name}.py" for name in names]


BENCH, PEERS, PROGRAMS = "bench/gpu.py", "bench/gpu_kernels.py", "bench/run.py"
LIBRARY = "from graphc.exec.library import load_library; load_library()"
PIECES = (
    Piece("library", "the CPU's kernels, compiled if they are not", ("-c", LIBRARY), 150, silent=True),
    Piece("device", "the GPU, its driver, what a launch and a graph cost", (BENCH, "environment", "overheads"), 40,
          needed=True),
    tests("warpgroups", "products and convolutions by wgmma and TMA are right: never run on a GPU", 60,
          "tests/cuda/test_warpgroup_products.py", "tests/cuda/test_warpgroup_convolutions.py"),
    tests("halves", "16-bit floats that stay 16 bits, in convolutions and pools, attention with dropout and trained "
          "masks: never run on a GPU", 60, *kernels("halves", "short_convolutions", "short_rows", "attention_training"),
          "tests/cuda/test_cuda_tensor_cores.py"),
    tests("scalars", "scalar functions and maps have the CPU's bits", 60, *kernels("scalars", "maps", "kernels")),
    tests("new-kernels", "groups, edges, transforms, matrices, CTC, boxes, draws, fused rows, fractional pooling: "
          "never run on a GPU", 90, *kernels("groups", "windows", "fourier", "matrices", "ctc", "suppression", "draws",
                                       "fused_rows", "fractional")),
    tests("lists", "lists, loops and parts of a plan: lists never ran on a GPU", 60,
          *kernels("lists", "loops", "mixed", "traces")),
    tests("cudnn", "convolutions by cuDNN: never run on a GPU", 60, *kernels("convolutions_library")),
    Piece("cudnn-speed", "which of cuDNN's algorithms are right, and how fast", (BENCH, "convolutions"), 60),
    tests("cpp", "parts of a plan, recorded for the C++ library: never run on a GPU", 120,
          "tests/cuda/test_gpu_code.py", "tests/cuda/test_gpu_code_parts.py"),
    Piece("warpgroups-speed", "products by wgmma and TMA, how much of what the tensor cores do at most",
          (BENCH, "warpgroups"), 60),
    Piece("convolutions-speed", "convolutions of bfloat16 by mma.sync, by wgmma and by cuDNN",
          (BENCH, "short_convolutions"), 60),
    Piece("speed", "maps, rows and products against the memory's and the arithmetic's speed",
          (BENCH, "bandwidths", "rows", "products"), 60),
    tests("rows-and-attention", "attention, tensor cores, NVIDIA's library, rows", 120,
          *kernels("rows", "attention", "libraries", "graphs", "placement", "session", "samples")),
    Piece("peers", "kernels beside PyTorch's", (PEERS,), 120, wants="torch"),
    tests("loops", "control flow and gradients of loops with all sessions on the GPU", 60,
          "tests/graph/test_control_flow.py", "tests/graph/test_gradient_arrays.py", on_gpu=True),
    tests("recurrent", "recurrent nets with all sessions on the GPU", 120, "tests/rnn", on_gpu=True),
    tests("training", "optimizers and layers with all sessions on the GPU", 120, "tests/train", "tests/layers",
          on_gpu=True),
    Piece("sanitizer", "no kernel touches memory that is not its own",
          ("compute-sanitizer", "--error-exitcode", "9", sys.executable, "-m", "pytest", "-q", "-x",
           *kernels("kernels", "groups", "windows", "matrices", "ctc")), 180, wants="compute-sanitizer"),
    Piece("programs", "whole programs, beside PyTorch if it is there",
          (PROGRAMS, "--gpu", "--rounds", "3", "--peer", "torch", "--peer-python", sys.executable), 180),
    Piece("sessions-speed", "whole runs, and tensor cores", (BENCH, "tensor_products", "sessions"), 120),
    tests("samples-cpp", "every op's samples, recorded for C++", 300, "tests/cuda/test_gpu_code_samples.py"),
    tests("sessions", "tests of sessions, all of them on the GPU", 300, "tests/session", on_gpu=True),
    tests("ops", "every op's samples with all sessions on the GPU", 600, "tests/ops/test_all_ops.py", on_gpu=True),
)


@dataclass(frozen=True)
class Outcome:
    """said: one line."""

    piece: Piece
    seconds: float
    good: bool
    said: str


def environment(stand_in: bool) -> dict[str, str]:
    made = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "tests" / "cuda"), str(ROOT / "bench")]),
                PYTHONUNBUFFERED="1")
    if stand_in:
        made.pop("GRAPHC_TEST_GPU", None)
    else:
        made["GRAPHC_TEST_GPU"] = "1"
    return made


def command(piece: Piece, stand_in: bool, processes: int) -> list[str]:
    first, *rest = piece.command
    if first == "-c":
        return [sys.executable, first, *rest]
    if first == "-m":
        more = ["-vv", "-p", "no:cacheprovider", *["-p", "everything_on_gpu"] * piece.on_gpu]
        if processes > 1 and has_package("xdist"):
            more += ["-n", str(processes)]
        return [sys.executable, first, *rest, *more]
    if first == BENCH and stand_in:
        return [sys.executable, "tests/cuda/stand_in_program.py", first, "--tiny", *rest]
    return [*[sys.executable] * first.endswith(".py"), first, *rest]


def is_there(wanted: str) -> bool:
    return not wanted or bool(shutil.which(wanted)) or has_package(wanted)


def has_package(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:                # its parent is missing
        return False


def run(piece: Piece, limit: float, folder: Path, stand_in: bool = False, processes: int = 1) -> Outcome:
    """One piece, which is ended with all that it has started when its limit is over."""
    if not is_there(piece.wants) or (stand_in and (piece.wants or piece.command[0] == PROGRAMS)):
        return Outcome(piece, 0.0, True, f"left out: {'no GPU' if stand_in else f'no {piece.wants} here'}")
    log, begin = folder / f"{piece.name}.log", time.monotonic()
    with open(log, "wb") as output:
        child = subprocess.Popen(command(piece, stand_in, processes), stdout=output, stderr=subprocess.STDOUT, cwd=ROOT,
                                 env=environment(stand_in), start_new_session=True)
        try:
            status: int | None = child.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            end(child)
    seconds, text = time.monotonic() - begin, log.read_text(errors="replace")
    silence = min(time.time() - log.stat().st_mtime, seconds)
    return judged(piece, seconds, status, text, silence > limit / 2 and not piece.silent)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ends a child and its own, which are a session; those that are gone already are no matter."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def judged(piece: Piece, seconds: float, status: int | None, text: str, hung: bool = False) -> Outcome:
    """status: None: it was stopped at its limit, which is no failure if nothing had failed and it did not hang."""
    counts = {"PASSED": 0, "FAILED": 0, "ERROR": 0}
    for found in _TEST.finditer(text):
        counts[found[1] or found[2]] += 1
    bad = counts["FAILED"] + counts["ERROR"]
    said = f"{counts['PASSED']} passed" + (f", {bad} failed" if bad else "") if sum(counts.values()) else ""
    said += ", " if said and (status is None or status < 0) else ""
    if status is None:
        said += f"stopped after {seconds:.0f} s{', more than half of them in silence,' * hung}{during(text)}"
    elif status < 0:
        said += f"ended by {signal.Signals(-status).name}{during(text)}"
    elif status and not bad:
        said = f"ended with {status}: {last_line(text)}"
    return Outcome(piece, seconds, not bad and not hung and status in (0, None), said or "done")


def running(text: str) -> list[str]:
    """Tests that began and did not end."""
    begun = dict.fromkeys(re.findall(r"^(tests/\S+::.*?)(?: (?:PASSED|FAILED|ERROR|SKIPPED)\b.*)?$", text, re.M))
    ended = {found[1] or found[2] for found in re.finditer(
        r"^(tests/\S+::.*?) (?:PASSED|FAILED|ERROR|SKIPPED)\b|^\[gw\d+\] \[ *\d+%\] \w+ (.*)$", text, re.M)}
    return [name.strip() for name in begun if name.strip() not in {end.strip() for end in ended}]


def during(text: str) -> str:
    """What a piece was at when it ended, if it was in tests."""
    return "".join(f" in {name}" for name in running(text))


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")[:200]


def failures(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("FAILED ", "ERROR "))]


def first_failures(text: str) -> list[str]:
    """The first test that failed of each process, in time: when a kernel has lost a context, all that follows there
    fails, too."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _TEST.match(line)
        if match is not None and "PASSED" not in (match[1], match[2]):
            found.setdefault(line.partition("]")[0] if line.startswith("[gw") else "", line)
    return [f"first: {line}" for line in found.values()]


def report(folder: Path, outcomes: Sequence[Outcome], not_run: Sequence[Piece], seconds: float) -> str:
    lines = [f"# A GPU asked ({seconds:.0f} s)", "", "| piece | asks | seconds | |", "|---|---|---|---|"]
    lines += [f"| {o.piece.name} | {o.piece.asks} | {o.seconds:.0f} | {'' if o.good else '**failed**: '}{o.said} |"
              for o in outcomes]
    lines += [f"| {piece.name} | {piece.asks} | | not run |" for piece in not_run]
    for outcome in outcomes:
        log = folder / f"{outcome.piece.name}.log"
        if not outcome.good and log.exists():
            text = log.read_text(errors="replace")
            lines += ["", f"## {outcome.piece.name}", "", "```", *first_failures(text), *failures(text)[:40],
                      *text.splitlines()[-40:], "```"]
    for outcome in outcomes:
        log = folder / f"{outcome.piece.name}.log"
        if outcome.good and outcome.piece.command[0] in (BENCH, PEERS, PROGRAMS) and log.exists():
            lines += ["", f"## {outcome.piece.name}", "", "```", log.read_text(errors="replace").rstrip(), "```"]
    return "\n".join(lines) + "\n"


def ask(pieces: Sequence[Piece], folder: Path, seconds: float = 0, stand_in: bool = False, processes: int = 1) -> bool:
    """All pieces for which there is time; seconds: 0: there is. Returns whether nothing failed."""
    folder.mkdir(parents=True, exist_ok=True)
    begin, outcomes, waiting = time.monotonic(), [], list(pieces)     # type: float, list[Outcome], list[Piece]
    while waiting:
        left = seconds - (time.monotonic() - begin) if seconds else float("inf")
        if left < SHORTEST:
            break
        piece = waiting.pop(0)
        outcome = run(piece, min(piece.limit * (1 if seconds else UNHURRIED), left), folder, stand_in, processes)
        outcomes.append(outcome)
        print(f"{'ok    ' if outcome.good else 'FAILED'} {outcome.seconds:5.0f} s  {piece.name:20} {outcome.said}",
              flush=True)
        (folder / "report.md").write_text(report(folder, outcomes, waiting, time.monotonic() - begin))
        if piece.needed and not outcome.good:
            break
    for piece in waiting:
        print(f"not run        {piece.name:20} {piece.asks}")
    print(f"{time.monotonic() - begin:.0f} s; {folder / 'report.md'}")
    return all(outcome.good for outcome in outcomes)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0, help="of all pieces together; 0: no end")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu")
    parser.add_argument("--piece", action="append", choices=[piece.name for piece in PIECES], help="these alone")
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, 8), help="of tests, at a time")
    parser.add_argument("--stand-in", action="store_true", help="on the library in place of libcuda")
    options = parser.parse_args(arguments)
    missing = [name for name in NEEDED if not has_package(name)]
    if missing:
        print(f"{sys.executable} has no {', '.join(missing)}: pip install --editable '.[test]' gets them")
        return 2
    chosen = [piece for piece in PIECES if not options.piece or piece.name in options.piece]
    return int(not ask(chosen, options.out, options.seconds, options.stand_in, options.processes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
