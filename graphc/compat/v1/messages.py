"""TensorFlow's modules of messages, which old scripts import: the modules of graphc/serial that have what is in them.

Ours hold more messages each, so that some stand in more modules than in TensorFlow.
"""
from __future__ import annotations

_MODULES = {
    "checkpoint_state_pb2": "core.protobuf.trackable_object_graph_pb2 python.training.checkpoint_state_pb2",
    "collections_pb2": "core.framework.variable_pb2 core.protobuf.control_flow_pb2 core.protobuf.queue_runner_pb2",
    "config_pb2": "core.protobuf.cluster_pb2 core.protobuf.config_pb2 core.protobuf.rewriter_config_pb2 "
                  "core.protobuf.tensorflow_server_pb2",
    "contrib_pb2": "contrib.tensorboard.plugins.projector.projector_config_pb2 "
                   "contrib.training.python.training.hparam_pb2",
    "example_pb2": "core.example.example_pb2 core.example.feature_pb2",
    "graph_pb2": "core.framework.attr_value_pb2 core.framework.function_pb2 core.framework.graph_pb2 "
                 "core.framework.node_def_pb2 core.framework.op_def_pb2 core.framework.tensor_pb2 "
                 "core.framework.tensor_shape_pb2 core.framework.types_pb2 core.framework.versions_pb2",
    "meta_graph_pb2": "core.protobuf.meta_graph_pb2 core.protobuf.saved_model_pb2 core.protobuf.saver_pb2",
    "run_metadata_pb2": "core.framework.cost_graph_pb2 core.framework.device_attributes_pb2 "
                        "core.framework.step_stats_pb2 core.protobuf.config_pb2",
    "summary_pb2": "core.framework.summary_pb2 core.util.event_pb2",
}
# TensorFlow's module -> ours, one or two.
MESSAGES: dict[str, list[str]] = {}
for _home, _listed in _MODULES.items():
    for _module in _listed.split():
        MESSAGES.setdefault(_module, []).append(f"graphc.serial.{_home}")
