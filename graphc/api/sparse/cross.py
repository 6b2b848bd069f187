"""Crosses of features: every combination of one element of each, row by row."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.public import public
from graphc.api.sparse.elementwise import is_sparse
from graphc.api.sparse.tensor import SparseTensor, as_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64, string
from graphc.ops.strings.crosses import DEFAULT_KEY, SparseCross


@public("sparse.cross")
def cross(inputs: Iterable[Any], name: str | None = None) -> SparseTensor:
    """A SparseTensor of the crosses of features: of each row every combination of one element of each, joined by "_X_".

    inputs: a list of matrices [batch, n], SparseTensors and tensors of strings or integers; the sparse ones come first
    in the crosses. TypeError for other dtypes. As `tf.sparse.cross`. Raises ValueError for what is no matrix.

    >>> crossed = gc.sparse.cross([gc.constant([["a", "b"]]), gc.constant([["x"]])])
    >>> crossed.eval().values
    array([b'a_X_x', b'b_X_x'], dtype=object)
    """
    return _crossed(inputs, False, 0, None, name)


@public("sparse.cross_hashed")
def cross_hashed(inputs: Iterable[Any], num_buckets: int = 0, hash_key: int | None = None,
                 name: str | None = None) -> SparseTensor:
    """A SparseTensor of the hashes (int64) of the crosses that `gc.sparse.cross` makes, without the strings in between.

    num_buckets: hashes are taken modulo that; 0: as they are. hash_key: an int, by default TensorFlow's. inputs: as of
    `gc.sparse.cross`, with its errors. As `tf.sparse.cross_hashed`, with its numbers. Raises ValueError for a negative
    num_buckets.

    >>> crossed = gc.sparse.cross_hashed([gc.constant([["a", "b"]]), gc.constant([["x"]])], num_buckets=100)
    >>> crossed.eval().values
    array([92,  4])
    """
    return _crossed(inputs, True, num_buckets, hash_key, name)


def _crossed(inputs: Iterable[Any], hashed: bool, num_buckets: int, hash_key: int | None,
             name: str | None) -> SparseTensor:
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"Inputs must be a list of Tensors and SparseTensors, but are {inputs!r}")
    sparse = [as_sparse(x, "inputs") for x in inputs if is_sparse(x)]
    dense = [convert_to_tensor(x) for x in inputs if not is_sparse(x)]
    values, dense = [_plain(s.values) for s in sparse], [_plain(x) for x in dense]
    types = [tuple(x.dtype for x in listed) for listed in (values, dense)]
    parts = [*[s.indices for s in sparse], *values, *[s.dense_shape for s in sparse], *dense]
    return SparseTensor(*apply(
        SparseCross, parts, N=len(sparse), sparse_types=types[0], dense_types=types[1], hashed_output=hashed,
        num_buckets=num_buckets, hash_key=DEFAULT_KEY if hash_key is None else hash_key,
        out_type=int64 if hashed else string, internal_type=int64 if int64 in types[0] + types[1] else string,
        name=name))


def _plain(x: Any) -> Any:
    if x.dtype == string:
        return x
    if not x.dtype.is_integer:
        raise TypeError(f"cross: inputs must be strings or integers, but one has dtype {x.dtype.name}: {x!r}")
    return cast(x, int64)
