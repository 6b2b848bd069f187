"""tf.train.Example as tensors: `tf.parse_example`, `tf.parse_single_example`, and which features they hold."""
from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.api.array.shapes import reshape
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, as_dtype, int64, string
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape
from graphc.ops.files.examples import ParseExample, ParseSingleExample


@public("FixedLenFeature", "io.FixedLenFeature")
class FixedLenFeature(namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"])):
    """A feature of one shape in all Examples: a dense tensor [batch, *shape] of float32, int64 or string.

    default_value: for Examples that lack it; None: it must be there. `gc.parse_example` raises ValueError without a
    shape or dtype, or for a size that is None, TypeError for another dtype. As `tf.FixedLenFeature`.

    >>> gc.FixedLenFeature([2], gc.float32)
    FixedLenFeature(shape=[2], dtype=gc.float32, default_value=None)
    """

    __slots__ = ()

    def __new__(cls, shape: Any, dtype: Any, default_value: Any = None) -> FixedLenFeature:
        return super().__new__(cls, shape, dtype, default_value)


@public("VarLenFeature", "io.VarLenFeature")
class VarLenFeature(namedtuple("VarLenFeature", ["dtype"])):
    """A feature of any number of values, which becomes a SparseTensor [batch, most values]. As `tf.VarLenFeature`.

    dtype: float32, int64 or string; `gc.parse_example` raises TypeError for others.

    >>> gc.VarLenFeature(gc.int64)
    VarLenFeature(dtype=gc.int64)
    """

    __slots__ = ()


@public("FixedLenSequenceFeature", "io.FixedLenSequenceFeature")
class FixedLenSequenceFeature(namedtuple("FixedLenSequenceFeature",
                                         ["shape", "dtype", "allow_missing", "default_value"])):
    """A feature of any number of rows of `shape`, filled up with default_value to the longest of a batch.

    allow_missing: Examples without it have no rows; `parse_example` wants it to be True. dtype: float32, int64 or
    string. The result is [batch, most rows, *shape]. `parse_example` raises ValueError unless allow_missing is True,
    and for a size that is None. As `tf.FixedLenSequenceFeature`.

    >>> example = gc.train.Example()
    >>> example.features.feature["ids"].int64_list.value.extend([1, 2])
    >>> strings = [example.SerializeToString(), b""]
    >>> features = {"ids": gc.FixedLenSequenceFeature([], gc.int64, allow_missing=True, default_value=-1)}
    >>> gc.parse_example(strings, features)["ids"].eval()
    array([[ 1,  2],
           [-1, -1]])
    """

    __slots__ = ()

    def __new__(cls, shape: Any, dtype: Any, allow_missing: bool = False,
                default_value: Any = None) -> FixedLenSequenceFeature:
        return super().__new__(cls, shape, dtype, allow_missing, default_value)


@public("SparseFeature", "io.SparseFeature")
class SparseFeature(namedtuple("SparseFeature", ["index_key", "value_key", "dtype", "size", "already_sorted"])):
    """A SparseTensor [batch, size] of two features: where values stand, and the values. As `tf.SparseFeature`.

    index_key: the name of a feature of int64, or a list of several names, for as many axes; value_key: that of the
    values, as many; size: of the axis, or a list. already_sorted: the places ascend in each Example. `parse_example`
    raises ValueError if something is missing, or a feature is wanted with two dtypes.

    >>> example = gc.train.Example()
    >>> example.features.feature["at"].int64_list.value.extend([3, 0])
    >>> example.features.feature["value"].float_list.value.extend([0.5, 2.])
    >>> features = {"x": gc.SparseFeature(index_key="at", value_key="value", dtype=gc.float32, size=4)}
    >>> x = gc.parse_example([example.SerializeToString()], features)["x"]
    >>> gc.sparse_tensor_to_dense(x).eval()
    array([[2. , 0. , 0. , 0.5]], dtype=float32)
    """

    __slots__ = ()

    def __new__(cls, index_key: Any, value_key: Any, dtype: Any, size: Any,
                already_sorted: bool = False) -> SparseFeature:
        return super().__new__(cls, index_key, value_key, dtype, size, already_sorted)


class Wanted:
    """The features by kind, in the order of their names. joined: those that are made of others, some of which (`parts`)
    are wanted for nothing else."""

    def __init__(self, features: Mapping[str, Any]) -> None:
        self.sparse: list[tuple[str, DType]] = []
        self.dense: list[tuple[str, DType, tuple[int | None, ...], Any]] = []
        self.joined = {key: f for key, f in sorted(features.items()) if isinstance(f, SparseFeature)}
        for key in sorted(features.keys() - self.joined.keys()):
            self._add(key, features[key])
        self.parts: set[str] = set()
        for key, feature in self.joined.items():
            self._add_parts(key, feature)

    def _add_parts(self, key: str, feature: SparseFeature) -> None:
        for name in ("index_key", "value_key", "dtype", "size"):
            if getattr(feature, name) in (None, "", [], 0):
                raise ValueError(f"Missing {name} for SparseFeature {key}.")
        for part, dtype in [*((k, int64) for k in _index_keys(feature)), (feature.value_key, as_dtype(feature.dtype))]:
            known = dict(self.sparse).get(part)
            if known is None and part not in (d[0] for d in self.dense):
                self._add(part, VarLenFeature(dtype))
                self.parts.add(part)
            elif known != dtype:
                raise ValueError(f"Conflicting type for feature {part}: SparseFeature {key} takes it as a "
                                 f"VarLenFeature of {dtype.name}.")

    def _add(self, key: str, feature: Any) -> None:
        if not isinstance(feature, (FixedLenFeature, VarLenFeature, FixedLenSequenceFeature)):
            raise ValueError(f"Invalid feature {key}:{feature}.")
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        dtype = as_dtype(feature.dtype)
        if isinstance(feature, VarLenFeature):
            self.sparse.append((key, dtype))
            return
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        shape = as_shape(feature.shape).as_list()
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
            shape = [None, *shape]
        if any(s is None for s in shape[1:]) or (shape[:1] == [None] and isinstance(feature, FixedLenFeature)):
            raise ValueError(f"First dimension of shape for feature {key} unknown. Consider using "
                             "FixedLenSequenceFeature." if shape[0] is None else
                             f"All dimensions of shape for feature {key} need to be known but received {shape}.")
        self.dense.append((key, dtype, tuple(shape), feature.default_value))

    def defaults(self) -> list[Tensor]:
        return [_default(key, dtype, shape, value) for key, dtype, shape, value in self.dense]

    def named(self, outputs: Any) -> dict[str, Any]:
        """The tensors of an op's results by the features' names."""
        count = len(self.sparse)
        parts = [outputs[i * count:(i + 1) * count] for i in range(3)]
        found = {}
        for (key, _), *triple in zip(self.sparse, *parts, strict=True):
            found[key] = load("graphc.api.sparse.tensor").SparseTensor(*triple)
        found.update(zip((d[0] for d in self.dense), outputs[3 * count:], strict=True))
        merge = load("graphc.api.sparse.convert").sparse_merge if self.joined else None
        for key, feature in self.joined.items():
            ids = [found[k] for k in _index_keys(feature)]
            sizes = feature.size if isinstance(feature.index_key, (list, tuple)) else [feature.size]
            found[key] = merge(ids, found[feature.value_key], list(sizes), already_sorted=feature.already_sorted)
        return {key: value for key, value in found.items() if key not in self.parts}


def _index_keys(feature: SparseFeature) -> list[str]:
    return list(feature.index_key) if isinstance(feature.index_key, (list, tuple)) else [feature.index_key]


def _default(key: str, dtype: DType, shape: tuple[int | None, ...], value: Any) -> Tensor:
    varies = bool(shape) and shape[0] is None
    plain = re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)
    if value is None:
        if varies:
            return convert_to_tensor("" if dtype == string else 0, dtype)
        return convert_to_tensor(np.empty(0, object if dtype == string else dtype.numpy), dtype)
    if varies:
        return reshape(convert_to_tensor(value, dtype, name=f"padding_{plain}"), [])
    if is_tensor_like(value):
        return convert_to_tensor(value, dtype)
    return reshape(convert_to_tensor(value, dtype, name=f"key_{plain}"), shape)


