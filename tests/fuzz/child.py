"""Python's side of the fuzzing: `child.py PLAN SEED COUNT` tries COUNT mutations of one Plan (graph_plans.py).

Every mutation runs in a fork, with limits on memory and time, between guard pages (GRAPHC_GUARD). Any outcome but a
crash is right: an answer, or an error of graphc.errors. Half of the plans go past Python's verifier, so that the
runtime's, which C++ relies on alone, has to find what is wrong; some images have words changed that no plan makes
(these are only verified: the sizes of constants and inputs in them are no longer those of the arrays).

Prints a line of counts and one of JSON: outcomes, checks of the runtime's verifier that refused a plan, and kinds of
steps of plans that ran. Status 1, with the seeds, if anything crashed or raised something else; the plans are kept in
build/fuzz. `child.py PLAN FILE` tries one of those again, in this process.
"""
from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/plan")]
os.environ.setdefault("GRAPHC_GUARD", "1")

from google.protobuf.message import DecodeError
from graph_plans import case_named, step_kinds

from graphc import errors
from graphc.exec import engine as engines
from graphc.exec.engine import Engine
from graphc.exec.library import load_library
from graphc.plan.plan import Plan
from graphc.serial import plan_proto
from graphc.serial.plan_proto import parse_plan, save_plan

from five import Case
from mutate import INTERESTING, mutate

SECONDS, AT_MOST = 3, 60                        # of a core; on the clock, for one that waits
MEMORY = 1 << 26
ANSWER, FAILED, REFUSED, UNEXPECTED = range(4)
CHECKED = 16                                    # + number of the check of the runtime's verifier
STOPPED = (signal.SIGALRM, signal.SIGXCPU)      # a changed constant can make a loop long: no fault


def read(data: bytes, trusting: bool) -> Plan | None:
    """The plan, None if it is refused. trusting: without Python's verifier, as C++ reads it."""
    try:
        if not trusting:
            return parse_plan(data)
        saved = plan_proto.pb.SavedPlan.FromString(data)
        return plan_proto._read(saved.plan)
    except (errors.OpError, DecodeError, ValueError, KeyError, TypeError):
        return None


def damage(rng: random.Random) -> None:
    """From now on images have words changed."""
    original = engines.make_image

    def damaged(*arguments: object) -> np.ndarray:
        image = original(*arguments)            # type: ignore[arg-type]
        for _ in range(rng.choice((1, 1, 2, 3))):
            at = rng.randrange(min(len(image), rng.choice((16, len(image)))))
            image[at] = rng.choice((int(image[at]) + rng.choice((-1, 1)), int(image[rng.randrange(len(image))]),
                                    rng.choice(INTERESTING), -rng.choice(INTERESTING)))
        return image

    engines.make_image = damaged


def attempt(case: Case, data: bytes, rng: random.Random) -> int:
    kind = rng.choice(("plan", "trusting", "image"))
    plan = read(data, kind != "plan")
    if plan is None:
        return REFUSED
    if kind == "image":
        plan = case.plan
        damage(rng)
    constants = {c.name: case.constants[c.name] for c in plan.constants if c.name in case.constants}
    hosts = {name: case.hosts.get(name, lambda *r: r[0] + r[0].dtype.type(1)) for name in plan.hosts}
    try:
        engine = Engine(plan, constants, dict(case.states), hosts, threads=1, memory_limit=MEMORY)
    except errors.OpError as error:
        check = re.search(r"does not verify.*check (\d+)", str(error))
        return CHECKED + int(check[1]) if check else REFUSED
    except (IndexError, KeyError, ValueError, TypeError, OverflowError):
        if kind == "plan":
            raise
        return REFUSED                          # Python's own tables cannot hold a plan that its verifier did not see
    if kind == "image":
        return FAILED
    try:
        for inputs in case.feeds(np.random.default_rng(0))[:3]:
            engine.run([np.array(x) for x in inputs])
    except errors.OpError:
        return FAILED
    except (IndexError, ValueError, TypeError):
        if kind == "plan":
            raise
        return FAILED
    return ANSWER


def in_a_fork(case: Case, data: bytes, rng: random.Random) -> int:
    """The outcome, or the negative number of the signal that ended the fork."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        signal.alarm(AT_MOST)
        try:
            os._exit(attempt(case, data, rng))
        except BaseException:
            traceback.print_exc()
            os._exit(UNEXPECTED)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def keep(name: str, number: int, data: bytes) -> Path:
    folder = ROOT / "build/fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{number}.plan"
    path.write_bytes(data)
    return path


def generator(name: str, number: int) -> random.Random:
    return random.Random(f"{name}{number}")


def main(name: str, seed: int, count: int) -> int:
    load_library()
    case = case_named(name)
    original = save_plan(case.plan).SerializeToString()
    outcomes: Counter[str] = Counter()
    checks: set[int] = set()
    bad = []
    for number in range(seed, seed + count):
        rng = generator(name, number)
        data = mutate(original, rng)
        code = in_a_fork(case, data, rng)
        if code >= CHECKED:
            outcomes["refused by the runtime"] += 1
            checks.add(code - CHECKED)
        elif code >= 0 and code != UNEXPECTED:
            outcomes[("answer", "failed", "refused")[code]] += 1
        elif -code in STOPPED:
            outcomes["stopped"] += 1
        else:
            bad.append((number, code, str(keep(name, number, data))))
    print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    kinds = sorted(step_kinds(case.plan)) if outcomes["answer"] else []
    print(json.dumps({"outcomes": outcomes, "checks": sorted(checks), "kinds": kinds}))
    if bad:
        print(f"{name}: CRASHED for (seed, status, plan) {bad}")
    return 1 if bad else 0


def again(name: str, path: Path) -> int:
    """Tries a kept plan; its number, in the file's name, gives the rest."""
    rng = generator(name, int(path.stem.rsplit("-", 1)[1]))
    mutate(save_plan(case_named(name).plan).SerializeToString(), rng)
    print("outcome", attempt(case_named(name), path.read_bytes(), rng))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.exit(again(sys.argv[1], Path(sys.argv[2])))
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
