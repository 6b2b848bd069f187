"""ParseSingleSequenceExample and ParseSequenceExample: tensors from the bytes of tf.train.SequenceExample.

A SequenceExample has a context, features as an Example has them, and lists of features, a feature a step. Results come
in one list, as in examples.py: of the context and then of the lists indices, values, shapes and dense values, and of a
batch how many steps each has.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int64, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Shape, Spec
from graphc.ops.files.example_wire import Feature, read_sequence_example, write_sequence_example
from graphc.ops.files.examples import (
    DTYPES,
    ParseExample,
    ParseSingleExample,
    check_count,
    numpy_of,
    texts,
    values_of,
)

Lists = Mapping[bytes, Sequence[Feature | None]]

_EXAMPLES = [write_sequence_example({"label": [3], "tags": [b"one", b""]},
                                    {"frames": [np.array([1, 2], np.float32), np.array([3, 4], np.float32)],
                                     "words": [[b"a"], None, [b"b", b"c"]]}),
             write_sequence_example({"label": [-4]}, {"frames": [np.array([0.5, -1], np.float32)], "words": [[b"d"]]})]
_KEYS = (b"tags", b"label", b"words", b"frames", b"ids")
_TYPES: dict[str, Any] = {
    "Ncontext_sparse": 1, "Ncontext_dense": 1, "Nfeature_list_sparse": 1, "Nfeature_list_dense": 2,
    "context_sparse_types": (string,), "Tcontext_dense": (int64,), "context_dense_shapes": ((),),
    "feature_list_sparse_types": (string,), "feature_list_dense_types": (float32, int64),
    "feature_list_dense_shapes": ((2,), ())}


class _Parse(Host):
    """What both have in common."""

    operands: ClassVar[tuple[str, ...]] = ()
    results = ("outputs*",)
    Ncontext_sparse: int
    Ncontext_dense: int
    Nfeature_list_sparse: int
    Nfeature_list_dense: int
    context_sparse_types: tuple[DType, ...]
    Tcontext_dense: tuple[DType, ...]
    context_dense_shapes: tuple[Shape | None, ...]
    feature_list_sparse_types: tuple[DType, ...]
    feature_list_dense_types: tuple[DType, ...]
    feature_list_dense_shapes: tuple[Shape | None, ...]

    @property
    def context(self) -> ParseSingleExample | ParseExample:
        """What parses the context: the same op each time, as its sizes have names."""
        found: Any = self.__dict__.get("_context")
        if found is None:
            found = self.context_op()
            object.__setattr__(self, "_context", found)
        return found  # type: ignore[no-any-return]

    def context_op(self) -> ParseSingleExample | ParseExample:
        raise NotImplementedError(f"{self.type}.context_op")

    def list_specs(self, rows: tuple[Size, ...]) -> tuple[Spec, ...]:
        """The Specs of what is parsed of the lists; rows: of a batch, its size."""
        for dtype in (*self.feature_list_sparse_types, *self.feature_list_dense_types):
            if dtype not in DTYPES:
                raise TypeError(f"a feature of {self.type} must be float32, int64 or string, but one is {dtype.name}")
        if len(self.feature_list_dense_types) != len(self.feature_list_dense_shapes):
            raise ValueError(f"{self.type} has {len(self.feature_list_dense_types)} types of dense lists, but "
                             f"{len(self.feature_list_dense_shapes)} shapes")
        for i, shape in enumerate(self.feature_list_dense_shapes):
            if shape is None or any(not isinstance(s, int) or s < 0 for s in shape):
                raise ValueError(f"feature_list_dense_shapes[{i}] must be known, but is {shape}")
        found = [own_symbol(self, f"listed{i}") for i in range(len(self.feature_list_sparse_types))]
        rank = len(rows) + 2
        return (*(Spec(int64, (n, rank)) for n in found),
                *(Spec(d, (n,)) for d, n in zip(self.feature_list_sparse_types, found, strict=True)),
                *(Spec(int64, (rank,)) for _ in found),
                *(Spec(d, (*rows, own_symbol(self, f"steps{i}"), *(self.feature_list_dense_shapes[i] or ())))
                  for i, d in enumerate(self.feature_list_dense_types)))

    def dtypes(self, lengths: bool) -> tuple[DType, ...]:
        count = len(self.feature_list_sparse_types)
        found = (*self.context.result_dtypes(), *(int64,) * count, *self.feature_list_sparse_types, *(int64,) * count,
                 *self.feature_list_dense_types)
        return (*found, *(int64,) * len(self.feature_list_dense_types)) if lengths else found

    def sparse_list(self, i: int, key: str, examples: Sequence[Lists], said: Sequence[str]) -> tuple[Any, ...]:
        """Indices of example, step and place; values; shape."""
        dtype = self.feature_list_sparse_types[i]
        empty = np.zeros(0, numpy_of(dtype))
        places, rows, steps, most = [], [], 0, 0
        for number, (lists, name) in enumerate(zip(examples, said, strict=True)):
            features = lists.get(key.encode(), ())
            steps = max(steps, len(features))
            for step, feature in enumerate(features):
                values = values_of(feature, dtype, key, name)
                if values is not None:
                    rows.append(values)
                    places.append(np.stack(np.broadcast_arrays(number, step, np.arange(values.size)), 1))
                    most = max(most, values.size)
        indices = np.concatenate([np.zeros((0, 3), np.int64), *places]).astype(np.int64)
        return indices, np.concatenate([empty, *rows]), np.array([len(examples), steps, most], np.int64)

    def dense_list(self, i: int, key: str, lists: Lists, may_be_missing: bool, name: str) -> np.ndarray:
        """[steps, *shape] of one example."""
        dtype, shape = self.feature_list_dense_types[i], self.feature_list_dense_shapes[i] or ()
        inner = tuple(int(s) for s in shape)  # type: ignore[arg-type]
        features = lists.get(key.encode())
        if features is None and not may_be_missing:
            raise ValueError(f"{name}Feature list '{key}' is required but could not be found. Did you mean to include "
                             "it in feature_list_dense_missing_assumed_empty (allow_missing=True)?")
        rows, count = [], math.prod(inner)
        for step, feature in enumerate(features or ()):
            if feature is None:
                raise ValueError(f"{name}Key: {key}, Index: {step}. There are no values, but output shape is "
                                 f"{list(inner)}")
            if feature[0] is not dtype or len(feature[1]) != count:
                values = values_of(feature, dtype, key, name)
                check_count(len(values), count, inner, False, f"{key}, Index: {step}", name)  # type: ignore[arg-type]
            rows.append(feature[1])
        together = texts(*itertools.chain(*rows)) if dtype == string else np.concatenate(
            [np.zeros(0, numpy_of(dtype)), *rows])
        return together.reshape(len(rows), *inner)

    def of_context(self, examples: Sequence[Any], sparse_keys: Sequence[str], dense_keys: Sequence[str],
                   defaults: Sequence[np.ndarray], said: Sequence[str]) -> tuple[list[Any], list[Any]]:
        """The sparse features (indices, values, shape) and the dense ones, with the batch first."""
        batch = isinstance(self.context, ParseExample)
        return ([self.context.sparse(i, key, examples, said, batch) for i, key in enumerate(sparse_keys)],
                [self.context.dense(i, key, examples, default, said) for i, (key, default) in enumerate(
                    zip(dense_keys, defaults, strict=True))])


def _read(data: bytes) -> tuple[Any, Any]:
    try:
        return read_sequence_example(data)
    except ValueError as error:
        shown = data[:60].decode(errors="replace")
        raise ValueError(f"Could not parse example input, value: {shown!r} ({error})") from None


@register
class ParseSingleSequenceExample(_Parse):
    """The features of one SequenceExample. lists: context_sparse_keys, context_dense_keys, feature_list_sparse_keys,
    feature_list_dense_keys, context_dense_defaults, and what messages call the example."""

    operands = ("serialized", "feature_list_dense_missing_assumed_empty", "lists*")
    Ncontext_sparse: int = attr("int", 0)
    Ncontext_dense: int = attr("int", 0)
    Nfeature_list_sparse: int = attr("int", 0)
    Nfeature_list_dense: int = attr("int", 0)
    context_sparse_types: tuple[DType, ...] = attr("list(type)", ())
    Tcontext_dense: tuple[DType, ...] = attr("list(type)", ())
    feature_list_dense_types: tuple[DType, ...] = attr("list(type)", ())
    context_dense_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    feature_list_sparse_types: tuple[DType, ...] = attr("list(type)", ())
    feature_list_dense_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    samples: ClassVar = [
        Sample(_TYPES, (texts(example, scalar=True), texts(b"ids"), *(texts(key, scalar=True) for key in _KEYS),
                        np.array(7, np.int64), texts(b"x", scalar=True)), gradient=False) for example in _EXAMPLES]

    def context_op(self) -> ParseSingleExample:
        return ParseSingleExample(
            num_sparse=self.Ncontext_sparse, sparse_keys=("",) * self.Ncontext_sparse,
            dense_keys=("",) * self.Ncontext_dense, sparse_types=self.context_sparse_types, Tdense=self.Tcontext_dense,
            dense_shapes=self.context_dense_shapes)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.dtypes(lengths=False)

    def infer(self, serialized: Spec, missing: Spec, *lists: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        check_one_string(self, "serialized", serialized)
        keys = self._keys()
        if len(lists) != keys + self.Ncontext_dense + 1:
            raise ValueError(f"{len(lists)} tensors for {keys} keys and {self.Ncontext_dense} defaults")
        for spec in lists[:keys]:
            check_one_string(self, "keys", spec)
        return (*self.context.specs((), lists[keys:-1]), *self.list_specs(()))

    def _keys(self) -> int:
        return (self.Ncontext_sparse + self.Ncontext_dense + self.Nfeature_list_sparse + self.Nfeature_list_dense)

    def compute(self, serialized: np.ndarray, missing: np.ndarray, *lists: np.ndarray) -> tuple[np.ndarray, ...]:
        said = [f"Name: {n.decode(errors='replace')}, " if n else "" for n in (lists[-1].item(),)]
        context, listed = _read(serialized.item())
        names = iter([key.item().decode() for key in lists[:self._keys()]])
        keys = [[next(names) for _ in range(count)] for count in (
            self.Ncontext_sparse, self.Ncontext_dense, self.Nfeature_list_sparse, self.Nfeature_list_dense)]
        sparse, dense = self.of_context([context], keys[0], keys[1], lists[self._keys():-1], said)
        of_lists = [self.sparse_list(i, key, [listed], said) for i, key in enumerate(keys[2])]
        return (*(s[part] for part in range(3) for s in sparse), *(d[0] for d in dense),
                *(s[0][:, 1:] for s in of_lists), *(s[1] for s in of_lists), *(s[2][1:] for s in of_lists),
                *(self.dense_list(i, key, listed, key.encode() in missing.ravel().tolist(), said[0])
                  for i, key in enumerate(keys[3])))


@register
class ParseSequenceExample(_Parse):
    """The features of a vector of SequenceExamples. Steps behind the end of a dense list are zeros."""

    operands = ("serialized", "debug_name", "context_dense_defaults*")
    feature_list_dense_missing_assumed_empty: tuple[str, ...] = attr("list(string)")
    context_sparse_keys: tuple[str, ...] = attr("list(string)")
    context_dense_keys: tuple[str, ...] = attr("list(string)")
    feature_list_sparse_keys: tuple[str, ...] = attr("list(string)")
    feature_list_dense_keys: tuple[str, ...] = attr("list(string)")
    Ncontext_sparse: int = attr("int", 0)
    Ncontext_dense: int = attr("int", 0)
    Nfeature_list_sparse: int = attr("int", 0)
    Nfeature_list_dense: int = attr("int", 0)
    context_sparse_types: tuple[DType, ...] = attr("list(type)", ())
    Tcontext_dense: tuple[DType, ...] = attr("list(type)", ())
    feature_list_dense_types: tuple[DType, ...] = attr("list(type)", ())
    context_dense_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    feature_list_sparse_types: tuple[DType, ...] = attr("list(type)", ())
    feature_list_dense_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    samples: ClassVar = [Sample(_TYPES | {
        "feature_list_dense_missing_assumed_empty": ("ids",), "context_sparse_keys": ("tags",),
        "context_dense_keys": ("label",), "feature_list_sparse_keys": ("words",),
        "feature_list_dense_keys": ("frames", "ids")}, (texts(*some), texts(), np.array(7, np.int64)), gradient=False)
        for some in (_EXAMPLES, _EXAMPLES[:1], [])]

    def context_op(self) -> ParseExample:
        return ParseExample(
            Nsparse=self.Ncontext_sparse, Ndense=self.Ncontext_dense, sparse_types=self.context_sparse_types,
            Tdense=self.Tcontext_dense, dense_shapes=self.context_dense_shapes)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.dtypes(lengths=True)

    def infer(self, serialized: Spec, names: Spec, *defaults: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        for name, spec in (("serialized", serialized), ("debug_name", names)):
            if spec.dtype != string or (spec.shape is not None and len(spec.shape) != 1):
                raise ValueError(f"argument '{name}' must be a vector of strings, but is {spec}; "
                                 "gc.io.parse_single_sequence_example reads one SequenceExample")
        counts = (self.Ncontext_sparse, self.Ncontext_dense, self.Nfeature_list_sparse, self.Nfeature_list_dense)
        keys = (self.context_sparse_keys, self.context_dense_keys, self.feature_list_sparse_keys,
                self.feature_list_dense_keys)
        if counts != tuple(map(len, keys)):
            raise ValueError(f"{self.type} says {counts} features, but has {tuple(map(len, keys))} keys")
        rows = (own_symbol(self, "rows"),) if serialized.shape is None else serialized.shape
        return (*self.context.specs(rows, defaults), *self.list_specs(rows),
                *(Spec(int64, rows) for _ in self.feature_list_dense_keys))

    def compute(self, serialized: np.ndarray, names: np.ndarray, *defaults: np.ndarray) -> tuple[np.ndarray, ...]:
        if names.size not in (0, serialized.size):
            raise ValueError(f"Expected len(debug_name) == len(serialized), but got: {names.size} vs. "
                             f"{serialized.size}")
        said = [f"Name: {n.decode(errors='replace')}, " for n in names] or [f"Example {i}, " for i in
                                                                            range(serialized.size)]
        read = [_read(data) for data in serialized]
        sparse, dense = self.of_context([context for context, _ in read], self.context_sparse_keys,
                                        self.context_dense_keys, defaults, said)
        lists = [listed for _, listed in read]
        of_lists = [self.sparse_list(i, key, lists, said) for i, key in enumerate(self.feature_list_sparse_keys)]
        rows = [[self.dense_list(i, key, listed, key in self.feature_list_dense_missing_assumed_empty, name)
                 for listed, name in zip(lists, said, strict=True)]
                for i, key in enumerate(self.feature_list_dense_keys)]
        return (*(s[part] for part in range(3) for s in sparse), *dense,
                *(s[part] for part in range(3) for s in of_lists),
                *(self._filled(i, some) for i, some in enumerate(rows)),
                *(np.array([len(r) for r in some], np.int64) for some in rows))

    def _filled(self, i: int, rows: Sequence[np.ndarray]) -> np.ndarray:
        """[examples, most steps, *shape]."""
        dtype, shape = self.feature_list_dense_types[i], self.feature_list_dense_shapes[i] or ()
        longest = max((len(r) for r in rows), default=0)
        made = np.full((len(rows), longest, *shape), b"" if dtype == string else 0, numpy_of(dtype))
        for row, values in zip(made, rows, strict=True):
            row[:len(values)] = values
        return made
