"""tf.train.SequenceExample as tensors: `tf.parse_single_sequence_example`, `tf.io.parse_sequence_example`."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.api.files.examples import FixedLenSequenceFeature, VarLenFeature, Wanted
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape
from graphc.ops.files.sequence_examples import ParseSequenceExample, ParseSingleSequenceExample


class _Lists:
    """The lists of features by kind, in the order of their names."""

    def __init__(self, features: Mapping[str, Any] | None) -> None:
        self.sparse: list[tuple[str, DType]] = []
        self.dense: list[tuple[str, DType, tuple[int | None, ...]]] = []
        self.may_be_missing: list[str] = []
        for key, feature in sorted((features or {}).items()):
            if not isinstance(feature, (VarLenFeature, FixedLenSequenceFeature)):
                raise ValueError(f"Unsupported {type(feature).__name__} {feature}: sequence_features are "
                                 "VarLenFeatures and FixedLenSequenceFeatures.")
            if not feature.dtype:
                raise ValueError(f"Missing type for feature {key}.")
            if isinstance(feature, VarLenFeature):
                self.sparse.append((key, as_dtype(feature.dtype)))
                continue
            if feature.shape is None:
                raise ValueError(f"Missing shape for feature {key}.")
            self.dense.append((key, as_dtype(feature.dtype), tuple(as_shape(feature.shape).as_list())))
            if feature.allow_missing:
                self.may_be_missing.append(key)
            if feature.default_value is not None:
                raise ValueError(f"Unsupported: default_value for feature {key}; steps that are missing are zeros.")

    def named(self, outputs: Any) -> tuple[dict[str, Any], list[Tensor]]:
        """The tensors by the lists' names, and what is left of the results."""
        count, dense = len(self.sparse), len(self.dense)
        parts = [outputs[i * count:(i + 1) * count] for i in range(3)]
        found = {key: load("graphc.api.sparse.tensor").SparseTensor(*triple) for (key, _), *triple in zip(
            self.sparse, *parts, strict=True)}
        found.update(zip((d[0] for d in self.dense), outputs[3 * count:3 * count + dense], strict=True))
        return found, outputs[3 * count + dense:]


