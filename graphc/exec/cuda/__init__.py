"""Plans on an NVIDIA GPU: the driver by ctypes, maps and kernels as PTX, an engine whose runs are CUDA graphs."""
