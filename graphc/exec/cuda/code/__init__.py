"""Kernels of the device as LLVM text, and the text as PTX."""
