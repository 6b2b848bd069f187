"""RunConfig: how an Estimator runs: where it writes, how often, with which seed."""
from __future__ import annotations

import copy
import json
import os
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.estimator.arguments import LOG

_DEFAULT = object()
_SAVING = "Only one of `save_checkpoints_steps` and `save_checkpoints_secs` may be set"
_REPLACEABLE = ("model_dir", "tf_random_seed", "save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs",
                "session_config", "keep_checkpoint_max", "keep_checkpoint_every_n_hours", "log_step_count_steps",
                "device_fn", "protocol", "session_creation_timeout_secs")


@public("estimator.RunConfig")
class RunConfig:
    """How often an Estimator saves and reports, and where, as `tf.estimator.RunConfig`. Raises ValueError for negative
    numbers, for both ways of saving checkpoints, and for what is no ConfigProto, integer or function.

    The environment variable TF_CONFIG may name a model_dir and a cluster of this one task; graphc runs in one process,
    so that a cluster of several, and strategies of distribution, raise UnimplementedError.

    Args:
        model_dir: where the Estimator writes.
        tf_random_seed: of the graphs.
        save_summary_steps: summaries every so many steps; None: none.
        save_checkpoints_steps, save_checkpoints_secs: at most one of them, by default 600 seconds; None: none.
        session_config: a ConfigProto.
        keep_checkpoint_max: how many checkpoints stay.
        log_step_count_steps: how often the steps per second are reported.

    >>> config = gc.estimator.RunConfig("run", tf_random_seed=1, save_checkpoints_steps=100)
    >>> config.model_dir, config.save_checkpoints_steps, config.save_checkpoints_secs
    ('run', 100, None)
    >>> config.replace(keep_checkpoint_max=2).keep_checkpoint_max
    2
    """

    def __init__(self, model_dir: Any = None, tf_random_seed: int | None = None, save_summary_steps: int | None = 100,
                 save_checkpoints_steps: Any = _DEFAULT, save_checkpoints_secs: Any = _DEFAULT,
                 session_config: Any = None, keep_checkpoint_max: int | None = 5,
                 keep_checkpoint_every_n_hours: float = 10000, log_step_count_steps: int | None = 100,
                 train_distribute: Any = None, device_fn: Any = None, protocol: str | None = None,
                 eval_distribute: Any = None, experimental_distribute: Any = None,
                 experimental_max_worker_delay_secs: float | None = None,
                 session_creation_timeout_secs: float = 7200) -> None:
        for name, given in (("train_distribute", train_distribute), ("eval_distribute", eval_distribute),
                            ("experimental_distribute", experimental_distribute)):
            if given is not None:
                raise UnimplementedError(f"RunConfig: argument '{name}' must be None, but is {given!r}: graphc runs in "
                                         "one process; leave it out")
        if save_checkpoints_steps is _DEFAULT and save_checkpoints_secs is _DEFAULT:
            save_checkpoints_secs = 600
        self._cluster = _Cluster(json.loads(os.environ.get("TF_CONFIG") or "{}"))
        self._experimental_max_worker_delay_secs = experimental_max_worker_delay_secs
        self._values: dict[str, Any] = {}
        self._set(model_dir=_model_dir(model_dir, self._cluster.model_dir), tf_random_seed=tf_random_seed,
                  save_summary_steps=save_summary_steps,
                  save_checkpoints_steps=None if save_checkpoints_steps is _DEFAULT else save_checkpoints_steps,
                  save_checkpoints_secs=None if save_checkpoints_secs is _DEFAULT else save_checkpoints_secs,
                  session_config=session_config, keep_checkpoint_max=keep_checkpoint_max,
                  keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
                  log_step_count_steps=log_step_count_steps, device_fn=device_fn, protocol=protocol,
                  session_creation_timeout_secs=session_creation_timeout_secs)

    def replace(self, **kwargs: Any) -> RunConfig:
        """A copy with other values. Raises ValueError for what cannot be replaced; to save by steps ends saving by
        seconds, and the other way round."""
        for name in kwargs:
            if name not in _REPLACEABLE:
                raise ValueError(f"Replacing {name} is not supported. Allowed properties are {_REPLACEABLE}.")
        by = [name for name in ("save_checkpoints_steps", "save_checkpoints_secs") if kwargs.get(name) is not None]
        if len(by) == 2:
            raise ValueError(_SAVING)
        made = copy.copy(self)
        made._values = dict(self._values)
        if by:
            made._values.update(save_checkpoints_steps=None, save_checkpoints_secs=None)
        made._set(**kwargs)
        return made

    def _set(self, **values: Any) -> None:
        values["model_dir"] = _path(values["model_dir"]) if "model_dir" in values else self.model_dir
        self._values.update(values)
        _check(self._values)

    def __repr__(self) -> str:
        return f"RunConfig({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    model_dir = property(lambda self: self._values["model_dir"], doc="Where checkpoints and events are written.")
    tf_random_seed = property(lambda self: self._values["tf_random_seed"], doc="The seed of each graph.")
    save_summary_steps = property(lambda self: self._values["save_summary_steps"])
    save_checkpoints_steps = property(lambda self: self._values["save_checkpoints_steps"])
    save_checkpoints_secs = property(lambda self: self._values["save_checkpoints_secs"])
    session_config = property(lambda self: self._values["session_config"], doc="A ConfigProto, or None.")
    keep_checkpoint_max = property(lambda self: self._values["keep_checkpoint_max"])
    keep_checkpoint_every_n_hours = property(lambda self: self._values["keep_checkpoint_every_n_hours"])
    log_step_count_steps = property(lambda self: self._values["log_step_count_steps"])
    device_fn = property(lambda self: self._values["device_fn"], doc="operation -> device, or None.")
    protocol = property(lambda self: self._values["protocol"])
    session_creation_timeout_secs = property(lambda self: self._values["session_creation_timeout_secs"])
    experimental_max_worker_delay_secs = property(lambda self: self._experimental_max_worker_delay_secs)

    # What one process is in a cluster of one
    cluster_spec = property(lambda self: self._cluster.spec)
    task_type = property(lambda self: self._cluster.task_type)
    task_id = property(lambda self: 0)
    global_id_in_cluster = property(lambda self: 0)
    master = property(lambda self: "")
    evaluation_master = property(lambda self: "")
    is_chief = property(lambda self: True)
    num_ps_replicas = property(lambda self: 0)
    num_worker_replicas = property(lambda self: 1)
    service = property(lambda self: None)
    train_distribute = property(lambda self: None)
    eval_distribute = property(lambda self: None)


