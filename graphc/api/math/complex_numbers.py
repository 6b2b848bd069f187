"""Complex numbers: made of two real ones, taken apart, conjugated; their angle."""
from __future__ import annotations

from graphc.api.array.fill import zeros_like
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import complex64, complex128, float32, float64
from graphc.ops.math.complex_numbers import Angle, Complex, Conj, Imag, Real


@public("complex")
def complex(real, imag, name=None):
    """real + i imag of two tensors of float32 or of float64. As `tf.complex`."""
    real, imag = convert_to_tensor(real, name="real"), convert_to_tensor(imag, name="imag")
    if (real.dtype, imag.dtype) not in ((float32, float32), (float64, float64)):
        raise TypeError(f"real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}; both must be "
                        "float32, or both float64: cast one of them (gc.cast)")
    return apply(Complex, real, imag, Tout=complex64 if real.dtype == float32 else complex128, name=name or "Complex")


@public("real", "math.real")
def real(input, name=None):
    """The real part; a real tensor is its own. As `tf.math.real`."""
    x = convert_to_tensor(input, name="input")
    return apply(Real, x, Tout=x.dtype.real_dtype, name=name or "Real") if x.dtype.is_complex else x


@public("imag", "math.imag")
def imag(input, name=None):
    """The imaginary part; that of a real tensor is 0. As `tf.math.imag`."""
    x = convert_to_tensor(input, name="input")
    return apply(Imag, x, Tout=x.dtype.real_dtype, name=name or "Imag") if x.dtype.is_complex else zeros_like(x)


@public("angle", "math.angle")
def angle(input, name=None):
    """The angle from the positive real numbers; that of a real tensor is given as 0. As `tf.math.angle`."""
    x = convert_to_tensor(input, name="input")
    return apply(Angle, x, Tout=x.dtype.real_dtype, name=name or "Angle") if x.dtype.is_complex else zeros_like(x)


@public("conj", "math.conj")
def conj(x, name=None):
    """The conjugate; a real tensor is its own. As `tf.math.conj`. Raises TypeError for what is no number."""
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex:
        return apply(Conj, x, name=name or "Conj")
    if x.dtype.is_floating or x.dtype.is_integer:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype.name}")
