"""One op on the same arrays in graphc and in TensorFlow: values, static shapes and gradients of each."""
from __future__ import annotations

import atexit
import dataclasses
import functools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case

import graphc as gc
from graphc.ir.op import Sample

from samples import Built, build, definition

# The rank of their results depends on sizes, which must be known while building.
RANK_BY_SIZE = ("Squeeze", "GatherNd")


@dataclasses.dataclass
class Outcome:
    """values and gradients: arrays, None for no gradient. shapes: static ones, where the operands' sizes are unknown;
    known_shapes: where they are known.

    error: the class of the run's error and its words, or None.
    """

    values: list[Any] = dataclasses.field(default_factory=list)
    gradients: list[Any] = dataclasses.field(default_factory=list)
    shapes: list[Any] = dataclasses.field(default_factory=list)
    known_shapes: list[Any] = dataclasses.field(default_factory=list)
    error: str | None = None
    open_error: str | None = None  # of importing the graph with unknown sizes
    no_gradient: bool = False


@dataclasses.dataclass(frozen=True)
class Program:
    """before: operations to run first; fetched: the results, or the variables that an op writes."""

    built: Built
    unknown: Built
    before: list[Any]
    fetched: list[Any]
    values: tuple[np.ndarray, ...]
    differentiable: bool


def compare_run(case: Case) -> tuple[Outcome, Outcome]:
    """(graphc's outcome, TensorFlow's)."""
    return compare_program(_updates(case) if case.op.refs else _computes(case))


def compare_program(program: Program) -> tuple[Outcome, Outcome]:
    weights = [_weights(t) for t in program.built.outputs]
    request = {
        "saved": program.built.graph.as_graph_def().SerializeToString(),
        "open_graph": program.unknown.graph.as_graph_def().SerializeToString(),
        **{
            key: [t.name for t in tensors]
            for key, tensors in (
                ("inputs", program.built.inputs),
                ("outputs", program.built.outputs),
                ("fetched", program.fetched),
            )
        },
        "before": [o.name for o in program.before],
        "values": program.values,
        "weights": weights,
        "differentiate": program.differentiable,
    }
    return _graphc(program, weights), Outcome(**tensorflow().ask(request))


def _computes(case: Case) -> Program:
    sample = Sample(case.fields)
    if case.op.type == "Range":
        return _range(case)
    built = build(case.op, sample, case.values)
    unknown = built if case.op.type in RANK_BY_SIZE else build(case.op, sample, case.values, dynamic=True)
    return Program(built, unknown, [], built.outputs, case.values, True)


def _range(case: Case) -> Program:
    """Its operands are fields without a tensor, whose dtype only the public function gives them."""
    with gc.Graph().as_default() as graph:
        made = gc.range(*(case.fields[name] for name in ("start", "limit", "delta")), dtype=case.fields.get("dtype"))
    built = Built(graph, [], [made], made.op)
    return Program(built, built, [], [made], (), True)


def _updates(case: Case) -> Program:
    """The op on variables that hold the first operands' values: what they hold afterwards."""
    count = len(case.op.refs)
    with gc.Graph().as_default() as graph:
        variables = [gc.Variable(v) for v in case.values[:count]]
        rest = [gc.placeholder(v.dtype, v.shape) for v in case.values[count:]]
        operation = graph.create(
            definition(case.op, Sample(case.fields)), [*(v.op.outputs[0] for v in variables), *rest]
        )
        built = Built(graph, rest, list(operation.outputs), operation)
        before = [gc.global_variables_initializer(), operation]
    return Program(built, built, before, [v.op.outputs[0] for v in variables], case.values[count:], False)


# Results that are vectors whose sign is free: magnitudes are compared, and not their derivatives.
SIGN_IS_FREE = {"SelfAdjointEigV2": (1,), "Svd": (1, 2)}


def _weights(tensor: Any) -> Any:
    """Numbers by which a result is weighted in what is differentiated; None (ones) if its shape is unknown."""
    if not (tensor.dtype.is_floating or tensor.dtype.is_complex) or not tensor.shape.is_fully_defined():
        return None
    shape = [size.value for size in tensor.shape.dims]
    generator = np.random.default_rng(7)
    drawn = generator.uniform(-1, 1, shape) * (tensor.value_index not in SIGN_IS_FREE.get(tensor.op.type, ()))
    if tensor.dtype.is_complex:
        drawn = drawn + 1j * generator.uniform(-1, 1, shape)
    return drawn.astype(tensor.dtype.as_numpy_dtype)


def _graphc(program: Program, weights: list[Any]) -> Outcome:
    built = program.built
    found = Outcome(shapes=list(map(_shape, program.unknown.outputs)), known_shapes=list(map(_shape, built.outputs)))
    slopes: list[Any] = []
    with built.graph.as_default():
        ys = [
            (y, w) for y, w in zip(built.outputs, weights, strict=True) if y.dtype.is_floating or y.dtype.is_complex
        ]
        if program.differentiable and ys:
            try:
                slopes = gc.gradients([y for y, _ in ys], built.inputs, [w for _, w in ys])
            except (LookupError, gc.errors.UnimplementedError):
                found.no_gradient = True
            except (gc.errors.OpError, ValueError, TypeError) as error:
                found.error = f"{type(error).__name__}: of the gradient: {error}"
                return found
        slopes = [None if s is None else gc.convert_to_tensor(s) for s in slopes]
    try:
        with gc.Session(graph=built.graph) as session:
            feeds = dict(zip(built.inputs, program.values, strict=True))
            for operation in program.before:
                session.run(operation, feeds if operation is built.operation else {})
            made = session.run([program.fetched, [s for s in slopes if s is not None]], feeds)
    except gc.errors.OpError as error:
        found.error = f"{type(error).__name__}: {error}"
        return found
    rest = iter(made[1])
    found.values, found.gradients = made[0], [None if s is None else next(rest) for s in slopes]
    return found


def _shape(tensor: Any) -> list[int | None] | None:
    return tensor.shape.as_list() if tensor.shape.ndims is not None else None


class TensorFlow:
    """A process that answers (tensorflow_child.py)."""

    def __init__(self) -> None:
        child = Path(__file__).with_name("tensorflow_child.py")
        self.process = subprocess.Popen(
            [sys.executable, str(child)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        atexit.register(self.process.kill)

    def ask(self, request: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        pickle.dump(request, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)


@functools.cache
def tensorflow() -> TensorFlow:
    return TensorFlow()
