"""Ops that Python computes (kind Host) wherever an op may stand: loops, branches, constants, weights, files, other
processes; and what goes wrong inside."""
from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, attr, operand_field
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.plan.compile import compile_graph

A = np.array([[4.0, 1.0], [1.0, 3.0]], np.float32)


def known(cls: type[Op]) -> type[Op]:
    """A class of op of this file alone: the registry does not know it."""
    made = dataclass(frozen=True)(cls)
    made.type = cls.__name__
    return made


@known
class Distinct(Host):
    """The different values of x in ascending order: how many is known behind the run only."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    calls: ClassVar[list[int]] = []

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        return Spec(x.dtype, (own_symbol(self, "count"),))

    def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        self.calls.append(x.size)
        return np.unique(x)


@known
class Sized(Host):
    """Ones of a shape that is a field, times x."""

    operands = ("x", "shape")
    types: ClassVar = {"T": "x", "Tshape": "shape"}
    shape: Any = operand_field("ints")
    factor: float = attr("float", 1.0)

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        return Spec(x.dtype, self.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return np.full(self.shape, x.sum() * self.factor, x.dtype)


@known
class Broken(Host):
    """Raises whatever `error` names."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    error: str = attr("string", "")
    extra = "linalg"

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        return x

    def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        if self.error == "ImportError":
            import a_library_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401
        if self.error == "dtype":
            return x.astype(np.float64)
        if self.error == "rank":
            return x[None]
        if self.error == "size":
            return x[:-1]
        raise {"ValueError": ValueError("what it said"), "ZeroDivisionError": ZeroDivisionError("by zero"),
               "MemoryError": MemoryError("all gone"), "LinAlgError": np.linalg.LinAlgError("Singular matrix"),
               }[self.error]


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    Distinct.calls.clear()
    with gc.Graph().as_default() as made:
        yield made


def hosts(fetch: Any, *feeds: Any) -> tuple[str, ...]:
    return compile_graph([fetch], feeds=feeds).plan.hosts


def test_twice_and_with_other_sizes() -> None:
    x = gc.placeholder(gc.float32, [None, None])
    y = gc.svd(x, compute_uv=False) * 2.0
    with gc.Session() as session:
        for a in (A, A, np.eye(5, dtype=np.float32) * 4, np.zeros((0, 0), np.float32)):
            np.testing.assert_allclose(session.run(y, {x: a}), 2 * np.linalg.svd(a, compute_uv=False), rtol=1e-5)


def test_in_loops_and_branches() -> None:
    x, p = gc.placeholder(gc.float32, [2, 2]), gc.placeholder(gc.bool, [])
    _, looped = gc.while_loop(lambda i, m: i < 3,
                              lambda i, m: [i + 1, gc.diag(gc.svd(m, compute_uv=False)) + 1.0], [0, x])
    chosen = gc.cond(p, lambda: gc.svd(x, compute_uv=False), lambda: gc.self_adjoint_eigvals(x))
    expected = A
    for _ in range(3):
        expected = np.diag(np.linalg.svd(expected, compute_uv=False)) + 1
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(looped, {x: A}), expected, rtol=1e-4)
        np.testing.assert_allclose(session.run(chosen, {x: A, p: True}), np.linalg.svd(A, compute_uv=False), rtol=1e-5)
        # What the branch that is not taken could not compute does not matter.
        half_known = np.where(np.tri(2, dtype=bool), A, np.float32(np.nan))
        np.testing.assert_allclose(session.run(chosen, {x: half_known, p: False}), np.linalg.eigvalsh(A), rtol=1e-5)


def test_is_folded_merged_and_pruned_as_others_are() -> None:
    x = gc.placeholder(gc.float32, [2, 2])
    assert hosts(gc.svd(gc.constant(A), compute_uv=False) + x, x) == ()
    twice = gc.svd(x, compute_uv=False) * gc.svd(x, compute_uv=False)
    compiled = compile_graph([twice], feeds=[x])
    assert sum(type(step).__name__ == "Host" for body in compiled.plan.bodies for step in body.steps) == 1
    gc.svd(x)                            # nobody wants it
    assert hosts(gc.self_adjoint_eigvals(x), x) == ("op:SelfAdjointEigV2(compute_v=False)",)


