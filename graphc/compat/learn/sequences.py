"""Lists of different lengths as one array."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.public import public


@public("compat.v1.keras.preprocessing.sequence.pad_sequences",
        "compat.v1.contrib.keras.preprocessing.sequence.pad_sequences")
def pad_sequences(sequences: Sequence[Any], maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
                  truncating: str = "pre", value: Any = 0.0) -> np.ndarray:
    """(number of sequences, maxlen, ...), filled up with `value` and cut at the begin ("pre") or end ("post"), as
    `tf.keras.preprocessing.sequence.pad_sequences`. maxlen: by default the longest."""
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f"pad_sequences: argument '{name}' must be 'pre' or 'post', but is {given!r}")
    arrays = [np.asarray(s) for s in sequences]
    length = max((len(a) for a in arrays), default=0) if maxlen is None else maxlen
    inner = next((a.shape[1:] for a in arrays if len(a)), ())
    made = np.full((len(arrays), length, *inner), value, dtype=object if isinstance(value, str) else dtype)
    for row, array in zip(made, arrays, strict=True):
        if not len(array):
            continue
        kept = (array[-length:] if truncating == "pre" else array[:length]) if length else array[:0]
        if kept.shape[1:] != inner:
            raise ValueError(f"pad_sequences: a sequence has elements of shape {kept.shape[1:]}, the others {inner}")
        if padding == "pre":
            row[length - len(kept):] = kept
        else:
            row[:len(kept)] = kept
    return made
