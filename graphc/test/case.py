"""TestCase: a graph and a session of its own for every test method, and assertions about tensors."""
from __future__ import annotations

import random
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
from absl.testing import absltest

import graphc as gc
from graphc import errors
from graphc.api.public import public
from graphc.test.assertions import ArrayAssertions

SEED = 87654321


@public("test.TestCase", "compat.v1.python.framework.test_util.TensorFlowTestCase")
class TestCase(ArrayAssertions, absltest.TestCase):
    """A case of absl whose graphs are new and whose seeds are set before each method, as `tf.test.TestCase`.

    use_gpu and force_gpu of its sessions only record a device.

    >>> class SquareTest(gc.test.TestCase):
    ...     def test_square(self):
    ...         with self.session() as session:
    ...             self.assertAllClose(session.run(gc.square([1., 2.])), [1., 4.])
    >>> SquareTest("test_square").run().wasSuccessful()
    True
    """

    def __init__(self, methodName: str = "runTest") -> None:       # programs override setUp, and do not always call it
        super().__init__(methodName)
        self._cached: tuple[Any, Any, Any] | None = None           # (session, graph, config) of cached_session
        self._threads: list[CheckedThread] = []
        self._folder: str | None = None

    def setUp(self) -> None:
        super().setUp()
        random.seed(SEED)
        np.random.seed(SEED)
        gc.reset_default_graph()
        gc.set_random_seed(SEED)

    def tearDown(self) -> None:
        for thread in self._threads:
            thread.check_termination()
        if self._cached is not None:
            self._cached[0].close()
            self._cached = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        super().tearDown()

    def get_temp_dir(self) -> str:
        """A folder of this test alone; removed after it."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp()
        return self._folder

    # Sessions

    @contextmanager
    def session(self, graph: Any = None, config: Any = None, use_gpu: bool = False,
                force_gpu: bool = False) -> Iterator[Any]:
        """A new session, the default one inside; closed after it."""
        with gc.Session(graph=graph, config=config) as made, _device(made.graph, use_gpu, force_gpu):
            yield made

    @contextmanager
    def cached_session(self, graph: Any = None, config: Any = None, use_gpu: bool = False,
                       force_gpu: bool = False) -> Iterator[Any]:
        """The session of this test, made once, the default one inside. Raises ValueError for another graph or config
        than the first time."""
        if self._cached is None:
            self._cached = gc.Session(graph=graph, config=config), graph, config
        made, first_graph, first_config = self._cached
        for name, first, now in (("graph", first_graph, graph), ("config", first_config, config)):
            if first is not now:
                raise ValueError(f"The {name} used to get the cached session is different than the one that was used "
                                 "to create the session. Maybe create a new session with self.session()")
        with made.graph.as_default(), made.as_default(), _device(made.graph, use_gpu, force_gpu):
            yield made

    def test_session(self, graph: Any = None, config: Any = None, use_gpu: bool = False,
                     force_gpu: bool = False) -> AbstractContextManager[Any]:
        """cached_session, or a new session if a graph is given."""
        if self._testMethodName == "test_session":          # it is called like a test
            self.skipTest("Not a test.")
        if graph is not None:
            return self.session(graph, config, use_gpu, force_gpu)
        first_config = config if self._cached is None else self._cached[2]
        return self.cached_session(None if self._cached is None else self._cached[1], first_config, use_gpu, force_gpu)

    def evaluate(self, tensors: Any) -> Any:
        """The values of any nesting of tensors, in the default session or in test_session."""
        session = gc.get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.test_session() as made:
            return made.run(tensors)

    # Threads, messages, errors

    def checkedThread(self, target: Callable[..., Any], args: Sequence[Any] | None = None,
                      kwargs: dict[str, Any] | None = None) -> CheckedThread:
        """A thread whose failure fails the test in join(), which must be called."""
        made = CheckedThread(self, target, tuple(args or ()), dict(kwargs or {}))
        self._threads.append(made)
        return made

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: str | None = None) -> None:
        """The message equals another one, or what a text says."""
        expected = expected_message_maybe_ascii
        if isinstance(expected, (str, bytes)):
            from google.protobuf import text_format

            expected = text_format.Parse(expected, type(message)())
        self.assertEqual(str(expected), str(message), msg)
        self.assertEqual(expected, message, msg)

    @contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type: type[BaseException],
                                       expected_err_re_or_predicate: Any) -> Iterator[None]:
        """The block raises such an error, with a message that the pattern finds something in, or which the predicate
        accepts."""
        wanted = expected_err_re_or_predicate
        try:
            yield
        except Exception as error:
            text = getattr(error, "message", None) or str(error)
            name = getattr(getattr(error, "op", None), "name", None)
            text += f"\nCaused by: {name}" if name else ""
            matches = wanted(error) if callable(wanted) else re.search(wanted, text)
            if not isinstance(error, exception_type) or not matches:
                raise AssertionError(f"Exception of type {type(error)}: {error}") from error
            return
        self.fail(f"{exception_type.__name__} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """assertRaisesWithPredicateMatch for errors of runs."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: str | None = None) -> None:
        """The two name the same device."""
        names = [gc.DeviceSpec.from_string(d if isinstance(d, str) or d is None else d.to_string()).to_string()
                 for d in (device1, device2)]
        self.assertEqual(*names, msg or f"Devices {names[0]} and {names[1]} are not equal.")

    assertItemsEqual = absltest.TestCase.assertCountEqual
    assertRaisesRegexp = absltest.TestCase.assertRaisesRegex


@contextmanager
def _device(graph: Any, use_gpu: bool, force_gpu: bool) -> Iterator[None]:
    if use_gpu and not force_gpu:
        yield
        return
    with graph.device("/device:GPU:0" if force_gpu else "/cpu:0"):
        yield


class CheckedThread:
    """See TestCase.checkedThread."""

    def __init__(self, case: TestCase, target: Callable[..., Any], args: tuple[Any, ...],
                 kwargs: dict[str, Any]) -> None:
        self._case, self._call = case, (target, args, kwargs)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: Exception | None = None
        self._joined = False

    def _run(self) -> None:
        target, args, kwargs = self._call
        try:
            target(*args, **kwargs)
        except Exception as error:
            self._failure = error

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Fails the test if the thread raised."""
        self._joined = True
        self._thread.join()
        if self._failure is not None:
            self._case.fail(f"Error in checkedThread: {self._failure}")

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def check_termination(self) -> None:
        """Fails the test unless join was called."""
        if not self._joined:
            self._case.fail("A checked thread was not joined.")
