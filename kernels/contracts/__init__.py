"""What kernels promise, as data: needs no numba, so compiling a Plan, its verifier and tools read it too."""
