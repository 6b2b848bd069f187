"""One op on the same arrays in graphc and in TensorFlow: values, static shapes and gradients of each."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
from cases import Case

import graphc as gc
from graphc.ir.op import Sample

from samples import build


@dataclasses.dataclass
class Outcome:
    """values and gradients: arrays, None for no gradient. error: the class of error of the run, or None."""

    values: list[Any] = dataclasses.field(default_factory=list)
    gradients: list[Any] = dataclasses.field(default_factory=list)
    shapes: list[Any] = dataclasses.field(default_factory=list)
    error: str | None = None
    no_gradient: bool = False


def compare_run(case: Case) -> tuple[Outcome, Outcome]:
    """(graphc's outcome, TensorFlow's)."""
    sample = Sample(case.fields)
    built = build(case.op, sample, case.values)
    unknown = build(case.op, sample, case.values, dynamic=True)
    saved, open_graph = (b.graph.as_graph_def().SerializeToString() for b in (built, unknown))
    weights = [np.random.default_rng(7).uniform(-1, 1, [s.value for s in t.shape.dims]).astype(t.dtype.as_numpy_dtype)
               if t.dtype.is_floating and t.shape.is_fully_defined() else None for t in built.outputs]
    return _graphc(built, unknown, case, weights), _tensorflow(saved, open_graph, built, case, weights)


def _graphc(built: Any, unknown: Any, case: Case, weights: list[Any]) -> Outcome:
    found = Outcome(shapes=[t.shape.as_list() if t.shape.ndims is not None else None for t in unknown.outputs])
    with built.graph.as_default():
        ys = [(y, w) for y, w in zip(built.outputs, weights, strict=True) if w is not None]
        try:
            slopes = gc.gradients([y for y, _ in ys], built.inputs, [w for _, w in ys]) if ys else []
        except LookupError:
            slopes, found.no_gradient = [], True
    try:
        with gc.Session(graph=built.graph) as session:
            feeds = dict(zip(built.inputs, case.values, strict=True))
            made = session.run([built.outputs, [s for s in slopes if s is not None]], feeds)
    except gc.errors.OpError as error:
        found.error = type(error).__name__
        return found
    found.values, found.gradients = made[0], _placed(slopes, made[1])
    return found


def _tensorflow(saved: bytes, open_graph: bytes, built: Any, case: Case, weights: list[Any]) -> Outcome:
    found = Outcome()
    try:
        with tf.Graph().as_default():
            tf.import_graph_def(tf.compat.v1.GraphDef.FromString(open_graph), name="")
            outputs = [tf.compat.v1.get_default_graph().get_tensor_by_name(t.name) for t in built.outputs]
            found.shapes = [t.shape.as_list() if t.shape.rank is not None else None for t in outputs]
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(tf.compat.v1.GraphDef.FromString(saved), name="")
            inputs, outputs = ([graph.get_tensor_by_name(t.name) for t in ts] for ts in (built.inputs, built.outputs))
            ys = [(y, w) for y, w in zip(outputs, weights, strict=True) if w is not None]
            try:
                slopes = tf.gradients([y for y, _ in ys], inputs, [tf.constant(w) for _, w in ys]) if ys else []
            except (LookupError, NotImplementedError):
                slopes, found.no_gradient = [], True
            slopes = [tf.convert_to_tensor(s) if s is not None else None for s in slopes]
            with tf.compat.v1.Session() as session:
                feeds = dict(zip(inputs, case.values, strict=True))
                made = session.run([outputs, [s for s in slopes if s is not None]], feeds)
    except (tf.errors.OpError, ValueError) as error:
        found.error = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        return found
    found.values, found.gradients = made[0], _placed(slopes, made[1])
    return found


def _placed(slopes: list[Any], made: list[Any]) -> list[Any]:
    rest = iter(made)
    return [None if s is None else next(rest) for s in slopes]
