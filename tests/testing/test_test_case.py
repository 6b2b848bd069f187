"""gc.test: TestCase as a program's tests use it, its assertions when they hold and when they do not, and the rest."""
from __future__ import annotations

import random
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc


def outcome(kind: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(kind).run(result)
    return result


@pytest.fixture
def case() -> Any:
    made = gc.test.TestCase()
    made.setUp()
    yield made
    made.tearDown()


def test_each_method_has_its_own_graph_and_seeds() -> None:
    drawn: list[Any] = []

    class Case(gc.test.TestCase):
        def one(self) -> None:
            assert gc.get_default_graph().get_operations() == []
            assert gc.get_default_graph().seed == 87654321
            with self.session():
                drawn.append((random.random(), np.random.rand(), self.evaluate(gc.random_uniform([], seed=3))))

        testA = testB = one

    result = outcome(Case)
    assert result.wasSuccessful() and result.testsRun == 3 and [t[1] for t in result.skipped] == ["Not a test."]
    assert drawn[0] == drawn[1]


def test_sessions(case: Any) -> None:
    x = gc.constant([1.0, 2.0])
    v = gc.Variable(1.0)
    with case.test_session() as session:
        v.initializer.run()
        assert gc.get_default_session() is session and x.eval().tolist() == [1, 2]
    with case.cached_session() as again:
        assert again is session and again.run(v) == 1
    with case.session() as other, pytest.raises(gc.errors.FailedPreconditionError):
        other.run(v)
    with pytest.raises(ValueError, match="config used to get the cached session is different"):
        with case.cached_session(config=gc.ConfigProto()):
            pass
    with gc.Graph().as_default() as graph:
        y = gc.constant(3)
        with case.test_session(graph=graph) as made:
            assert made.graph is graph and case.evaluate({"y": (y,)}) == {"y": (3,)}
    assert case.evaluate([x, v])[1] == 1                # without a session: in the cached one
    with case.session(force_gpu=True):
        assert gc.constant(1).device == "/device:GPU:0"
    with case.session(use_gpu=False):
        assert gc.constant(1).device == "/device:CPU:0"


def test_equal(case: Any) -> None:
    case.assertAllEqual([1, 2], gc.constant([1, 2]))
    case.assertAllEqual(gc.constant(["a", "b"]), ["a", b"b"])
    case.assertAllEqual([np.nan, 1], [np.nan, 1])
    case.assertNotAllEqual([1], [2])
    with pytest.raises(AssertionError, match=r"not equal at 1 of 2 elements, where = \[\[1\]\]"):
        case.assertAllEqual([1, 2], [1, 3])
    with pytest.raises(AssertionError, match=r"Shape mismatch: expected \(2,\), got \(1,\)"):
        case.assertAllEqual([1, 2], [1])
    with pytest.raises(AssertionError, match="equal at all elements"):
        case.assertNotAllEqual([1], [1])
    with pytest.raises(AssertionError):
        case.assertAllEqual(["a"], ["b"])


def test_close(case: Any) -> None:
    x = gc.constant([1.0, 2.0])
    case.assertAllClose(x, [1.0, 2.0 + 1e-6])
    case.assertAllClose({"a": [x, 1.0], "b": ()}, {"a": [[1, 2], 1], "b": ()})
    case.assertAllClose([[1, 2], [3]], [[1, 2], [3]])
    case.assertAllClose(gc.SparseTensorValue([[0]], [1.0], [1]), gc.SparseTensorValue([[0]], [1.0], [1]))
    case.assertAllCloseAccordingToType(np.float16([1.0]), np.float16([1.0005]))
    case.assertNear(1.0, 1.1, 0.2)
    case.assertArrayNear([1.0, 2.0], [1.1, 2.1], 0.2)
    case.assertNDArrayNear(np.ones(2), np.ones(2) + 0.1, 0.2)
    for wrong, message in (
            (lambda: case.assertAllClose(x, [1.0, 2.1]), r"not close \(rtol=1e-06, atol=1e-06\) at 1 of 2"),
            (lambda: case.assertAllClose({"a": {"b": 1}}, {"a": {"b": 2}}), r"a\[a\]\[b\] and b\[a\]\[b\] differ"),
            (lambda: case.assertAllClose({"a": 1}, {"c": 1}), "mismatched keys"),
            (lambda: case.assertAllClose([np.nan], [1.0]), "not close"),
            (lambda: case.assertNotAllClose([1.0], [1.0]), "close at all elements"),
            (lambda: case.assertAllCloseAccordingToType([1.0], [1.0005]), "not close"),
            (lambda: case.assertNear(1.0, 1.1, 0.05), "1.0 != 1.1"),
            (lambda: case.assertArrayNear([1.0], [1.1], 0.05), "1.0 != 1.1"),
            (lambda: case.assertNDArrayNear(np.ones(2), np.zeros(2), 0.2), "norm of the difference is 1.4")):
        with pytest.raises(AssertionError, match=message):
            wrong()
    with pytest.raises(ValueError, match="Can't compare dict to non-dict"):
        case.assertAllClose({"a": 1}, [1])
    with pytest.raises(ValueError, match="Mismatched length"):
        case.assertAllClose([[1, 2], [3]], [[1, 2], [3], [4]])


def test_ranges_shapes_and_devices(case: Any) -> None:
    x = gc.constant([1, 2, 3])
    case.assertAllGreater(x, 0)
    case.assertAllLess(x, 4)
    case.assertAllGreaterEqual(x, 1)
    case.assertAllLessEqual(x, 3)
    case.assertAllInRange(x, 1, 4, open_upper_bound=True)
    case.assertAllInSet(x, {1, 2, 3})
    case.assertShapeEqual(np.zeros(3), x)
    case.assertDTypeEqual(x, np.int32)
    case.assertDeviceEqual("/cpu:0", "/device:CPU:0")
    for wrong, message in (
            (lambda: case.assertAllGreater(x, 1), r"1 of 3 elements are not greater than 1:\n  \[0\] : 1"),
            (lambda: case.assertAllLess(x, 3), "not less than 3"),
            (lambda: case.assertAllGreaterEqual(x, 2), "not greater than or equal to 2"),
            (lambda: case.assertAllLessEqual(x, 2), "not less than or equal to 2"),
            (lambda: case.assertAllInRange(x, 1, 3, open_lower_bound=True), r"outside the range \(1, 3\]"),
            (lambda: case.assertAllInRange([np.nan], 0, 1), "outside the range"),
            (lambda: case.assertAllInRange(["a"], 0, 1), "ordered numeric type"),
            (lambda: case.assertAllInSet(x, {1, 2}), r"1 unique element\(s\) are not in the set"),
            (lambda: case.assertShapeEqual(np.zeros(2), x), r"shapes differ: \[2\] and \[3\]"),
            (lambda: case.assertDTypeEqual(x, np.int64), "the dtype is int32"),
            (lambda: case.assertDeviceEqual("/cpu:0", "/cpu:1"), "are not equal")):
        with pytest.raises(AssertionError, match=message):
            wrong()


def test_errors_messages_and_threads(case: Any) -> None:
    x = gc.placeholder(gc.float32, [], name="x")
    with case.session(), case.assertRaisesOpError("x"):
        x.eval()
    with case.assertRaisesWithPredicateMatch(ValueError, lambda e: "a" in str(e)):
        raise ValueError("abc")
    with pytest.raises(AssertionError, match="Exception of type"), case.assertRaisesOpError("x"):
        raise ValueError("x")
    with pytest.raises(AssertionError, match="OpError not raised"), case.assertRaisesOpError("x"):
        pass
    node = gc.NodeDef(name="a", op="b")
    case.assertProtoEquals("name: 'a' op: 'b'", node)
    case.assertProtoEquals(gc.NodeDef(name="a", op="b"), node)
    with pytest.raises(AssertionError):
        case.assertProtoEquals("name: 'a'", node)
    seen: list[int] = []
    good = case.checkedThread(seen.append, args=(1,))
    good.start()
    good.join()
    assert seen == [1] and not good.is_alive()
    bad = case.checkedThread(lambda: 1 // 0)
    bad.start()
    with pytest.raises(AssertionError, match="Error in checkedThread: integer division"):
        bad.join()
    folder = Path(case.get_temp_dir())
    assert folder.is_dir() and case.get_temp_dir() == str(folder)
    case.tearDown()
    assert not folder.exists()


def test_a_thread_must_be_joined() -> None:
    class Case(gc.test.TestCase):
        def testIt(self) -> None:
            self.checkedThread(lambda: None).start()

    assert "was not joined" in outcome(Case).failures[0][1]


def test_a_setup_of_the_programs_own() -> None:
    class Case(gc.test.TestCase):
        def setUp(self) -> None:
            self.x = 3

        def testIt(self) -> None:
            with self.test_session():
                self.assertAllEqual(gc.constant(3), self.x)

    result = outcome(Case)
    assert result.testsRun == 2 and result.wasSuccessful() and len(result.skipped) == 1


def test_stubs() -> None:
    class Base:
        value = 1

        @staticmethod
        def call() -> str:
            return "old"

    class Derived(Base):
        pass

    with gc.test.StubOutForTesting() as stubs:
        stubs.Set(Derived, "value", 2)
        stubs.SmartSet(Derived, "call", lambda: "new")
        assert Derived.value == 2 and Base.call() == "new"
        with pytest.raises(AttributeError, match="Attribute not found"):
            stubs.SmartSet(Derived, "nothing", 1)
    assert Derived.value == 1 and Derived.call() == Base().call() == "old"
    assert gc.test.mock is unittest.mock


def test_what_is_asked_of_the_machine() -> None:
    test = gc.test
    assert not (test.is_gpu_available() or test.is_built_with_cuda() or test.is_built_with_rocm()
                or test.is_built_with_gpu_support() or test.is_built_with_xla() or test.gpu_device_name())
    assert Path(test.get_temp_dir()).is_dir() and test.get_temp_dir() == test.get_temp_dir()
    workers, servers = test.create_local_cluster(1, 0)
    assert servers == [] and gc.Session(workers[0].target)
    with pytest.raises(gc.errors.UnimplementedError, match="2 workers and 1 parameter servers"):
        test.create_local_cluster(2, 1)


def test_graph_defs() -> None:
    a, b = gc.GraphDef(node=[gc.NodeDef(name=n, op="NoOp") for n in "ab"]), gc.GraphDef(
        node=[gc.NodeDef(name=n, op="NoOp") for n in "ba"])
    gc.test.assert_equal_graph_def(a, b)
    b.node[0].op = "Other"
    with pytest.raises(AssertionError, match="differ at node 'b'"):
        gc.test.assert_equal_graph_def(a, b)
    del b.node[0]
    with pytest.raises(AssertionError, match=r"missing nodes \[\], more nodes \['b'\]"):
        gc.test.assert_equal_graph_def(a, b)
    with pytest.raises(TypeError, match=r"Expected tf\.GraphDef for actual"):
        gc.test.assert_equal_graph_def(1, a)


PROGRAM = """
import graphc.compat.v1 as tf
class SumTest(tf.test.TestCase):
    def testSum(self):
        with self.test_session():
            self.assertEqual(3, (tf.constant(1) + 2).eval())
    def testWrong(self):
        self.assertEqual(1, 2)
class Speed(tf.test.Benchmark):
    def benchmarkSum(self):
        with tf.Session() as session:
            self.run_op_benchmark(session, tf.constant(1) + 2, min_iters=3, extras={"more": 1})
if __name__ == "__main__":
    tf.test.main()
"""


def test_main_runs_tests_and_benchmarks(tmp_path: Path) -> None:
    path = tmp_path / "program_test.py"
    path.write_text(PROGRAM)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(path), *arguments], capture_output=True, text=True)

    found = run()
    assert found.returncode == 1 and "FAILED (failures=1, skipped=1)" in found.stderr
    timed = run("--benchmarks=Speed")
    assert timed.returncode == 0 and timed.stdout.startswith("Speed.benchmarkSum: iters: 3, wall_time: ")
    assert "more: 1" in timed.stdout
