"""ClusterSpec: the jobs of a cluster and the addresses of their tasks."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.api.public import public
from graphc.ir.late_imports import load


@public("train.ClusterSpec")
class ClusterSpec:
    """Which addresses do which job, as `tf.train.ClusterSpec`.

    cluster: a dict from jobs to lists, or dicts by number, of addresses; a ClusterDef; or another ClusterSpec. Raises
    TypeError for anything else.

    >>> cluster = gc.train.ClusterSpec({"worker": ["a:2222", "b:2222"], "ps": {1: "c:2222"}})
    >>> cluster.jobs, cluster.num_tasks("worker"), cluster.task_address("ps", 1)
    (['worker', 'ps'], 2, 'c:2222')
    """

    def __init__(self, cluster: Any) -> None:
        self._jobs: dict[str, dict[int, str]]
        if isinstance(cluster, ClusterSpec):
            self._jobs = {job: dict(tasks) for job, tasks in cluster._jobs.items()}
        elif isinstance(cluster, Mapping):
            self._jobs = {_text(job, "Job name"): _tasks(job, tasks) for job, tasks in cluster.items()}
        elif hasattr(cluster, "job") and hasattr(cluster, "SerializeToString"):
            self._jobs = {job.name: dict(job.tasks) for job in cluster.job}
        else:
            raise TypeError("`cluster` must be a dictionary mapping one or more job names to lists of network "
                            f"addresses, or a `ClusterDef` protocol buffer, but is {cluster!r}")

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ClusterSpec({dict(sorted(self.as_dict().items()))!r})"

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def as_dict(self) -> dict[str, Any]:
        """By job a list of addresses; a dict by number where numbers are left out."""
        return {job: list(self.job_tasks(job)) if sorted(tasks) == list(range(len(tasks))) and tasks else dict(tasks)
                for job, tasks in self._jobs.items()}

    def as_cluster_def(self) -> Any:
        """As a ClusterDef message."""
        made = load("graphc.serial.config_pb2").ClusterDef()
        for job, tasks in sorted(self._jobs.items()):
            entry = made.job.add(name=job)
            for number, address in sorted(tasks.items()):
                entry.tasks[number] = address
        return made

    def num_tasks(self, job_name: str) -> int:
        """How many addresses a job has. Raises ValueError for an unknown job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers that a job's addresses have, in ascending order."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Raises ValueError if there is no such task."""
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses by number; None where a number is left out."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def _job(self, name: str) -> dict[int, str]:
        if name not in self._jobs:
            raise ValueError(f"No such job in cluster: {name!r}; it has {self.jobs}")
        return self._jobs[name]


def _tasks(job: Any, tasks: Any) -> dict[int, str]:
    if isinstance(tasks, (list, tuple)):
        tasks = dict(enumerate(tasks))
    if not isinstance(tasks, Mapping):
        raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
    return {int(number): _text(address, "Task address") for number, address in tasks.items()}


def _text(value: Any, what: str) -> str:
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"{what} {value!r} must be bytes or unicode")
    return value.decode() if isinstance(value, bytes) else value
