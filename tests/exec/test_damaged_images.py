"""Damaged images: words changed at random. Every one must give an error or run; none may crash the process.

Each image runs in a fork of one child process without worker threads, with limits on memory and time (a changed
constant can make a loop long; that is no crash). The child process runs the undamaged image first: so its forks find
modules imported and kernels mapped.
"""
from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

IMAGES = 150
SECONDS, AT_MOST = 1, 60               # of a core; on the clock, for one that waits


def try_image(name: str, seed: int) -> int:
    """0: an answer, 1: refused while verifying, 2: an error while running."""
    import numpy as np

    from graphc.exec import engine as module

    rng = np.random.default_rng(seed)
    original = module.make_image

    def damaged(*arguments: object) -> np.ndarray:
        image = original(*arguments)        # type: ignore[arg-type]
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(1, len(image)))
            kind = rng.integers(5)
            image[at] = (image[at] + rng.integers(-2, 3), rng.integers(-3, 40), 1 << int(rng.integers(3, 63)),
                         -(1 << int(rng.integers(3, 63))), image[rng.integers(len(image))])[kind]
        return image

    module.make_image = damaged
    return run_image(name)


def run_image(name: str) -> int:
    import numpy as np

    from graphc import errors
    from graphc.exec.engine import Engine

    from five import CASES

    case = CASES[name]()
    hosts = {key: (lambda r: r + r.dtype.type(1)) for key in case.hosts}
    try:
        engine = Engine(case.plan, case.constants, dict(case.states), hosts, threads=1, memory_limit=1 << 26)
    except errors.InternalError:
        return 1
    except errors.OpError:
        return 2
    result = 0
    for inputs in case.feeds(np.random.default_rng(0))[:3]:
        try:
            engine.run([np.array(x) for x in inputs])
        except (errors.OpError, ValueError):
            result = 2
    return result


def child(name: str) -> None:
    assert run_image(name) == 0
    counts = [0, 0, 0, 0]
    for seed in range(IMAGES):
        process = os.fork()
        if process == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
            signal.alarm(AT_MOST)
            os._exit(try_image(name, seed))
        outcome = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if -outcome in (signal.SIGXCPU, signal.SIGALRM):
            outcome = 3
        if outcome not in range(4):
            print(f"seed {seed}: exit code {outcome}", flush=True)
            sys.exit(1)
        counts[outcome] += 1
    print("answers, refused, errors, too long:", *counts)
    sys.exit(0 if counts[1] and counts[3] < IMAGES // 10 else 1)


@pytest.mark.parametrize("name", ["conv_norm_dense", "adam", "growing_loop", "masked_matmul", "loop_with_host"])
def test_damaged_images_do_not_crash(name: str) -> None:
    here = Path(__file__)
    paths = os.pathsep.join(
        [str(here.parents[2]), str(here.parents[1] / "plan"), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    found = subprocess.run([sys.executable, str(here), name], capture_output=True, text=True, timeout=500,
                           env=os.environ | {"PYTHONPATH": paths})
    assert found.returncode == 0, found.stdout + found.stderr


if __name__ == "__main__":
    child(sys.argv[1])
