"""Public names of what is no function of api/: a module, and the names in it (`name=public name` where they differ).

What can be decorated says its names itself (api/public.py).
"""
from __future__ import annotations

ELSEWHERE: dict[str, str] = {
    "graphc.ir.dtypes":
        "DType as_dtype bfloat16 bool_=bool complex64 complex128 double float16 float32 float64 half int8 int16 int32 "
        "int64 qint8 qint16 qint32 quint8 quint16 resource string uint8 uint16 uint32 uint64 variant",
    "graphc.ir.graph": "Graph get_default_graph reset_default_graph",
    "graphc.ir.names": "GraphKeys",
    "graphc.ir.stacks": "get_default_session",
    "graphc.ir.tensor": "Operation Tensor",
    "graphc.ir.tensor_shape": "Dimension TensorShape",
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
        "NOT_REPARAMETERIZED=distributions.NOT_REPARAMETERIZED",
    "graphc.plan.compile": "pass_table",
    "graphc.serial.graph_pb2": "GraphDef NodeDef AttrValue",
}

MODULES = ("errors", "ir.dtypes")      # public whole, by their last name
