"""ParseExample and ParseSingleExample: tensors from the bytes of tf.train.Example.

The lists of results that TensorFlow's ops have (sparse_indices, sparse_values, sparse_shapes, dense_values) are one
here, and so are ParseExample's lists of operands: that is how a file has them.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int64, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Shape, Spec, text
from graphc.ops.files.example_wire import Feature, read_example, write_example

DTYPES = (float32, int64, string)
FEATURES: dict[str, Any] = {"label": [3], "name": [b"one", b""], "pixels": np.array([0.5, -1.5, 2, 3], np.float32),
                            "words": [1, -2, 2**40], "empty": None}
OTHER: dict[str, Any] = {"name": [b"two", b"more"], "pixels": np.arange(4, dtype=np.float32), "words": [7]}


def texts(*values: bytes, scalar: bool = False) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made.reshape(()) if scalar else made


class Parse(Host):
    """What both have in common."""

    operands: ClassVar[tuple[str, ...]] = ()
    results = ("outputs*",)
    sparse_types: tuple[DType, ...]
    Tdense: tuple[DType, ...]
    dense_shapes: tuple[Shape | None, ...]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        count = len(self.sparse_types)
        return (*(int64,) * count, *self.sparse_types, *(int64,) * count, *self.Tdense)

    def specs(self, rows: tuple[Size, ...], defaults: Sequence[Spec]) -> tuple[Spec, ...]:
        """The results' Specs; rows: of a batch, its size."""
        if not len(self.Tdense) == len(self.dense_shapes) == len(defaults):
            raise ValueError(f"{self.type} has {len(self.Tdense)} dense types, {len(self.dense_shapes)} shapes and "
                             f"{len(defaults)} defaults")
        for dtype in (*self.sparse_types, *self.Tdense):
            if dtype not in DTYPES:
                raise TypeError(f"a feature of {self.type} must be float32, int64 or string, but one is {dtype.name}")
        for i, (dtype, shape, default) in enumerate(zip(self.Tdense, self.dense_shapes, defaults, strict=True)):
            if shape is None or any(s is None or s == -1 for s in shape[1:]):
                raise ValueError(f"dense_shapes[{i}] must be known but for its first size, but is {shape}")
            if default.dtype != dtype:
                raise TypeError(f"dense feature {i} is {dtype.name}, but its default is {default.dtype.name}")
        found = [own_symbol(self, f"found{i}") for i in range(len(self.sparse_types))]
        rank = len(rows) + 1
        return (*(Spec(int64, (n, rank)) for n in found),
                *(Spec(d, (n,)) for d, n in zip(self.sparse_types, found, strict=True)),
                *(Spec(int64, (rank,)) for _ in found),
                *(Spec(d, (*rows, *self._sizes(i))) for i, d in enumerate(self.Tdense)))

    def _sizes(self, i: int) -> Shape:
        shape = self.dense_shapes[i] or ()
        return (own_symbol(self, f"length{i}"), *shape[1:]) if self.varies(i) else shape

    def varies(self, i: int) -> bool:
        """Whether each example has as many rows of the feature as it holds."""
        shape = self.dense_shapes[i]
        return bool(shape) and shape[0] in (None, -1)  # type: ignore[index]

    def dense(self, i: int, key: str, examples: Sequence[Any], default: np.ndarray, said: Sequence[str]) -> np.ndarray:
        """[examples, ...]; those that are shorter are filled up."""
        dtype, shape = self.Tdense[i], self.dense_shapes[i] or ()
        inner = tuple(int(s) for s in shape[1:]) if self.varies(i) else tuple(int(s) for s in shape)  # type: ignore
        varies, count, encoded = self.varies(i), math.prod(inner), key.encode()
        rows = []
        for features, name in zip(examples, said, strict=True):
            values = values_of(features.get(encoded), dtype, key, name)
            if values is None and not varies and not default.size:
                raise ValueError(f"{name}Feature: {key} (data type: {dtype.name}) is required but could not be found.")
            if values is None:
                values = default.ravel() if not varies else np.zeros(0, default.dtype)
            check_count(values.size, count, inner, varies, key, name)
            rows.append(values)
        if not varies:
            return np.concatenate([np.empty(0, default.dtype), *rows]).reshape(-1, *inner) if count else np.empty(
                (len(rows), *inner), default.dtype)
        rows = [r.reshape(-1, *inner) if count else np.empty((0, *inner), default.dtype) for r in rows]
        longest = max((len(r) for r in rows), default=0)
        made = np.full((len(rows), longest, *inner), default.reshape(()).item() if default.size else 0, default.dtype)
        for row, values in zip(made, rows, strict=True):
            row[:len(values)] = values
        return made

    def sparse(self, i: int, key: str, examples: Sequence[Any], said: Sequence[str], batch: bool) -> tuple[Any, ...]:
        """Indices, values and shape."""
        dtype = self.sparse_types[i]
        empty = np.zeros(0, numpy_of(dtype))
        encoded = key.encode()
        rows = [values_of(f.get(encoded), dtype, key, name) for f, name in zip(examples, said, strict=True)]
        found = [empty if r is None else r for r in rows]
        lengths = np.array([len(r) for r in found], np.int64)
        values = np.concatenate([empty, *found])
        columns = np.arange(values.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        if not batch:
            return columns[:, None], values, lengths
        indices = np.stack([np.repeat(np.arange(len(found), dtype=np.int64), lengths), columns], 1)
        return indices, values, np.array([len(found), lengths.max(initial=0)], np.int64)


def check_count(size: int, count: int, inner: tuple[int, ...], varies: bool, key: str, name: str) -> None:
    """Raises ValueError unless so many values make rows of `count`, or one if their number does not vary."""
    if varies and (size % count if count else size):
        raise ValueError(f"{name}Key: {key}. Number of values is not a multiple of stride length {count}: {size}")
    if not varies and size != count:
        raise ValueError(f"{name}Key: {key}. Number of values != expected. Values size: {size} but output shape: "
                         f"{list(inner)}")


def values_of(feature: Feature | None, dtype: DType, key: str, name: str) -> np.ndarray | None:
    if feature is None:
        return None
    kind, values = feature
    if kind is not dtype and kind != dtype:
        raise ValueError(f"{name}Feature: {key}. Data types don't match. Data type: {kind.name} but expected type: "
                         f"{dtype.name}")
    return texts(*values) if dtype == string else values


def numpy_of(dtype: DType) -> Any:
    return dtype.numpy if dtype.numpy is not None else np.dtype(object)


def _read(data: bytes) -> dict[bytes, Feature]:
    try:
        return read_example(data)
    except ValueError as error:
        shown = data[:60].decode(errors="replace")
        raise ValueError(f"Could not parse example input, value: {shown!r} ({error})") from None


@register
class ParseSingleExample(Parse):
    """The features of one Example."""

    operands = ("serialized", "dense_defaults*")
    num_sparse: int = attr("int")
    sparse_keys: tuple[str, ...] = attr("list(string)")
    dense_keys: tuple[str, ...] = attr("list(string)")
    sparse_types: tuple[DType, ...] = attr("list(type)")
    Tdense: tuple[DType, ...] = attr("list(type)")
    dense_shapes: tuple[Shape | None, ...] = attr("list(shape)")
    samples: ClassVar = [
        Sample({"num_sparse": 1, "sparse_keys": ("words",), "dense_keys": ("pixels", "missing", "name"),
                "sparse_types": (int64,), "Tdense": (float32, int64, string), "dense_shapes": ((2, 2), (), (2,))},
               (texts(write_example(FEATURES), scalar=True), np.zeros(0, np.float32), np.array(5, np.int64), texts()),
               gradient=False),
        Sample({"num_sparse": 2, "sparse_keys": ("none", "name"), "dense_keys": ("words",),
                "sparse_types": (float32, string), "Tdense": (int64,), "dense_shapes": ((None,),)},
               (texts(write_example(FEATURES), scalar=True), np.array(0, np.int64)), gradient=False)]

    def infer(self, serialized: Spec, *defaults: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        check_one_string(self, "serialized", serialized)
        if not self.num_sparse == len(self.sparse_keys) == len(self.sparse_types):
            raise ValueError(f"num_sparse is {self.num_sparse}, but there are {len(self.sparse_keys)} sparse_keys and "
                             f"{len(self.sparse_types)} sparse_types")
        if len(self.dense_keys) != len(self.Tdense):
            raise ValueError(f"there are {len(self.dense_keys)} dense_keys, but {len(self.Tdense)} dense types")
        return self.specs((), defaults)

    def compute(self, serialized: np.ndarray, *defaults: np.ndarray) -> tuple[np.ndarray, ...]:
        examples = [_read(serialized.item())]
        sparse = [self.sparse(i, key, examples, [""], False) for i, key in enumerate(self.sparse_keys)]
        dense = [self.dense(i, key, examples, default, [""])[0]
                 for i, (key, default) in enumerate(zip(self.dense_keys, defaults, strict=True))]
        return (*(s[part] for part in range(3) for s in sparse), *dense)


@register
class ParseExample(Parse):
    """The features of a vector of Examples. lists: sparse_keys, dense_keys and dense_defaults."""

    operands = ("serialized", "names", "lists*")
    Nsparse: int = attr("int")
    Ndense: int = attr("int")
    sparse_types: tuple[DType, ...] = attr("list(type)")
    Tdense: tuple[DType, ...] = attr("list(type)")
    dense_shapes: tuple[Shape | None, ...] = attr("list(shape)")
    samples: ClassVar = [
        Sample({"Nsparse": 1, "Ndense": 2, "sparse_types": (int64,), "Tdense": (float32, int64),
                "dense_shapes": ((4,), ())},
               (texts(write_example(FEATURES), write_example(OTHER)), texts(b"a", b"b"), texts(b"words", scalar=True),
                texts(b"pixels", scalar=True), texts(b"label", scalar=True), np.zeros(0, np.float32),
                np.array(-1, np.int64)), gradient=False),
        Sample({"Nsparse": 0, "Ndense": 2, "sparse_types": (), "Tdense": (int64, string),
                "dense_shapes": ((None,), (None, 2))},
               (texts(write_example(OTHER), write_example(FEATURES), write_example({})), texts(),
                texts(b"words", scalar=True), texts(b"name", scalar=True), np.array(-1, np.int64),
                texts(b"", scalar=True)), gradient=False)]

    def infer(self, serialized: Spec, names: Spec, *lists: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        for name, spec in (("serialized", serialized), ("names", names)):
            if spec.dtype != string:
                raise TypeError(f"argument '{name}' must be strings, but has dtype {spec.dtype.name}")
            if spec.shape is not None and len(spec.shape) != 1:
                raise ValueError(f"argument '{name}' must be a vector, but has shape {text(spec.shape)}; "
                                 "gc.parse_single_example reads one Example")
        if len(lists) != self.Nsparse + 2 * self.Ndense or self.Nsparse != len(self.sparse_types):
            raise ValueError(f"{len(lists)} tensors for {self.Nsparse} sparse and {self.Ndense} dense features")
        for spec in lists[:self.Nsparse + self.Ndense]:
            check_one_string(self, "keys", spec)
        rows = (own_symbol(self, "rows"),) if serialized.shape is None else serialized.shape
        return self.specs(rows, lists[self.Nsparse + self.Ndense:])

    def compute(self, serialized: np.ndarray, names: np.ndarray, *lists: np.ndarray) -> tuple[np.ndarray, ...]:
        if names.size not in (0, serialized.size):
            raise ValueError(f"Expected len(names) == len(serialized), but got: {names.size} vs. {serialized.size}")
        said = [f"Name: {n.decode(errors='replace')}, " for n in names] or [f"Example {i}, " for i in
                                                                            range(serialized.size)]
        examples = [_read(data) for data in serialized]
        keys = [key.item().decode() for key in lists[:self.Nsparse + self.Ndense]]
        sparse = [self.sparse(i, key, examples, said, True) for i, key in enumerate(keys[:self.Nsparse])]
        dense = [self.dense(i, key, examples, default, said) for i, (key, default) in enumerate(
            zip(keys[self.Nsparse:], lists[self.Nsparse + self.Ndense:], strict=True))]
        return (*(s[part] for part in range(3) for s in sparse), *dense)
