"""Inverses of the error function and of the normal distribution.

Ndtri is computed in float64. Of p = min(x, 1 - x) a first value, right to 4.5e-4 (Abramowitz and Stegun 26.2.23), is
made right by two steps of Halley's method, each of which takes its error to the third power; erfc is exact in the
tails.
"""
from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float64
from graphc.ir.elementwise import Unary, unary_samples
from graphc.ir.op import Sample, register
from graphc.ir.tensor import Operation

_TOP = (2.515517, 0.802853, 0.010328)
_BOTTOM = (1.0, 1.432788, 0.189269, 0.001308)
_TAILS = np.array([1e-30, 1e-12, 1e-3, 0.02425, 0.5, 0.975, 0.9999999], np.float32)


def _ndtri(x: np.ndarray) -> np.ndarray:
    def one(p: float) -> float:
        if not 0 < p < 1:
            return -math.inf if p == 0 else math.inf if p == 1 else math.nan
        return NormalDist().inv_cdf(p)

    return np.array([one(float(v)) for v in x.ravel()], np.float64).reshape(x.shape)


def _erfinv(x: np.ndarray) -> np.ndarray:
    """By Ndtri; near 0, where that has lost x, by the series."""
    x = np.asarray(x, np.float64)
    square = math.pi * x * x
    series = x * math.sqrt(math.pi) / 2 * (1 + square / 12 + 7 * square * square / 480)
    return np.where(np.abs(x) < 1e-3, series, -np.sign(x) * _ndtri((1 - np.abs(x)) / 2) / math.sqrt(2))


@register
class Erfinv(Unary):
    """The number whose erf is x; infinite at -1 and 1, NaN beyond."""

    primitive = "erfinv"
    function = staticmethod(_erfinv)
    samples = [*unary_samples(-0.95, 0.95), Sample({}, (np.array([-1, 1, -0.9999, 0.99999], np.float32),),
                                                   gradient=False)]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> list[Any]:
        return [dy * g.scale(math.sqrt(math.pi) / 2, g.exp(g.square(node.outputs[0])))]


@register
class Ndtri(Unary):
    """The quantile function of the normal distribution; infinite at 0 and 1, NaN beyond."""

    function = staticmethod(_ndtri)
    inexact = ("right to 1e-5 below 1e-307: erfc has few digits there", lambda x: (x > 0) & (x < 1e-307))
    samples = [*unary_samples(0.05, 0.95), Sample({}, (_TAILS,), gradient=False),
               Sample({}, (np.array([0, 1, -1, 2], np.float32),), gradient=False)]

    def scalar(self, s: Any, *operands: Any) -> Any:
        def number(value: float) -> Any:
            return s.constant(value, float64)

        def polynomial(coefficients: tuple[float, ...], t: Any) -> Any:
            made = number(coefficients[-1])
            for c in coefficients[-2::-1]:
                made = s("add", s("mul", made, t), number(c))
            return made

        x = s.cast(operands[0], float64)
        p = s("min", x, s("sub", number(1), x))
        t = s("sqrt", s("mul", number(-2), s("log", p)))
        z = s("sub", t, s("div", polynomial(_TOP, t), polynomial(_BOTTOM, t)))
        for _ in range(2):                           # z > 0 is the quantile of 1 - p
            density = s("mul", number(1 / math.sqrt(2 * math.pi)), s("exp", s("mul", number(-0.5), s("mul", z, z))))
            tail = s("mul", number(0.5), s("erfc", s("mul", z, number(math.sqrt(0.5)))))
            step = s("div", s("sub", tail, p), density)
            z = s("add", z, s("div", step, s("add", number(1), s("mul", number(-0.5), s("mul", z, step)))))
        z = s("select", s("equal", p, number(0)), number(math.inf), z)
        z = s("select", s("equal", p, number(0.5)), number(0), z)
        return s.cast(s("select", s("less", x, number(0.5)), s("neg", z), z), s.dtype(operands[0]))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> list[Any]:
        return [dy * g.scale(math.sqrt(2 * math.pi), g.exp(g.scale(0.5, g.square(node.outputs[0]))))]
