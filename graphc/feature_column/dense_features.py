"""DenseFeatures: input_layer as a layer, which keeps its variables."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import Features, Variables, check_one_batch_size, checked_columns
from graphc.feature_column.models import check_dense, flat
from graphc.layers.unnamed import numbered_as_keras_does


@public("compat.v1.keras.layers.DenseFeatures")
class DenseFeatures(gc.layers.Layer):  # type: ignore[misc]
    """What dense columns give, side by side in the order of their names, as `tf.keras.layers.DenseFeatures`. Raises
    ValueError for a column that is not dense, and for features that are no dictionary.
    It is a layer: called again it uses its variables again.

    It gives [batch, numbers], float32.

    >>> age = gc.feature_column.numeric_column("age")
    >>> job = gc.feature_column.categorical_column_with_vocabulary_list("job", ["nurse", "pilot"])
    >>> layer = gc.compat.v1.keras.layers.DenseFeatures([age, gc.feature_column.embedding_column(job, 3)])
    >>> first = layer({"age": gc.constant([[36.]]), "job": gc.constant([["pilot"]])})
    >>> second = layer({"age": gc.constant([[41.]]), "job": gc.constant([["nurse"]])})
    >>> first.shape, len(gc.trainable_variables())
    (TensorShape([Dimension(1), Dimension(4)]), 1)
    """

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable, name or numbered_as_keras_does("dense_features"), **kwargs)
        self._feature_columns = checked_columns(feature_columns)
        check_dense(self._feature_columns)
        self._has_variables = False

    def call(self, features: Mapping[str, Any], cols_to_output_tensors: dict[Any, Any] | None = None) -> Any:
        given, variables = Features(features), Variables([gc.GraphKeys.GLOBAL_VARIABLES], self.trainable)
        outputs = []
        for column in self._feature_columns:
            with gc.variable_scope(column.var_scope_name) as scope:
                outputs.append(flat(column, given, variables))
                if not self._has_variables:
                    self._note(gc.get_collection(gc.GraphKeys.GLOBAL_VARIABLES, scope=f"{scope.name}/"))
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = outputs[-1]
        self._has_variables = True
        check_one_batch_size(outputs, self._feature_columns)
        return gc.concat(outputs, 1)

    def _note(self, variables: list[Any]) -> None:
        for variable in variables:
            (self._trainable_weights if variable.trainable else self._non_trainable_weights).append(variable)