def test_a_constant_that_it_refuses_is_an_error_of_the_run_that_needs_it() -> None:
    p = gc.placeholder(gc.bool, [])
    y = gc.cond(p, lambda: gc.matrix_square_root(gc.constant(-A)), lambda: gc.constant(A))
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(y, {p: False}), A)
        with pytest.raises(gc.errors.InvalidArgumentError, match="no real square root"):
            session.run(y, {p: True})


def test_of_weights_is_done_once_in_prepare() -> None:
    calls = []

    @known
    class Counted(Host):
        operands = ("x",)
        types: ClassVar = {"T": "x"}

        def infer(self, x: Spec) -> Spec:  # type: ignore[override]
            return x

        def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
            calls.append(1)
            return np.linalg.inv(x)

    w, x = gc.Variable(A), gc.placeholder(gc.float32, [2, 1])
    y = gc.matmul(apply(Counted, w), x)
    fed = np.ones((2, 1), np.float32)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for _ in range(3):
            np.testing.assert_allclose(session.run(y, {x: fed}), np.linalg.inv(A) @ fed, rtol=1e-5)
        assert len(calls) == 1
        w.load(np.eye(2, dtype=np.float32), session)
        np.testing.assert_allclose(session.run(y, {x: fed}), fed, rtol=1e-5)
        assert len(calls) == 2
        w.load(np.zeros((2, 2), np.float32), session)
        with pytest.raises(gc.errors.InvalidArgumentError, match="Singular"):
            session.run(y, {x: fed})


def test_training_through_it() -> None:
    w = gc.Variable(A)
    loss = gc.reduce_sum(gc.square(gc.svd(w, compute_uv=False) - 1.0))
    step = gc.train.GradientDescentOptimizer(0.5).minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        first = session.run(loss)
        for _ in range(20):
            session.run(step)
        assert session.run(loss) < 0.8 * first


def test_sizes_that_only_the_results_tell() -> None:
    x = gc.placeholder(gc.int32, [None])
    y = apply(Distinct, x)
    total = gc.reduce_sum(gc.square(y) + gc.shape(y)[0])
    with gc.Session() as session:
        for values in ([3, 1, 3, 3], [], [7], list(range(50))):
            values = np.array(values, np.int32)
            expected = np.unique(values)
            found, summed = session.run([y, total], {x: values})
            np.testing.assert_array_equal(found, expected)
            assert summed == (expected ** 2 + expected.size).sum()


def test_sizes_in_fields_that_only_the_run_tells() -> None:
    x = gc.placeholder(gc.float32, [None, None])
    y = apply(Sized, x, gc.stack([gc.shape(x)[1], 2, gc.shape(x)[0] + 1]), factor=0.5)
    assert hosts(y, x) == ("op:Sized(shape=(?, 2, ?), factor=0.5)",)
    with gc.Session() as session:
        for shape in ((3, 4), (0, 1), (2, 2)):
            np.testing.assert_array_equal(session.run(y, {x: np.ones(shape, np.float32)}),
                                          np.full((shape[1], 2, shape[0] + 1), shape[0] * shape[1] / 2, np.float32))


@pytest.mark.parametrize(("error", "kind", "message"), [
    ("ValueError", gc.errors.InvalidArgumentError, "what it said"),
    ("LinAlgError", gc.errors.InvalidArgumentError, "Singular matrix"),
    ("ZeroDivisionError", gc.errors.InvalidArgumentError, "ZeroDivisionError: by zero"),
    ("MemoryError", gc.errors.ResourceExhaustedError, "all gone"),
    ("ImportError", gc.errors.UnimplementedError, r"pip install 'graphc\[linalg\]'"),
    ("size", gc.errors.InvalidArgumentError, "axis 0"),
    ("rank", gc.errors.InvalidArgumentError, "rank 2 was declared"),
    ("dtype", gc.errors.UnknownError, "float32 was declared"),
])
def test_what_goes_wrong_inside(error: str, kind: type, message: str) -> None:
    x = gc.placeholder(gc.float32, [2, 2])
    y = apply(Broken, x * 2.0, error=error, name="broken") + 1.0
    with gc.Session() as session, pytest.raises(kind, match=message) as caught:
        session.run(y, {x: A})
    assert "Broken 'broken'" in str(caught.value) and "test_host_steps.py" in str(caught.value)


