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
    """Lists of different lengths as one array [number of lists, maxlen, ...], filled up with `value`.

    maxlen: by default the longest list's; longer ones are cut. padding and truncating: at the begin ("pre") or end
    ("post"); ValueError for anything else. dtype: int32 by default; object if value is a string. Raises ValueError for
    elements that are no lists or differ in their inner shape, and for strings unless value is one. As
    `tf.keras.preprocessing.sequence.pad_sequences`.

    >>> pad_sequences = gc.compat.v1.keras.preprocessing.sequence.pad_sequences
    >>> pad_sequences([[1], [2, 3, 4], []])
    array([[0, 0, 1],
           [2, 3, 4],
           [0, 0, 0]], dtype=int32)
    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2, padding="post", truncating="post")
    array([[1, 0],
           [2, 3]], dtype=int32)
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f"pad_sequences: argument '{name}' must be 'pre' or 'post', but is {given!r}")
    arrays = [np.asarray(s) for s in sequences]
    for i, array in enumerate(arrays):
        if not array.ndim:
            raise ValueError(f"pad_sequences: argument 'sequences' must be a list of lists, but its element {i} is "
                             f"{array.tolist()!r}")
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