def _checked(features: Any) -> Wanted:
    if not features:
        raise ValueError("Missing: features was None or empty.")
    return Wanted(features)


@public("parse_example", "io.parse_example")
def parse_example(serialized: Any, features: Mapping[str, Any], name: str | None = None,
                  example_names: Any = None) -> dict[str, Any]:
    """The features of a vector of serialized Examples, by their names: tensors with the batch first, or SparseTensors.

    features: name -> `gc.FixedLenFeature`, `gc.VarLenFeature`, `gc.FixedLenSequenceFeature` or `gc.SparseFeature`.
    example_names: strings that errors show. TypeError for dtypes other than float32, int64 and string; ValueError for a
    scalar. As `tf.parse_example`. Raises ValueError without features; strings that are no Examples, and features that
    are missing or of another dtype, are an InvalidArgumentError when run.

    >>> example = gc.train.Example()
    >>> example.features.feature["age"].int64_list.value.append(30)
    >>> example.features.feature["words"].bytes_list.value.extend([b"a", b"b"])
    >>> found = gc.parse_example([example.SerializeToString()] * 2, {"age": gc.FixedLenFeature([], gc.int64),
    ...                                                              "words": gc.VarLenFeature(gc.string)})
    >>> found["age"].eval(), found["words"].values.eval()
    (array([30, 30]), array([b'a', b'b', b'a', b'b'], dtype=object))
    """
    wanted = _checked(features)
    with get_default_graph().name_scope(name or "ParseExample") as scope:
        data = convert_to_tensor(serialized, string, name="serialized")
        names = convert_to_tensor(np.empty(0, object) if example_names is None else example_names, string, name="names")
        keys = [convert_to_tensor(key, string, name=f"{kind}_keys_{i}") for kind, listed in (
            ("sparse", [k for k, _ in wanted.sparse]), ("dense", [d[0] for d in wanted.dense]))
            for i, key in enumerate(listed)]
        outputs = apply(ParseExample, data, names, [*keys, *wanted.defaults()], name=scope,
                        Nsparse=len(wanted.sparse), Ndense=len(wanted.dense),
                        sparse_types=tuple(d for _, d in wanted.sparse), Tdense=tuple(d[1] for d in wanted.dense),
                        dense_shapes=tuple(d[2] for d in wanted.dense))
        return wanted.named(outputs)