def test_a_run_goes_on_after_an_error() -> None:
    x = gc.placeholder(gc.float32, [2, 2])
    y = gc.matrix_square_root(x, name="root")
    with gc.Session() as session:
        with pytest.raises(gc.errors.InvalidArgumentError, match="MatrixSquareRoot 'root': the matrix has no real "
                                                                 "square root"):
            session.run(y, {x: -A})
        root = session.run(y, {x: A})
        np.testing.assert_allclose(root @ root, A, rtol=1e-5)


def test_a_variable_is_not_written_if_it_fails() -> None:
    w = gc.Variable(A)
    x = gc.placeholder(gc.float32, [2, 2])
    update = gc.assign(w, gc.matrix_square_root(x) + w)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(update, {x: -A})
        np.testing.assert_array_equal(session.run(w), A)


LOAD = """
import sys
import numpy as np
import graphc as gc
from graphc.plan.compile import compile_graph

with gc.Graph().as_default() as graph:
    with open(sys.argv[1], "rb") as file:
        definition = gc.GraphDef()
        definition.ParseFromString(file.read())
    gc.import_graph_def(definition, name="")
    fetch, feed = graph.get_tensor_by_name("out:0"), graph.get_tensor_by_name("x:0")
    with gc.Session() as session:
        np.save(sys.argv[2], session.run(fetch, {feed: np.load(sys.argv[3])}))
    from graphc.plan.text import plan_text
    print(plan_text(compile_graph([fetch], feeds=[feed]).plan))
"""


@pytest.mark.parametrize("jit", ["0", "1"])
def test_saved_and_run_by_another_process(tmp_path: Path, jit: str) -> None:
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    w = gc.Variable(np.eye(3, dtype=np.float32), name="w")
    s, _, v = gc.svd(x, full_matrices=True)
    y = gc.identity(gc.matmul(v, gc.matrix_triangular_solve(w, gc.ones([3, 2]), lower=False)) * gc.reduce_sum(s), "out")
    value = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        expected = session.run(y, {x: value})
        saved = gc.freeze(session, [y])
    (tmp_path / "m.pb").write_bytes(saved.SerializeToString())
    np.save(tmp_path / "x.npy", value)
    shown = [subprocess.run([sys.executable, "-c", LOAD, *(str(tmp_path / f) for f in ("m.pb", f"{i}.npy", "x.npy"))],
                            check=True, capture_output=True, text=True, timeout=120,
                            env={**os.environ, "GRAPHC_JIT": jit, "PYTHONHASHSEED": str(i)}).stdout
             for i in range(2)]
    assert shown[0] == shown[1] and "op:Svd(compute_uv=True, full_matrices=True)" in shown[0]
    np.testing.assert_allclose(np.load(tmp_path / "0.npy"), expected, rtol=1e-5, atol=1e-6)


def test_a_run_sees_one_value_of_a_variable_while_others_write() -> None:
    """The lock is kept inside: no write comes between the read of w and that of the same w behind the op."""
    w, x = gc.Variable(np.eye(2)), gc.placeholder(gc.float64, [2, 2])
    inverse = gc.matrix_inverse(w + x)
    product = gc.matmul(inverse, w + gc.matrix_square_root(gc.matmul(x, x)))
    write = gc.assign(w, w * 1.5)
    reset = gc.assign(w, np.eye(2))
    fed = np.array([[2.0, 1.0], [0.0, 3.0]])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        done = threading.Event()

        def writer() -> None:
            while not done.is_set():
                session.run(write)
                session.run(reset)

        thread = threading.Thread(target=writer)
        thread.start()
        try:
            for _ in range(200):
                np.testing.assert_allclose(session.run(product, {x: fed}), np.eye(2), atol=1e-9)
        finally:
            done.set()
            thread.join()
