"""Rows of a variable that follow the words of a vocabulary, brought into the order of another one: train.warm_start."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.errors import built_at


def in_new_order(variable: Any, old: Any, info: Any) -> Any:
    """The value with which the variable begins: of each word of the new vocabulary the rows that `old`, a tensor, has
    for it; for new words and buckets, what info.backup_initializer (None: zeros) makes. info: a gc.train.VocabInfo.

    Raises ValueError if sizes do not fit, OSError for a vocabulary that cannot be read.
    """
    part = getattr(variable, "_save_slice_info", None)
    axis, size = info.axis, info.new_vocab_size + info.num_oov_buckets
    whole = part.full_shape if part else variable.shape.as_list()
    if axis not in (0, 1) or len(whole) <= axis or whole[axis] != size:
        raise ValueError(f"variable '{variable.op.name}' has shape {whole}, but its VocabInfo says that axis {axis} "
                         f"has {info.new_vocab_size} words and {info.num_oov_buckets} buckets{built_at(variable.op)}")
    words = _words(info.old_vocab, info.old_vocab_size)
    places = {word: i for i, word in reversed(list(enumerate(words)))}
    numbers = [places.get(word, -1) for word in _words(info.new_vocab, info.new_vocab_size)]
    numbers += [-1] * info.num_oov_buckets
    if old.shape.as_list()[axis] < len(words):
        raise ValueError(f"the checkpoint's tensor for '{variable.op.name}' has shape {old.shape.as_list()}, but the "
                         f"old vocabulary {info.old_vocab} has {len(words)} words")
    begin = part.var_offset[axis] if part else 0
    mine = np.array(numbers[begin:begin + variable.shape.as_list()[axis]], np.int64)
    known = np.expand_dims(mine >= 0, [i for i in range(len(whole)) if i != axis])
    taken = gc.gather(old, np.maximum(mine, 0), axis=axis)
    for other in range(len(whole)):
        if part and other != axis:
            taken = gc.gather(taken, np.arange(variable.shape.as_list()[other]) + part.var_offset[other], axis=other)
    backup = info.backup_initializer or gc.zeros_initializer()
    made = backup(variable.shape.as_list(), dtype=variable.dtype)
    return gc.where(np.broadcast_to(known, variable.shape.as_list()), taken, made)


def _words(file: Any, count: int) -> list[str]:
    """The first `count` lines of the file, all for -1. Raises ValueError if it has fewer."""
    with open(file, encoding="utf-8", newline="\n") as lines:
        found = [line.rstrip("\r\n") for line in lines]
    if count > len(found):
        raise ValueError(f"the vocabulary {file} has {len(found)} words, but {count} are wanted")
    return found if count < 0 else found[:count]
