"""What a Session takes from its ConfigProto, and a run from its RunOptions (proto/config.proto).

These fields have a meaning:
    ConfigProto   intra_op_parallelism_threads   threads that share the work of one kernel; 0: as many as the process
                                                 may use. Results do not depend on it.
                  operation_timeout_in_ms        limit of every run of the session; 0: none
                  allow_soft_placement           no warning for what was placed on a GPU that cannot run it, no error
                                                 for a GPU that is not there (session/placement.py)
                  device_count                   {"GPU": 1}: runs use the GPU; {"GPU": 0}: none does
                  graph_options.rewrite_options.auto_mixed_precision
                                                 ON: a GPU may multiply float32 on its tensor cores, which round factors
                                                 to tf32 (10 bits of mantissa); sums stay float32's
                  graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16
                                                 ON: a CPU may round the operands of float32 products to bfloat16 (8
                                                 bits of mantissa), where that is quicker: both where there is AMX or
                                                 AVX512-BF16, constant matrices anywhere; of convolutions by AMX alone.
                                                 Sums stay float32's. So does GRAPHC_WEIGHTS=bfloat16, in C++ too
                                                 (docs/adr/0095, 0096)
                  log_device_placement           prints the device of each op, once for every kind of run
                  gpu_options                    visible_device_list: "1,0": these GPUs, as /gpu:0 and /gpu:1;
                                                 per_process_gpu_memory_fraction: of a GPU's memory so much may be
                                                 used, by all sessions together; allow_growth changes nothing: memory
                                                 is always taken as it is needed
    RunOptions    timeout_in_ms                  DeadlineExceededError when the run takes longer; 0: no limit
                  trace_level                    above NO_TRACE, RunMetadata tells what ran (reports/step_stats.py)
                  output_partition_graphs        RunMetadata.partition_graphs holds the part of the graph that ran
                  debug_options                  refused: there is no debugger
The others cannot change a result: kernels of one run follow each other, and graphs are always optimised. protobuf is
imported by who makes such a message, never by a Session without one.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.ir.late_imports import load

if TYPE_CHECKING:
    from graphc.serial.config_pb2 import ConfigProto, RunOptions
    from graphc.serial.run_metadata_pb2 import RunMetadata

__all__ = ["ConfigProto", "DeviceAttributes", "RunMetadata", "RunOptions", "Settings", "check_run", "settings_of"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a ConfigProto says to a Session."""

    threads: int | None = None         # None: as many as the process may use
    timeout_in_ms: int = 0
    log_device_placement: bool = False
    soft_placement: bool = False
    gpus: int | None = None            # None: as gc.device says
    visible_gpus: tuple[int, ...] | None = None
    gpu_memory_fraction: float = 0.0   # 0: all of it
    reduced_products: bool = False     # of float32, on a GPU: by tensor cores
    bfloat16: bool = False             # operands of float32 products, on a CPU: may be rounded to bfloat16


@dataclass(frozen=True, slots=True)
class DeviceAttributes:
    """One device, as `Session.list_devices` gives it."""

    name: str
    device_type: str
    memory_limit_bytes: int
    incarnation: int = 1


def settings_of(config: Any) -> Settings:
    """The settings in `config`, the usual ones for None. Raises TypeError for anything but a ConfigProto,
    InvalidArgumentError for a list of GPUs that is none."""
    if config is None:
        return Settings()
    if not isinstance(config, load("graphc.serial.config_pb2").ConfigProto):
        raise TypeError(f"Session: argument 'config' must be a gc.ConfigProto, but is {type(config).__name__}; "
                        "write gc.Session(config=gc.ConfigProto(...)) (the first argument of Session is `target`)")
    rewriting = config.graph_options.rewrite_options
    return Settings(config.intra_op_parallelism_threads or None, config.operation_timeout_in_ms,
                    config.log_device_placement, config.allow_soft_placement,
                    config.device_count["GPU"] if "GPU" in config.device_count else None,
                    _visible(config.gpu_options.visible_device_list),
                    config.gpu_options.per_process_gpu_memory_fraction,
                    rewriting.auto_mixed_precision == rewriting.ON,
                    rewriting.auto_mixed_precision_onednn_bfloat16 == rewriting.ON)


def _visible(listed: str) -> tuple[int, ...] | None:
    if not listed.strip():
        return None
    try:
        return tuple(int(number) for number in listed.split(","))
    except ValueError:
        raise InvalidArgumentError(f"GPUOptions.visible_device_list must be numbers like \"0,2\", but is {listed!r}"
                                   ) from None


def check_run(options: Any, metadata: Any) -> None:
    """Raises TypeError unless they are what Session.run takes for `options` and `run_metadata`."""
    for name, value, kind, home in (("options", options, "RunOptions", "config_pb2"),
                                    ("run_metadata", metadata, "RunMetadata", "run_metadata_pb2")):
        if value is not None and not isinstance(value, getattr(load(f"graphc.serial.{home}"), kind)):
            raise TypeError(f"Session.run: argument '{name}' must be a gc.{kind}, but is {type(value).__name__}; feeds "
                            "go into the second argument, a dict")
    if options is not None and options.debug_options.debug_tensor_watch_opts:
        raise UnimplementedError("Session.run: RunOptions.debug_options watches tensors for TensorFlow's debugger, "
                                 "which graphc does not have; fetch the tensors")
