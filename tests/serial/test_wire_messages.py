"""The messages are TensorFlow's on the wire: numbers, types and names of their fields, and bytes.

data/messages.txt was recorded from TensorFlow 2.21's descriptors: a message, its fields (name=number:type) and values
of enums. GONE is what 1.15 had and 2.21 has not.
"""
from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

import graphc as gc

FILES = ("graph", "config", "run_metadata", "summary", "example", "meta_graph", "collections", "checkpoint_state")
TYPES = {getattr(FieldDescriptor, n): n[5:].lower() for n in dir(FieldDescriptor) if n.startswith("TYPE_")}
OWN = {"GraphDef.plans", "GraphDef.side_file", "GraphDef.state", "TensorProto.side", "RunMetadata.kernels"}
GONE = {"TrackableObjectGraph.TrackableObject.SerializedTensor.optional_restore"}


def recorded() -> dict[str, dict[str, str]]:
    lines = (Path(__file__).parent / "data" / "messages.txt").read_text().splitlines()
    return {name: dict(part.split("=") for part in parts.split(";") if "=" in part)
            for name, parts in (line.split("\t") for line in lines)}


def kind(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        inner = field.message_type
        if inner.GetOptions().map_entry:
            return f"map({kind(inner.fields_by_name['key'])},{kind(inner.fields_by_name['value'])})"
        return str(inner.name)
    return f"enum {field.enum_type.name}" if field.enum_type is not None else TYPES[field.type]


def described(message: Descriptor, path: str) -> Iterator[tuple[str, str]]:
    for field in message.fields:
        said = kind(field)
        many = "*" if field.is_repeated and not said.startswith("map(") else ""
        yield f"{path}.{field.name}", f"{field.number}:{many}{said}"
    for enum in message.enum_types:
        yield from ((f"{path}.{v.name}", str(v.number)) for v in enum.values)
    for inner in message.nested_types:
        if not inner.GetOptions().map_entry:
            yield from described(inner, f"{path}.{inner.name}")


@pytest.mark.parametrize("file", FILES)
def test_fields_are_tensorflows(file: str) -> None:
    known = {f"{message}.{name}": said for message, fields in recorded().items() for name, said in fields.items()}
    module = importlib.import_module(f"graphc.serial.{file}_pb2").DESCRIPTOR
    ours = dict(pair for name, message in module.message_types_by_name.items()
                if not file == "graph" or name != "SavedPlan" for pair in described(message, name))
    ours |= {f"{name}.{v.name}": str(v.number) for name, enum in module.enum_types_by_name.items() for v in enum.values}
    assert ours
    assert {name: said for name, said in ours.items() if known.get(name) != said and name not in OWN | GONE} == {}


# Bytes that TensorFlow 2.21 wrote of messages with this text.
BYTES = {
    "ConfigProto": (
        'device_count { key: "GPU" value: 0 } intra_op_parallelism_threads: 2 gpu_options { '
        'per_process_gpu_memory_fraction: 0.25 allow_growth: true visible_device_list: "0,1" } '
        'allow_soft_placement: true graph_options { optimizer_options { opt_level: L0 global_jit_level: ON_1 '
        '} rewrite_options { constant_folding: OFF optimizers: "a" } } operation_timeout_in_ms: 70000 '
        'cluster_def { job { name: "ps" tasks { key: 1 value: "h:2" } } }',
        "0a070a0347505510001002321009000000000000d03f20012a03302c31380152171a0d18ffffffffffffffffff0128015206"
        "1802a206016158f0a204720f0a0d0a027073120708011203683a32"
    ),
    "RunOptions": (
        'trace_level: FULL_TRACE timeout_in_ms: 5 debug_options { debug_tensor_watch_opts { node_name: "n" '
        'output_slot: 1 debug_urls: "file:///x" } }',
        "08031005321222100a016e1001220966696c653a2f2f2f78"
    ),
    "RunMetadata": (
        'step_stats { dev_stats { device: "/cpu:0" node_stats { node_name: "a" all_start_micros: 7 '
        'op_end_rel_micros: 3 memory { allocator_name: "cpu" peak_bytes: 9 } output { slot: 1 '
        'tensor_description { dtype: DT_FLOAT shape { dim { size: 3 } } } } timeline_label: "a = B(c)" '
        'thread_id: 4 all_start_nanos: 7000 } thread_names { key: 0 value: "t" } } } cost_graph { node { '
        'name: "a" id: 1 input_info { preceding_node: 2 } compute_cost: 5 } }',
        "0a400a3e0a062f6370753a30122d0a01611007200332070a0363707518093a0c08011a080801120412020803420861203d20"
        "42286329500468d8361a050800120174120d0a0b0a01611801220208024805"
    ),
    "Summary": (
        'value { tag: "loss" simple_value: 0.5 } value { tag: "h" histo { min: -1 max: 2 num: 3 sum: 1 '
        'sum_squares: 5 bucket_limit: 0 bucket_limit: 1 bucket: 1 bucket: 2 } } value { tag: "i" image { '
        'height: 1 width: 2 colorspace: 3 encoded_image_string: "\\x89PNG" } } value { tag: "a" audio { '
        'sample_rate: 44100 num_channels: 1 length_frames: 8 encoded_audio_string: "RIFF" content_type: '
        '"audio/wav" } } value { tag: "t" metadata { plugin_data { plugin_name: "text" } display_name: "d" } '
        'tensor { dtype: DT_STRING tensor_shape { } string_val: "x" } }',
        "0a0b0a046c6f7373150000003f0a560a01682a5109000000000000f0bf110000000000000040190000000000000840210000"
        "00000000f03f29000000000000144032100000000000000000000000000000f03f3a10000000000000f03f00000000000000"
        "400a110a0169220c080110021803220489504e470a1f0a0161321a0d00442c47100118082204524946462a09617564696f2f"
        "7761760a190a01744207080712004201784a0b0a060a0474657874120164"
    ),
    "Event": (
        'wall_time: 1.5 step: 300 session_log { status: CHECKPOINT checkpoint_path: "/m" }',
        "09000000000000f83f10ac023a06080312022f6d"
    ),
    "train.Example": (
        'features { feature { key: "a" value { int64_list { value: 1 value: -2 } } } }',
        "0a160a140a0161120f1a0d0a0b01feffffffffffffffff01"
    ),
    "train.SequenceExample": (
        'context { feature { key: "n" value { bytes_list { value: "x" } } } } feature_lists { feature_list { '
        'key: "f" value { feature { float_list { value: 0.5 value: 2 } } feature { } } } }',
        "0a0c0a0a0a016e12050a030a017812170a150a016612100a0c120a0a080000003f000000400a00"
    ),
    "MetaGraphDef": (
        'meta_info_def { tags: "serve" tensorflow_version: "1.15.0" } graph_def { node { name: "a" op: "NoOp"'
        ' } versions { producer: 134 } } saver_def { filename_tensor_name: "save/Const:0" max_to_keep: 5 '
        'keep_checkpoint_every_n_hours: 10000 version: V2 } collection_def { key: "v" value { bytes_list { '
        'value: "b" } } } signature_def { key: "s" value { inputs { key: "x" value { name: "x:0" dtype: '
        'DT_FLOAT tensor_shape { dim { size: -1 } } } } method_name: "m" } } asset_file_def { filename: "f" }',
        "0a0f220573657276652a06312e31352e3012100a090a016112044e6f4f7022030886011a170a0c736176652f436f6e73743a"
        "3020053500401c463802220a0a0176120512030a01622a250a017312200a1b0a017812160a03783a3010011a0d120b08ffff"
        "ffffffffffffff011a016d3203120166"
    ),
    "compat.v1.core.framework.variable_pb2.VariableDef": (
        'variable_name: "v:0" initializer_name: "v/Assign" snapshot_name: "v/read:0" initial_value_name: '
        '"c:0" trainable: true save_slice_info_def { full_name: "w" full_shape: 4 var_offset: 0 var_shape: 2 '
        '} synchronization: VARIABLE_SYNCHRONIZATION_ON_READ aggregation: VARIABLE_AGGREGATION_MEAN',
        "0a03763a301208762f41737369676e1a08762f726561643a30220c0a01771201041a01002201023203633a30380140034802"
    ),
    "compat.v1.core.protobuf.queue_runner_pb2.QueueRunnerDef": (
        'queue_name: "q" enqueue_op_name: "e" close_op_name: "c" cancel_op_name: "k" '
        'queue_closed_exception_types: OUT_OF_RANGE',
        "0a01711201651a016322016b2a010b"
    ),
    "compat.v1.python.training.checkpoint_state_pb2.CheckpointState": (
        'model_checkpoint_path: "m-2" all_model_checkpoint_paths: "m-1" all_model_checkpoint_paths: "m-2" '
        'all_model_checkpoint_timestamps: 1.5 last_preserved_timestamp: 0.25',
        "0a036d2d3212036d2d3112036d2d321a08000000000000f83f21000000000000d03f"
    ),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_are_tensorflows(name: str) -> None:
    text, written = BYTES[name]
    message = message_class(name)()
    text_format.Parse(text, message)
    assert message.SerializeToString(deterministic=True).hex() == written
    assert message_class(name).FromString(bytes.fromhex(written)) == message


def message_class(name: str) -> Any:
    found: Any = gc
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_fields_of_a_later_version_are_kept() -> None:
    """TensorInfo.composite_tensor (5), which TensorFlow 2 writes."""
    written = bytes.fromhex("1001" + "2a020a00")
    assert gc.TensorInfo.FromString(written).SerializeToString() == written


def test_the_default_pool_holds_no_name_of_tensorflows() -> None:
    code = ("import graphc as gc; gc.ConfigProto, gc.Summary, gc.MetaGraphDef, gc.train.Example, gc.RunMetadata\n"
            "from google.protobuf import descriptor_pool\n"
            "descriptor_pool.Default().FindMessageTypeByName('tensorflow.ConfigProto')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode and "KeyError" in done.stderr
