"""What tests ask of the machine and of the build, and `tf.test.main`."""
from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from typing import Any
from unittest import mock

from absl import app
from absl.testing import absltest

import graphc as gc
from graphc import errors
from graphc.api.public import public

__all__ = ["mock"]
_FOLDER: list[str] = []


@public("test.main")
def main(argv: Sequence[str] | None = None) -> None:
    """Parses the flags and runs all tests of the program, as `tf.test.main`; with --benchmarks=PATTERN the benchmarks
    whose names match. It ends the program.
    A file of tests ends with it: `if __name__ == "__main__": gc.test.main()`.

    >>> gc.test.main()          # doctest: +SKIP
    """
    from graphc.test.benchmark import run_benchmarks

    arguments = list(sys.argv if argv is None else argv)
    patterns = [a.partition("=")[2] for a in arguments if a.startswith("--benchmarks=")]
    if patterns:
        app.run(lambda rest: run_benchmarks(patterns[-1]), [a for a in arguments if not a.startswith("--benchmarks=")])
    app.run(lambda rest: absltest.main(argv=rest), arguments)


@public("test.get_temp_dir")
def get_temp_dir() -> str:
    """A folder for the tests of this process; removed at its end. As `tf.test.get_temp_dir`.

    >>> gc.io.gfile.isdir(gc.test.get_temp_dir())
    True
    """
    if not _FOLDER:
        parent = os.environ.get("TEST_TMPDIR")
        name = os.path.basename(getattr(sys.modules["__main__"], "__file__", None) or "test").removesuffix(".py")
        _FOLDER.append(tempfile.mkdtemp(prefix=parent or os.path.join(tempfile.gettempdir(), name)))
        atexit.register(shutil.rmtree, _FOLDER[0], ignore_errors=True)
    return _FOLDER[0]


@public("test.test_src_dir_path")
def test_src_dir_path(relative_path: str) -> str:
    """Under TEST_SRCDIR/TEST_WORKSPACE/tensorflow, as `tf.test.test_src_dir_path`. Raises KeyError without them.

    >>> import os
    >>> os.environ.update(TEST_SRCDIR="/tests", TEST_WORKSPACE="work")
    >>> gc.test.test_src_dir_path("data/photo.png")
    '/tests/work/tensorflow/data/photo.png'
    >>> del os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"]
    """
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"], "tensorflow", relative_path)


test_src_dir_path.__test__ = False  # type: ignore[attr-defined]  # for pytest, where a program imports it


@public("test.is_gpu_available")
def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether this machine has a GPU that sessions can use. The arguments change nothing.

    As `tf.test.is_gpu_available`.

    >>> gc.test.is_gpu_available() == (gc.test.gpu_device_name() != "")
    True
    """
    return any(device.device_type == "GPU" for device in gc.Session(graph=gc.Graph()).list_devices())


@public("test.gpu_device_name")
def gpu_device_name() -> str:
    """The GPU's name, "" without one.

    As `tf.test.gpu_device_name`.

    >>> gc.test.gpu_device_name() in ("", "/device:GPU:0")
    True
    """
    return "/device:GPU:0" if is_gpu_available() else ""


@public("test.is_built_with_cuda")
def is_built_with_cuda() -> bool:
    """Whether this machine has a GPU: otherwise as `tf.test.is_built_with_cuda` of TensorFlow for CPUs.

    >>> gc.test.is_built_with_cuda() == gc.test.is_gpu_available()
    True
    """
    return is_gpu_available()


@public("test.is_built_with_rocm")
def is_built_with_rocm() -> bool:
    """False, as `tf.test.is_built_with_rocm` of TensorFlow for CPUs.

    >>> gc.test.is_built_with_rocm()
    False
    """
    return False


@public("test.is_built_with_gpu_support")
def is_built_with_gpu_support() -> bool:
    """False, as `tf.test.is_built_with_gpu_support` of TensorFlow for CPUs.

    >>> gc.test.is_built_with_gpu_support()
    False
    """
    return False


@public("test.is_built_with_xla")
def is_built_with_xla() -> bool:
    """False, as `tf.test.is_built_with_xla` of TensorFlow without XLA.

    >>> gc.test.is_built_with_xla()
    False
    """
    return False


@public("test.create_local_cluster")
def create_local_cluster(num_workers: int, num_ps: int, protocol: str = "grpc", worker_config: Any = None,
                         ps_config: Any = None) -> tuple[list[Any], list[Any]]:
    """(worker servers, parameter servers), as `tf.test.create_local_cluster`. Raises UnimplementedError unless it is
    one server in all.

    >>> workers, [server] = gc.test.create_local_cluster(num_workers=0, num_ps=1)
    >>> x = gc.constant(2.)
    >>> with gc.Session(server.target) as session:
    ...     print(session.run(x))
    2.0
    """
    if num_workers + num_ps != 1:
        raise errors.UnimplementedError(f"create_local_cluster: {num_workers} workers and {num_ps} parameter servers "
                                        "are asked for, but graphc runs in one process: use one worker and no "
                                        "parameter server")
    job, config = ("worker", worker_config) if num_workers else ("ps", ps_config)
    servers = [gc.train.Server({job: ["localhost:0"]}, protocol=protocol, config=config)]
    return (servers, []) if num_workers else ([], servers)


@public("test.assert_equal_graph_def")
def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """Raises AssertionError unless two GraphDefs have the same nodes, in any order. As
    `tf.test.assert_equal_graph_def`. checkpoint_v2: names of temporary files of V2 checkpoints do not count.

    Raises TypeError for what is no GraphDef.

    >>> with gc.Graph().as_default() as one:
    ...     x, y = gc.constant(1., name="x"), gc.constant(2., name="y")
    >>> with gc.Graph().as_default() as other:
    ...     y, x = gc.constant(2., name="y"), gc.constant(1., name="x")
    >>> gc.test.assert_equal_graph_def(one.as_graph_def(), other.as_graph_def())
    >>> gc.test.assert_equal_graph_def(one.as_graph_def(), gc.Graph().as_graph_def())
    Traceback (most recent call last):
        ...
    AssertionError: GraphDefs differ: missing nodes [], more nodes ['x', 'y']
    """
    nodes = []
    for name, graph in (("actual", actual), ("expected", expected)):
        if not hasattr(graph, "node"):
            raise TypeError(f"Expected tf.GraphDef for {name}, got {type(graph).__name__}")
        nodes.append({node.name: node for node in graph.node
                      if not (checkpoint_v2 and "_temp_" in str(node.attr["value"]))})
    missing, more = sorted(set(nodes[1]) - set(nodes[0])), sorted(set(nodes[0]) - set(nodes[1]))
    if missing or more:
        raise AssertionError(f"GraphDefs differ: missing nodes {missing}, more nodes {more}")
    for name, node in nodes[0].items():
        if node != nodes[1][name]:
            raise AssertionError(f"GraphDefs differ at node '{name}':\n{node}\nexpected:\n{nodes[1][name]}")
