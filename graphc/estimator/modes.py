"""ModeKeys: what a model function is called for."""
from __future__ import annotations

from graphc.api.public import public


@public("estimator.ModeKeys")
class ModeKeys:
    """What a model function is called for, as `tf.estimator.ModeKeys`: to train, to evaluate, to predict.

    >>> keys = gc.estimator.ModeKeys
    >>> keys.TRAIN, keys.EVAL, keys.PREDICT
    ('train', 'eval', 'infer')
    """

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


@public("contrib.learn.ModeKeys")
class OldModeKeys:
    """The modes of tf.contrib.learn: gc.estimator.ModeKeys with INFER for PREDICT.

    >>> keys = gc.contrib.learn.ModeKeys
    >>> keys.TRAIN, keys.EVAL, keys.INFER
    ('train', 'eval', 'infer')
    """

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises ValueError for anything else."""
        if key not in (cls.TRAIN, cls.EVAL, cls.INFER):
            raise ValueError(f"Invalid mode {key}.")
