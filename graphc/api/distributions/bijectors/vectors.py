"""Bijectors of vectors: Affine, Permute, SoftmaxCentered."""
from __future__ import annotations

from typing import Any

from graphc.api.array.broadcast import broadcast_static_shape, broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.diagonal import matrix_band_part, matrix_diag, matrix_diag_part
from graphc.api.array.fill import zeros_like
from graphc.api.array.gather import gather
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, shape, squeeze
from graphc.api.array.transpose import invert_permutation
from graphc.api.distributions.base import parameters_of
from graphc.api.distributions.bijectors.base import Bijector
from graphc.api.linalg.solve import matrix_triangular_solve
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import abs, log
from graphc.api.nn.softmax import softmax
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


@public("contrib.distributions.bijectors.Affine")
class Affine(Bijector):
    """y = S x + shift of vectors x, S being the sum of what is given of scale. As
    `tf.contrib.distributions.bijectors.Affine`.

    scale_identity_multiplier: a number times the identity; scale_diag: a diagonal; scale_tril: lower triangular
    matrices, of which the rest is not read. Without any S is the identity. All are floats of one dtype. Raises
    NotImplementedError for scale_perturb_factor and scale_perturb_diag: add the product to a matrix, and give its
    Cholesky factor.

    >>> affine = gc.contrib.distributions.bijectors.Affine(shift=[1., 0.], scale_tril=[[2., 0.], [1., 3.]])
    >>> affine.forward([1., 1.]).eval(), affine.inverse([3., 4.]).eval()
    (array([3., 4.], dtype=float32), array([1., 1.], dtype=float32))
    >>> affine.forward_log_det_jacobian([1., 1.], event_ndims=1).eval()
    np.float32(1.7918)
    """

    def __init__(self, shift: Any = None, scale_identity_multiplier: Any = None, scale_diag: Any = None,
                 scale_tril: Any = None, scale_perturb_factor: Any = None, scale_perturb_diag: Any = None,
                 event_ndims: int | None = None, validate_args: bool = False, name: str = "affine") -> None:
        if scale_perturb_factor is not None or scale_perturb_diag is not None:
            raise NotImplementedError("Affine: scale_perturb_factor and scale_perturb_diag are not supported; add the "
                                      "product to a matrix and give its Cholesky factor as scale_tril")
        given = {"shift": shift, "multiplier": scale_identity_multiplier, "diag": scale_diag, "tril": scale_tril}
        given = {name: value for name, value in given.items() if value is not None}
        made = dict(zip(given, parameters_of(**given), strict=True)) if given else {}
        self._shift, multiplier, self._diagonal, self._tril = (
            made.get(name) for name in ("shift", "multiplier", "diag", "tril"))
        if multiplier is not None:
            each = expand_dims(multiplier, -1)
            self._diagonal = each if self._diagonal is None else self._diagonal + each
        if self._tril is not None:
            self._tril = matrix_band_part(self._tril, -1, 0)
            if self._diagonal is not None:
                like = matrix_diag_part(self._tril)
                self._tril = self._tril + matrix_diag(self._diagonal + zeros_like(like))
        super().__init__(event_ndims, list(made.values()), True, validate_args, forward_min_event_ndims=1, name=name)

    shift = property(lambda self: self._shift, doc="What is added; None: nothing.")

    def _forward(self, x: Tensor) -> Tensor:
        if self._tril is not None:
            x = squeeze(matmul(*_with_same_batch(self._tril, expand_dims(x, -1))), [-1])
        elif self._diagonal is not None:
            x = x * self._diagonal
        return x if self._shift is None else x + self._shift

    def _inverse(self, y: Tensor) -> Tensor:
        if self._shift is not None:
            y = y - self._shift
        if self._tril is not None:
            return squeeze(matrix_triangular_solve(*_with_same_batch(self._tril, expand_dims(y, -1))), [-1])
        return y if self._diagonal is None else y / self._diagonal

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        diagonal = self._diagonal if self._tril is None else matrix_diag_part(self._tril)
        each = zeros_like(x) if diagonal is None else log(abs(diagonal)) + zeros_like(x)
        return reduce_sum(each, -1)


