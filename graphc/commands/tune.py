"""`graphc tune model.pb`: measures which way each kernel of the model goes quickest on this machine, for given sizes.

Later Sessions on this machine go these ways by themselves; the C++ runner does where GRAPHC_TUNED names the file that
`-o` writes (graphc/exec/ways.py).
"""
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.commands.graph_runs import GraphRuns
from graphc.convert.command import shape_argument
from graphc.exec.ways import to_text
from graphc.io.whole_files import written
from graphc.ir import dtypes
from graphc.plan.plan import Port


def add(commands: Any) -> None:
    """Adds the command to those of `graphc`."""
    command = commands.add_parser("tune", help="measure which ways of computing are the quickest on this machine")
    command.add_argument("model", help="a GraphDef: .pb, or .pbtxt in text form")
    command.add_argument("--shape", action="append", default=[], metavar="NAME=32,28,28,1",
                         help="sizes of an input; may be repeated. Default: as declared, 1 where they are open")
    command.add_argument("--threads", type=int, help="default: one a CPU")
    command.add_argument("--rounds", type=int, default=5, help="how often each way is measured; the best one counts")
    command.add_argument("-o", "--output", metavar="FILE", help="where to write the ways, for the C++ runner")
    command.set_defaults(command=_tune)


def _tune(options: argparse.Namespace) -> None:
    runs = GraphRuns(gc.load_graph_def(options.model), [], [], options.threads)
    shapes = dict(map(shape_argument, options.shape))
    unknown = [name for name in shapes if name not in {_name(port) for port in runs.inputs}]
    if unknown:
        raise errors.NotFoundError(f"--shape {unknown[0]}: the model has no such input, but "
                                   f"{', '.join(map(_name, runs.inputs)) or 'none'}")
    found = runs.tune([_value(port, shapes.get(_name(port))) for port in runs.inputs], options.rounds)
    print(found)
    if options.output:
        with written(options.output) as file:
            file.write(to_text(found.ways).encode())
        print(f"written: {options.output}; GRAPHC_TUNED={options.output} has graphc-run read it")


def _name(port: Port) -> str:
    return port.name.removesuffix(":0")


def _value(port: Port, sizes: tuple[int | None, ...] | None) -> np.ndarray:
    """What to feed: random numbers, zeros for integers, which may be indices."""
    declared = tuple(1 if s == -1 else s for s in port.shape)
    shape = declared if sizes is None else tuple(1 if s is None else s for s in sizes)
    if len(shape) != len(declared) or any(s not in (-1, n) for s, n in zip(port.shape, shape, strict=True)):
        raise errors.InvalidArgumentError(f"--shape {_name(port)}={','.join(map(str, shape))}: the model declares "
                                          f"{tuple(None if s == -1 else s for s in port.shape)}")
    dtype = dtypes.as_dtype(port.dtype).numpy
    if dtype is None:
        raise errors.UnimplementedError(f"the input {_name(port)} is of strings, of which tune cannot make up any; "
                                        "tune in Python, with Session.tune")
    if dtype.kind == "f":
        return np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return np.zeros(shape, dtype)
