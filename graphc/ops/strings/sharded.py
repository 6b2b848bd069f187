"""Names of files that are parts of something."""
from __future__ import annotations

from typing import ClassVar

import numpy as np

from graphc.ir.dtypes import int32, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.host import Host
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec


@register
class ShardedFilename(Host):
    """"basename-00001-of-00003"."""

    operands = ("basename", "shard", "num_shards")
    results = ("filename",)
    samples: ClassVar = [Sample({}, (np.array(b"a/b", object), np.array(1, np.int32), np.array(3, np.int32)),
                                gradient=False)]

    def infer(self, basename: Spec, shard: Spec, num_shards: Spec) -> Spec:  # type: ignore[override]
        check_one_string(self, "basename", basename)
        for name, spec in (("shard", shard), ("num_shards", num_shards)):
            if spec.dtype != int32 or spec.shape not in (None, ()):
                raise TypeError(f"argument '{name}' must be a scalar of int32, but is {spec.shown()}")
        return Spec(string, ())

    def compute(self, basename: np.ndarray, shard: np.ndarray, num_shards: np.ndarray) -> np.ndarray:
        return np.array(basename.item() + f"-{shard:05d}-of-{num_shards:05d}".encode(), object)
