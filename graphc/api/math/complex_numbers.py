"""Complex numbers: made of two real ones, taken apart, conjugated; their angle."""
from __future__ import annotations

from graphc.api.array.fill import zeros_like
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import complex64, complex128, float32, float64
from graphc.ops.math.complex_numbers import Angle, Complex, Conj, Imag, Real


@public("complex")
def complex(real, imag, name=None):
    """real + i imag, broadcast.

    real, imag: both float32 (the result is complex64), or both float64 (complex128); anything else is a TypeError.
    Raises ValueError for shapes that are known not to broadcast. As `tf.complex`.

    >>> gc.complex([1., 0.], [2., -1.]).eval()
    array([1.+2.j, 0.-1.j], dtype=complex64)
    """
    real, imag = convert_to_tensor(real, name="real"), convert_to_tensor(imag, name="imag")
    if (real.dtype, imag.dtype) not in ((float32, float32), (float64, float64)):
        raise TypeError(f"real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}; both must be "
                        "float32, or both float64: cast one of them (gc.cast)")
    return apply(Complex, real, imag, Tout=complex64 if real.dtype == float32 else complex128, name=name or "Complex")


@public("real", "math.real")
def real(input, name=None):
    """The real part: float32 of complex64, float64 of complex128.

    input: complex, of any shape; a real tensor is given back as it is. As `tf.math.real`.

    >>> gc.real(gc.constant([1. + 2.j, 3.], gc.complex64)).eval()
    array([1., 3.], dtype=float32)
    """
    x = convert_to_tensor(input, name="input")
    return apply(Real, x, Tout=x.dtype.real_dtype, name=name or "Real") if x.dtype.is_complex else x


@public("imag", "math.imag")
def imag(input, name=None):
    """The imaginary part: float32 of complex64, float64 of complex128.

    input: complex, of any shape; of a real tensor zeros. As `tf.math.imag`.

    >>> gc.imag(gc.constant([1. + 2.j, 3.], gc.complex64)).eval()
    array([2., 0.], dtype=float32)
    """
    x = convert_to_tensor(input, name="input")
    return apply(Imag, x, Tout=x.dtype.real_dtype, name=name or "Imag") if x.dtype.is_complex else zeros_like(x)


@public("angle", "math.angle")
def angle(input, name=None):
    """The angle from the positive real numbers in radians, from -pi to pi: atan2(imag, real).

    input: complex, of any shape, and the result real (complex64 gives float32). Of a real tensor it is 0 for all
    elements, negative ones too, as in TensorFlow 1.15 (TensorFlow 2 gives those pi). As `tf.math.angle`.

    >>> gc.angle(gc.constant([1., 1.j, -1., 1. - 1.j], gc.complex64)).eval()
    array([ 0.    ,  1.5708,  3.1416, -0.7854], dtype=float32)
    """
    x = convert_to_tensor(input, name="input")
    return apply(Angle, x, Tout=x.dtype.real_dtype, name=name or "Angle") if x.dtype.is_complex else zeros_like(x)


@public("conj", "math.conj")
def conj(x, name=None):
    """The conjugate: the sign of the imaginary part turned.

    x: complex, of any shape; a real tensor is given back as it is. Raises TypeError for strings and bools. As
    `tf.math.conj`.

    >>> gc.conj(gc.constant([1. + 2.j, 3.], gc.complex64)).eval()
    array([1.-2.j, 3.-0.j], dtype=complex64)
    """
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex:
        return apply(Conj, x, name=name or "Conj")
    if x.dtype.is_floating or x.dtype.is_integer:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype.name}")
