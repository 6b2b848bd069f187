"""graphc: TensorFlow 1's static graphs, compiled. `import graphc as gc`.

The public names are imported when they are first used: api/names.py lists them, and each is declared beside what it
names (api/public.py). So importing graphc costs the same however many ops there are.
"""
from __future__ import annotations

from graphc import errors, tracebacks
from graphc.api import methods, namespaces
from graphc.api.names import NAMES
from graphc.ir import dtypes
from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import Dimension, TensorShape
from graphc.ops import manifest as manifest

newaxis = None
__version__ = "0.1.0"
__all__ = ["dtypes", "errors", "newaxis", *NAMES[""]]
__getattr__, __dir__ = namespaces.lookup(__name__)

methods.register_all()
for _class in (Tensor, Operation, Graph, TensorShape, Dimension):
    tracebacks.wrap_methods(_class, _class.__name__)
namespaces.make_modules()
