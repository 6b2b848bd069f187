"""`graphc gpu model.pb --shapes x=32,784`: the code with which the C++ library runs a model on a GPU.

Kernels for a GPU are made of a plan and the sizes of its inputs, by a compiler that the C++ library does not have. So
they are made here, for the sizes that are named, without a GPU: PTX, and what is launched with which parameters, in a
file of its own (proto/gpu_code.proto).
"""
from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.convert.command import shape_argument
from graphc.exec.cuda.code.ptx import OLDEST_COMPUTE, TENSOR_COMPUTE
from graphc.plan.plan import Plan
from graphc.serial.graph_pb2 import GraphDef

USE = "graphc gpu MODEL.pb [--shapes 'NAME=32,784 OTHER=32'] [-o MODEL.gpu] [options]"
Shapes = Mapping[str, tuple[int, ...]]         # of inputs, by their names; ":0" may be left out


def add(commands: Any) -> None:
    """Adds the command to those of `graphc`."""
    command = commands.add_parser("gpu", help="make the code with which graphc-run runs a model on a GPU", usage=USE,
                                  formatter_class=argparse.RawTextHelpFormatter)
    command.add_argument("model", help="a model with compiled Plans")
    command.add_argument("--shapes", action="append", default=[], metavar="'NAME=32,784 ...'",
                         help="sizes of the inputs of a run: of all whose sizes the model leaves open; may be\n"
                              "repeated, for runs of other sizes or of other signatures")
    command.add_argument("--signature", action="append", default=[], metavar="NAME",
                         help="which of the model's signatures; may be repeated; default: all")
    command.add_argument("--compute", type=int, choices=(OLDEST_COMPUTE, TENSOR_COMPUTE), default=TENSOR_COMPUTE,
                         help="the oldest GPUs that are to run it, by their compute capability: 80 (the default) lets\n"
                              "products of 16-bit floats use tensor cores, 75 is for Turing, too")
    command.add_argument("--auto-mixed-precision", action="store_true",
                         help="tensor cores may round the factors of float32 products to 10 bits of mantissa (tf32),\n"
                              "as ConfigProto's rewrite_options.auto_mixed_precision lets a Session; not with 75")
    command.add_argument("-o", "--out", metavar="MODEL.gpu", help="where to write; default: beside the model")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> None:
    from graphc.io.whole_files import written

    graph_def = gc.load_graph_def(options.model)
    made = make_gpu_code(graph_def, [_shapes(text) for text in options.shapes], options.signature, options.compute,
                         options.auto_mixed_precision, print)
    path = options.out or f"{os.path.splitext(options.model)[0]}.gpu"
    with written(path) as file:
        file.write(made)
    print(f"{path}: {len(made):,} bytes")


def _shapes(text: str) -> Shapes:
    found = {}
    for name, shape in map(shape_argument, text.split()):
        if None in shape:
            raise ValueError(f"--shapes {text}: the code is made for sizes that are known")
        found[name] = tuple(int(size or 0) for size in shape)
    return found


def make_gpu_code(graph_def: GraphDef, sets: Sequence[Shapes] = (), signatures: Sequence[str] = (),
                  compute: int = TENSOR_COMPUTE, auto_mixed_precision: bool = False,
                  tell: Callable[[str], object] = lambda line: None) -> bytes:
    """The contents of the file, for inputs of these sets of shapes; a set is for all signatures that have all of its
    inputs, and whose other inputs' shapes the model knows.

    signatures: which of the file's, all if none are named; compute, auto_mixed_precision: see `graphc gpu --help`;
    tell: called with a line for each op that is left for the CPU where a GPU does only parts of a signature.
    Raises UnimplementedError for a signature of which a GPU can do nothing; NotFoundError for a name that
    is not there; InvalidArgumentError for shapes that do not fit or are missing, or for rounding without tensor cores.
    """
    from graphc.serial.gpu_code import gpu_code
    from graphc.serial.plan_proto import graph_hash, load_plan

    if auto_mixed_precision and compute < TENSOR_COMPUTE:
        raise errors.InvalidArgumentError(
            f"auto_mixed_precision is for tensor cores, which GPUs of compute capability {compute} do not have for "
            f"float32: leave it out, or make code for {TENSOR_COMPUTE}")
    hashed = graph_hash(graph_def)
    saved = {one.signature: one for one in graph_def.plans if one.graph_hash == hashed}
    if not saved:
        raise errors.FailedPreconditionError("the model has no compiled Plans: `graphc convert` makes them")
    for name in signatures:
        if name not in saved:
            raise errors.NotFoundError(f"the file has no signature {name}; it has {', '.join(saved)}")
    plans = {name: load_plan(saved[name]) for name in signatures or saved}
    _refuse_unknown(plans, sets)
    found = {}
    for name, plan in plans.items():
        shapes = _shapes_of(name, plan, sets or [{}])
        rest = _constants(graph_def, plan), compute, auto_mixed_precision
        found[name] = saved[name], _recorded(name, plan, shapes, rest, tell)
    return gpu_code(hashed, found)


