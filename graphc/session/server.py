"""Server: a place in this process that several sessions share, under the name that TensorFlow gives to a gRPC server.
"""
from __future__ import annotations

import itertools
import threading
from typing import Any

from graphc import errors
from graphc.api.public import public
from graphc.ir.late_imports import load
from graphc.session.cluster import ClusterSpec
from graphc.session.places import Place, make_place

_PORTS = itertools.count(50000)       # for "localhost:0": no socket is opened, names only must differ


@public("train.Server")
class Server:
    """A cluster of one task: sessions whose target is `server.target` share variables, queues and tables.

    server_or_cluster_def: a ClusterSpec, what one is made of, or a ServerDef. As `tf.train.Server`. Raises
    UnimplementedError if the cluster has several tasks: graphc runs in one process. TypeError for what makes no
    cluster, ValueError if the cluster has no such job or task, or several and none is named.

    >>> server = gc.train.Server.create_local_server()
    >>> v = gc.Variable(1.)
    >>> with gc.Session(server.target) as session:
    ...     session.run(v.initializer)
    >>> with gc.Session(server.target) as session:
    ...     session.run(v)
    np.float32(1.0)
    """

    def __init__(self, server_or_cluster_def: Any, job_name: str | None = None, task_index: int | None = None,
                 protocol: str | None = None, config: Any = None, start: bool = True) -> None:
        given = server_or_cluster_def
        if hasattr(given, "default_session_config"):
            job_name = given.job_name if job_name is None else job_name
            task_index = given.task_index if task_index is None else task_index
            protocol = given.protocol or None if protocol is None else protocol
            config = given.default_session_config if config is None else config
            given = given.cluster
        self._cluster = ClusterSpec(given)
        self._job = _only(self._cluster.jobs, "job_name") if job_name is None else job_name
        indices = self._cluster.task_indices(self._job)
        self._task: int = _only(indices, "task_index") if task_index is None else task_index
        self._protocol = protocol or "grpc"
        address = self._cluster.task_address(self._job, self._task)
        if self._protocol != "grpc":
            raise errors.NotFoundError(f"Server: no server factory registered for protocol {protocol!r}; use 'grpc'")
        count = sum(self._cluster.num_tasks(job) for job in self._cluster.jobs)
        if count > 1:
            raise errors.UnimplementedError(
                f"Server: the cluster has {count} tasks, but graphc runs in one process: to train there, make the "
                f"ClusterSpec of one task, e.g. {{{self._job!r}: [{address!r}]}}")
        self._config = config
        self._address = address.removesuffix(":0") + f":{next(_PORTS)}" if address.endswith(":0") else address
        self._place: Place | None = None
        if start:
            self.start()

    def start(self) -> None:
        """From now on sessions may use the target."""
        if self._place is None:
            self._place = make_place(f"grpc://{self._address}", self._config)

    def join(self) -> None:
        """Waits for ever, as a server that other processes use would."""
        threading.Event().wait()

    @property
    def target(self) -> str:
        """What a Session is given as its target."""
        return f"grpc://{self._address}"

    @property
    def server_def(self) -> Any:
        """As a ServerDef message."""
        made = load("graphc.serial.config_pb2").ServerDef(
            cluster=self._cluster.as_cluster_def(), job_name=self._job, task_index=self._task,
            protocol=self._protocol)
        if self._config is not None:
            made.default_session_config.MergeFrom(self._config)
        return made

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server of its own name, as `tf.train.Server.create_local_server`."""
        return Server({"localhost": ["localhost:0"]}, protocol="grpc", config=config, start=start)


def _only(values: list[Any], argument: str) -> Any:
    if len(values) != 1:
        raise ValueError(f"Must specify an explicit `{argument}`: the cluster has {values}")
    return values[0]