class _Features:
    """What is wanted of a SequenceExample."""

    def __init__(self, context: Mapping[str, Any] | None, lists: Mapping[str, Any] | None) -> None:
        if not (context or lists):
            raise ValueError("Missing features.")
        for key, feature in (context or {}).items():
            if isinstance(feature, FixedLenSequenceFeature):
                raise ValueError(f"Unsupported FixedLenSequenceFeature {feature}: '{key}' is of the context, which has "
                                 "FixedLenFeatures and VarLenFeatures.")
        self.context, self.lists = Wanted(context or {}), _Lists(lists)

    def fields(self) -> dict[str, Any]:
        context, lists = self.context, self.lists
        return {"Ncontext_sparse": len(context.sparse), "Ncontext_dense": len(context.dense),
                "Nfeature_list_sparse": len(lists.sparse), "Nfeature_list_dense": len(lists.dense),
                "context_sparse_types": tuple(d for _, d in context.sparse),
                "Tcontext_dense": tuple(d[1] for d in context.dense),
                "context_dense_shapes": tuple(d[2] for d in context.dense),
                "feature_list_sparse_types": tuple(d for _, d in lists.sparse),
                "feature_list_dense_types": tuple(d[1] for d in lists.dense),
                "feature_list_dense_shapes": tuple(d[2] for d in lists.dense)}

    def keys(self) -> dict[str, tuple[str, ...]]:
        return {"context_sparse_keys": tuple(k for k, _ in self.context.sparse),
                "context_dense_keys": tuple(d[0] for d in self.context.dense),
                "feature_list_sparse_keys": tuple(k for k, _ in self.lists.sparse),
                "feature_list_dense_keys": tuple(d[0] for d in self.lists.dense)}

    def named(self, outputs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The context's tensors, those of the lists, and how many steps the dense ones have, by names."""
        of_context = 3 * len(self.context.sparse) + len(self.context.dense)
        lists, lengths = self.lists.named(outputs[of_context:])
        return (self.context.named(outputs[:of_context]), lists,
                dict(zip((d[0] for d in self.lists.dense), lengths, strict=False)))


@public("parse_single_sequence_example", "io.parse_single_sequence_example")
def parse_single_sequence_example(serialized: Any, context_features: Mapping[str, Any] | None = None,
                                  sequence_features: Mapping[str, Any] | None = None, example_name: Any = None,
                                  name: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The features of one serialized SequenceExample: those of its context, and its lists, by their names.

    context_features: name -> `gc.FixedLenFeature` or `gc.VarLenFeature`, as of `gc.parse_single_example`.
    sequence_features: name -> `gc.FixedLenSequenceFeature`, a tensor [steps, *shape] (allow_missing: without the list
    there are no steps), or `gc.VarLenFeature`, a SparseTensor [steps, most values]. example_name: a string that errors
    show. As `tf.parse_single_sequence_example`. Raises ValueError without features, and for features of another kind;
    what does not fit is an InvalidArgumentError when run.

    >>> example = gc.train.SequenceExample()
    >>> example.context.feature["label"].int64_list.value.append(3)
    >>> for value in ([1., 2.], [3., 4.]):
    ...     example.feature_lists.feature_list["frames"].feature.add().float_list.value.extend(value)
    >>> context, lists = gc.parse_single_sequence_example(
    ...     example.SerializeToString(), {"label": gc.FixedLenFeature([], gc.int64)},
    ...     {"frames": gc.FixedLenSequenceFeature([2], gc.float32)})
    >>> context["label"].eval(), lists["frames"].eval()
    (np.int64(3), array([[1., 2.],
           [3., 4.]], dtype=float32))
    """
    wanted = _Features(context_features, sequence_features)
    with get_default_graph().name_scope(name or "ParseSingleSequenceExample") as scope:
        data = convert_to_tensor(serialized, string, name="serialized")
        missing = convert_to_tensor(np.array(wanted.lists.may_be_missing, object), string,
                                    name="feature_list_dense_missing_assumed_empty")
        keys = [convert_to_tensor(key, string, name=f"{kind}_{i}") for kind, listed in wanted.keys().items()
                for i, key in enumerate(listed)]
        said = convert_to_tensor("" if example_name is None else example_name, string, name="debug_name")
        outputs = apply(ParseSingleSequenceExample, data, missing, [*keys, *wanted.context.defaults(), said],
                        name=scope, **wanted.fields())
        return wanted.named(outputs)[:2]


@public("io.parse_sequence_example")
def parse_sequence_example(serialized: Any, context_features: Mapping[str, Any] | None = None,
                           sequence_features: Mapping[str, Any] | None = None, example_names: Any = None,
                           name: str | None = None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The features of a vector of serialized SequenceExamples, by their names: those of the contexts, the lists, and
    how many steps each example has of the dense ones.

    Features as of `gc.parse_single_sequence_example`. Results have the batch first: [batch, most steps, *shape], with
    zeros behind the last step, or a SparseTensor [batch, most steps, most values]; lengths are int64 [batch].
    example_names: strings that errors show. As `tf.io.parse_sequence_example`. Raises ValueError without features, for
    features of another kind, and for a scalar; what does not fit is an InvalidArgumentError when run.

    >>> examples = [gc.train.SequenceExample(), gc.train.SequenceExample()]
    >>> for value in (1, 2):
    ...     examples[0].feature_lists.feature_list["ids"].feature.add().int64_list.value.append(value)
    >>> strings = [example.SerializeToString() for example in examples]
    >>> _, lists, lengths = gc.io.parse_sequence_example(
    ...     strings, sequence_features={"ids": gc.FixedLenSequenceFeature([], gc.int64, allow_missing=True)})
    >>> lists["ids"].eval(), lengths["ids"].eval()
    (array([[1, 2],
           [0, 0]]), array([2, 0]))
    """
    wanted = _Features(context_features, sequence_features)
    with get_default_graph().name_scope(name or "ParseSequenceExample") as scope:
        data = convert_to_tensor(serialized, string, name="serialized")
        names = convert_to_tensor(np.empty(0, object) if example_names is None else example_names, string, name="names")
        outputs = apply(ParseSequenceExample, data, names, wanted.context.defaults(), name=scope, **wanted.keys(),
                        feature_list_dense_missing_assumed_empty=tuple(wanted.lists.may_be_missing), **wanted.fields())
        return wanted.named(outputs)
