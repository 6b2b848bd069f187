"""Hostile GraphDefs and SavedModels: `file_child.py NAME SEED COUNT` tries COUNT mutations of one of ORIGINALS.

Each is imported, inspected or converted in a fork, with limits on memory and time. Right is an answer, or an error that
graphc raises itself; a crash, an error of Python's own, too much memory or time is not. Prints a line of counts; status
1, with the files (kept in build/fuzz), if anything was not right. `file_child.py NAME FILE` tries one again, here.
"""
from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]

import graphc as gc
import graphc.cli
from graphc import errors
from graphc.convert import converting as _loaded_before_forks  # noqa: F401
from graphc.saved_model import loading as _loaded_too  # noqa: F401
from graphc.serial.meta_graph_pb2 import SavedModel

from mutate import mutate_bytes, mutate_graph

SECONDS, MEMORY = 15, 3 << 30
OK, REFUSED, UNEXPECTED = range(3)
_PYTHONS_OWN = re.compile(r"unpack|zip\(\)|argument \d+ is (shorter|longer)|NoneType|object is not|has no attribute|"
                          r"takes \d+ positional|missing \d+ required|out of range$|not subscriptable|invalid literal|"
                          r"unhashable|unsupported operand|unexpected keyword|could not convert|cannot reshape array")


def originals() -> dict[str, bytes]:
    data = ROOT / "tests/serial/data"
    found = {path.name.removesuffix(".pb.gz"): gzip.decompress(path.read_bytes())
             for folder in ("flow", "ops", "effects") for path in sorted((data / folder).glob("*.pb.gz"))}
    for path in sorted((ROOT / "tests/saved_model/data").glob("*/saved_model.pb")):
        found[f"model_{path.parent.name}"] = path.read_bytes()
    return found


def mutated(name: str, original: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.1:
        return mutate_bytes(original, rng)
    if name.startswith("model_"):
        saved = SavedModel.FromString(original)
        meta = saved.meta_graphs[0]
        mutate_graph(meta.graph_def if rng.random() < 0.7 else meta, rng)
        return saved.SerializeToString(deterministic=True)
    graph = gc.GraphDef.FromString(original)
    mutate_graph(graph, rng)
    return graph.SerializeToString(deterministic=True)


def use(name: str, data: bytes, rng: random.Random, folder: Path) -> None:
    """What a user does with such a file."""
    what = rng.choice(("import", "inspect", "convert"))
    path = folder / "saved_model.pb" if name.startswith("model_") else folder / "m.pb"
    if path.name == "saved_model.pb":
        shutil.copytree(ROOT / "tests/saved_model/data" / name.removeprefix("model_"), folder, dirs_exist_ok=True)
    path.write_bytes(data)
    target = str(folder if path.name == "saved_model.pb" else path)
    if what == "import":
        with gc.Graph().as_default() as graph, gc.Session() as session:
            if path.name == "saved_model.pb":
                gc.saved_model.load(session, ["serve"], target)
            else:
                gc.import_graph_def(gc.load_graph_def(target), name="")
            graph.as_graph_def()
        return
    arguments = [what, target] + (["-o", str(folder / "made.pb")] if what == "convert" else [])
    graphc.cli.main(arguments)


def attempt(name: str, data: bytes, rng: random.Random) -> int:
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        try:
            use(name, data, rng, Path(folder))
        except (errors.OpError, NotImplementedError, SystemExit):
            return REFUSED
        except (ValueError, TypeError) as error:
            if _PYTHONS_OWN.search(str(error).partition("\n")[0]):
                raise
            return REFUSED
    return OK


def in_a_fork(name: str, data: bytes, rng: random.Random) -> tuple[int, str]:
    """The outcome, or the negative number of the signal that ended the fork; and what it said."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            try:
                os._exit(attempt(name, data, rng))
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(UNEXPECTED)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


def generator(name: str, number: int) -> random.Random:
    return random.Random(f"{name}{number}")


def main(name: str, seed: int, count: int) -> int:
    original = originals()[name]
    outcomes: Counter[str] = Counter()
    bad = []
    for number in range(seed, seed + count):
        rng = generator(name, number)
        data = mutated(name, original, rng)
        code, said = in_a_fork(name, data, rng)
        if code in (OK, REFUSED):
            outcomes[("taken", "refused")[code]] += 1
            continue
        folder = ROOT / "build/fuzz"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{name}-{number}.file"
        kept.write_bytes(data)
        bad.append(f"{kept}: {signal.Signals(-code).name if code < 0 else said[-1500:]}")
    print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    for one in bad:
        print(f"NOT RIGHT: {one}")
    return 1 if bad else 0


def again(name: str, path: Path) -> int:
    rng = generator(name, int(path.stem.rsplit("-", 1)[1]))
    mutated(name, originals()[name], rng)
    print("outcome", attempt(name, path.read_bytes(), rng))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.exit(again(sys.argv[1], Path(sys.argv[2])))
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
