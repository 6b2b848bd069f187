"""The kernels' functions, which numba compiles; contracts/ names them."""
