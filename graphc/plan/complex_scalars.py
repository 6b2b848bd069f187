"""Complex values in programs whose primitives are real: each is two real scalars, and a primitive is a few real ones.

Formulas are those that lose no accuracy or range where the real functions behind them do not (Smith's quotient, Kahan's
tanh, sqrt without cancellation). Equal real scalars are one, so what several formulas share is computed once.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import DType, complex64, complex128, float32
from graphc.ir.records import dataclass


@dataclass(frozen=True, eq=False)
class Complex:
    """re + i im, two real scalars of one dtype."""

    re: Any
    im: Any

    @property
    def dtype(self) -> DType:
        return complex64 if self.re.dtype == float32 else complex128

    @property
    def row(self) -> bool:
        return bool(self.re.row or self.im.row)


def complex_primitive(s: Any, primitive: str, args: tuple[Any, ...]) -> Any:
    """s(primitive, *args), of which some are complex."""
    if primitive == "select":
        condition, x, y = args
        return Complex(s("select", condition, x.re, y.re), s("select", condition, x.im, y.im))
    if primitive in FUNCTIONS:
        return FUNCTIONS[primitive](s, *args)
    dtype = next(a.dtype for a in args if isinstance(a, Complex))
    raise UnimplementedError(f"'{primitive}' is not implemented for dtype {dtype.name}; it takes real numbers "
                             "(gc.real, gc.imag, gc.abs)")


def complex_cast(s: Any, x: Any, dtype: DType) -> Any:
    """A real number becomes the real part; of a complex one a real dtype takes the real part alone, as in TF."""
    if not dtype.is_complex:
        return s.cast(x.re, dtype)
    if isinstance(x, Complex):
        return Complex(s.cast(x.re, dtype.real_dtype), s.cast(x.im, dtype.real_dtype))
    return Complex(s.cast(x, dtype.real_dtype), s.constant(0.0, dtype.real_dtype))


def _add(s: Any, x: Complex, y: Complex) -> Complex:
    return Complex(s("add", x.re, y.re), s("add", x.im, y.im))


def _sub(s: Any, x: Complex, y: Complex) -> Complex:
    return Complex(s("sub", x.re, y.re), s("sub", x.im, y.im))


def _neg(s: Any, x: Complex) -> Complex:
    return Complex(s("neg", x.re), s("neg", x.im))


def _mul(s: Any, x: Complex, y: Complex) -> Complex:
    return Complex(s("sub", s("mul", x.re, y.re), s("mul", x.im, y.im)),
                   s("add", s("mul", x.re, y.im), s("mul", x.im, y.re)))


def _square(s: Any, x: Complex) -> Complex:
    return _mul(s, x, x)


def _div(s: Any, x: Complex, y: Complex) -> Complex:
    """Smith: both parts of y by its larger one, so that no square overflows. By 0: infinities and NaN."""
    zero = s.constant(0.0, x.re.dtype)
    by_re = s("greater_equal", s("abs", y.re), s("abs", y.im))
    large, small = s("select", by_re, y.re, y.im), s("select", by_re, y.im, y.re)
    nothing = s("equal", large, zero)
    ratio = s("select", nothing, zero, s("div", small, large))
    by = s("select", nothing, zero, s("add", large, s("mul", small, ratio)))
    first, second = s("select", by_re, x.re, x.im), s("select", by_re, x.im, x.re)
    difference = s("sub", second, s("mul", first, ratio))
    return Complex(s("div", s("add", first, s("mul", second, ratio)), by),
                   s("div", s("select", by_re, difference, s("neg", difference)), by))


def _reciprocal(s: Any, x: Complex) -> Complex:
    return _div(s, s.constant(1.0, x.dtype), x)


def _size(s: Any, x: Complex) -> Any:
    """|x|: of the larger part and the quotient of both, so that no square overflows."""
    a, b = s("abs", x.re), s("abs", x.im)
    large, small = s("max", a, b), s("min", a, b)
    zero, one = s.constant(0.0, a.dtype), s.constant(1.0, a.dtype)
    ratio = s("select", s("equal", large, zero), zero, s("div", small, large))
    size = s("mul", large, s("sqrt", s("add", one, s("square", ratio))))
    infinite = s("or", s("is_inf", x.re), s("is_inf", x.im))
    return s("select", infinite, s.constant(math.inf, a.dtype), size)


def _sign(s: Any, x: Complex) -> Complex:
    size, zero = _size(s, x), s.constant(0.0, x.re.dtype)
    nothing = s("equal", size, zero)
    return Complex(*(s("select", nothing, zero, s("div", part, size)) for part in (x.re, x.im)))


def _exp(s: Any, x: Complex) -> Complex:
    size = s("exp", x.re)
    # Of a real number the imaginary part stays 0, even where the size is infinite.
    real = s("equal", x.im, s.constant(0.0, x.im.dtype))
    return Complex(s("mul", size, s("cos", x.im)), s("select", real, x.im, s("mul", size, s("sin", x.im))))


def _expm1(s: Any, x: Complex) -> Complex:
    """re = expm1(a) cos b - 2 sin(b/2)**2"""
    half_sine = s("sin", s("mul", x.im, s.constant(0.5, x.im.dtype)))
    bent = s("mul", s.constant(2.0, x.re.dtype), s("square", half_sine))
    return Complex(s("sub", s("mul", s("expm1", x.re), s("cos", x.im)), bent), _exp(s, x).im)


def _log(s: Any, x: Complex) -> Complex:
    """Near |x| = 1 the logarithm is that of |x|**2 - 1 = (large - 1)(large + 1) + small**2."""
    return Complex(_log_size(s, x), _angle(s, x))


def _log_size(s: Any, x: Complex) -> Any:
    a, b = s("abs", x.re), s("abs", x.im)
    large, small, one = s("max", a, b), s("min", a, b), s.constant(1.0, a.dtype)
    excess = s("add", s("mul", s("sub", large, one), s("add", large, one)), s("square", small))
    near = s("and", s("greater", large, s.constant(0.5, a.dtype)), s("less", large, s.constant(3.0, a.dtype)))
    nearby = s("mul", s.constant(0.5, a.dtype), s("log1p", excess))
    return s("select", near, nearby, s("log", _size(s, x)))


def _log1p(s: Any, x: Complex) -> Complex:
    """|1 + x|**2 - 1 = a (2 + a) + b**2, for small x."""
    kind = x.re.dtype
    moved = Complex(s("add", x.re, s.constant(1.0, kind)), x.im)
    excess = s("add", s("mul", x.re, s("add", x.re, s.constant(2.0, kind))), s("square", x.im))
    half = s.constant(0.5, kind)
    small = s("and", s("less", s("abs", x.re), half), s("less", s("abs", x.im), half))
    return Complex(s("select", small, s("mul", half, s("log1p", excess)), _log_size(s, moved)), _angle(s, moved))


def _angle(s: Any, x: Complex) -> Any:
    return s("atan2", x.im, x.re)


def _sqrt(s: Any, x: Complex) -> Complex:
    """The larger part is a root of a sum without cancellation, the other one a quotient by it."""
    kind = x.re.dtype
    zero, half = s.constant(0.0, kind), s.constant(0.5, kind)
    a = s("abs", x.re)
    # Halved before they are added: the sum of both may overflow.
    root = s("sqrt", s("add", s("mul", a, half), s("mul", _size(s, x), half)))
    other = s("select", s("equal", root, zero), x.im, s("div", s("mul", x.im, half), root))
    # The imaginary part has the sign of x's, also of -0.
    below = s("or", s("less", x.im, zero), s("less", s("reciprocal", x.im), zero))
    signed = s("select", below, s("neg", root), root)
    right = s("greater_equal", x.re, zero)
    infinite = s("is_inf", x.im)
    re = s("select", infinite, s("abs", x.im), s("select", right, root, s("abs", other)))
    return Complex(re, s("select", infinite, x.im, s("select", right, other, signed)))


def _rsqrt(s: Any, x: Complex) -> Complex:
    return _reciprocal(s, _sqrt(s, x))


def _tanh(s: Any, x: Complex) -> Complex:
    """Kahan: of sinh of the real part and tan of the imaginary one; where that overflows it is 1 and next to 0."""
    kind = x.re.dtype
    one = s.constant(1.0, kind)
    far = s("greater", s("abs", x.re), s.constant(11.0 if kind == float32 else 22.0, kind))
    a = s("select", far, s.constant(0.0, kind), x.re)
    tangent, sine = s("tan", x.im), s("sinh", a)
    slope = s("add", one, s("square", tangent))
    by = s("add", one, s("mul", slope, s("square", sine)))
    height = s("sqrt", s("add", one, s("square", sine)))
    re = s("div", s("mul", s("mul", slope, height), sine), by)
    left = s("exp", s("mul", s.constant(-2.0, kind), s("abs", x.re)))
    waves = s("mul", s.constant(4.0, kind), s("mul", s("sin", x.im), s("cos", x.im)))
    im = s("select", far, s("mul", waves, left), s("div", tangent, by))
    return Complex(s("select", far, s("sign", x.re), re), im)


def _turned(s: Any, x: Complex) -> Complex:
    """i x"""
    return Complex(s("neg", x.im), x.re)


def _tan(s: Any, x: Complex) -> Complex:
    """-i tanh(i x)"""
    found = _tanh(s, _turned(s, x))
    return Complex(found.im, s("neg", found.re))


def _sigmoid(s: Any, x: Complex) -> Complex:
    one = s.constant(1.0, x.dtype)
    return _div(s, one, _add(s, one, _exp(s, _neg(s, x))))


def _sin(s: Any, x: Complex) -> Complex:
    return Complex(s("mul", s("sin", x.re), s("cosh", x.im)), s("mul", s("cos", x.re), s("sinh", x.im)))


def _cos(s: Any, x: Complex) -> Complex:
    return Complex(s("mul", s("cos", x.re), s("cosh", x.im)), s("neg", s("mul", s("sin", x.re), s("sinh", x.im))))


def _sinh(s: Any, x: Complex) -> Complex:
    return Complex(s("mul", s("sinh", x.re), s("cos", x.im)), s("mul", s("cosh", x.re), s("sin", x.im)))


def _cosh(s: Any, x: Complex) -> Complex:
    return Complex(s("mul", s("cosh", x.re), s("cos", x.im)), s("mul", s("sinh", x.re), s("sin", x.im)))


def _pow(s: Any, x: Complex, y: Complex) -> Complex:
    """exp(y log x); 0 to a power is 0, to the power 0 it is 1."""
    zero, one = s.constant(0.0, x.dtype), s.constant(1.0, x.dtype)
    found = s("select", _equal(s, x, zero), zero, _exp(s, _mul(s, y, _log(s, x))))
    made: Complex = s("select", _equal(s, y, zero), one, found)
    return made


def _equal(s: Any, x: Complex, y: Complex) -> Any:
    return s("and", s("equal", x.re, y.re), s("equal", x.im, y.im))


def _not_equal(s: Any, x: Complex, y: Complex) -> Any:
    return s("or", s("not_equal", x.re, y.re), s("not_equal", x.im, y.im))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _add, "sub": _sub, "neg": _neg, "mul": _mul, "square": _square, "div": _div, "reciprocal": _reciprocal,
    "size": _size, "angle": _angle, "sign": _sign, "exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log1p,
    "sqrt": _sqrt, "rsqrt": _rsqrt, "tanh": _tanh, "tan": _tan, "sigmoid": _sigmoid, "sin": _sin, "cos": _cos,
    "sinh": _sinh, "cosh": _cosh, "pow": _pow, "equal": _equal, "not_equal": _not_equal,
    "real": lambda s, x: x.re, "imag": lambda s, x: x.im, "conj": lambda s, x: Complex(x.re, s("neg", x.im)),
}