def _refuse_unknown(plans: Mapping[str, Plan], sets: Sequence[Shapes]) -> None:
    """A set that fits no signature would have no effect."""
    names = {signature: [_plain(port.name) for port in plan.inputs] for signature, plan in plans.items()}
    for one in sets:
        if not any({*map(_plain, one)} <= {*inputs} for inputs in names.values()):
            listed = "; ".join(f"{signature}: {', '.join(inputs) or 'none'}" for signature, inputs in names.items())
            raise errors.NotFoundError(f"no signature has all of the inputs {', '.join(one)}; there are {listed}")


def _recorded(signature: str, plan: Plan, shapes: Sequence[Sequence[tuple[int, ...]]], rest: Any,
              tell: Callable[[str], object]) -> Any:
    """A signature's runs, or its walk (exec/cuda/recording/recorded.py, recorded_parts.py)."""
    from graphc.exec.cuda.recording.recorded import record_runs
    from graphc.exec.cuda.recording.recorded_parts import Divided, record_walk
    from graphc.exec.cuda.support import lacking_steps

    constants, *settings = rest
    lacking = dict.fromkeys(lacking_steps(plan))
    if not lacking:
        return record_runs(plan, constants, shapes, *settings)
    divided = Divided(plan, shapes)
    if not any(divided.residence.steps):
        raise errors.UnimplementedError(
            f"a GPU can do nothing of the signature {signature}:\n  " + "\n  ".join(lacking)
            + "\nleave it on the CPU (--signature names the others)")
    for line in dict.fromkeys(divided.left()):
        tell(f"{signature}: the CPU does {line}")
    return record_walk(divided, constants, *settings)


def _shapes_of(signature: str, plan: Plan, sets: Sequence[Shapes]) -> list[list[tuple[int, ...]]]:
    """The shapes of the plan's inputs, for each set that has all that are open, once each."""
    found: list[list[tuple[int, ...]]] = []
    lacking = ""
    for one in sets:
        given = {_plain(name): shape for name, shape in one.items()}
        if not {*given} <= {_plain(port.name) for port in plan.inputs}:
            continue
        shapes = [given.get(_plain(port.name), tuple(port.shape)) for port in plan.inputs]
        for port, shape in zip(plan.inputs, shapes, strict=True):
            if -1 in shape:
                lacking = f"the input '{port.name}' of the signature {signature} has sizes that the model leaves open"
                break
            if len(shape) != len(port.shape) or any(-1 != a != b for a, b in zip(port.shape, shape, strict=True)):
                raise errors.InvalidArgumentError(f"the shape {shape} does not fit the input '{port.name}' of the "
                                                  f"signature {signature}, which is of shape {tuple(port.shape)}")
        else:
            if shapes not in found:
                found.append(shapes)
    if not found:
        raise errors.InvalidArgumentError(f"{lacking or f'no --shapes are for the signature {signature}'}: name its "
                                          f"inputs' sizes, --shapes 'NAME=32,784 OTHER=32'")
    return found


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _constants(graph_def: GraphDef, plan: Plan) -> dict[str, np.ndarray[Any, Any]]:
    from graphc.serial.tensors import read_array

    nodes = {node.name: node for node in graph_def.node if node.op == "Const"}
    return {c.name: read_array(nodes[c.name].attr["value"].tensor) for c in plan.constants if c.name in nodes}
