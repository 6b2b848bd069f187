"""Settings of a Session and of one run, under TensorFlow 1's names.

A field that graphc has no use for says so here: it is accepted because scripts set it, and it cannot change a result. A
misspelt field is an AttributeError or TypeError, as with TensorFlow's messages.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from graphc.api.public import public


@public("GPUOptions")
@dataclass(slots=True)
class GPUOptions:
    """Memory settings of GPUs, as `tf.GPUOptions`. Sessions run on the CPU, so none of them has an effect yet."""

    per_process_gpu_memory_fraction: float = 0.0
    allow_growth: bool = False
    allocator_type: str = ""
    deferred_deletion_bytes: int = 0
    visible_device_list: str = ""
    polling_active_delay_usecs: int = 0
    polling_inactive_delay_msecs: int = 0
    force_gpu_compatible: bool = False


@public("OptimizerOptions")
@dataclass(slots=True)
class OptimizerOptions:
    """Settings of TensorFlow's graph optimisers, as `tf.OptimizerOptions`. graphc always optimises; results do not
    differ."""

    DEFAULT: ClassVar[int] = 0
    L1: ClassVar[int] = 0
    L0: ClassVar[int] = -1
    OFF: ClassVar[int] = -1
    ON_1: ClassVar[int] = 1
    ON_2: ClassVar[int] = 2
    do_common_subexpression_elimination: bool = False
    do_constant_folding: bool = False
    max_folded_constant_in_bytes: int = 0
    do_function_inlining: bool = False
    opt_level: int = 0
    global_jit_level: int = 0


@public("GraphOptions")
@dataclass(slots=True)
class GraphOptions:
    """As `tf.GraphOptions`. See OptimizerOptions."""

    enable_recv_scheduling: bool = False
    optimizer_options: OptimizerOptions = field(default_factory=OptimizerOptions)
    build_cost_model: int = 0
    build_cost_model_after: int = 0
    infer_shapes: bool = True
    place_pruned_graph: bool = False
    enable_bfloat16_sendrecv: bool = False
    timeline_step: int = 0


@public("ConfigProto")
@dataclass(slots=True)
class ConfigProto:
    """Settings of a Session, as `tf.ConfigProto`.

    intra_op_parallelism_threads   threads that share the work of one kernel; 0: as many as the process may use. Results
                                   do not depend on it.
    operation_timeout_in_ms        limit of every run of the session; 0: none
    log_device_placement           prints the device of each op, once for every kind of run (what is fetched and fed)
    inter_op_parallelism_threads, use_per_session_threads, allow_soft_placement, device_count, device_filters,
    gpu_options, graph_options, placement_period, isolate_session_state
                                   no effect: kernels of one run follow each other, placement is always soft
    """

    device_count: dict[str, int] = field(default_factory=dict)
    intra_op_parallelism_threads: int = 0
    inter_op_parallelism_threads: int = 0
    use_per_session_threads: bool = False
    placement_period: int = 0
    device_filters: list[str] = field(default_factory=list)
    gpu_options: GPUOptions = field(default_factory=GPUOptions)
    allow_soft_placement: bool = False
    log_device_placement: bool = False
    graph_options: GraphOptions = field(default_factory=GraphOptions)
    operation_timeout_in_ms: int = 0
    isolate_session_state: bool = False

    def __post_init__(self) -> None:
        for name in ("intra_op_parallelism_threads", "inter_op_parallelism_threads", "operation_timeout_in_ms"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"ConfigProto: field '{name}' must be an int, but is {value!r}")


@public("RunOptions")
@dataclass(slots=True)
class RunOptions:
    """Settings of one run, as `tf.RunOptions`.

    timeout_in_ms: DeadlineExceededError when the run takes longer; 0: no limit. trace_level above NO_TRACE: the run's
    RunMetadata lists the kernels that ran.
    """

    NO_TRACE: ClassVar[int] = 0
    SOFTWARE_TRACE: ClassVar[int] = 1
    HARDWARE_TRACE: ClassVar[int] = 2
    FULL_TRACE: ClassVar[int] = 3
    trace_level: int = 0
    timeout_in_ms: int = 0
    inter_op_thread_pool: int = 0
    output_partition_graphs: bool = False
    report_tensor_allocations_upon_oom: bool = False


@public("RunMetadata")
@dataclass(slots=True)
class RunMetadata:
    """What a run tells about itself. kernels: a line for everything that it called (kernels with sizes, variant and
    packed format, maps, packing, loops' iterations, branches taken), in order, if RunOptions.trace_level asked for it.
    """

    kernels: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeviceAttributes:
    """One device, as `Session.list_devices` gives it."""

    name: str
    device_type: str
    memory_limit_bytes: int


def check_run(options: Any, metadata: Any) -> None:
    """Raises TypeError unless they are what Session.run takes for `options` and `run_metadata`."""
    for name, value, kind in (("options", options, RunOptions), ("run_metadata", metadata, RunMetadata)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"Session.run: argument '{name}' must be a gc.{kind.__name__}, but is "
                            f"{type(value).__name__}; feeds go into the second argument, a dict")


def check_config(config: Any) -> ConfigProto:
    """`config`, or the default for None. Raises TypeError for anything but a ConfigProto."""
    if config is None:
        return ConfigProto()
    if not isinstance(config, ConfigProto):
        raise TypeError(f"Session: argument 'config' must be a gc.ConfigProto, but is {type(config).__name__}; "
                        "write gc.Session(config=gc.ConfigProto(...)) (the first argument of Session is `target`)")
    return config
