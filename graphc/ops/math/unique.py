"""The distinct elements of a vector, in order of first occurrence: Unique and UniqueWithCounts."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, bool_, int32, int64
from graphc.ir.elementwise import check_dtype, check_kind, check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.math.widened import widened

_CASES = [
    Sample({"out_idx": o}, (np.array(x, t),), gradient=False)
    for x, t, o in (
        ([3, 1, 3, 2, 1, 7], np.int32, int32),
        ([3, 1, 3, 2, 1, 7], np.int64, int64),
        ([], np.float32, int32),
        ([5], np.float64, int32),
        ([0.0, -0.0, 1, np.nan, 1, np.nan, np.inf], np.float32, int32),
        ([200, 1, 200], np.uint8, int64),
        ([True, False, True], np.bool_, int32),
        ([4, 4, 4, 4, 4], np.int64, int32),
        (np.arange(100) % 37 * 2.0**40, np.float64, int32),
    )
]


class _Distinct(Op):
    operands = ("x",)
    types: ClassVar[dict[str, str]] = {"T": "x"}
    samples = _CASES
    out_idx: DType

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype, *(self.out_idx for _ in self.results[1:]))

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        x = inputs[0]
        check_kind(self, inputs, "element")
        check_dtype(self, "out_idx", self.out_idx, "index")
        check_rank("x", x, 1)
        count = own_symbol(self, "count")
        made = (Spec(x.dtype, (count,)), Spec(self.out_idx, x.shape), Spec(self.out_idx, (count,)))
        return made[: len(self.results)]

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """A dict by value: a NaN of its own is equal to nothing."""
        known: dict[Any, int] = {}
        places = [known.setdefault(v if v == v else object(), len(known)) for v in inputs[0].tolist()]
        first = [places.index(i) for i in range(len(known))]
        idx = np.array(places, self.out_idx.numpy)
        made = (
            inputs[0][np.array(first, np.int64)],
            idx,
            np.bincount(places, minlength=0).astype(self.out_idx.numpy) if places else idx,
        )
        return made[: len(self.results)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y, places = inputs[0], outputs[0], outputs[1]
        n, count = x.shape[0], y.shape[0]
        source = x
        if x.dtype == bool_:
            source = b.temporary(int32, x.shape)
            b.map(lambda s, v: s.cast(v, int32), [x], [source])
        first, found = b.temporary(int64, (n,)), b.temporary(int64, (1,))
        b.call("unique", [widened(b, source), places, first, found], dims=[n])
        b.bind(found, [count])
        indices = b.temporary(int64, (count,))
        b.copy(first.part(0, 0, count), indices)
        b.call("gather", [x, indices, y], dims=[1, n, 1, count])
        if len(outputs) > 2:
            ones = b.temporary(self.out_idx, (n,))
            b.fill(ones, 1)
            b.call("scatter_add", [ones, places, outputs[2]], dims=[1, count, 1, n])


@register
class Unique(_Distinct):
    """The distinct elements, and for each element of x its number among them. Each NaN is one of its own."""

    checks_data = True
    results = ("y", "idx")
    out_idx: DType = attr("type", int32)


@register
class UniqueWithCounts(_Distinct):
    """The distinct elements, for each element of x its number among them, and how often each of them occurs."""

    checks_data = True
    results = ("y", "idx", "count")
    out_idx: DType = attr("type", int32)
