"""What runs a program: sessions of several settings, the C++ runner, and TensorFlow where it is installed."""
from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.ir.graph import Tensor
from graphc.ir.values import as_array
from graphc.serial.freeze import add_plan

from native import Native, NativeError
from oracle import Failure
from programs import Built

LIBRARY = Path(__file__).parents[2] / "build/runner/libgraphc.so"
Runs = list[Any]       # of each run: a list of values, or a Failure


@contextmanager
def environment(**values: str) -> Iterator[None]:
    kept = {n: os.environ.get(n) for n in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def failure(error: Exception) -> Failure:
    return Failure(type(error).__name__, str(error))


def in_session(built: Built, fetches: Sequence[Any], schedule: Sequence[int], threads: int = 1, gpus: int = 0,
               **switches: str) -> Runs:
    """Run after run in one session; the initializer's is the first."""
    config = gc.ConfigProto(intra_op_parallelism_threads=threads, device_count={"GPU": gpus}, allow_soft_placement=True)
    made: Runs = []
    with environment(**switches), gc.Session(graph=built.graph, config=config) as session:
        session.run(built.initializer)
        for fed in schedule:
            try:
                found = session.run(list(fetches), built.feeds(fed))
                made.append([None if v is None else as_array(v) for v in found])
            except Exception as error:
                made.append(failure(error))
    return made


def plain(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    return in_session(built, fetches, schedule, GRAPHC_JIT="0")


def gpu(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    """Where there is a GPU, or something that stands in for one (tests/cuda)."""
    return in_session(built, fetches, schedule, gpus=1, GRAPHC_JIT="0")


def compiled(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    return in_session(built, fetches, schedule, GRAPHC_JIT="1")


def unfused(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    return in_session(built, fetches, schedule, GRAPHC_JIT="0", GRAPHC_FUSION="0")


def two_threads(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    return in_session(built, fetches, schedule, threads=2, GRAPHC_JIT="0")


def three_threads(built: Built, fetches: Sequence[Any], schedule: Sequence[int]) -> Runs:
    return in_session(built, fetches, schedule, threads=3, GRAPHC_JIT="0")


@lru_cache(1)
def _library() -> Native:
    return Native(LIBRARY)


# Of the runner's status codes, those that say that the arguments are wrong.
STATUS = {3: "InvalidArgumentError", 9: "FailedPreconditionError", 13: "InternalError", 5: "NotFoundError",
          12: "UnimplementedError", 8: "ResourceExhaustedError", 15: "DataLossError", 2: "UnknownError"}


def native(built: Built, fetches: Sequence[Tensor], schedule: Sequence[int]) -> Runs | None:
    """The saved graph with its Plan in the C++ library. None: the library takes no such graph."""
    fed = list(built.feeds(0))
    if any(t.spec.shape is None for t in fed) or not all(isinstance(f, Tensor) for f in fetches):
        return None
    graph_def = built.graph.as_graph_def()  # type: ignore[attr-defined]
    if any(n.op in ("PyFunc", "Print", "PrintV2", "Assert") for n in _nodes(graph_def)):
        return None
    if any(t.dtype == gc.string for t in (*fed, *fetches)):        # the library neither takes nor gives strings
        return None
    try:
        add_plan(graph_def, [t.name for t in fetches], [t.name for t in fed])
        model = _library().load(graph_def.SerializeToString(deterministic=True), threads=1)
    except Exception as error:
        return [_native_failure(error)] * len(schedule)
    made: Runs = []
    with model:
        for i, (name, _, _) in enumerate(model.infos("state")):
            model.set_state(i, np.array(built.variables()[name], order="C"))
        for number in schedule:
            feeds = [np.array(a, order="C") for a in built.feeds(number).values()]
            try:
                made.append(model.run(feeds))
            except Exception as error:
                made.append(_native_failure(error))
    return made


def _native_failure(error: Exception) -> Failure:
    if isinstance(error, NativeError):
        return Failure(STATUS.get(error.status, f"status {error.status}"), str(error))
    return failure(error)


def _nodes(graph_def: Any) -> Iterator[Any]:
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None


def tensorflow(built: Built, fetches: Sequence[Tensor], schedule: Sequence[int]) -> Runs | None:
    """The saved graph in TensorFlow. None: it has an op that is graphc's own, or TensorFlow's kernels refuse it.

    A run that fails in TensorFlow may have written variables, so those behind it are "refused" if there are any.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    saved = built.graph.as_graph_def().SerializeToString()  # type: ignore[attr-defined]
    graph_def = tf.compat.v1.GraphDef.FromString(saved)
    made: Runs = []
    with tf.Graph().as_default():
        try:
            tf.import_graph_def(graph_def, name="")
        except (ValueError, tf.errors.OpError) as error:
            return [Failure("refused", str(error))] * len(schedule)
        with tf.compat.v1.Session() as session:
            try:
                session.run(built.initializer.name)      # it looks for all kernels of the graph first
            except (ValueError, tf.errors.OpError) as error:
                return [Failure("refused", str(error))] * len(schedule)
            writes = any("Assign" in node.op or "Apply" in node.op for node in _nodes(graph_def))
            for number in schedule:
                if writes and any(isinstance(run, Failure) for run in made):
                    made.append(Failure("refused", "an earlier run failed, and may have written variables"))
                    continue
                try:
                    made.append(session.run([t.name for t in fetches],
                                            {t.name: v for t, v in built.feeds(number).items()}))
                except tf.errors.InvalidArgumentError as error:
                    made.append(Failure("InvalidArgumentError", str(error)))
                except (ValueError, tf.errors.OpError) as error:
                    made.append(Failure("refused", str(error)))
    return made


Executor = Callable[[Built, Sequence[Any], Sequence[int]], "Runs | None"]
# Equal to the bit to `plain`: which code runs, and how many threads, must not matter.
SAME_BITS: dict[str, Executor] = {"compiled": compiled, "two_threads": two_threads, "three_threads": three_threads}
OUTCOMES = (errors.InvalidArgumentError, errors.FailedPreconditionError)
