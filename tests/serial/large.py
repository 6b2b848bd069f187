"""`make large`: a graph of more than 2 GB, written, read and run, in Python and in C++; and a single tensor of more
than 2 GB, as a constant, as a variable in a checkpoint, as a feed of the C++ program. Takes 9 GB of memory and 4.5 GB
of disk.

    python tests/serial/large.py

Says what each step took, and how much memory the C++ program had at most. Status 1 if an answer is wrong.
"""
from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/runner"), str(ROOT / "tests/plan")]

import numpy as np

import graphc as gc

from files import build_runner

TABLES, ROWS, WIDTH = 5, 1_800_000, 64           # 5 tables of 461 MB
LONG = (1 << 31) // 4096 + 50                    # rows of 4096 bytes, more than 2 GB
IDS = np.array([0, 17, ROWS - 1], np.int32)


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what:40} {time.perf_counter() - start:6.1f} s", flush=True)


def made() -> gc.GraphDef:
    """The sum of the rows `ids` of each table; every row of table i has i plus its number mod 100."""
    with gc.Graph().as_default() as graph:
        ids = gc.placeholder(gc.int32, [None], name="ids")
        column = np.arange(ROWS, dtype=np.float32)[:, None] % 100
        tables = [gc.constant(np.broadcast_to(column + i, (ROWS, WIDTH)).copy(), name=f"table_{i}")
                  for i in range(TABLES)]
        gc.add_n([gc.gather(table, ids) for table in tables], name="y")
        return graph.as_graph_def()


def write(folder: Path) -> Path:
    from graphc.serial.freeze import add_plan

    with timed("graph made"):
        graph_def = made()
    with timed("compiled"):
        add_plan(graph_def, ["y:0"])
    with timed("written"):
        return Path(gc.train.write_graph(graph_def, str(folder), "large.pb", as_text=False))


def constant(folder: Path) -> bool:
    """One constant of 2.1 GB, in a second file."""
    from graphc.serial.freeze import add_plan

    table = np.zeros((LONG, 4096), np.uint8)
    table[5, 3], table[-1] = 9, 7
    with timed("one constant: written"), gc.Graph().as_default() as graph:
        ids = gc.placeholder(gc.int32, [None], name="ids")
        gc.gather(gc.constant(table, name="table"), ids, name="y")
        made = graph.as_graph_def()
        add_plan(made, ["y:0"])
        path = gc.train.write_graph(made, str(folder), "one.pb", as_text=False)
    np.save(folder / "ends.npy", np.array([5, LONG - 1], np.int32))
    with timed("one constant: read and run"), gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(gc.load_graph_def(path), name="")
        found = session.run("y:0", {"ids:0": [5, LONG - 1]})
        subprocess.run([build_runner() / "graphc-run", path, "--feed", f"ids={folder}/ends.npy", "--out",
                        f"{folder}/y.npy"], check=True)
    Path(f"{path}.data").unlink()
    return np.array_equal(found, table[[5, -1]]) and np.array_equal(np.load(folder / "y.npy"), found)


def variable(folder: Path) -> bool:
    """One variable of 2.1 GB, saved and restored."""
    with timed("one variable: saved, restored"), gc.Graph().as_default(), gc.Session() as session:
        held = gc.get_variable("v", [LONG, 4096], gc.uint8, initializer=gc.zeros_initializer())
        marked = gc.scatter_update(held, [LONG - 1, 5], np.full((2, 4096), 7, np.uint8)).op
        last = gc.reduce_sum(gc.cast(held[LONG - 1], gc.int32))
        session.run(held.initializer)
        session.run(marked)
        saver = gc.train.Saver()
        path = saver.save(session, str(folder / "v"), write_meta_graph=False)
        session.run(held.initializer)
        saver.restore(session, path)
        right = bool(session.run(last) == 7 * 4096)
    gc.train.remove_checkpoint(path)
    return right


def feed(folder: Path) -> bool:
    """A file of 2.1 GB, almost all of it a hole, fed to the C++ program."""
    from graphc.serial.freeze import add_plan

    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.uint8, [None, 4096], name="x")
        gc.gather(x, gc.constant([5, LONG - 1]), name="y")
        made = graph.as_graph_def()
    add_plan(made, ["y:0"])
    path = gc.train.write_graph(made, str(folder), "feed.pb", as_text=False)
    big = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (LONG, 4096))
    big[5, 3], big[-1] = 9, 7
    expected = big[[5, -1]]
    del big
    with timed("one feed: C++"):
        subprocess.run([build_runner() / "graphc-run", path, "--feed", f"x={folder}/x.npy", "--out",
                        f"{folder}/y.npy"], check=True)
    return np.array_equal(np.load(folder / "y.npy"), expected)


def main() -> int:
    expected = np.repeat((IDS % 100 * TABLES + sum(range(TABLES)))[:, None], WIDTH, 1).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name))
        print(f"{path.name}: {path.stat().st_size} bytes, its .data: {Path(f'{path}.data').stat().st_size} bytes")
        np.save(Path(name) / "ids.npy", IDS)
        with timed("C++: loaded and run"):
            subprocess.run([build_runner() / "graphc-run", path, "--feed", f"ids={name}/ids.npy", "--out",
                            f"{name}/y.npy"], check=True)
        fuzz = [build_runner() / "graphc-fuzz", "--peak", path]         # with a limit of 256 MB, and inputs of its own
        said = subprocess.run(fuzz, capture_output=True, text=True, check=True).stdout
        print(f"C++ had {int(said.split()[-1]) >> 10} MB of memory at most")
        right = np.array_equal(np.load(f"{name}/y.npy"), expected)
        with timed("Python: loaded and run"), gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
            gc.import_graph_def(gc.load_graph_def(str(path)), name="")
            right &= np.array_equal(session.run("y:0", {"ids:0": IDS}), expected)
        Path(f"{path}.data").unlink()
        right &= constant(Path(name)) & variable(Path(name)) & feed(Path(name))
    print("all are right" if right else "WRONG")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
