"""with_dependencies of TensorFlow's control_flow_ops."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.python.ops.control_flow_ops.with_dependencies")
def with_dependencies(dependencies: Sequence[Any], output_tensor: Any, name: str | None = None) -> Any:
    """output_tensor (a Tensor or IndexedSlices), which is there only when the dependencies have run."""
    with gc.name_scope(name, "control_dependency", [*dependencies, output_tensor]) as scope:
        with gc.control_dependencies(dependencies):
            if isinstance(output_tensor, gc.IndexedSlices):
                return gc.IndexedSlices(gc.identity(output_tensor.values, name=scope), output_tensor.indices,
                                        output_tensor.dense_shape)
            return gc.identity(output_tensor, name=scope)
