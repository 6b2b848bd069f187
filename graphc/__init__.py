"""graphc: TensorFlow 1's static graphs, compiled. `import graphc as gc`.

The public names, and nothing else. What needs protobuf or the compiler is imported when it is first used.
"""
# Names are imported here to be public; one section for each part of the package, in the order of its folders.
# ruff: noqa: F401, E402, F403, I001
from __future__ import annotations

import importlib as _importlib
import pkgutil as _pkgutil
import sys as _sys
from typing import Any as _Any

# --- graph ------------------------------------------------------------------------------------------------------------
from graphc import errors as errors
from graphc import tracebacks as _tracebacks
from graphc.ir import dtypes as dtypes
from graphc.ir.dtypes import (
    DType,
    as_dtype,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from graphc.ir.dtypes import bool_ as bool
from graphc.ir.graph import Graph, get_default_graph, reset_default_graph
from graphc.ir.names import GraphKeys
from graphc.ir.scope_functions import (
    add_to_collection,
    add_to_collections,
    colocate_with,
    control_dependencies,
    device,
    get_collection,
    get_collection_ref,
    name_scope,
    op_scope,
)
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor import Operation, Tensor, register_method
from graphc.ir.tensor_shape import Dimension, TensorShape

# --- ops: arrays ------------------------------------------------------------------------------------------------------
from graphc.ops.array import (
    boolean_mask,
    broadcast_static_shape,
    broadcast_to,
    cast,
    concat,
    expand_dims,
    fill,
    gather,
    gather_nd,
    group,
    identity,
    invert_permutation,
    matrix_transpose,
    no_op,
    one_hot,
    ones,
    ones_like,
    pad,
    rank,
    reshape,
    reverse,
    shape,
    size,
    split,
    squeeze,
    stack,
    stop_gradient,
    strided_slice,
    tile,
    to_double,
    to_float,
    to_int32,
    to_int64,
    transpose,
    unstack,
    where,
    where_v2,
    zeros,
    zeros_like,
)
from graphc.ops.array import range_ as range
from graphc.ops.array import slice_ as slice
from graphc.ops.array import tuple_of as tuple
from graphc.ops.build import convert_to_tensor
from graphc.ops.source import constant, placeholder, placeholder_with_default

pack, unpack, reverse_v2, concat_v2 = stack, unstack, reverse, concat

# --- ops: math, nn, random --------------------------------------------------------------------------------------------
from graphc import math as math
from graphc import nn as nn
from graphc import random as random
from graphc.math import *
from graphc.ops import operators as _operators
from graphc.ops.random import (
    random_normal,
    random_uniform,
    set_random_seed,
    truncated_normal,
)

# --- gradients, variables, control flow, session ----------------------------------------------------------------------

from graphc import initializers as initializers
from graphc import train as train
from graphc.config import ConfigProto, GPUOptions, GraphOptions, OptimizerOptions, RunMetadata, RunOptions
from graphc.gradients import AggregationMethod, UnconnectedGradients, gradients, hessians
from graphc.initializers import (
    constant_initializer,
    glorot_normal_initializer,
    glorot_uniform_initializer,
    ones_initializer,
    random_normal_initializer,
    random_uniform_initializer,
    truncated_normal_initializer,
    uniform_unit_scaling_initializer,
    variance_scaling_initializer,
    zeros_initializer,
)
from graphc.ops.cond import case, cond
from graphc.ops.script import Assert, Print, py_func
from graphc.ops.state import assign, assign_add, assign_sub, is_variable_initialized
from graphc.ops.while_loop import while_loop
from graphc.session import InteractiveSession, Session
from graphc.uninitialized import report_uninitialized_variables
from graphc.variable_scope import (
    AUTO_REUSE,
    VariableScope,
    get_local_variable,
    get_variable,
    get_variable_scope,
    no_regularizer,
    variable_scope,
)
from graphc.variables import (
    Variable,
    global_variables,
    global_variables_initializer,
    initialize_all_variables,
    local_variables,
    local_variables_initializer,
    model_variables,
    trainable_variables,
    variables_initializer,
)

# --- compiler and serialisation: imported when first used; the latter needs protobuf ----------------------------------

_LAZY = {
    "pass_table": ("graphc.plan.compile", "pass_table"),
    "GraphDef": ("graphc.serial.graph_pb2", "GraphDef"),
    "NodeDef": ("graphc.serial.graph_pb2", "NodeDef"),
    "AttrValue": ("graphc.serial.graph_pb2", "AttrValue"),
    "import_graph_def": ("graphc.serial.importer", "import_graph_def"),
    "write_graph": ("graphc.serial.files", "write_graph"),
    "load_graph_def": ("graphc.serial.files", "load_graph_def"),
    "freeze": ("graphc.serial.freeze", "freeze"),
    "graph_util": ("graphc.graph_util", None),
    "make_tensor_proto": ("graphc.serial.tensors", "make_tensor_proto"),
    "make_ndarray": ("graphc.serial.tensors", "make_ndarray"),
}


def __getattr__(name: str) -> _Any:
    if name not in _LAZY:
        from graphc.missing import missing

        raise missing("graphc", name, [*globals(), *_LAZY])
    module, attribute = _LAZY[name]
    found = _importlib.import_module(module)
    value = found if attribute is None else getattr(found, attribute)
    globals()[name] = value
    return value


def _lazy_method(module: str, function: str) -> _Any:
    def method(self: _Any, *arguments: _Any, **more: _Any) -> _Any:
        return getattr(_importlib.import_module(module), function)(self, *arguments, **more)

    return method


# A file may hold any op, so all are registered, also those that no public name needs.
for _found in _pkgutil.iter_modules(_importlib.import_module("graphc.ops").__path__):
    _importlib.import_module(f"graphc.ops.{_found.name}")

register_method("as_graph_def", _lazy_method("graphc.serial.graphdef", "as_graph_def"), Graph)
register_method("node_def", property(_lazy_method("graphc.serial.graphdef", "node_def")), Operation)

newaxis = None
__version__ = "0.1.0"

# Behind everything else: an error that leaves one of these ends in the user's code.
_tracebacks.wrap_methods(Tensor, Operation, Graph, Variable, VariableScope, Session, InteractiveSession, TensorShape,
                         Dimension, train.Optimizer, train.AdamOptimizer, train.GradientDescentOptimizer,
                         train.MomentumOptimizer)
_tracebacks.wrap_functions([_sys.modules[__name__], math, nn, random, train, initializers])
