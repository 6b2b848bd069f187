"""Normal distributions of vectors whose numbers depend on each other: MultivariateNormalTriL and ...FullCovariance."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape
from graphc.api.array.diagonal import matrix_band_part, matrix_diag_part
from graphc.api.array.fill import ones, zeros
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, shape
from graphc.api.control.asserts import assert_positive
from graphc.api.distributions.base import FULLY_REPARAMETERIZED, RegisterKL, checked, parameters_of
from graphc.api.distributions.multivariate import NormalVectors
from graphc.api.distributions.vectors import before_last
from graphc.api.linalg.decompose import cholesky
from graphc.api.linalg.solve import matrix_triangular_solve
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import abs, log, sqrt, square
from graphc.api.public import public
from graphc.api.random.random import random_normal
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("contrib.distributions.MultivariateNormalTriL")
class MultivariateNormalTriL(NormalVectors):
    """loc + scale_tril @ z, where z is a vector of independent standard normal numbers.

    loc: [..., size], 0 by default; scale_tril: [..., size, size], of which the lower triangle counts; floats, which
    broadcast. As `tf.contrib.distributions.MultivariateNormalTriL`. Raises ValueError without scale_tril, TypeError for
    arrays of integers.

    >>> vectors = gc.contrib.distributions.MultivariateNormalTriL([0., 1.], scale_tril=[[1., 0.], [1., 2.]])
    >>> vectors.covariance().eval(), vectors.prob([0., 1.]).eval()
    (array([[1., 1.],
           [1., 5.]], dtype=float32), np.float32(0.0796))
    """

    def __init__(self, loc: Any = None, scale_tril: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "MultivariateNormalTriL") -> None:
        parameters = dict(locals())
        if scale_tril is None:
            raise ValueError(f"{type(self).__name__}: scale_tril must be given: it says how many numbers a vector has")
        if loc is None:
            matrix, = parameters_of(scale_tril=scale_tril)
        else:
            matrix, loc = parameters_of(scale_tril=scale_tril, loc=loc)
        self._take(loc, matrix_band_part(matrix, -1, 0), validate_args)
        super().__init__(matrix.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters, name=name)

    def _take(self, loc: Tensor | None, factor: Tensor, validate: bool) -> None:
        self._factor = checked(factor, [assert_positive(abs(matrix_diag_part(factor)))] if validate else [])
        self._loc = zeros(shape(factor)[:-1], factor.dtype) if loc is None else loc

    def _both(self) -> TensorShape:
        made: TensorShape = broadcast_static_shape(self._loc.shape, before_last(self._factor.shape))
        return made

    def _both_tensor(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._loc), shape(self._factor)[:-1])

    def _stretched(self, z: Tensor) -> Tensor:
        """factor @ z of each vector."""
        made: Tensor = reduce_sum(self._factor * expand_dims(z, -2), -1)
        return made

    def _sample_n(self, n: Any, seed: int | None = None) -> Tensor:
        z = random_normal(concat([[n], self._both_tensor()], 0), dtype=self.dtype, seed=seed)
        return self._stretched(z) + self._loc

    def _log_determinant(self) -> Tensor:
        return reduce_sum(log(abs(matrix_diag_part(self._factor))), -1)

    def _log_prob(self, x: Tensor) -> Tensor:
        apart = expand_dims(self._whole(x - self._loc), -1)
        # Every vector has its matrix: the solver takes no batches of two shapes.
        matrices = self._factor + zeros(concat([shape(apart)[:-1], [1]], 0), self.dtype)
        z = matrix_triangular_solve(matrices, apart)[..., 0]
        made: Tensor = reduce_sum(-0.5 * square(z) - 0.5 * math.log(2 * math.pi), -1) - self._log_determinant()
        return made

    def _entropy(self) -> Tensor:
        half = 0.5 * math.log(2 * math.pi * math.e)
        return reduce_sum(self._whole(half + log(abs(matrix_diag_part(self._factor)))), -1)

    def _covariance(self) -> Tensor:
        made = matmul(self._factor, self._factor, transpose_b=True)
        return made + zeros(concat([self._both_tensor(), [1]], 0), self.dtype)

    def _variance(self) -> Tensor:
        return self._whole(reduce_sum(square(self._factor), -1))

    def _stddev(self) -> Tensor:
        return sqrt(self._variance())


@public("contrib.distributions.MultivariateNormalFullCovariance")
class MultivariateNormalFullCovariance(MultivariateNormalTriL):
    """Vectors of normal numbers with these means and covariances.

    loc: [..., size], 0 by default; covariance_matrix: [..., size, size], symmetric and positive definite; floats, which
    broadcast. As `tf.contrib.distributions.MultivariateNormalFullCovariance`. Raises ValueError without
    covariance_matrix; a matrix that is not positive definite is an InvalidArgumentError when run.

    >>> vectors = gc.contrib.distributions.MultivariateNormalFullCovariance([0., 1.], [[1., 1.], [1., 5.]])
    >>> vectors.stddev().eval(), vectors.prob([0., 1.]).eval()
    (array([1.    , 2.2361], dtype=float32), np.float32(0.0796))
    """

    def __init__(self, loc: Any = None, covariance_matrix: Any = None, validate_args: bool = False,
                 allow_nan_stats: bool = True, name: str = "MultivariateNormalFullCovariance") -> None:
        parameters = dict(locals())
        if covariance_matrix is None:
            raise ValueError("MultivariateNormalFullCovariance: covariance_matrix must be given: it says how many "
                             "numbers a vector has")
        matrix, = parameters_of(covariance_matrix=covariance_matrix)
        super().__init__(loc, cholesky(matrix), validate_args, allow_nan_stats, name)
        self._parameters = parameters


@RegisterKL(MultivariateNormalTriL, MultivariateNormalTriL)
def _normals(a: MultivariateNormalTriL, b: MultivariateNormalTriL, name: str | None = None) -> Tensor:
    apart = expand_dims(b._whole(b.loc) - a._whole(a.loc), -1)
    matrices = b._factor + zeros(concat([shape(apart)[:-1], [1]], 0), b.dtype)
    relative = matrix_triangular_solve(matrices, a._factor + zeros(shape(matrices), a.dtype))
    made: Tensor = (b._log_determinant() - a._log_determinant() + 0.5 * (
        reduce_sum(square(relative), [-2, -1]) + reduce_sum(square(matrix_triangular_solve(matrices, apart)), [-2, -1])
        - reduce_sum(ones(b._event_shape_tensor(), b.dtype))))
    return made
