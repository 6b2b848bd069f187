"""Kernels, runtime and toolchain: everything that becomes machine code. Imports nothing from graphc."""
