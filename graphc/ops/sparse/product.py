"""SparseTensorDenseMatMul: a sparse matrix times a dense one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.dtypes import DType, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.sparse.cases import int64s, sparse
from graphc.ops.sparse.parts import check_int64, value_at

_CASES = [([[0, 1], [0, 3], [2, 0], [2, 2]], (3, 4), 5), ([[2, 1], [0, 0], [2, 1], [1, 0]], (3, 2), 3),
          ([[0, 0]], (1, 1), 1), (np.zeros((0, 2)), (2, 3), 4), ([[1, 0]], (2, 1), 0)]


def _samples() -> list[Sample]:
    made = []
    for number, (rows, (m, k), p) in enumerate(_CASES):
        for adjoint_a in (False, True):
            for adjoint_b in (False, True) if number < 2 else (False,):
                inner = m if adjoint_a else k
                made.append(Sample({"adjoint_a": adjoint_a, "adjoint_b": adjoint_b}, (
                    *sparse(rows, (m, k)), (p, inner) if adjoint_b else (inner, p))))
    rows, shape, p = _CASES[0]
    others = ((float64, np.int32), (int32, np.int64))
    return made + [Sample({}, (np.array(rows, t), (4,), int64s(shape), (4, p)), (None, d, None, d),
                          gradient=d.is_floating) for d, t in others]


@register
class SparseTensorDenseMatMul(Op):
    """The product of the sparse matrix a and the dense matrix b; adjoint_a, adjoint_b: of their transposes."""

    checks_data = True
    operands = ("a_indices", "a_values", "a_shape", "b")
    results = ("product",)
    types: ClassVar = {"T": "a_values", "Tindices": "a_indices"}
    adjoint_a: bool = attr("bool", False)
    adjoint_b: bool = attr("bool", False)
    samples: ClassVar = _samples()

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, indices: Spec, values: Spec, shape: Spec, b: Spec) -> Spec:
        check_dtype(self, "a_indices", indices.dtype, "index")
        check_dtype(self, "a_values", values.dtype, "wide")
        if b.dtype != values.dtype:
            raise TypeError(f"argument 'b' has dtype {b.dtype.name}, but 'a_values' has {values.dtype.name}; cast one "
                            "of them (gc.cast)")
        check_rank("a_indices", indices, 2)
        check_rank("a_values", values, 1)
        check_int64("a_shape", shape, 1)
        check_rank("b", b, 2)
        if indices.shape is not None:
            require_equal(indices.shape[1], 2, "argument 'a_indices' must have two columns, as a is a matrix")
            if values.shape is not None:
                require_equal(indices.shape[0], values.shape[0], "the number of elements of a_indices and of a_values")
        if shape.shape is not None:
            require_equal(shape.shape[0], 2, "argument 'a_shape' must have two sizes, as a is a matrix")
        columns = None if b.shape is None else b.shape[0 if self.adjoint_b else 1]
        if b.shape is not None and shape.value is not None:
            require_equal(shape.value[0 if self.adjoint_a else 1], b.shape[1 if self.adjoint_b else 0],
                          "Cannot multiply A and B because inner dimension does not match: the inner sizes of a and b"
                          + "; did you forget adjoint_a or adjoint_b?")
        if columns is None:
            return Spec(values.dtype, None)
        return Spec(values.dtype, (value_at(self, shape, 1 if self.adjoint_a else 0, "rows of the product"), columns))

    def reference(self, indices: np.ndarray, values: np.ndarray, shape: np.ndarray, b: np.ndarray) -> np.ndarray:
        a = np.zeros(shape, values.dtype)
        if np.any((indices < 0) | (indices >= shape)):
            raise InvalidArgumentError(f"indices do not index into shape {shape.tolist()}")
        np.add.at(a, (indices[:, 0], indices[:, 1]), values)
        left, right = a.T if self.adjoint_a else a, b.T if self.adjoint_b else b
        if left.shape[1] != right.shape[0]:
            raise InvalidArgumentError(f"shapes {left.shape} and {right.shape} do not fit")
        return np.asarray(left @ right)

    def grad(self, g: Any, node: Any, dy: Any) -> Sequence[Any]:
        indices, values, shape, b = node.inputs
        db = g.sparse_tensor_dense_mat_mul(indices, values, shape, dy, adjoint_a=not self.adjoint_a)
        rows, columns = (g.reshape(g.gather_v2(indices, [i], 1), [-1]) for i in (0, 1))
        if self.adjoint_a:
            rows, columns = columns, rows
        right = g.transpose(b, [1, 0]) if self.adjoint_b else b
        products = g.mul(g.gather_v2(dy, rows, 0), g.gather_v2(right, columns, 0))
        return [None, g.sum(products, 1), None, g.transpose(db, [1, 0]) if self.adjoint_b else db]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        indices, values, shape, dense = inputs
        y = outputs[0]
        if indices.dtype != int64:
            wide = b.temporary(int64, indices.shape)
            b.map(lambda s, i: s.cast(i, int64), [indices], [wide])
            indices = wide
        if self.adjoint_b:
            dense = dense.transpose((1, 0))
        known = b.temporary(int64, (2,))
        b.copy(shape.reverse([0]) if self.adjoint_a else shape, known)
        inner = dims.symbol("inner", ("runtime", "inner"))
        b.bind_unknown(known, [y.shape[0], inner])
        b.require("equal", inner, dense.shape[0], "Cannot multiply A and B because inner dimension does not match: the "
                  "inner sizes of a and b; did you forget adjoint_a or adjoint_b?")
        b.call("sparse_matmul", [indices, values, dense, y], [values.shape[0], y.shape[0], *dense.shape],
               [int(self.adjoint_a)])
