"""Modules inside TensorFlow that scripts import, and the namespaces where graphc has what they hold.

A name asked of such a module is looked for in its namespaces, in this order ("" is the top). `contrib.X.python.*` holds
what contrib.X holds.
"""
from __future__ import annotations

import re

INNER_MODULES: dict[str, tuple[str, ...]] = {
    "dtypes": ("",),
    "python": ("",),
    "python.client.session": ("",),
    "python.client.device_lib": ("python.client.device_lib", "config", ""),
    "python.eager.context": ("",),
    "python.data": ("data",),
    "python.data.experimental": ("data.experimental",),
    "python.data.ops.dataset_ops": ("data",),
    "python.data.ops.iterator_ops": ("data",),
    "python.data.ops.readers": ("data",),
    "python.estimator": ("estimator",),
    "python.estimator.estimator": ("estimator",),
    "python.estimator.estimator_lib": ("estimator", "estimator.inputs", "estimator.export"),
    "python.estimator.export.export": ("estimator.export",),
    "python.estimator.export.export_output": ("estimator.export",),
    "python.estimator.exporter": ("estimator",),
    "python.estimator.inputs.inputs": ("estimator.inputs",),
    "python.estimator.inputs.numpy_io": ("estimator.inputs",),
    "python.estimator.inputs.pandas_io": ("estimator.inputs",),
    "python.estimator.model_fn": ("estimator",),
    "python.estimator.run_config": ("estimator",),
    "python.estimator.training": ("estimator",),
    "python.feature_column": ("feature_column",),
    "python.feature_column.feature_column": ("feature_column",),
    "python.feature_column.feature_column_lib": ("feature_column",),
    "python.feature_column.feature_column_v2": ("feature_column",),
    "python.framework.constant_op": ("",),
    "python.framework.device_spec": ("python.framework.device_spec", ""),
    "python.framework.dtypes": ("dtypes", ""),
    "python.framework.errors": ("errors",),
    "python.framework.errors_impl": ("errors",),
    "python.framework.function": ("",),
    "python.framework.graph_io": ("train", "io"),
    "python.framework.graph_util": ("graph_util",),
    "python.framework.graph_util_impl": ("graph_util",),
    "python.framework.importer": ("",),
    "python.framework.meta_graph": ("train",),
    "python.framework.ops": ("",),
    "python.framework.random_seed": ("random", ""),
    "python.framework.sparse_tensor": ("", "sparse"),
    "python.framework.indexed_slices": ("",),
    "python.framework.tensor": ("",),
    "python.framework.tensor_shape": ("",),
    "python.framework.tensor_spec": ("",),
    "python.framework.tensor_util": ("", "contrib.util"),
    "python.framework.test_util": ("test",),
    "python.layers.base": ("layers",),
    "python.layers.convolutional": ("layers",),
    "python.layers.core": ("layers",),
    "python.layers.layers": ("layers",),
    "python.layers.normalization": ("layers",),
    "python.layers.pooling": ("layers",),
    "python.layers.utils": ("python.layers.utils", "contrib.layers.utils", "contrib.framework"),
    "python.lib.io.file_io": ("io.gfile", "gfile"),
    "python.lib.io.tf_record": ("python_io",),
    "python.ops.init_ops": ("", "initializers"),
    "python.ops.lookup_ops": ("", "contrib.lookup"),
    "python.ops.candidate_sampling_ops": ("nn", "random"),
    "python.ops.distributions": ("distributions",),
    "python.ops.linalg": ("linalg", ""),
    "python.ops.linalg.linalg": ("linalg", ""),
    "python.ops.linalg.linalg_impl": ("linalg", ""),
    "python.ops.linalg.linear_operator": ("linalg",),
    "python.ops.linalg.linear_operator_util": ("linalg", ""),
    "python.ops.rnn_cell_impl": ("nn.rnn_cell", "contrib.rnn"),
    "python.ops.rnn_cell": ("nn.rnn_cell", "contrib.rnn"),
    "python.ops.rnn": ("nn", "contrib.rnn"),
    "python.ops.seq2seq": ("contrib.legacy_seq2seq",),
    "python.platform": ("",),
    "python.platform.app": ("app",),
    "python.platform.flags": ("flags",),
    "python.platform.gfile": ("gfile",),
    "python.platform.googletest": ("test",),
    "python.platform.resource_loader": ("resource_loader",),
    "python.platform.test": ("test",),
    "python.platform.tf_logging": ("logging",),
    "python.saved_model.builder": ("saved_model.builder",),
    "python.saved_model.loader": ("saved_model.loader",),
    "python.saved_model.signature_constants": ("saved_model.signature_constants",),
    "python.saved_model.signature_def_utils": ("saved_model.signature_def_utils",),
    "python.saved_model.tag_constants": ("saved_model.tag_constants",),
    "python.saved_model.utils": ("saved_model.utils",),
    "python.summary.summary": ("summary",),
    "python.summary.summary_iterator": ("train",),
    "python.summary.writer.writer": ("summary",),
    "python.training.queue_runner": ("train.queue_runner", "train"),
    "python.pywrap_tensorflow": ("train",),
    "python.tpu": ("contrib.tpu",),
    "python.tpu.tpu_function": ("contrib.tpu.tpu_function",),
    "python.tpu.tpu_config": ("contrib.tpu",),
    "python.tpu.tpu_estimator": ("contrib.tpu",),
    "python.tpu.tpu_optimizer": ("contrib.tpu",),
    "python.util.compat": ("compat",),
    "python.util.nest": ("nest",),
    "models.rnn": ("nn.rnn_cell", "nn"),
    "models.rnn.rnn": ("nn", "contrib.rnn"),
    "models.rnn.rnn_cell": ("nn.rnn_cell", "contrib.rnn"),
    "models.rnn.seq2seq": ("contrib.legacy_seq2seq",),
    "nn.seq2seq": ("contrib.legacy_seq2seq",),
    "nn.rnn": ("nn", "contrib.rnn"),
    "contrib.framework": ("train", ""),
    "contrib.rnn.rnn_cell": ("nn.rnn_cell", "contrib.rnn"),
    "contrib.learn.python.learn": ("contrib.learn",),
    "contrib.learn.python.learn.datasets": ("contrib.learn.datasets",),
    "contrib.learn.python.learn.datasets.base": ("contrib.learn.datasets.base",),
    "contrib.learn.python.learn.datasets.mnist": ("contrib.learn.datasets.mnist",),
    "contrib.learn.python.learn.preprocessing": ("contrib.learn.preprocessing",),
    "contrib.learn.python.learn.preprocessing.text": ("contrib.learn.preprocessing",),
    "contrib.slim": ("contrib.slim", "contrib.layers", "contrib.framework", "train"),
    "contrib.slim.python.slim.nets.vgg": ("contrib.slim.nets.vgg",),
    "contrib.slim.python.slim.nets.inception": ("contrib.slim.nets.inception",),
    "contrib.slim.python.slim.nets.inception_v3": ("contrib.slim.nets.inception_v3",),
    "contrib.slim.python.slim.nets.resnet_utils": ("contrib.slim.nets.resnet_utils",),
    "contrib.slim.python.slim.nets.resnet_v1": ("contrib.slim.nets.resnet_v1",),
    "contrib.slim.python.slim.nets.resnet_v2": ("contrib.slim.nets.resnet_v2",),
    "contrib.slim.nets.resnet_v1.resnet_utils": ("contrib.slim.nets.resnet_utils",),
    "contrib.slim.nets.resnet_v2.resnet_utils": ("contrib.slim.nets.resnet_utils",),
    "contrib.slim.layers": ("contrib.layers",),
    "contrib.slim.init_ops": ("", "initializers"),
    "contrib.slim.initializers": ("contrib.layers",),
    "contrib.slim.regularizers": ("contrib.layers",),
    "contrib.slim.utils": ("contrib.layers.utils",),
    "contrib.slim.variables": ("contrib.framework",),
    "contrib.slim.losses": ("contrib.losses",),
    "contrib.slim.metrics": ("contrib.metrics",),
    "app.flags": ("flags",),
    "array_ops": ("", "nn"), "math_ops": ("", "math"), "nn_ops": ("nn", ""),
}
# The rest of the modules of ops: each name is at the top, or in one of these.
_OPS = ("array_ops", "array_ops_stack", "bitwise_ops", "check_ops", "clip_ops", "cond", "confusion_matrix",
        "control_flow_assert", "control_flow_case", "control_flow_ops", "custom_gradient", "ctc_ops",
        "data_flow_ops", "embedding_ops", "functional_ops", "gradients", "gradients_impl", "histogram_ops",
        "image_ops", "image_ops_impl", "io_ops", "linalg_ops", "logging_ops",
        "manip_ops", "map_fn", "math_ops", "metrics", "metrics_impl", "nn", "nn_impl", "nn_ops", "parsing_ops",
        "partitioned_variables", "random_ops", "resource_variable_ops", "script_ops", "session_ops",
        "sparse_ops", "special_math_ops", "standard_ops", "state_ops", "string_ops", "summary_ops", "template",
        "tensor_array_ops", "variable_scope", "variables", "while_loop", "gen_array_ops", "gen_math_ops",
        "gen_nn_ops", "gen_image_ops", "gen_random_ops", "gen_state_ops", "gen_control_flow_ops",
        "losses.losses", "losses.losses_impl", "losses.util")