class _Cluster:
    """What TF_CONFIG says."""

    def __init__(self, said: dict[str, Any]) -> None:
        if said:
            LOG.info("TF_CONFIG environment variable: %s", said)
        self.model_dir = said.get("model_dir")
        self.spec = gc.train.ClusterSpec(said.get("cluster", {}))
        count = sum(self.spec.num_tasks(job) for job in self.spec.jobs)
        if count > 1:
            raise UnimplementedError(f"TF_CONFIG names a cluster of {count} tasks, but graphc runs in one process; "
                                     "unset it, or name the one task")
        task = said.get("task", {})
        self.task_type = task.get("type", next(iter(self.spec.jobs), "worker"))
        if self.spec and self.task_type not in self.spec.jobs:
            raise ValueError(f"TF_CONFIG: the task's type is {self.task_type!r}, but the cluster has {self.spec.jobs}")
        if int(task.get("index", 0)) != 0:
            raise ValueError(f"TF_CONFIG: the task's index must be 0, but is {task['index']}")


def _model_dir(given: Any, of_cluster: Any) -> Any:
    given = _path(given)
    if given is not None and of_cluster is not None and given != of_cluster:
        raise ValueError("`model_dir` provided in RunConfig construct, if set, must have the same value as the "
                         f"model_dir in TF_CONFIG: {given} is not {of_cluster}")
    return of_cluster if given is None else given


def _path(given: Any) -> str | None:
    return None if given is None else os.fsdecode(given)


def _check(values: dict[str, Any]) -> None:
    if values["save_checkpoints_steps"] is not None and values["save_checkpoints_secs"] is not None:
        raise ValueError(_SAVING)
    if values["model_dir"] == "":
        raise ValueError("model_dir should be non-empty")
    for name, least in (("save_summary_steps", 0), ("save_checkpoints_steps", 0), ("save_checkpoints_secs", 0),
                        ("keep_checkpoint_max", 0)):
        if values[name] is not None and values[name] < least:
            raise ValueError(f"{name} should be >= {least}, but is {values[name]}")
    for name in ("keep_checkpoint_every_n_hours", "log_step_count_steps", "session_creation_timeout_secs"):
        if values[name] is not None and values[name] <= 0:
            raise ValueError(f"{name} should be > 0, but is {values[name]}")
    seed, config, device_fn = values["tf_random_seed"], values["session_config"], values["device_fn"]
    if seed is not None and not isinstance(seed, int) and not hasattr(seed, "__index__"):
        raise ValueError(f"tf_random_seed must be integer, but is {seed!r}")
    if config is not None and not isinstance(config, gc.ConfigProto):
        raise ValueError(f"session_config must be instance of ConfigProto, but is {config!r}")
    if device_fn is not None and not callable(device_fn):
        raise ValueError(f"device_fn must be callable with exactly one argument \"op\", but is {device_fn!r}")
    if values["protocol"] not in (None, "grpc", "grpc+verbs"):
        raise ValueError(f"protocol should be grpc or grpc+verbs, but is {values['protocol']!r}")
