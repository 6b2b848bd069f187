"""The initialiser of orthogonal matrices, which a QR decomposition makes in Python."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.diagonal import matrix_diag_part
from graphc.api.array.shapes import reshape
from graphc.api.array.transpose import matrix_transpose
from graphc.api.linalg.decompose import qr
from graphc.api.math.unary import sign
from graphc.api.public import public
from graphc.api.random.random import random_normal
from graphc.api.state.initializers import Initializer
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape


@public("initializers.Orthogonal", "initializers.orthogonal", "orthogonal_initializer",
        "initializers.orthogonal_initializer")
class Orthogonal(Initializer):
    """gain times a random matrix with orthogonal columns, or rows if these are fewer; the last axis is the columns.

    Of a shape of more axes all but the last count as rows. dtype: float32 or float64. As `tf.orthogonal_initializer`,
    but for the numbers of a seed. Raises ValueError for a rank below 2, TypeError for other dtypes.

    >>> w = gc.orthogonal_initializer(seed=1)([4, 2])
    >>> np.abs(gc.matmul(w, w, transpose_a=True).eval())
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(dtype)
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = [int(s) for s in as_shape(shape).as_list()]
        if len(sizes) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional, but its shape is "
                             f"{tuple(sizes)}")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        drawn = random_normal((max(rows, columns), min(rows, columns)), dtype=self._dtype(dtype), seed=self.seed)
        q, r = qr(drawn)
        # The signs make q evenly distributed.
        q = q * sign(matrix_diag_part(r))
        made: Tensor = self.gain * reshape(matrix_transpose(q) if rows < columns else q, sizes)
        return made
