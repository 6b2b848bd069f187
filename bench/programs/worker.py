"""One library's process of bench/programs/run.py: reads a line of JSON, answers with one.

    {"do": "open", "program": NAME, "values": PATH}   builds it, runs three steps, writes their values: seconds of CPU
                                                      that building and the first step took
    {"do": "time", "seconds": S}                      CPU seconds of each step for so long, of what was opened last

What fails is answered with {"error": ...}. Before the first step is timed, code made beside the runs is waited for.
"""
from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_begin = time.process_time(), time.perf_counter()

from library import one_thread, settle, tf

IMPORTED = time.process_time() - _begin[0], time.perf_counter() - _begin[1]

import numpy as np
from kit import PROGRAMS, Program

for _family in ("agents", "attention", "blocks", "decoders", "estimation", "generative", "graphs", "loops", "models",
                "pictures", "pipelines", "readers", "recommenders", "science", "sequences", "signals", "tables",
                "training", "transformers"):
    importlib.import_module(_family)          # each declares its programs

STEPS_COMPARED, STEPS_BEFORE = 3, 8


@dataclass
class Open:
    """The program that is timed, its Session, and how many steps it has made."""

    program: Program
    session: Any
    steps: int = 0

    def step(self) -> Any:
        self.steps += 1
        return self.program.run(self.session, self.steps - 1)


def flat(values: Any) -> list[np.ndarray]:
    """The arrays of what a step returned, in order."""
    if isinstance(values, (list, tuple)):
        return [array for value in values for array in flat(value)]
    if isinstance(values, dict):
        return [array for name in sorted(values) for array in flat(values[name])]
    return [] if values is None else [np.asarray(values)]


def text_of(array: np.ndarray) -> np.ndarray:
    return array.astype("U") if array.dtype == object else array


def opened(name: str, path: str) -> tuple[Open, dict[str, Any]]:
    tf.reset_default_graph()
    tf.set_random_seed(1)
    begin = time.process_time()
    program = PROGRAMS[name]()
    session = tf.Session(config=one_thread())
    session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
    built = time.process_time() - begin
    current = Open(program, session)
    begin = time.process_time()
    found = [flat(current.step())]
    first = time.process_time() - begin
    found += [flat(current.step()) for _ in range(STEPS_COMPARED - 1)]
    arrays = {f"{i}_{j}": text_of(a) for i, step in enumerate(found) for j, a in enumerate(step)}
    np.savez(path, drawn=np.array(program.drawn), **arrays)
    return current, {"build": built, "first": first}


def timed(step: Callable[[], Any], seconds: float) -> list[float]:
    """CPU seconds of each step, at least three."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.process_time()
        step()
        times.append(time.process_time() - begin)
    return times


def main() -> None:
    warnings.simplefilter("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"import": IMPORTED, "programs": list(PROGRAMS)}), file=answers, flush=True)
    current: Open | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["do"] == "open":
                if current is not None:
                    current.session.close()
                current = None
                current, answer = opened(asked["program"], asked["values"])
                for _ in range(STEPS_BEFORE):
                    current.step()
                settle()
            else:
                assert current is not None
                answer = {"times": timed(current.step, asked["seconds"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
