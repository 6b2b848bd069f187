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
    "graphc.api.distributions.base":
        "FULLY_REPARAMETERIZED=distributions.FULLY_REPARAMETERIZED "
        "NOT_REPARAMETERIZED=distributions.NOT_REPARAMETERIZED",
    "graphc.compat.program.logging":
        "DEBUG=compat.v1.logging.DEBUG INFO=compat.v1.logging.INFO WARN=compat.v1.logging.WARN "
        "ERROR=compat.v1.logging.ERROR FATAL=compat.v1.logging.FATAL",
    "graphc.compat.v1.versions":
        "VERSION=compat.v1.VERSION GIT_VERSION=compat.v1.GIT_VERSION COMPILER_VERSION=compat.v1.COMPILER_VERSION "
        "GRAPH_DEF_VERSION=compat.v1.GRAPH_DEF_VERSION CXX11_ABI_FLAG=compat.v1.CXX11_ABI_FLAG "
        "MONOLITHIC_BUILD=compat.v1.MONOLITHIC_BUILD VERSION=compat.v1.version.VERSION",
    "graphc.plan.compile": "pass_table",
    "graphc.serial.graph_pb2": "GraphDef NodeDef AttrValue",
}

MODULES = ("errors", "ir.dtypes")      # public whole, by their last name
