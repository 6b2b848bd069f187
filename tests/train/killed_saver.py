"""Kills processes in the middle of saves, and looks at what they leave: `python killed_saver.py FOLDER KIND RANDOM`.

KIND: "steps" (each checkpoint has a name of its own, two are kept), "same" (one name, overwritten each time), with
"sharded-" in front: two files of data each. First a child is killed before the 1st, 2nd, 3rd, ... time that a save
opens, renames, links or removes a file, until one ends. Then RANDOM children that save all the time are killed at
random moments. After each kill the newest checkpoint is restored. At the end a save must leave nothing but what belongs
to checkpoints.

Children are forked from a process that has a session, so one takes a few milliseconds. Prints how many were killed.
"""
from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from typing import Any

import numpy as np

import graphc as gc

FILE_EVENTS = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.scandir", "os.listdir",
               "shutil.rmtree"}
# Of a checkpoint, with its state: everything else is litter.
BELONGS = re.compile(r"checkpoint|m(-\d+)?\.(meta|index|data-0000\d-of-0000\d)")


class Model:
    """Variables that all have the same value: the number of the save."""

    def __init__(self, folder: str, kind: str) -> None:
        self.folder, self.same = folder, kind.endswith("same")
        for i, size in enumerate((1, 300, 70_000)):
            with gc.device(f"/cpu:{i % 2}"):
                gc.get_variable(f"v{i}", [size], gc.int64, gc.zeros_initializer())
        self.value = gc.placeholder(gc.int64, [])
        self.set = gc.group(*(gc.assign(v, gc.fill(v.shape.as_list(), self.value)) for v in gc.global_variables()))
        self.saver = gc.train.Saver(sharded=kind.startswith("sharded"), max_to_keep=2)
        self.session = gc.Session()

    def save(self, step: int) -> None:
        self.session.run(self.set, {self.value: step})
        self.saver.save(self.session, os.path.join(self.folder, "m"), None if self.same else step)

    def newest(self) -> int:
        """The number of the newest checkpoint, which must be whole."""
        latest = gc.train.latest_checkpoint(self.folder)
        assert latest is not None and os.path.isfile(f"{latest}.meta")
        self.session.run(self.set, {self.value: -1})
        self.saver.restore(self.session, latest)
        found = np.unique(np.concatenate([np.ravel(v) for v in self.session.run(gc.global_variables())]))
        assert found.size == 1 and (self.same or latest.endswith(f"-{found[0]}")), (latest, found)
        return int(found[0])


def killed_at(model: Model, moment: int, step: int) -> bool:
    """Whether a child that saves was killed before its file event of that number."""
    child = os.fork()
    if child:
        return os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    count = 0

    def hook(event: str, _: Any) -> None:
        nonlocal count
        if event in FILE_EVENTS:
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        model.save(step)
    finally:
        os._exit(0)


def killed_later(model: Model, seconds: float, step: int) -> None:
    child = os.fork()
    if not child:
        try:
            for i in range(1000):
                model.save(step + i)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, "a save failed"


def main(folder: str, kind: str, randomly: int) -> None:
    model, kills, step = Model(folder, kind), 0, 3
    for first in range(step):
        model.save(first)
    before = model.newest()
    while killed_at(model, kills + 1, step):
        kills += 1
        after = model.newest()
        assert after in (before, step), (before, after, step)
        before, step = after, step + 1
    before = model.newest()
    assert before == step, "the child that was not killed has saved nothing"
    choose = random.Random(0)
    for _ in range(randomly):
        step += 1001
        killed_later(model, choose.uniform(0, 0.03), step)
        after = model.newest()
        assert after == before or after >= step, (before, after, step)
        before, kills = after, kills + 1
    model.save(step + 1001)
    assert model.newest() == step + 1001
    litter = [name for name in os.listdir(folder) if not BELONGS.fullmatch(name)]
    indices = {name.removesuffix(".index") for name in os.listdir(folder) if name.endswith(".index")}
    orphans = [name for name in os.listdir(folder) if ".data-" in name and name.partition(".")[0] not in indices]
    assert not litter and not orphans, (litter, orphans)
    print(kills)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