for _name in _OPS:
    INNER_MODULES[f"python.ops.{_name}"] = ("", "nn", "math", "image", "linalg", "random", "losses", "metrics", "train")
for _name in ("batching", "counter", "enumerate_ops", "error_ops", "get_single_element", "grouping", "interleave_ops",
              "optimization", "prefetching_ops", "random_ops", "readers", "scan_ops", "shuffle_ops", "unique"):
    INNER_MODULES[f"python.data.experimental.ops.{_name}"] = ("data.experimental",)
_TRAINING = ("adadelta", "adagrad", "adagrad_da", "adam", "basic_session_run_hooks", "checkpoint_utils",
             "checkpoint_management", "coordinator", "device_setter", "evaluation", "ftrl", "gradient_descent", "input",
             "learning_rate_decay", "momentum", "monitored_session", "moving_averages", "optimizer", "proximal_adagrad",
             "proximal_gradient_descent", "queue_runner_impl", "rmsprop", "saver", "server_lib", "session_manager",
             "session_run_hook", "slot_creator", "summary_io", "supervisor", "sync_replicas_optimizer", "training",
             "training_ops", "training_util")
for _name in _TRAINING:
    INNER_MODULES[f"python.training.{_name}"] = ("train", "contrib.training", "")
_CONTRIB = re.compile(r"(contrib\.(\w+))\.python(\.\w+)*")
# Files and folders inside of contrib.X.python; any other name there is looked up as a function or class.
_CONTRIB_MODULES = frozenset((
    "python ops framework layers slim data nets training learn tensor_util embedding_ops encoders feature_column "
    "feature_column_ops initializers normalization optimizers pooling regularizers rev_block_lib summaries "
    "target_column utils util sparse_ops loss_ops checkpoint_utils experimental graph_util accumulate_n_v2 arg_scope "
    "audio_ops checkpoint_ops critical_section_ops prettyprint_ops script_ops sort_ops variables core_rnn "
    "core_rnn_cell core_rnn_cell_impl fused_rnn_cell gru_ops lstm_ops rnn rnn_cell attention_wrapper basic_decoder "
    "beam_search_decoder beam_search_ops decoder decoder_fn dynamic_attention_wrapper helper loss sampler seq2seq "
    "queues learning evaluation model_analyzer data_decoder data_provider dataset dataset_data_provider "
    "parallel_reader prefetch_queue tfexample_decoder alexnet inception inception_v1 inception_v2 inception_v3 "
    "overfeat resnet_utils resnet_v1 resnet_v2 vgg bucket_ops device_setter feeding_queue_runner hparam hparam_pb2 "
    "python_input resample sampling_ops sequence_queueing_state_saver tuner metric_ops metrics set_ops "
    "confusion_matrix_ops histogram_ops classification losses metric_learning crf lookup_ops plugins projector "
    "image_ops dense_image_warp distort_image_ops single_image_random_dot_stereograms sparse_image_warp "
    "distributions bernoulli beta binomial categorical dirichlet exponential gamma laplace mixture multinomial "
    "mvn_diag normal poisson student_t uniform bijectors cudnn_rnn_ops cudnn_rnn nest signal spectral_ops "
    "mel_ops mfcc_ops reconstruction_ops shape_ops window_ops adamax addsign powersign sign_decay "
    "external_optimizer lazy_adam_optimizer nadam_optimizer "
    "lars_optimizer ggt shampoo moving_average_optimizer multitask_optimizer_wrapper variable_clipping_optimizer "
    "weight_decay_optimizers elastic_average_optimizer model_average_optimizer drop_stale_gradient_optimizer "
    "reg_adagrad_optimizer agn_optimizer matrix_functions batching counter dataset_ops enumerate_ops error_ops "
    "get_single_element grouping interleave_ops iterator_ops prefetching_ops random_ops readers scan_ops "
    "shuffle_ops tfe tpu tpu_config tpu_estimator tpu_function tpu_ops tpu_optimizer").split())


def namespaces_of(module: str) -> tuple[str, ...] | None:
    """Where the names of this module are; None if there is no such module."""
    if module in INNER_MODULES:
        return INNER_MODULES[module]
    if (found := _CONTRIB.fullmatch(module)) and module.rpartition(".")[2] in {*_CONTRIB_MODULES, found[2]}:
        return (found[1], f"{found[1]}.{module.rpartition('.')[2]}")
    inside = f"{module}."
    return () if any(name.startswith(inside) for name in INNER_MODULES) else None
