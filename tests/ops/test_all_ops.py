"""Every registered op, by its samples: declarations, shapes, gradients, the permuted law, the CPU, the wire format.

The oracle is the op's `reference` in NumPy, which test_references.py in turn compares with independent formulas.
"""
from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from graphc.exec.reference import apply_reference, run_reference
from graphc.ir.op import OPS, Effect, Op, Sample
from graphc.ir.spec import Spec

from samples import ELSEWHERE, arrays, build, definition, difference, each_sample, registered, specs

TYPES = [name for name in registered() if name not in ELSEWHERE]
FETCHABLE = [name for name in TYPES if not OPS[name].refs]
UPDATES = [name for name in TYPES if OPS[name].refs]
# Of these ops only the first result has a gradient, as in TensorFlow.
FIRST_RESULT_ONLY = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
# The rank of their results depends on sizes, which must be known while building.
RANK_BY_SIZE = {"Squeeze", "GatherNd"}
STEP = 1e-5


@pytest.mark.parametrize("op_type", TYPES)
def test_has_samples(op_type: str) -> None:
    assert OPS[op_type].samples, f"{op_type} has no samples: add some to its class"
    assert OPS[op_type].__doc__


@pytest.mark.parametrize("op_type", TYPES)
def test_infer_agrees_with_reference(op_type: str) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        made = arrays(op, sample)
        instance = definition(op, sample)
        inferred = instance.infer(*specs(made))
        results = apply_reference(instance, made)
        inferred = inferred if isinstance(inferred, tuple) else (inferred,)
        results = results[:len(inferred)] if op.refs else results    # new values of all refs, of which some are results
        if len(inferred) != len(results):
            return f"{len(inferred)} specs for {len(results)} results"
        for spec, result in zip(inferred, results, strict=True):
            if not fits(spec, np.asarray(result)):
                return f"inferred {spec}, but the reference gives {np.asarray(result).dtype}{np.shape(result)}"
        return None

    each_sample(op_type, check)


def fits(spec: Spec, result: np.ndarray) -> bool:
    """Whether an array is what `spec` says, as far as that is known."""
    if spec.dtype.numpy is not None and spec.dtype.unquantized.numpy != result.dtype:
        return False
    return spec.shape is None or (len(spec.shape) == result.ndim and all(
        not isinstance(size, int) or size == n for size, n in zip(spec.shape, result.shape, strict=True)))


@pytest.mark.parametrize("op_type", [t for t in FETCHABLE if any(s.gradient for s in OPS[t].samples)])
@pytest.mark.parametrize("order", [1, 2])
def test_gradient_agrees_with_finite_differences(op_type: str, order: int) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        if not sample.gradient:
            return None
        values = arrays(op, sample, double=True)
        if not any(v.dtype == np.float64 and v.size for v in values):
            return None
        for dynamic in (False,) if op_type in RANK_BY_SIZE else (False, True):
            problem = gradient_problem(op, sample, values, order, dynamic)
            if problem is not None:
                return f"{'unknown' if dynamic else 'known'} sizes: {problem}"
        return None

    each_sample(op_type, check)


def gradient_problem(op: type[Op], sample: Sample, values: list[np.ndarray], order: int, dynamic: bool) -> str | None:
    """The derivative of a random combination of the results in a random direction: `gradients` against differences."""
    from graphc.api.gradients.gradients import gradients as sparse_gradients
    from graphc.ir.apply import convert_to_tensor

    def gradients(total: Any, tensors: list[Any]) -> list[Any]:
        return [None if g is None else convert_to_tensor(g) for g in sparse_gradients(total, tensors)]

    generator = np.random.default_rng(len(op.type) + order)
    built = build(op, sample, values, double=True, dynamic=dynamic)
    feeds = dict(zip(built.inputs, values, strict=True))
    with built.graph.as_default():
        results = built.outputs[:1] if op.type in FIRST_RESULT_ONLY else built.outputs
        shapes = [v.shape for v in run_reference(results, feeds)]
        total = combination([(t, s) for t, s in zip(results, shapes, strict=True) if t.dtype.is_floating], generator)
        floats = [t for t in built.inputs if t.dtype.is_floating]
        found = gradients(total, floats)
        # Inputs without gradient stand still, unless all are: then the results must not depend on any.
        moved = [t for t, g in zip(floats, found, strict=True) if g is not None] or floats
        if order == 2:
            first = [(g, feeds[t].shape) for t, g in zip(floats, found, strict=True) if g is not None]
            if not first:
                return None
            total = combination(first, generator)
        found = gradients(total, moved)
    direction = {t: generator.normal(size=feeds[t].shape) for t in moved}
    derivatives = run_reference(present, feeds) if (present := [g for g in found if g is not None]) else []
    known = [t for t, g in zip(moved, found, strict=True) if g is not None]
    for t, value in zip(known, derivatives, strict=True):
        if value.shape != feeds[t].shape or value.dtype != feeds[t].dtype:
            return f"gradient {value.dtype}{value.shape} of an input {feeds[t].dtype}{feeds[t].shape}"
    parts = [direction[t] * value for t, value in zip(known, derivatives, strict=True)]
    analytic = sum(float(p.sum()) for p in parts)
    ahead = float(run_reference(total, {t: v + STEP * direction.get(t, 0) for t, v in feeds.items()}))
    behind = float(run_reference(total, {t: v - STEP * direction.get(t, 0) for t, v in feeds.items()}))
    numeric = (ahead - behind) / (2 * STEP)
    size = max(1.0, abs(numeric), sum(float(np.abs(p).sum()) for p in parts) * 0.1, abs(ahead) * 1e-3)
    if abs(analytic - numeric) > 2e-5 * size:
        return f"order {order}: {analytic} by gradients, {numeric} by finite differences"
    return None


