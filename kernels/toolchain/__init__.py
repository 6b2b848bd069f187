"""From kernels in Python to machine code: front end (numba), back end (LLVM), registry, gate, cache, builder."""
