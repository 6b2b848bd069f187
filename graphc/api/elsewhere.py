"""Public names of what is no function of api/: a module, and the names in it (`name=public name` where they differ).

What can be decorated says its names itself (api/public.py).
"""
from __future__ import annotations

# A variable's dtype is that of its elements here: TensorFlow's float32_ref is float32.
_REFERENCES = " ".join(f"{name}=compat.v1.{space}{name.rstrip('_')}_ref" for space in ("", "dtypes.") for name in (
    "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "uint64", "complex64", "complex128", "bool_", "string", "resource", "variant", "qint8", "qint16", "qint32",
    "quint8", "quint16"))

ELSEWHERE: dict[str, str] = {
    "graphc.ir.dtypes":
        "DType as_dtype bfloat16 bool_=bool complex64 complex128 double float16 float32 float64 half int8 int16 int32 "
        "int64 qint8 qint16 qint32 quint8 quint16 resource string uint8 uint16 uint32 uint64 variant " + _REFERENCES,
    "graphc.errors": "OpError",
    "graphc.api.state.initializers": " ".join(f"{known}=compat.v1.keras.initializers.{name}" for known, names in {
        "Initializer": "Initializer", "Zeros": "Zeros zeros", "Ones": "Ones ones", "Constant": "Constant constant",
        "Identity": "Identity identity", "VarianceScaling": "VarianceScaling", "GlorotNormal": "glorot_normal",
        "GlorotUniform": "glorot_uniform", "he_normal": "he_normal", "he_uniform": "he_uniform",
        "lecun_normal": "lecun_normal", "lecun_uniform": "lecun_uniform"}.items() for name in names.split()),
    "graphc.api.graph.device_spec":
        "DeviceSpec=compat.v1.python.framework.device_spec.DeviceSpecV1 "
        "DeviceSpec=compat.v1.python.framework.device_spec.DeviceSpecV2",
    "graphc.api.state.variables":
        "Variable=compat.v1.python.ops.variables.VariableV1 Variable=compat.v1.python.ops.variables.RefVariable "
        "Variable=compat.v1.python.ops.resource_variable_ops.ResourceVariable "
        "Variable=compat.v1.python.ops.variable_scope.variable",
    "graphc.api.state.orthogonal":
        "Orthogonal=compat.v1.keras.initializers.Orthogonal Orthogonal=compat.v1.keras.initializers.orthogonal",
    "graphc.compat.layers.fully_connected":
        "relu=contrib.layers.relu relu6=contrib.layers.relu6 elu=contrib.layers.elu linear=contrib.layers.linear "
        "legacy_relu=contrib.layers.legacy_relu legacy_linear=contrib.layers.legacy_linear",
    "graphc.ir.graph": "Graph get_default_graph reset_default_graph",
    "graphc.ir.names": "GraphKeys",
    "graphc.ir.stacks": "get_default_session",
    "graphc.ir.tensor": "Operation Tensor",
    "graphc.ir.tensor_shape":
        "Dimension TensorShape as_shape=compat.v1.python.framework.tensor_shape.as_shape",
    "graphc.ir.apply": "convert_to_tensor",
    "graphc.api.lookup.index_tables": "FastHashSpec=contrib.lookup.FastHashSpec",
    "graphc.api.state.variable_scope": "AUTO_REUSE",
    "graphc.saved_model.fixed_names": " ".join(
        f"{name}={space}.{name}" for group, listed in {
            "tag_constants": "SERVING TRAINING GPU TPU",
            "signature_constants":
                "DEFAULT_SERVING_SIGNATURE_DEF_KEY CLASSIFY_INPUTS CLASSIFY_METHOD_NAME CLASSIFY_OUTPUT_CLASSES "
                "CLASSIFY_OUTPUT_SCORES PREDICT_INPUTS PREDICT_METHOD_NAME PREDICT_OUTPUTS REGRESS_INPUTS "
                "REGRESS_METHOD_NAME REGRESS_OUTPUTS",
            "constants":
                "ASSETS_DIRECTORY ASSETS_KEY LEGACY_INIT_OP_KEY MAIN_OP_KEY SAVED_MODEL_FILENAME_PB "
                "SAVED_MODEL_FILENAME_PBTXT SAVED_MODEL_SCHEMA_VERSION VARIABLES_DIRECTORY VARIABLES_FILENAME",
        }.items() for name in listed.split()
        for space in ("saved_model", f"saved_model.{group}", f"compat.v1.python.saved_model.{group}"))
        + " EVAL=saved_model.tag_constants.EVAL",
    "graphc.api.distributions.base":
        "FULLY_REPARAMETERIZED=distributions.FULLY_REPARAMETERIZED "
        "FULLY_REPARAMETERIZED=contrib.distributions.FULLY_REPARAMETERIZED "
        "NOT_REPARAMETERIZED=distributions.NOT_REPARAMETERIZED "
        "NOT_REPARAMETERIZED=contrib.distributions.NOT_REPARAMETERIZED",
    "graphc.compat.program.logging":
        "DEBUG=compat.v1.logging.DEBUG INFO=compat.v1.logging.INFO WARN=compat.v1.logging.WARN "
        "ERROR=compat.v1.logging.ERROR FATAL=compat.v1.logging.FATAL",
    "graphc.compat.v1.versions":
        "VERSION=compat.v1.VERSION GIT_VERSION=compat.v1.GIT_VERSION COMPILER_VERSION=compat.v1.COMPILER_VERSION "
        "GRAPH_DEF_VERSION=compat.v1.GRAPH_DEF_VERSION CXX11_ABI_FLAG=compat.v1.CXX11_ABI_FLAG "
        "MONOLITHIC_BUILD=compat.v1.MONOLITHIC_BUILD VERSION=compat.v1.version.VERSION "
        "CXX11_ABI_FLAG=compat.v1.sysconfig.CXX11_ABI_FLAG MONOLITHIC_BUILD=compat.v1.sysconfig.MONOLITHIC_BUILD "
        "GIT_VERSION=compat.v1.version.GIT_VERSION COMPILER_VERSION=compat.v1.version.COMPILER_VERSION "
        "GRAPH_DEF_VERSION=compat.v1.version.GRAPH_DEF_VERSION "
        "GRAPH_DEF_VERSION_MIN_CONSUMER=compat.v1.version.GRAPH_DEF_VERSION_MIN_CONSUMER "
        "GRAPH_DEF_VERSION_MIN_PRODUCER=compat.v1.version.GRAPH_DEF_VERSION_MIN_PRODUCER",
    "graphc.data.dataset": "AUTOTUNE=data.experimental.AUTOTUNE AUTOTUNE=contrib.data.AUTOTUNE",
    "graphc.test.tools": "mock=test.mock",
    # tf.estimator has the hooks, too.
    **{f"graphc.train.sessions.{module}": " ".join(f"{name}=estimator.{name}" for name in names.split())
       for module, names in {
           "hook": "SessionRunArgs SessionRunContext SessionRunHook SessionRunValues",
           "saving_hooks": "CheckpointSaverHook CheckpointSaverListener ProfilerHook SummarySaverHook",
           "step_hooks": "GlobalStepWaiterHook StepCounterHook StopAtStepHook", "timers": "SecondOrStepTimer",
           "tensor_hooks": "FeedFnHook FinalOpsHook LoggingTensorHook NanLossDuringTrainingError NanTensorHook",
       }.items()},
    "graphc.plan.compile": "pass_table",
    "graphc.serial.graph_pb2": "GraphDef NodeDef AttrValue NameAttrList",
    "graphc.serial.config_pb2":
        "ConfigProto GPUOptions OptimizerOptions GraphOptions RunOptions ClusterDef=train.ClusterDef "
        "JobDef=train.JobDef ServerDef=train.ServerDef",
    "graphc.serial.run_metadata_pb2": "RunMetadata",
    "graphc.serial.summary_pb2":
        "Summary Summary=summary.Summary SummaryMetadata SummaryDescription=summary.SummaryDescription HistogramProto "
        "Event Event=summary.Event LogMessage SessionLog SessionLog=summary.SessionLog "
        "TaggedRunMetadata=summary.TaggedRunMetadata",
    "graphc.serial.example_pb2": " ".join(f"{name}=train.{name}" for name in (
        "Example", "SequenceExample", "Features", "Feature", "FeatureLists", "FeatureList", "BytesList", "FloatList",
        "Int64List")),
    "graphc.serial.meta_graph_pb2": "MetaGraphDef TensorInfo SaverDef=train.SaverDef",
    "graphc.serial.contrib_pb2": "HParamDef=contrib.training.HParamDef " + " ".join(
        f"{name}=contrib.tensorboard.plugins.projector.{name}" for name in (
        "ProjectorConfig", "EmbeddingInfo", "SpriteMetadata")),
}

MODULES = ("errors", "ir.dtypes")      # public whole, by their last name
