"""RunConfig and TPUConfig of `tf.contrib.tpu`: what programs written for TPUs say of them. Here they run on the CPU."""
from __future__ import annotations

from typing import Any, NamedTuple

from graphc.api.public import public
from graphc.estimator import run_config


@public("contrib.tpu.InputPipelineConfig", "estimator.tpu.InputPipelineConfig")
class InputPipelineConfig:
    """Where input functions of a TPU run; nothing on the CPU. As `tf.contrib.tpu.InputPipelineConfig`.

    >>> gc.contrib.tpu.InputPipelineConfig.PER_HOST_V2
    3
    """

    PER_SHARD_V1, PER_HOST_V1, PER_HOST_V2, BROADCAST, SLICED = 1, 2, 3, 4, 5


class _TPUFields(NamedTuple):
    iterations_per_loop: int = 2
    num_shards: int | None = None
    num_cores_per_replica: int | None = None
    per_host_input_for_training: Any = True
    tpu_job_name: str | None = None
    initial_infeed_sleep_secs: int | None = None
    input_partition_dims: Any = None
    eval_training_input_configuration: int = InputPipelineConfig.PER_HOST_V1
    experimental_host_call_every_n_steps: int = 1


@public("contrib.tpu.TPUConfig", "estimator.tpu.TPUConfig")
class TPUConfig(_TPUFields):
    """How a TPU would be used. As `tf.contrib.tpu.TPUConfig`; nothing of it matters on the CPU.

    Raises ValueError for an iterations_per_loop or num_shards below 1.

    >>> gc.contrib.tpu.TPUConfig(iterations_per_loop=1000, num_shards=8).iterations_per_loop
    1000
    """

    __slots__ = ()

    def __new__(cls, *values: Any, **named: Any) -> TPUConfig:
        made = super().__new__(cls, *values, **named)
        for name in ("iterations_per_loop", "num_shards"):
            given = getattr(made, name)
            if given is not None and given < 1:
                raise ValueError(f"TPUConfig: argument '{name}' must be at least 1, but is {given!r}")
        return made


@public("contrib.tpu.RunConfig", "estimator.tpu.RunConfig")
class TPURunConfig(run_config.RunConfig):
    """A RunConfig with a tpu_config (by default TPUConfig()), as `tf.contrib.tpu.RunConfig`.

    master and evaluation_master may be empty or "local"; another one, and a cluster, raise UnimplementedError, as does
    what tf.estimator.RunConfig refuses. The other arguments are those of tf.estimator.RunConfig.

    >>> config = gc.contrib.tpu.RunConfig(model_dir="run", save_checkpoints_steps=100)
    >>> config.tpu_config.iterations_per_loop, config.save_checkpoints_steps
    (2, 100)
    """

    def __init__(self, tpu_config: TPUConfig | None = None, evaluation_master: str | None = None,
                 master: str | None = None, cluster: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, given in (("evaluation_master", evaluation_master), ("master", master), ("cluster", cluster)):
            if given not in (None, "", "local"):
                raise run_config.UnimplementedError(f"RunConfig: argument '{name}' must be None, but is {given!r}: "
                                                    "graphc runs in one process, without TPUs; leave it out")
        self._tpu_config = tpu_config or TPUConfig()

    def replace(self, **kwargs: Any) -> run_config.RunConfig:
        """A copy with other values; tpu_config may be one of them."""
        tpu_config = kwargs.pop("tpu_config", self._tpu_config)
        made: Any = super().replace(**kwargs)
        made._tpu_config = tpu_config
        return made  # type: ignore[no-any-return]

    tpu_config = property(lambda self: self._tpu_config)
    cluster = property(lambda self: None)


class TpuContext(NamedTuple):
    """Over how many shards a program runs: over none."""

    number_of_shards: int | None = None


@public("contrib.tpu.tpu_function.get_tpu_context")
def get_tpu_context() -> TpuContext:
    """How a program is spread over TPUs: its number_of_shards is None. As `tpu_function.get_tpu_context` of TensorFlow
    1.15 on a CPU.

    >>> print(gc.contrib.tpu.tpu_function.get_tpu_context().number_of_shards)
    None
    """
    return TpuContext()