def combination(tensors: list[tuple[Any, tuple[int, ...]]], generator: np.random.Generator) -> Any:
    """The sum of all elements, each with a random weight."""
    from graphc.api.math.binary import add_n
    from graphc.api.math.reduce import reduce_sum

    return add_n([reduce_sum(t * generator.normal(size=shape)) for t, shape in tensors], name="total")


@pytest.mark.parametrize("op_type", TYPES)
def test_permuted_law(op_type: str) -> None:
    """The op after transposes is a transpose after the permuted op."""
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        instance = definition(op, sample)
        if op.effect is not Effect.PURE or any(v.dtype == object for v in values):
            return None
        results = [np.asarray(r) for r in apply_reference(instance, values)]
        rank = max([v.ndim for v in values], default=max((r.ndim for r in results), default=0))
        for perm in permutations(rank):
            moved = instance.permuted(perm, tuple(v.ndim for v in values))
            if moved is None:
                continue
            turned = [v if p is None else v.transpose(p) for v, p in zip(values, moved.inputs, strict=True)]
            found = apply_reference(moved.op, turned)
            expected = [r if p is None else r.transpose(p) for r, p in zip(results, moved.outputs, strict=True)]
            inferred = moved.op.infer(*specs(turned))
            for a, b, spec in zip(
                found, expected, inferred if isinstance(inferred, tuple) else (inferred,), strict=True
            ):
                problem = difference(a, b, 1e-5)
                if problem is None and not fits(spec, b):
                    problem = f"infer says {spec}"
                if problem is not None:
                    return f"perm {perm} gives {moved.op}: {problem}"
        return None

    each_sample(op_type, check)


def permutations(rank: int) -> list[tuple[int, ...]]:
    """Every permutation up to rank 4; of higher ranks some."""
    every = itertools.permutations(range(rank))
    return list(itertools.islice(every, 1, 24))


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_cpu_agrees_with_reference(op_type: str) -> None:
    """Session.run against the reference, with sizes known while building and with none known."""
    import graphc as gc

    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        expected = apply_reference(definition(op, sample), values)
        for dynamic in (False,) if op_type in RANK_BY_SIZE else (False, True):
            built = build(op, sample, values, dynamic=dynamic)
            with gc.Session(graph=built.graph) as session:
                found = session.run(built.outputs, dict(zip(built.inputs, values, strict=True)))
            for i, (a, b) in enumerate(zip(found, expected, strict=True)):
                problem = difference(a, np.asarray(b), sample.tolerance)
                if problem is not None:
                    return f"{'unknown' if dynamic else 'known'} sizes, result {i}: {problem}"
        return None

    each_sample(op_type, check)


def update_problem(op: type[Op], sample: Sample, values: list[np.ndarray]) -> str | None:
    """What differs between a Session's variables and the evaluator's after the op, in words."""
    import graphc as gc

    with gc.Graph().as_default() as graph:
        variables = [gc.Variable(v) for v in values[:len(op.refs)]]
        rest = [gc.placeholder(v.dtype, v.shape) for v in values[len(op.refs):]]
        done = graph.create(definition(op, sample), [*(v.op.outputs[0] for v in variables), *rest])
        initialise = gc.global_variables_initializer()
    feeds = dict(zip(rest, values[len(op.refs):], strict=True))
    states: dict[str, np.ndarray] = {}
    run_reference(initialise, states=states)
    run_reference(done, feeds, states)
    with gc.Session(graph=graph) as session:
        session.run(initialise)
        session.run(done, feeds)
        for variable in variables:
            problem = difference(session.run(variable), states[variable.op.name], sample.tolerance)
            if problem is not None:
                return f"{variable.op.name}: {problem}"
    return None


@pytest.mark.parametrize("op_type", UPDATES)
def test_updates_agree_with_reference(op_type: str) -> None:
    """Ops that write variables: the variables after a run of a Session, and after one of the NumPy evaluator."""
    each_sample(op_type, lambda op, sample: update_problem(op, sample, arrays(op, sample)))


@pytest.mark.parametrize("op_type", FETCHABLE)
def test_wire_round_trip(op_type: str) -> None:
    """The op saved as a NodeDef, written to bytes, read and imported is the op."""
    import graphc as gc

    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        built = build(op, sample, values, name="tested")
        data = built.graph.as_graph_def().SerializeToString()
        message = gc.GraphDef()
        message.ParseFromString(data)
        graph = gc.Graph()
        with graph.as_default():
            gc.import_graph_def(message, name="")
        found = graph.get_operation_by_name("tested")
        if as_saved(found.definition) != as_saved(built.operation.definition):
            return f"{built.operation.definition} came back as {found.definition}"
        if [t.name for t in found.inputs] != [t.name for t in built.operation.inputs]:
            return f"inputs {[t.name for t in built.operation.inputs]} came back as {[t.name for t in found.inputs]}"
        return None

    each_sample(op_type, check)


def as_saved(op: Op) -> str:
    """The op in words, its floats as the wire format has them: float32."""
    fields = {f.name: getattr(op, f.name) for f in dataclasses.fields(op)}
    return repr({k: float(np.float32(v)) if isinstance(v, float) else v for k, v in fields.items()} | {"type": op.type})
