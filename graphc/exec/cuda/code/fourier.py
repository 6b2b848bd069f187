"""Steps of Fourier transforms, of the columns of matrices of `length` lines that stand one behind the other; complex
numbers are pairs.

They are Stockham's, with the CPU's formulas (kernels/cpu/signal/steps.py), so its bits come out: in a step of some
radix, `parts` of `run` numbers each become parts / radix of radix * run. A thread makes what a step of radix 4 or 2
makes of four or two numbers, else a number. The inverse is the same with real and imaginary parts exchanged where the
first step reads and the last one writes, which divides, too.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value

Pair = tuple[Value, Value]


@dataclass(frozen=True)
class Ends:
    """Of a step: whether it reads what the inverse is given, and writes what comes out of that; narrow: positions fit
    into 32 bits."""

    dtype: str
    takes: bool
    gives: bool
    narrow: bool


@dataclass(frozen=True)
class Rows:
    """Complex numbers in memory, from that of a row on. scale: what the inverse multiplies by."""

    k: KernelBuilder
    x: Array
    y: Array
    exchanged: Ends
    scale: Value

    def __getitem__(self, index: Value) -> Pair:
        re, im = (1, 0) if self.exchanged.takes else (0, 1)
        return self.x[index * 2 + re], self.x[index * 2 + im]

    def __setitem__(self, index: Value, pair: Pair) -> None:
        re, im = pair
        if self.exchanged.gives:
            re, im = im * self.scale, re * self.scale
        self.y[index * 2], self.y[index * 2 + 1] = re, im


def _rows(k: KernelBuilder, x: Array, y: Array, ends: Ends, n: Value) -> Rows:
    """n: numbers of a transform."""
    one = k.constant(1, ends.dtype)
    return Rows(k, x, y, ends, one / n.to(ends.dtype) if ends.gives else one)


def _turned(k: KernelBuilder, pair: Pair, c: Value, s: Value, onto: Pair) -> Pair:
    """pair * (c + i s) + onto"""
    (x, y), (re, im) = pair, onto
    return k.multiply_add(x, c, k.multiply_add(y, -s, re)), k.multiply_add(x, s, k.multiply_add(y, c, im))


def step_of_four(ends: Ends) -> KernelBuilder:
    """gc_fft_four(x, y, roots, threads, numbers of a row, of a transform, roots, parts, run)."""
    k = KernelBuilder("gc_fft_four", ends.narrow)
    x, y, roots = (k.array(name, ends.dtype) for name in ("x", "y", "roots"))
    threads, line, n, total, parts, run = k.numbers("threads", "line", "n", "total", "parts", "run")
    quarter = parts >> 2
    row, p, i = k.parts(k.thread(threads), quarter, run)
    rows, gap, start = _rows(k, x, y, ends, n), quarter * run, row * line + i
    (a, ai), (b, bi), (c, ci), (d, di) = (rows[start + p * run + gap * j] for j in range(4))
    s, si, t, ti = a + c, ai + ci, a - c, ai - ci
    u, ui, v, vi = b + d, bi + di, b - d, bi - di
    target, stride, zero = start + p * 4 * run, total // parts, k.constant(0, ends.dtype)
    rows[target] = s + u, si + ui
    for number, pair in enumerate([(t + vi, ti - v), (s - u, si - ui), (t - vi, ti + v)], 1):
        root = p * stride * number
        rows[target + run * number] = _turned(k, pair, roots[root], roots[total + root], (zero, zero))
    return k


def step_of_two(ends: Ends) -> KernelBuilder:
    """gc_fft_two(x, y, roots, threads, numbers of a row, of a transform, roots, parts, run)."""
    k = KernelBuilder("gc_fft_two", ends.narrow)
    x, y, roots = (k.array(name, ends.dtype) for name in ("x", "y", "roots"))
    threads, line, n, total, parts, run = k.numbers("threads", "line", "n", "total", "parts", "run")
    half = parts >> 1
    row, p, i = k.parts(k.thread(threads), half, run)
    rows, start = _rows(k, x, y, ends, n), row * line + i
    (a, ai), (b, bi) = (rows[start + (p + half * j) * run] for j in range(2))
    target, root, zero = start + p * 2 * run, p * (total // parts), k.constant(0, ends.dtype)
    rows[target] = a + b, ai + bi
    rows[target + run] = _turned(k, (a - b, ai - bi), roots[root], roots[total + root], (zero, zero))
    return k


def step_of_odd(ends: Ends) -> KernelBuilder:
    """gc_fft_odd(x, y, roots, threads, numbers of a row, of a transform, roots, parts, run, radix)."""
    k = KernelBuilder("gc_fft_odd", ends.narrow)
    x, y, roots = (k.array(name, ends.dtype) for name in ("x", "y", "roots"))
    threads, line, n, total, parts, run, radix = k.numbers("threads", "line", "n", "total", "parts", "run", "radix")
    some, zero = k.parts(parts, radix)[0], k.constant(0, ends.dtype)
    row, p, number, i = k.parts(k.thread(threads), some, radix, run)
    rows, start, far = _rows(k, x, y, ends, n), row * line + i, radix - number < number
    near = k.choose(far, radix - number, number)
    turn = near * (total // radix)
    root, first = k.variable(turn), rows[start + p * run]
    sums = [k.variable(value, ends.dtype) for value in (*first, zero, zero)]
    with k.loop(1, (radix + 1) >> 1) as j:
        at = root.get()
        c, s = roots[at], roots[total + at]
        (a, ai), (b, bi) = (rows[start + (p + some * place) * run] for place in (j, radix - j))
        for value, weight, onto in zip((a + b, ai + bi, a - b, ai - bi), (c, c, s, s), sums, strict=True):
            onto.set(k.multiply_add(value, weight, onto.get()))
        following = at + turn
        root.set(k.choose(following >= total, following - total, following))
    e, ei, o, oi = (value.get() for value in sums)
    pair = k.choose(far, e + oi, e - oi), k.choose(far, ei - o, ei + o)
    at = p * number * (total // parts)
    rows[start + (p * radix + number) * run] = _turned(k, pair, roots[at], roots[total + at], (zero, zero))
    return k


def turn(ends: Ends) -> KernelBuilder:
    """gc_fft_turn(x, y, roots, threads, numbers of a row, of a transform, roots, first, second): each row, a matrix of
    `first` lines, is multiplied by the roots and transposed."""
    k = KernelBuilder("gc_fft_turn", ends.narrow)
    x, y, roots = (k.array(name, ends.dtype) for name in ("x", "y", "roots"))
    threads, _, n, total, first, second = k.numbers("threads", "line", "n", "total", "first", "second")
    row, i, line = k.parts(k.thread(threads), second, first)
    rows, at = _rows(k, x, y, ends, n), line * second + i
    a, b = rows[row * n + at]
    c, s = roots[line * i], roots[total + line * i]
    rows[row * n + i * first + line] = a * c - b * s, a * s + b * c
    return k


def halves(dtype: str, inverse: bool, narrow: bool) -> KernelBuilder:
    """gc_fft_halves(x, y, roots, threads, n, n // 2 + 1): between n complex numbers and the n + 1 of twice as many real
    ones, by the CPU's formulas (kernels/cpu/signal/side_by_side.py). A thread makes number k and number n - k."""
    k = KernelBuilder("gc_fft_halves", narrow)
    x, y, roots = (k.array(name, dtype) for name in ("x", "y", "roots"))
    threads, n, some = k.numbers("threads", "n", "some")
    row, here = k.parts(k.thread(threads), some)
    source, target = x.at(row * (n + int(inverse)) * 2), y.at(row * (n + int(not inverse)) * 2)
    zero, half, last = k.constant(0, dtype), k.constant(0.5, dtype), n * 2

    def times(value: Value, weight: Value) -> Value:
        return k.multiply_add(value, weight, zero)

    with k.when(here.equals(0)):
        weight = half if inverse else k.constant(1, dtype)
        a, b = source[0], source[last if inverse else 1]
        target[0], target[1 if inverse else last] = times(a + b, weight), times(a - b, weight)
        if not inverse:
            target[1], target[last + 1] = zero, zero
    with k.when(here > 0):
        there = n - here
        c, s = roots[here] * half, roots[last + here] * half
        c = c if inverse else -c
        a, ai, b, bi = source[here * 2], source[here * 2 + 1], source[there * 2], source[there * 2 + 1]
        e, ei, d, di = times(a + b, half), times(ai - bi, half), a - b, ai + bi
        o = k.multiply_add(d, s, times(di, -c))
        oi = k.multiply_add(d, c, times(di, s))
        target[here * 2], target[here * 2 + 1] = e + o, ei + oi
        target[there * 2], target[there * 2 + 1] = e - o, oi - ei
    return k
