"""WarmStartSettings: the checkpoint whose values a model begins with."""
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public


@public("estimator.VocabInfo", "train.VocabInfo")
class VocabInfo(NamedTuple):
    """Which rows of a variable stand for which words, before and now, as `tf.estimator.VocabInfo`: files of a word a
    line. For words that were not there, and for buckets, backup_initializer makes the rows; None: zeros.

    >>> info = gc.estimator.VocabInfo("new.txt", new_vocab_size=5, num_oov_buckets=0, old_vocab="old.txt")
    >>> gc.estimator.WarmStartSettings("old_model", var_name_to_vocab_info={"embedding": info}).ckpt_to_initialize_from
    'old_model'
    """

    new_vocab: str
    new_vocab_size: int
    num_oov_buckets: int
    old_vocab: str
    old_vocab_size: int = -1
    backup_initializer: Any = None
    axis: int = 0


class _Settings(NamedTuple):
    ckpt_to_initialize_from: Any
    vars_to_warm_start: Any
    var_name_to_vocab_info: Any
    var_name_to_prev_var_name: Any


@public("estimator.WarmStartSettings")
class WarmStartSettings(_Settings):
    """Which variables begin with which values of a checkpoint: the arguments of gc.train.warm_start. As
    `tf.estimator.WarmStartSettings`.

    Raises ValueError without ckpt_to_initialize_from.

    >>> x = gc.feature_column.numeric_column("x")
    >>> def read():
    ...     return {"x": [[1.], [2.]]}, [[3.], [5.]]
    >>> _ = gc.estimator.LinearRegressor([x], "first").train(read, steps=5)
    >>> warm = gc.estimator.WarmStartSettings("first", vars_to_warm_start=".*weights.*")
    >>> model = gc.estimator.LinearRegressor([x], "second", warm_start_from=warm).train(read, steps=1)
    >>> model.get_variable_value("global_step")
    np.int64(1)
    """

    __slots__ = ()

    def __new__(cls, ckpt_to_initialize_from: Any, vars_to_warm_start: Any = ".*",
                var_name_to_vocab_info: Mapping[str, VocabInfo] | None = None,
                var_name_to_prev_var_name: Mapping[str, str] | None = None) -> WarmStartSettings:
        if not ckpt_to_initialize_from:
            raise ValueError("`ckpt_to_initialize_from` MUST be set in WarmStartSettings")
        return super().__new__(cls, ckpt_to_initialize_from, vars_to_warm_start, var_name_to_vocab_info or {},
                               var_name_to_prev_var_name or {})


def settings_of(warm_start_from: Any) -> WarmStartSettings | None:
    """The settings that a user's argument means: a checkpoint, its folder, or a SavedModel's folder; or None."""
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if not isinstance(warm_start_from, (str, bytes, os.PathLike)):
        raise ValueError("warm_start_from must be a string or a WarmStartSettings, instead got "
                         f"{warm_start_from!r}")
    path = os.fsdecode(warm_start_from)
    saved = os.path.join(path, "variables", "variables")
    return WarmStartSettings(saved if gc.train.checkpoint_exists(saved) else path)