def _with_same_batch(matrix: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the front axes of both."""
    batch = broadcast_dynamic_shape(shape(matrix)[:-2], shape(columns)[:-2])
    known = broadcast_static_shape(matrix.shape[:-2], columns.shape[:-2])
    spread = [broadcast_to(x, concat([batch, shape(x)[-2:]], 0)) for x in (matrix, columns)]
    for x, old in zip(spread, (matrix, columns), strict=True):
        x.set_shape(known.concatenate(old.shape[-2:]))
    return spread[0], spread[1]


@public("contrib.distributions.bijectors.Permute")
class Permute(Bijector):
    """y[i] = x[permutation[i]] of vectors x. As `tf.contrib.distributions.bijectors.Permute`.

    permutation: an int32 vector of all numbers below its length. Raises TypeError for other dtypes.

    >>> turned = gc.contrib.distributions.bijectors.Permute([2, 0, 1])
    >>> turned.forward([1., 2., 3.]).eval(), turned.inverse([3., 1., 2.]).eval()
    (array([3., 1., 2.], dtype=float32), array([1., 2., 3.], dtype=float32))
    """

    def __init__(self, permutation: Any, validate_args: bool = False, name: str = "permute") -> None:
        self._permutation = convert_to_tensor(permutation, name="permutation")
        if not self._permutation.dtype.is_integer:
            raise TypeError(f"Permute: permutation must be of integers, but is {self._permutation.dtype.name}")
        super().__init__(None, [self._permutation], True, validate_args, forward_min_event_ndims=1, name=name)

    permutation = property(lambda self: self._permutation, doc="Which element of x each one of y is.")

    def _forward(self, x: Tensor) -> Tensor:
        return gather(x, self._permutation, axis=-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return gather(y, invert_permutation(self._permutation), axis=-1)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return reduce_sum(zeros_like(x), -1)


@public("contrib.distributions.bijectors.SoftmaxCentered")
class SoftmaxCentered(Bijector):
    """y = softmax of x and one 0 more: a vector of n numbers to n + 1 shares. As
    `tf.contrib.distributions.bijectors.SoftmaxCentered`.

    >>> shares = gc.contrib.distributions.bijectors.SoftmaxCentered()
    >>> shares.forward([0., 0.6931]).eval(), shares.inverse([0.25, 0.5, 0.25]).eval()
    (array([0.25, 0.5 , 0.25], dtype=float32), array([0.    , 0.6931], dtype=float32))
    """

    def __init__(self, event_ndims: int | None = None, validate_args: bool = False,
                 name: str = "softmax_centered") -> None:
        super().__init__(event_ndims, validate_args=validate_args, forward_min_event_ndims=1, name=name)

    def _forward(self, x: Tensor) -> Tensor:
        return softmax(concat([x, zeros_like(x[..., :1])], -1))

    def _inverse(self, y: Tensor) -> Tensor:
        logs = log(y)
        made: Tensor = logs[..., :-1] - logs[..., -1:]
        return made

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        # The shares lie on a plane, on which a unit is the longer the more of them there are.
        count = cast(shape(y)[-1], y.dtype)
        return -0.5 * log(count) - reduce_sum(log(y), -1)

    def _forward_event_shape(self, known: TensorShape) -> TensorShape:
        return _longer(known, 1)

    def _inverse_event_shape(self, known: TensorShape) -> TensorShape:
        return _longer(known, -1)

    def _forward_event_shape_tensor(self, sizes: Tensor) -> Tensor:
        return concat([sizes[:-1], sizes[-1:] + 1], 0)


def _longer(known: TensorShape, by: int) -> TensorShape:
    return known if known.ndims is None else known[:-1].concatenate([None if known[-1].value is None
                                                                     else known[-1].value + by])
