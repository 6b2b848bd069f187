"""The kernels that move elements by indices, and those on variables, in NumPy: see numpy_kernels.py."""
from __future__ import annotations

import numpy as np

from numpy_kernels import Arrays, KernelError, kernel


@kernel
def gather(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, axis, inner, count = d
    indices = x[1][:count]
    if ((indices < 0) | (indices >= axis)).any():
        raise KernelError("index out of range")
    x[2][...] = x[0].reshape(outer, axis, inner)[:, indices].ravel()


@kernel
def pad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, *pads, unit = d
    sizes = [outer, *pads[::3], unit]
    whole = [outer, *(sum(pads[i:i + 3]) for i in (0, 3, 6)), unit]
    y = x[2].reshape(whole)
    y[...] = x[1]
    y[:, *(slice(b, b + n) for n, b in zip(pads[::3], pads[1::3], strict=True))] = x[0].reshape(sizes)


@kernel
def scatter_add(x: Arrays, d: list[int], attrs: list[int]) -> None:
    outer, axis, inner, count = d
    out = x[2].reshape(outer, axis, inner)
    out[...] = 0
    updates = x[0].reshape(outer, count, inner)
    for i, index in enumerate(x[1][:count]):
        if not 0 <= index < axis:
            raise KernelError("index out of range")
        out[:, index] += updates[:, i]


def _tuple_rows(indices: np.ndarray, sizes: list[int], depth: int, number: int) -> tuple[int, ...]:
    place = tuple(int(i) for i in indices[number * depth:(number + 1) * depth])
    if any(not 0 <= i < n for i, n in zip(place, sizes, strict=False)):
        raise KernelError("index out of range")
    return (*place, *(0,) * (7 - depth))


@kernel
def gather_nd(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, count, inner, *sizes = d
    params, out = x[0].reshape(batch, *sizes, inner), x[2].reshape(batch * count, inner)
    for j in range(batch * count):
        out[j] = params[(j // count, *_tuple_rows(x[1], sizes, attrs[0], j))]


@kernel
def scatter_nd(x: Arrays, d: list[int], attrs: list[int]) -> None:
    batch, count, inner, *sizes = d
    updates, table = x[1].reshape(batch * count, inner), x[2].reshape(batch, *sizes, inner)
    change = (lambda a, b: b, np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum)[attrs[1]]
    for j in range(batch * count):
        place = (j // count, *_tuple_rows(x[0], sizes, attrs[0], j))
        made = change(table[place], updates[j])
        table[place] = np.trunc(made) if table.dtype.kind in "iu" and attrs[1] == 4 else made


@kernel
def absent(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[2][...] = [not (y == x[1][:d[1]]).any() for y in x[0][:d[0]]]


@kernel
def checked_indices(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for j in range(d[0]):
        _tuple_rows(x[0], d[1:], attrs[0], j)
    x[1][...] = x[0]


@kernel
def first_equal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = [list(x[0]).index(index) for index in x[0]]


@kernel
def sum_equal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    sums = np.zeros(d, x[0].dtype)
    np.add.at(sums, x[1], x[0].reshape(d))
    x[2][...] = sums[x[1]].ravel()


@kernel
def nonzero(x: Arrays, d: list[int], attrs: list[int]) -> None:
    found = np.flatnonzero(x[0][:d[0]])
    if len(found) != d[1]:
        raise KernelError("number of elements")
    x[1][...] = found


@kernel
def copy(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][:d[0]] = x[0][:d[0]]


@kernel
def invert_permutation(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if sorted(x[0][:d[0]]) != list(range(d[0])):
        raise KernelError("no permutation")
    x[1][x[0][:d[0]]] = range(d[0])


@kernel
def sizes(x: Arrays, d: list[int], attrs: list[int]) -> None:
    start, count = attrs
    x[0][start:start + count] = d[:count]


@kernel
def state_mark(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[0][...] = (1, x[0][1] + 1)


@kernel
def state_check(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if not x[0][0]:
        raise KernelError("uninitialised")
