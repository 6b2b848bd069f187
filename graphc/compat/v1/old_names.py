"""Names of before TensorFlow 1.0, and of parts that moved: the public name that each has today.

Only what has kept its arguments stands here; where their order changed, a function of its own maps them, declared
"compat.v1..." beside it.
"""
from __future__ import annotations

OLD_NAMES: dict[str, str] = {
    # math
    "complex_abs": "abs", "select": "where", "batch_cholesky": "cholesky",
    "batch_matrix_determinant": "matrix_determinant", "batch_matrix_inverse": "matrix_inverse",
    "batch_matrix_solve": "matrix_solve", "batch_matrix_diag": "matrix_diag",
    "batch_matrix_diag_part": "matrix_diag_part", "batch_matrix_band_part": "matrix_band_part",
    "batch_matrix_transpose": "matrix_transpose", "batch_matrix_set_diag": "matrix_set_diag",
    "batch_matrix_triangular_solve": "matrix_triangular_solve", "batch_self_adjoint_eig": "self_adjoint_eig",
    "batch_svd": "svd", "batch_fft": "fft", "batch_ifft": "ifft", "batch_fft2d": "fft2d", "batch_ifft2d": "ifft2d",
    # arrays
    "listdiff": "setdiff1d",
    # images and networks
    "nn.deconv2d": "nn.conv2d_transpose",
}