@public("parse_single_example", "io.parse_single_example")
def parse_single_example(serialized: Any, features: Mapping[str, Any], name: str | None = None,
                         example_names: Any = None) -> dict[str, Any]:
    """The features of one serialized Example, by their names, without a batch; arguments as of `parse_example`.

    serialized: a string scalar. As `tf.parse_single_example`. Raises ValueError for more than one, and without
    features, UnimplementedError for example_names; what does not fit is an InvalidArgumentError when run.

    >>> example = gc.train.Example()
    >>> example.features.feature["size"].float_list.value.extend([1.5, 2.5])
    >>> found = gc.parse_single_example(example.SerializeToString(), {"size": gc.FixedLenFeature([2], gc.float32)})
    >>> found["size"].eval()
    array([1.5, 2.5], dtype=float32)
    """
    if example_names is not None:
        raise UnimplementedError("parse_single_example: argument 'example_names' is not supported; leave it out, or "
                                 "parse a batch with gc.parse_example")
    wanted = _checked(features)
    with get_default_graph().name_scope(name or "ParseSingleExample") as scope:
        data = convert_to_tensor(serialized, string, name="serialized")
        outputs = apply(ParseSingleExample, data, wanted.defaults(), name=scope, num_sparse=len(wanted.sparse),
                        sparse_keys=tuple(k for k, _ in wanted.sparse), dense_keys=tuple(d[0] for d in wanted.dense),
                        sparse_types=tuple(d for _, d in wanted.sparse), Tdense=tuple(d[1] for d in wanted.dense),
                        dense_shapes=tuple(d[2] for d in wanted.dense))
        return wanted.named(outputs)
