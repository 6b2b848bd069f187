"""Code for a GPU for the fuzzers (proto/gpu_code.proto): what is recorded of a training step gets other numbers, many
of them near limits, or bytes of its file change. The hashes stay right, so that what is behind them is reached."""
from __future__ import annotations

import random
from dataclasses import fields, is_dataclass, replace
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
from graphc.commands.gpu import make_gpu_code
from graphc.exec.cuda.calls.checks import Range
from graphc.exec.cuda.recording.recorded import Kernel, Moved, Recorded, record_runs
from graphc.exec.cuda.recording.recorded_parts import Divided, Walk, record_walk
from graphc.serial.gpu_code import gpu_code
from graphc.serial.plan_proto import load_plan
from graphc.serial.tensors import read_array

from mutate import INTERESTING, mutate_bytes

MODEL = "code.pb"


@cache
def _model() -> gc.GraphDef:
    with gc.Graph().as_default(), gc.Session() as session:
        x, i = gc.placeholder(gc.float32, [3, 4], "x"), gc.placeholder(gc.int32, [3], "i")
        w = gc.Variable(np.ones((5, 4), np.float32))
        y = gc.nn.dropout(x, keep_prob=0.5) + gc.gather(w, i) * gc.constant(np.ones((3, 4), np.float32))
        session.run(gc.global_variables_initializer())
        return gc.export_model(session, {"f": gc.Signature({"y": y, "t": gc.scatter_add(w, i, x).op}, [x, i])})


SHAPES = [[(3, 4), (3,)]]


def _plan() -> tuple[Any, dict[str, Any]]:
    nodes, plan = {node.name: node for node in _model().node}, load_plan(_model().plans[0])
    return plan, {c.name: read_array(nodes[c.name].attr["value"].tensor) for c in plan.constants}


def _with_short_texts(made: Recorded) -> Recorded:
    short = {ptx: f".target sm_75 // {i}" for i, ptx in enumerate({t.ptx for part in made.tasks for t in part
                                                                  if isinstance(t, Kernel)})}
    return replace(made, tasks=tuple(tuple(replace(t, ptx=short[t.ptx]) if isinstance(t, Kernel) else t for t in part)
                                     for part in made.tasks))


@cache
def _recorded() -> Recorded:
    plan, constants = _plan()
    return _with_short_texts(record_runs(plan, constants, SHAPES, 75)[0])


@cache
def _walk() -> Walk:
    """The same as parts of a plan for the host."""
    plan, constants = _plan()
    made = record_walk(Divided(plan, SHAPES), constants, 75)
    return replace(made, parts=tuple(replace(part, runs=tuple(map(_with_short_texts, part.runs)))
                                     for part in made.parts))


def write_gpu_files(folder: Path, count: int, rng: random.Random) -> list[Path]:
    """Arguments for graphc-fuzz: a model, and files for it; the first is as it should be."""
    gc.train.write_graph(_model(), str(folder), MODEL, as_text=False)
    saved = _model().plans[0]
    paths = [folder / MODEL, folder / "code.gpu"]
    paths[1].write_bytes(make_gpu_code(_model(), compute=75))
    for number in range(count):
        code = gpu_code(saved.graph_hash, {"f": (saved, _changed_walk(rng) if number % 3 == 2 else _changed_runs(rng))})
        paths.append(folder / f"{number}.gpu")
        paths[-1].write_bytes(mutate_bytes(code, rng) if rng.random() < 0.3 else code)
    return paths


def _changed_runs(rng: random.Random) -> list[Recorded]:
    run = _recorded()
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        run = _changed_run(run, rng)
    return [run] * rng.choice((0, 1, 1, 2))


def _changed_walk(rng: random.Random) -> Walk:
    walk = _walk()
    if rng.random() < 0.3:
        field = rng.choice(("parts", "here", "sizes"))
        walk = replace(walk, **{field: _changed(getattr(walk, field), rng)})
    return replace(walk, parts=tuple(replace(part, runs=tuple(
        _changed_run(run, rng) if rng.random() < 0.5 else run for run in part.runs)) for part in walk.parts))


def _changed_run(run: Recorded, rng: random.Random) -> Recorded:
    field = rng.choice(["tasks"] * 6 + ["memory"] * 3 + [f.name for f in fields(run)])
    if field == "tasks":
        part = rng.choice([number for number, tasks in enumerate(run.tasks) if tasks] or [0])
        return replace(run, tasks=(*run.tasks[:part], _changed_list(run.tasks[part], rng), *run.tasks[part + 1:]))
    if field in ("checks", "needed"):          # pairs of a step and what it asks for
        listed = list(getattr(run, field))
        if not listed:
            return run
        at = rng.randrange(len(listed))
        (body, step), what = listed[at]
        listed[at] = (_changed(body, rng), _changed(step, rng)), _changed(what, rng)
        return replace(run, **{field: tuple(listed)})
    return replace(run, **{field: _changed(getattr(run, field), rng)})


def _changed(value: Any, rng: random.Random) -> Any:
    """The same with one thing in it changed."""
    if isinstance(value, Recorded):
        return _changed_run(value, rng)
    if isinstance(value, Moved):
        field = rng.choice(("target", "source", "count"))
        return replace(value, **{field: _changed(getattr(value, field), rng)})
    if isinstance(value, IntEnum):
        return rng.choice(list(type(value)))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((*INTERESTING, value + 1, max(value - 1, 0), value + 8, -1 % 2**64))
    if isinstance(value, str):
        return rng.choice(("", value[:-1], value + "\0", "gc_other"))
    if isinstance(value, bytes):
        return value[:-1] if rng.random() < 0.5 else value * 2
    if isinstance(value, tuple):
        return _changed_list(value, rng)
    if isinstance(value, Range) or not is_dataclass(value):
        return value
    field = rng.choice([f.name for f in fields(value)])
    return replace(value, **{field: _changed(getattr(value, field), rng)})  # type: ignore[type-var]


def _changed_list(value: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    kind = rng.random()
    if not value or kind < 0.1:
        return value[1:]
    at = rng.randrange(len(value))
    if kind < 0.2:
        return (*value, value[at])
    return (*value[:at], _changed(value[at], rng), *value[at + 1:])
