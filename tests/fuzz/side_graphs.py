"""Graphs with side files for the fuzzers: what the graph says of the file, what it says of its tensors, or the file
itself is changed; the graph's hash is put right, so that the readers behind it are reached."""
from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np

import graphc as gc
from graphc.serial.plan_proto import graph_hash

from mutate import mutate_bytes, mutate_message

BASE, HEADER = "side.pb", 64


@cache
def _graph() -> gc.GraphDef:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 8], name="x")
        weights = [gc.constant(np.full((8, 8), i / 8, np.float32)) for i in range(3)]
        mask = gc.constant(np.arange(80) % 2 == 0)
        y = gc.matmul(gc.matmul(gc.matmul(x, weights[0]), weights[1]), weights[2])
        return gc.freeze(session, gc.where(mask, gc.zeros([80]), gc.ones([80])) + gc.reduce_sum(y))


def write_side_graphs(folder: Path, count: int, rng: random.Random) -> list[Path]:
    """Files for graphc-fuzz; the first is as it should be."""
    gc.train.write_graph(_graph(), str(folder), BASE, as_text=False, aside_over=64)
    base, data = (folder / BASE).read_bytes(), (folder / f"{BASE}.data").read_bytes()
    paths = [folder / BASE]
    for i in range(count):
        graph_def = gc.GraphDef.FromString(base)
        if rng.random() < 0.3:
            graph_def.side_file.name = f"side{i}.data"
            (folder / f"side{i}.data").write_bytes(_changed(data, rng))
        else:
            tensors = [node.attr["value"].tensor for node in graph_def.node if node.op == "Const"]
            mutate_message(rng.choice([graph_def.side_file, *(t.side for t in tensors if t.HasField("side"))]), rng)
        for plan in graph_def.plans:
            plan.graph_hash = graph_hash(graph_def)
        paths.append(folder / f"side{i}.pb")
        paths[-1].write_bytes(graph_def.SerializeToString())
    return paths


def _changed(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.5:
        return mutate_bytes(data[:HEADER], rng) + data[HEADER:]
    return data[:rng.randrange(len(data))]
