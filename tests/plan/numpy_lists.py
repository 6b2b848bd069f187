"""LIST steps in NumPy: a list is a tuple of arrays, None where nothing was written."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import as_dtype
from graphc.kernels.layout import ListOperation as L

from numpy_kernels import KernelError


def run_list(operation: L, values: list[Any], slot: Any) -> Any:
    """A tuple if the result is a list."""
    return FUNCTIONS[operation](operation.name, values, slot)


def _at(elements: Any, index: int, lenient: bool) -> Any:
    if index < 0 or (index >= len(elements) and not lenient):
        raise KernelError(f"index {index} of {len(elements)}")
    return elements[index] if index < len(elements) else None


def _shape(elements: Any, sizes: Any) -> tuple[int, ...]:
    known = next((e.shape for e in elements if e is not None), None)
    if known is None and any(s < 0 for s in sizes):
        raise KernelError("no shape")
    return tuple(int(s) if s >= 0 else known[i] for i, s in enumerate(sizes))  # type: ignore[index]


def _zeros(elements: Any, sizes: Any, slot: Any) -> Any:
    return np.zeros(_shape(elements, sizes), as_dtype(slot.dtype).numpy)


def _rows(elements: Any, chosen: Any, sizes: Any, slot: Any, lenient: bool) -> Any:
    blank = _zeros(elements, sizes, slot)
    found = [_at(elements, int(i), lenient) for i in chosen]
    found = [blank if e is None else e for e in found]
    if any(e.shape != blank.shape for e in found):
        raise KernelError("uneven elements")
    return np.array(found, blank.dtype).reshape(len(found), *blank.shape)


def reserve(name: str, v: Any, slot: Any) -> Any:
    return (None,) * int(v[0])


def resize(name: str, v: Any, slot: Any) -> Any:
    return (*v[0], *(None,) * int(v[1]))[:int(v[1])]


def set_item(name: str, v: Any, slot: Any) -> Any:
    return scatter(f"{'SCATTER_GROWING' if 'GROWING' in name else 'SCATTER'}", [v[0], [v[1]], v[2][None]], slot)


def get(name: str, v: Any, slot: Any) -> Any:
    found = _at(v[0], int(v[1]), "ZEROS" in name)
    return _zeros(v[0], v[2], slot) if found is None else found


def stack(name: str, v: Any, slot: Any) -> Any:
    return _rows(v[0], range(len(v[0]) if v[1] < 0 else int(v[1])), v[2], slot, "ZEROS" in name)


def gather(name: str, v: Any, slot: Any) -> Any:
    return _rows(v[0], v[1], v[2], slot, "ZEROS" in name)


def scatter(name: str, v: Any, slot: Any) -> Any:
    found = list(v[0])
    for index, row in zip(v[1], v[2], strict=True):
        _at(found, int(index), name != "SCATTER")
        found += [None] * (int(index) + 1 - len(found))
        before = found[index] if name == "SCATTER_SUM" else None
        found[index] = row if before is None else before + row
    return tuple(found)


def erase(name: str, v: Any, slot: Any) -> Any:
    return tuple(None if i in np.ravel(v[1]) else e for i, e in enumerate(v[0]))


def add(name: str, v: Any, slot: Any) -> Any:
    a, b = (resize("", [x, max(map(len, v))], slot) for x in v)
    return tuple(y if x is None else x if y is None else x + y for x, y in zip(a, b, strict=True))


def split(name: str, v: Any, slot: Any) -> Any:
    ends = np.cumsum(v[1])
    if np.any(v[1] < 0) or (ends[-1] if len(ends) else 0) != len(v[0]):
        raise KernelError("lengths")
    return tuple(v[0][end - length:end] for end, length in zip(ends, v[1], strict=True))


def concat(name: str, v: Any, slot: Any) -> Any:
    sizes, lengths = v[-1], v[1] if len(v) > 2 else None
    elements = v[0] if lengths is None else resize("", [v[0], len(lengths)], slot)
    tail = _shape([e[0:] for e in elements if e is not None], [0, *sizes[1:]])[1:]
    found = [np.zeros((0, *tail), as_dtype(slot.dtype).numpy)]
    for i, element in enumerate(elements):
        if element is None and lengths is None:
            raise KernelError("nothing was written")
        found.append(np.zeros((int(lengths[i]), *tail), found[0].dtype) if element is None else element)
    return np.concatenate(found)


def unstack(name: str, v: Any, slot: Any) -> Any:
    return tuple(np.asarray(row) for row in v[0])


def lengths(name: str, v: Any, slot: Any) -> Any:
    return np.array([len(e) for e in v[0]], np.int64)


FUNCTIONS = {
    L.RESERVE: reserve, L.RESIZE: resize, L.SET: set_item, L.SET_GROWING: set_item, L.GET: get, L.GET_OR_ZEROS: get,
    L.STACK: stack, L.STACK_OR_ZEROS: stack, L.GATHER: gather, L.GATHER_OR_ZEROS: gather, L.SCATTER: scatter,
    L.SCATTER_GROWING: scatter, L.SCATTER_SUM: scatter, L.ERASE: erase, L.ADD: add, L.SPLIT: split, L.CONCAT: concat,
    L.CONCAT_OR_ZEROS: concat, L.UNSTACK: unstack, L.LENGTHS: lengths,
}
